package telli_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestContact(t *testing.T) {
	each(t, func(c, other *caller) {
		id := c.addContact(object{
			"external_contact_id": "crm-7", "external_url": "https://crm.example/7", "phone_number": "+1 (415) 555-2671", "email": "frida@example.com",
			"salutation": "Ms", "gender": "female", "timezone": "America/Los_Angeles", "contact_details": object{"company": "Casa <Azul>", "n": 1.5},
			"contact_details_plan": "pro",
		})
		got := c.ask(200, "GET", "/v1/get-contact/"+id, nil)
		if created, _ := got["created_at"].(string); len(created) != len("2026-11-23T10:00:00.000Z") {
			c.Errorf("created_at is %q", created)
		}
		delete(got, "created_at")
		want := object{
			"contact_id": id, "external_contact_id": "crm-7", "external_url": "https://crm.example/7", "first_name": "Frida", "last_name": "Kahlo",
			"phone_number": "+14155552671", "email": "frida@example.com", "salutation": "Ms", "gender": "female", "timezone": "America/Los_Angeles",
			"contact_details": object{"company": "Casa <Azul>", "n": 1.5, "plan": "pro"}, "status": "new", "call_attempts": 0.0,
			"in_call_since": nil, "next_call_at": nil, "reached_at": nil,
		}
		if !reflect.DeepEqual(got, want) {
			c.Errorf("got %v\nwant %v", got, want)
		}
		if same := c.ask(200, "GET", "/v1/get-contact-by-external-id/crm-7", nil); same["contact_id"] != id {
			c.Errorf("by external id: %v", same)
		}
		if same := c.ask(200, "GET", "/v1/get-contact/"+strings.ToUpper(id), nil); same["contact_id"] != id {
			c.Errorf("by an id in capitals: %v", same)
		}
		if taken := c.ask(409, "POST", "/v1/add-contact", object{
			"first_name": "x", "last_name": "y", "phone_number": "+14155552672", "external_contact_id": "crm-7",
		}); taken["code"] != "DUPLICATE_EXTERNAL_ID" {
			c.Errorf("the same external id: %v", taken)
		}
		// Another account may use the same, and sees nothing of this.
		other.addContact(object{"external_contact_id": "crm-7"})
		for _, route := range []string{"GET /v1/get-contact/" + id, "DELETE /v1/delete-contact/" + id, "GET /v1/get-contact/nonsense", "GET /v1/get-contact-by-external-id/nobody"} {
			method, path, _ := strings.Cut(route, " ")
			if got := other.ask(404, method, path, nil); got["code"] != "NOT_FOUND" {
				c.Errorf("%s: %v", route, got)
			}
		}
		other.ask(404, "PATCH", "/v1/update-contact", object{"contact_id": id, "first_name": "Mallory"})
		if got := c.ask(200, "GET", "/v1/get-contact/"+id, nil); got["first_name"] != "Frida" {
			c.Errorf("another account changed it: %v", got)
		}
	})
}

// Null clears, absent keeps.
func TestUpdateContact(t *testing.T) {
	each(t, func(c, _ *caller) {
		id := c.addContact(object{"external_contact_id": "crm-7", "email": "frida@example.com", "contact_details": object{"a": 1}})
		if got := c.ask(200, "PATCH", "/v1/update-contact", object{"contact_id": id, "email": nil, "first_name": "Magdalena", "phone_number": "+442071838750"}); got["contact_id"] != id {
			c.Errorf("answered %v", got)
		}
		got := c.ask(200, "GET", "/v1/get-contact/"+id, nil)
		if got["email"] != nil || got["first_name"] != "Magdalena" || got["last_name"] != "Kahlo" || got["phone_number"] != "+442071838750" ||
			got["external_contact_id"] != "crm-7" || fmt.Sprint(got["contact_details"]) != "map[a:1]" {
			c.Errorf("became %v", got)
		}
		c.addContact(object{"external_contact_id": "crm-8"})
		if taken := c.ask(409, "PATCH", "/v1/update-contact", object{"contact_id": id, "external_contact_id": "crm-8"}); taken["code"] != "DUPLICATE_EXTERNAL_ID" {
			c.Errorf("taken: %v", taken)
		}
		c.ask(200, "PATCH", "/v1/update-contact", object{"contact_id": id, "external_contact_id": "crm-7"}) // its own
		c.ask(200, "PATCH", "/v1/update-contact", object{"contact_id": id, "external_contact_id": nil})
		c.ask(404, "GET", "/v1/get-contact-by-external-id/crm-7", nil)
	})
}

