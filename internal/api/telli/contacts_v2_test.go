package telli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

func (c *caller) addProperty(key, dataType string, change object) object {
	c.Helper()
	property := object{"key": key, "dataType": dataType, "label": strings.ToUpper(key)}
	for name, v := range change {
		property[name] = v
	}
	return c.ask(201, "POST", "/v2/properties/contacts", property)
}

// person is a contact as v2 takes it.
func person(change object) object {
	p := object{"firstName": "Frida", "lastName": "Kahlo", "phoneNumber": "+14155552671"}
	for name, v := range change {
		p[name] = v
	}
	return p
}

func sent(keyValues ...any) (properties []object) {
	for pair := range slices.Chunk(keyValues, 2) {
		properties = append(properties, object{"key": pair[0], "value": pair[1]})
	}
	return properties
}

// shown is what v2 shows of a contact's properties: "key=value, key=value".
func shown(contact object) string {
	var list []string
	for _, p := range contact["properties"].([]any) {
		list = append(list, fmt.Sprint(p.(object)["key"], "=", p.(object)["value"]))
	}
	return strings.Join(list, ", ")
}

func TestContactV2(t *testing.T) {
	each(t, func(c, other *caller) {
		c.addProperty("company", "string", nil)
		c.addProperty("plan", "select", object{"options": []object{{"value": "pro", "label": "Pro", "description": "<all>"}}})
		got := c.ask(201, "POST", "/v2/contacts", person(object{
			"externalId": "crm/7", "externalUrl": "https://crm.example/7", "phoneNumber": "+1 (415) 555-2671", "email": "frida@example.com",
			"salutation": "Ms", "timezoneIana": "America/Los_Angeles", "properties": sent("plan", "pro", "undefined", 1, "company", "Casa <Azul>"),
		}))
		id := got["id"].(string)
		for _, name := range []string{"createdAt", "updatedAt"} {
			if at, _ := got[name].(string); len(at) != len("2026-11-23T10:00:00.000Z") {
				c.Errorf("%s is %q", name, at)
			}
		}
		want := object{
			"id": id, "type": "contact", "externalId": "crm/7", "externalUrl": "https://crm.example/7", "salutation": "Ms", "firstName": "Frida",
			"lastName": "Kahlo", "phoneNumber": "+14155552671", "timezoneIana": "America/Los_Angeles", "email": "frida@example.com",
			"autoDialerStatus": nil, "createdAt": got["createdAt"], "updatedAt": got["updatedAt"],
			"properties": []any{
				object{"key": "company", "dataType": "string", "value": "Casa <Azul>", "label": "COMPANY", "options": []any{}},
				object{"key": "plan", "dataType": "select", "value": "pro", "label": "PLAN", "options": []any{
					object{"value": "pro", "label": "Pro", "description": "<all>"},
				}},
			},
		}
		if !reflect.DeepEqual(got, want) {
			c.Errorf("got %v\nwant %v", got, want)
		}
		for _, path := range []string{"/v2/contacts/" + id, "/v2/contacts/" + strings.ToUpper(id), "/v2/external/contacts/crm%2F7"} {
			if same := c.ask(200, "GET", path, nil); !reflect.DeepEqual(same, want) {
				c.Errorf("%s is %v", path, same)
			}
		}
		// The same contact in v1, where what has no property is not stored either.
		if v1 := c.ask(200, "GET", "/v1/get-contact/"+id, nil); fmt.Sprint(v1["contact_details"]) != "map[company:Casa <Azul> plan:pro]" || v1["timezone"] != "America/Los_Angeles" {
			c.Errorf("v1 shows %v", v1)
		}
		if taken := c.ask(409, "POST", "/v2/contacts", person(object{"externalId": "crm/7"})); taken["code"] != "DUPLICATE_EXTERNAL_ID" || taken["fields"].(object)["externalId"] == nil {
			c.Errorf("the same external id: %v", taken)
		}
		other.ask(201, "POST", "/v2/contacts", person(object{"externalId": "crm/7"}))
		least := c.ask(201, "POST", "/v2/contacts", person(object{"externalId": nil, "email": nil, "properties": nil}))
		for _, name := range []string{"externalId", "externalUrl", "salutation", "timezoneIana", "email", "autoDialerStatus"} {
			if v, ok := least[name]; v != nil || !ok {
				c.Errorf("%s is %v", name, v)
			}
		}
		for _, path := range []string{"/v2/contacts/nonsense", "/v2/external/contacts/nobody", "/v2/external/contacts/%00"} {
			if got := c.ask(404, "GET", path, nil); got["code"] != "NOT_FOUND" {
				c.Errorf("%s: %v", path, got)
			}
		}
	})
}

// PATCH changes what is sent; null clears.
func TestUpdateContactV2(t *testing.T) {
	each(t, func(c, _ *caller) {
		c.addProperty("a", "number", nil)
		c.addProperty("b", "boolean", nil)
		id := c.addContact(object{"external_contact_id": "crm-7", "email": "frida@example.com", "gender": "female", "contact_details": object{"free": "x", "a": 1, "b": true}})
		before := c.ask(200, "GET", "/v2/contacts/"+id, nil)
		got := c.ask(200, "PATCH", "/v2/contacts/"+id, object{"email": nil, "firstName": "Magdalena", "properties": sent("a", 2.5, "b", nil, "c", 3)})
		if got["email"] != nil || got["firstName"] != "Magdalena" || got["lastName"] != "Kahlo" || got["externalId"] != "crm-7" || shown(got) != "a=2.5" {
			c.Errorf("became %v", got)
		}
		if got["createdAt"] != before["createdAt"] || got["updatedAt"].(string) < before["updatedAt"].(string) {
			c.Errorf("updated at %v, before at %v", got["updatedAt"], before["updatedAt"])
		}
		if v1 := c.ask(200, "GET", "/v1/get-contact/"+id, nil); fmt.Sprint(v1["contact_details"]) != "map[a:2.5 free:x]" || v1["gender"] != "female" {
			c.Errorf("v1 shows %v", v1)
		}
		if same := c.ask(200, "PATCH", "/v2/contacts/"+id, object{}); same["firstName"] != "Magdalena" || shown(same) != "a=2.5" {
			c.Errorf("nothing changed it to %v", same)
		}
		c.addContact(object{"external_contact_id": "crm-8"})
		if taken := c.ask(409, "PATCH", "/v2/contacts/"+id, object{"externalId": "crm-8"}); taken["code"] != "DUPLICATE_EXTERNAL_ID" {
			c.Errorf("taken: %v", taken)
		}
		c.ask(200, "PATCH", "/v2/contacts/"+id, object{"externalId": "crm-7"}) // its own
		c.ask(404, "PATCH", "/v2/contacts/nonsense", object{"firstName": "x"})
		// A contact that came by another way may have no name, or one that is longer than v2's.
		reported := c.ask(200, "POST", "/v1/report-call", report(object{"phone_number": "+442071838750"}))["contact_id"].(string)
		if got := c.ask(200, "PATCH", "/v2/contacts/"+reported, object{"email": "a@example.com"}); got["firstName"] != "" || got["email"] != "a@example.com" {
			c.Errorf("one without a name became %v", got)
		}
	})
}

// PUT replaces all that v2 shows.
func TestReplaceContactV2(t *testing.T) {
	each(t, func(c, _ *caller) {
		c.addProperty("a", "number", nil)
		c.addProperty("b", "boolean", nil)
		id := c.addContact(object{
			"external_contact_id": "crm-7", "external_url": "https://crm.example/7", "email": "frida@example.com", "salutation": "Ms", "timezone": "Europe/Berlin",
			"gender": "female", "contact_details": object{"free": "x", "a": 1, "b": true},
		})
		got := c.ask(200, "PUT", "/v2/contacts/"+id, person(object{"firstName": "Magdalena", "properties": sent("a", 2)}))
		for _, name := range []string{"externalId", "externalUrl", "salutation", "timezoneIana", "email"} {
			if got[name] != nil {
				c.Errorf("%s is still %v", name, got[name])
			}
		}
		if got["id"] != id || got["firstName"] != "Magdalena" || shown(got) != "a=2" {
			c.Errorf("became %v", got)
		}
		if v1 := c.ask(200, "GET", "/v1/get-contact/"+id, nil); fmt.Sprint(v1["contact_details"]) != "map[a:2 free:x]" || v1["gender"] != "female" {
			c.Errorf("v1 shows %v", v1)
		}
		if got := c.ask(200, "PUT", "/v2/contacts/"+id, person(nil)); shown(got) != "" {
			c.Errorf("became %v", got)
		}
		c.addContact(object{"external_contact_id": "crm-8"})
		if taken := c.ask(409, "PUT", "/v2/contacts/"+id, person(object{"externalId": "crm-8"})); taken["code"] != "DUPLICATE_EXTERNAL_ID" {
			c.Errorf("taken: %v", taken)
		}
		c.ask(404, "PUT", "/v2/contacts/11111111-1111-4111-8111-111111111111", person(nil))
	})
}