// A batch tells of each item, and no wrong one spoils another.
func TestBatches(t *testing.T) {
	each(t, func(c, other *caller) {
		good := object{"first_name": "Frida", "last_name": "Kahlo", "phone_number": "+14155552671"}
		with := func(change object) object {
			item := object{}
			for _, part := range []object{good, change} {
				for name, v := range part {
					item[name] = v
				}
			}
			return item
		}
		added := c.ask(200, "POST", "/v1/add-contacts-batch", object{"contacts": []any{
			with(object{"external_contact_id": "a"}), with(object{"external_contact_id": "a"}), with(object{"phone_number": "1"}),
			with(object{"first_name": 7}), nil, "x", with(nil),
		}})
		if added["total_processed"] != 7.0 || added["total_success"] != 2.0 || added["total_failed"] != 5.0 {
			c.Errorf("added %v", added)
		}
		var codes []string
		var ids []any
		for _, item := range added["result"].([]any) {
			item := item.(object)
			codes = append(codes, fmt.Sprint(item["status"], " ", item["code"]))
			if item["status"] == "success" {
				ids = append(ids, item["contact_id"])
			} else if item["error"] == "" || item["contact_id"] != nil {
				c.Errorf("item %v", item)
			}
		}
		if got := strings.Join(codes, ", "); got != "success <nil>, error DUPLICATE_EXTERNAL_ID, error INVALID_REQUEST, error INVALID_REQUEST, error INVALID_REQUEST, error INVALID_REQUEST, success <nil>" {
			c.Errorf("codes are %s", got)
		}
		foreign := other.addContact(nil)
		got := c.list("POST", "/v1/get-contacts-batch", object{"contact_ids": append(ids, foreign, "nonsense")})
		for i, want := range []string{"success", "success", "error", "error"} {
			if got[i]["status"] != want || want == "error" && (got[i]["contactId"] == nil || got[i]["contact"] != nil) {
				c.Errorf("item %d is %v", i, got[i])
			}
		}
		updated := c.list("PATCH", "/v1/update-contacts-batch", object{"contacts": []any{
			object{"contact_id": ids[0], "first_name": "A"}, object{"contact_id": foreign, "first_name": "B"}, object{"first_name": "C"},
			object{"contact_id": ids[1], "phone_number": "x"}, object{"contact_id": ids[1], "first_name": "E"}, object{"contact_id": ids[1], "external_contact_id": "a"},
		}})
		for i, want := range []string{"success", "error", "error", "error", "success", "error"} {
			if updated[i]["status"] != want {
				c.Errorf("item %d is %v, want %s", i, updated[i], want)
			}
		}
		if got := other.ask(200, "GET", "/v1/get-contact/"+foreign, nil); got["first_name"] != "Frida" {
			c.Errorf("another account's contact became %v", got)
		}
	})
}

// A thousand contacts are one request, and are all there.
func TestLargestBatch(t *testing.T) {
	each(t, func(c, _ *caller) {
		contacts := make([]object, 1000)
		for i := range contacts {
			contacts[i] = object{"first_name": "F", "last_name": "K", "phone_number": fmt.Sprintf("+1415555%04d", i), "external_contact_id": fmt.Sprint(i)}
		}
		if added := c.ask(200, "POST", "/v1/add-contacts-batch", object{"contacts": contacts}); added["total_success"] != 1000.0 {
			c.Errorf("added %v", added["total_success"])
		}
		if got := c.ask(200, "GET", "/v1/get-contact-by-external-id/999", nil); got["phone_number"] != "+14155550999" {
			c.Errorf("got %v", got)
		}
	})
}

// Erasing a contact leaves nothing of the person in any column of any table.
func TestDeleteContactErases(t *testing.T) {
	each(t, func(c, _ *caller) {
		const mark = "zqxjk" // in all that is told of the person
		id := c.addContact(object{
			"first_name": mark, "last_name": mark, "phone_number": "+4915112345678", "email": mark + "@example.com", "external_contact_id": mark,
			"external_url": "https://crm.example/" + mark, "salutation": mark, "contact_details": object{"note": mark},
		})
		kept := c.addContact(object{"external_contact_id": "kept", "phone_number": "+14155552672", "first_name": "kept"})
		for i, contact := range []string{id, kept} {
			c.ask(200, "POST", "/v1/report-call", report(object{
				"external_call_id": fmt.Sprint(i), "contact_id": contact, "phone_number": nil, "to_number": "+4915112345678", "transcript": "Contact: " + mark,
				"transcriptObject": []object{{"role": "user", "content": mark}}, "recording_url": "https://r.example/" + mark,
				"call_analysis": object{"summary": object{"value": mark}}, "call_outcome": object{"x": mark},
			}))
		}
		c.answered(mark)
		before := storetest.Dump(c, c.url)
		if n := strings.Count(before, mark); n < 20 {
			c.Fatalf("the mark is there %d times", n)
		}
		if got := c.ask(200, "DELETE", "/v1/delete-contact/"+id, nil); got["contact_id"] != id {
			c.Errorf("answered %v", got)
		}
		c.ask(404, "GET", "/v1/get-contact/"+id, nil)
		c.ask(404, "DELETE", "/v1/delete-contact/"+id, nil)
		c.ask(200, "DELETE", "/v1/delete-contact/"+kept, nil)
		for line := range strings.Lines(storetest.Dump(c, c.url)) {
			if strings.Contains(line, mark) || strings.Contains(line, "4915112345678") {
				c.Errorf("left: %.300s", line)
			}
		}
		calls := c.ask(200, "GET", "/v1/list-calls", nil)["calls"].([]any)
		if len(calls) != 2 || calls[0].(object)["transcript"] != "" {
			c.Errorf("that there were calls is kept: %v", calls)
		}
	})
}

// answered stores an attempt of each message whose response repeats it, as some
// receivers' do.
func (c *caller) answered(mark string) {
	c.Helper()
	storetest.Update(c, c.store, func(tx *store.Tx) error {
		endpoints, err := tx.Endpoints(c.account.ID, store.Page{Limit: 10})
		if err != nil {
			return err
		}
		ref := store.EndpointRef{AccountID: c.account.ID, EndpointID: endpoints[0].ID}
		claimed, err := tx.Claim(ref, 100, tx.Now())
		var outcomes []store.Outcome
		for _, d := range claimed {
			attempt := attemptOf(d, "got "+mark)
			outcomes = append(outcomes, store.Outcome{Attempt: attempt, Claimed: d.Delivery, Next: d.Delivery})
		}
		if len(outcomes) == 0 {
			c.Error("nothing was delivered")
		}
		if err != nil {
			return err
		}
		return tx.Record(outcomes)
	})
}