// A DELETE without a body is answered without one, whatever content type it claims.
func TestDeleteContactV2(t *testing.T) {
	each(t, func(c, _ *caller) {
		const mark = "zqxjk"
		c.addProperty("note", "string", nil)
		id := c.ask(201, "POST", "/v2/contacts", person(object{"firstName": mark, "properties": sent("note", mark)}))["id"].(string)
		if !strings.Contains(storetest.Dump(c, c.url), mark) {
			c.Fatal("the mark is not there")
		}
		r := httptest.NewRequest("DELETE", "/v2/contacts/"+id, http.NoBody)
		r.Header.Set("Authorization", c.key)
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		c.face.ServeHTTP(w, r)
		if w.Code != 204 || w.Body.Len() > 0 {
			c.Errorf("answered %d %s", w.Code, w.Body)
		}
		c.ask(404, "GET", "/v2/contacts/"+id, nil)
		c.ask(404, "DELETE", "/v2/contacts/"+id, nil)
		c.ask(404, "DELETE", "/v2/contacts/nonsense", nil)
		if strings.Contains(storetest.Dump(c, c.url), mark) {
			c.Error("the mark is still there")
		}
	})
}

// Every contact is on one page, the newest first.
func TestListContactsV2(t *testing.T) {
	each(t, func(c, other *caller) {
		other.addContact(nil)
		empty := c.ask(200, "GET", "/v2/contacts", nil)
		if fmt.Sprint(empty) != "map[data:[] meta:map[count:0 limit:50] pageInfo:map[hasNextPage:false nextCursor:<nil>] type:list]" {
			c.Errorf("of none: %v", empty)
		}
		c.addProperty("n", "number", nil)
		var want []string
		for i := range 7 {
			want = append(want, c.ask(201, "POST", "/v2/contacts", person(object{"properties": sent("n", i)}))["id"].(string))
		}
		slices.Reverse(want)
		for limit := 1; limit <= 8; limit++ {
			var got []string
			for cursor := ""; ; {
				page := c.ask(200, "GET", fmt.Sprintf("/v2/contacts?limit=%d&cursor=%s", limit, cursor), nil)
				data := page["data"].([]any)
				for _, contact := range data {
					got = append(got, contact.(object)["id"].(string))
					if shown(contact.(object)) != fmt.Sprint("n=", 7-len(got)) {
						c.Errorf("contact %d is %v", len(got), contact)
					}
				}
				if meta := page["meta"].(object); meta["limit"] != float64(limit) || meta["count"] != float64(len(data)) || len(data) > limit {
					c.Errorf("%d on a page, meta is %v", len(data), meta)
				}
				info := page["pageInfo"].(object)
				if info["hasNextPage"] == false {
					if info["nextCursor"] != nil {
						c.Errorf("the last page goes on at %v", info["nextCursor"])
					}
					break
				}
				cursor = info["nextCursor"].(string)
			}
			if !slices.Equal(got, want) {
				c.Errorf("by %d: %v, want %v", limit, got, want)
			}
		}
		for query, field := range map[string]string{"limit=0": "limit", "limit=101": "limit", "limit=x": "query.limit", "cursor=x": "cursor"} {
			if got := c.ask(400, "GET", "/v2/contacts?"+query, nil); got["fields"].(object)[field] == nil {
				c.Errorf("%s: %v", query, got)
			}
		}
	})
}

// A contact that is being tried is in the dialer.
func TestAutoDialerStatus(t *testing.T) {
	each(t, func(c, _ *caller) {
		id := c.addContact(nil)
		status := func() any { return c.ask(200, "GET", "/v2/contacts/"+id, nil)["autoDialerStatus"] }
		if got := status(); got != nil {
			c.Errorf("a new one's is %v", got)
		}
		c.ask(200, "POST", "/v1/report-call", report(object{"contact_id": id, "phone_number": nil, "call_status": "NOT_REACHED"}))
		if got := status(); got != "in_dialer" {
			c.Errorf("a pending one's is %v", got)
		}
		c.ask(200, "POST", "/v1/report-call", report(object{"contact_id": id, "phone_number": nil, "external_call_id": "call-2"}))
		if got := status(); got != nil {
			c.Errorf("a reached one's is %v", got)
		}
	})
}

// Values that came untyped, by v1, are shown as they are.
func TestUntypedValues(t *testing.T) {
	each(t, func(c, _ *caller) {
		id := c.addContact(object{"contact_details": object{"age": "forty", "none": nil}})
		if got := shown(c.ask(200, "GET", "/v2/contacts/"+id, nil)); got != "" {
			c.Errorf("without a property it is %s", got)
		}
		c.addProperty("age", "number", nil)
		c.addProperty("none", "number", nil)
		if got := shown(c.ask(200, "GET", "/v2/contacts/"+id, nil)); got != "age=forty" {
			c.Errorf("with one it is %s", got)
		}
	})
}

func TestBadInputOfV2NamesItsFields(t *testing.T) {
	long := strings.Repeat("x", 51)
	each(t, func(c, _ *caller) {
		c.addProperty("n", "number", nil)
		c.addProperty("s", "string", nil)
		id := c.addContact(nil)
		one := "/v2/contacts/" + id
		for _, test := range []struct {
			route, fields string
			body          any
		}{
			{"POST /v2/contacts", "body", `{"firstName":`},
			{"POST /v2/contacts", "firstName lastName phoneNumber", object{}},
			{"POST /v2/contacts", "firstName lastName properties.0.value", object{"phoneNumber": "+14155552671", "firstName": " ", "lastName": long, "properties": sent("n", "1", "s", "1")}},
			{"POST /v2/contacts", "phoneNumber", person(object{"phoneNumber": "0800"})},
			{"POST /v2/contacts", "phoneNumber", person(object{"phoneNumber": 14155552671})},
			{"POST /v2/contacts", "email externalUrl timezoneIana", person(object{"email": "x", "externalUrl": "x", "timezoneIana": "x"})},
			{"POST /v2/contacts", "externalId", person(object{"externalId": strings.Repeat("x", 257)})},
			{"POST /v2/contacts", "properties", person(object{"properties": object{}})},
			{"POST /v2/contacts", "properties", person(object{"properties": sent("s", strings.Repeat("x", 65<<10))})},
			{"POST /v2/contacts", "properties.1.value", person(object{"properties": []object{{"key": "x"}, {"key": "n"}}})},
			{"PUT " + one, "firstName phoneNumber", object{"lastName": "x", "phoneNumber": nil}},
			{"PUT " + one, "properties.0.value", person(object{"properties": sent("n", true)})},
			{"PUT " + one, "email", person(object{"email": "x"})},
			{"PATCH " + one, "firstName lastName", object{"firstName": "", "lastName": nil}},
			{"PATCH " + one, "firstName", object{"firstName": long}},
			{"PATCH " + one, "phoneNumber", object{"phoneNumber": nil}},
			{"PATCH " + one, "properties.0.value", object{"properties": sent("n", object{})}},
			{"PATCH " + one, "timezoneIana", object{"timezoneIana": "Mars/Olympus"}},
		} {
			method, path, _ := strings.Cut(test.route, " ")
			c.wrong(test.fields, method, path, test.body)
		}
		if got := c.ask(200, "GET", one, nil); got["firstName"] != "Frida" || shown(got) != "" {
			c.Errorf("the contact became %v", got)
		}
	})
}

// wrong sends a request that must be refused naming these fields, each with a space
// before the next, and no others.
func (c *caller) wrong(fields, method, path string, body any) {
	c.Helper()
	got := c.ask(400, method, path, body)
	var names []string
	named, _ := got["fields"].(object)
	for name := range named {
		names = append(names, name)
	}
	want := strings.Fields(fields)
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) || got["code"] != "INVALID_REQUEST" || !strings.Contains(got["message"].(string), want[0]) {
		c.Errorf("%s %s %.100v: %.300v, want a word on %s", method, path, body, got, fields)
	}
}
