package telli_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

func attemptOf(d store.Claimed, response string) aftercall.Attempt {
	return aftercall.Attempt{
		AccountID: d.Delivery.AccountID, MessageID: d.Delivery.MessageID, EndpointID: d.Delivery.EndpointID,
		ID: aftercall.NewID(aftercall.AttemptPrefix, time.Now()), URL: "https://crm.example/", Verdict: aftercall.Refused, StatusCode: 500,
		Response: response, StartedAt: time.Now().UTC(),
	}
}

// A report becomes a call, moves its contact, and is told to the account's endpoints.
func TestReportCall(t *testing.T) {
	each(t, func(c, other *caller) {
		in := report(object{
			"started_at": "2024-11-18T19:08:52.264Z", "ended_at": 1731957002078, "transcriptObject": []object{{"role": "agent", "content": "Hello..."}},
			"booked_slot_for": "2025-02-18T16:30:00+01:00", "call_analysis": object{"summary": object{"value": "a <b>"}}, "end_reason": "agent_hangup",
			"recording_url": "https://r.example/1", "agent_id": "agent-1", "external_contact_id": "crm-1",
		})
		done := c.ask(200, "POST", "/v1/report-call", in)
		contact := c.ask(200, "GET", "/v1/get-contact/"+done["contact_id"].(string), nil)
		if contact["status"] != "reached" || contact["phone_number"] != "+14155552671" || contact["external_contact_id"] != "crm-1" || contact["call_attempts"] != 1.0 {
			c.Errorf("the contact is %v", contact)
		}
		call := c.ask(200, "GET", "/v1/get-call/"+done["call_id"].(string), nil)
		for name, want := range (object{
			"call_status": "COMPLETED", "call_length_min": 2.0, "started_at": 1731956932264.0, "ended_at": 1731957002078.0, "triggered_at": 1731956924302.0,
			"started_at_iso": "2024-11-18T19:08:52.264Z", "booked_slot_for": "2025-02-18T15:30:00Z", "transcript": "Agent: Hello...", "attempt": 1.0,
			"external_contact_id": "crm-1", "ended_reason": "agent_hangup", "agent_id": "agent-1", "loop_id": nil, "recording_url": "https://r.example/1",
		}) {
			if call[name] != want {
				c.Errorf("%s is %v, want %v", name, call[name], want)
			}
		}
		if got := c.eventTypes(); got != "call_ended contact_status_changed" && got != "contact_status_changed call_ended" {
			c.Fatalf("published %s", got)
		}
		for _, m := range c.events() {
			var event struct {
				Event         string
				Call, Contact object
			}
			if err := json.Unmarshal(m.Payload, &event); err != nil {
				c.Fatal(err)
			}
			if event.Event != m.EventType || event.Contact["contact_id"] != done["contact_id"] || event.Contact["status"] != "reached" {
				c.Errorf("published %s", m.Payload)
			}
			if event.Call != nil && (event.Call["call_id"] != done["call_id"] || !strings.Contains(string(m.Payload), `"a \u003cb\u003e"`)) {
				c.Errorf("published %s", m.Payload)
			}
		}
		// The same again is the same, whatever else it says; elsewhere it is another.
		if again := c.ask(200, "POST", "/v1/report-call", report(object{"call_status": "ERROR"})); fmt.Sprint(again) != fmt.Sprint(done) {
			c.Errorf("again it is %v, was %v", again, done)
		}
		if again := c.ask(200, "POST", "/v1/report-call", report(object{"external_call_id": nil, "call_id": done["call_id"]})); fmt.Sprint(again) != fmt.Sprint(done) {
			c.Errorf("by its call id it is %v, was %v", again, done)
		}
		if n := len(c.events()); n != 2 {
			c.Errorf("%d events", n)
		}
		if there := other.ask(200, "POST", "/v1/report-call", in); there["call_id"] == done["call_id"] || there["contact_id"] == done["contact_id"] {
			c.Errorf("two accounts share %v", there)
		}
	})
}

// Contacts are named in three ways, and never across accounts.
func TestReportNamesItsContact(t *testing.T) {
	each(t, func(c, other *caller) {
		id := c.addContact(object{"external_contact_id": "crm-1"})
		n := 0
		report := func(status int, on *caller, change object) object {
			n++
			full := report(object{"external_call_id": fmt.Sprint(n), "phone_number": nil})
			for name, v := range change {
				full[name] = v
			}
			return on.ask(status, "POST", "/v1/report-call", full)
		}
		for _, name := range []object{
			{"contact_id": id}, {"external_contact_id": "crm-1"}, {"phone_number": "+1 415 555 2671"},
			{"contact_id": id, "external_contact_id": "crm-1", "phone_number": "+14155552671"},
		} {
			if got := report(200, c, name); got["contact_id"] != id {
				c.Errorf("%v is %v, want %s", name, got, id)
			}
		}
		if got := c.ask(200, "GET", "/v1/get-contact/"+id, nil); got["call_attempts"] != 4.0 {
			c.Errorf("%v attempts", got["call_attempts"])
		}
		report(404, other, object{"contact_id": id})
		report(404, other, object{"external_contact_id": "crm-1"})
		report(404, other, object{"call_id": "11111111-1111-4111-8111-111111111111", "external_call_id": nil, "phone_number": "+14155552671"})
		if n := len(other.events()); n != 0 {
			c.Errorf("the other account has %d events", n)
		}
	})
}

// What a call's end means for its contact, and what is told of it.
func TestStatusesMove(t *testing.T) {
	for name, test := range map[string]struct {
		calls  []object
		status string
		events string
	}{
		"reached":                     {[]object{{"call_status": "COMPLETED"}}, "reached", "call_ended contact_status_changed"},
		"not reached":                 {[]object{{"call_status": "NOT_REACHED"}}, "pending", "call_ended contact_status_changed"},
		"voicemail, then reached":     {[]object{{"end_reason": "voicemail"}, {"call_status": "COMPLETED"}}, "reached", "call_ended call_ended contact_status_changed contact_status_changed"},
		"busy twice changes once":     {[]object{{"end_reason": "busy"}, {"end_reason": "busy"}}, "pending", "call_ended call_ended contact_status_changed"},
		"the number is nobody's":      {[]object{{"end_reason": "invalid_number"}}, "closed", "call_ended contact_status_changed"},
		"inbound and reached":         {[]object{{"call_status": "COMPLETED", "direction": "inbound"}}, "reached", "call_ended contact_status_changed"},
		"reached stays when not then": {[]object{{"call_status": "COMPLETED"}, {"call_status": "NOT_REACHED"}}, "reached", "call_ended call_ended contact_status_changed"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(c, _ *caller) {
				var contact string
				for i, change := range test.calls {
					full := report(object{"external_call_id": fmt.Sprint(i), "call_status": nil})
					for name, v := range change {
						full[name] = v
					}
					contact = c.ask(200, "POST", "/v1/report-call", full)["contact_id"].(string)
				}
				if got := c.ask(200, "GET", "/v1/get-contact/"+contact, nil); got["status"] != test.status {
					c.Errorf("the contact is %v, want %s", got["status"], test.status)
				}
				types := strings.Fields(c.eventTypes())
				if got := sorted(types); got != test.events {
					c.Errorf("published %s, want %s", got, test.events)
				}
			})
		})
	}
}

// Engines send a report again before the first was answered. It is one call.
func TestReportsAtOnceAreOneCall(t *testing.T) {
	each(t, func(c, _ *caller) {
		answers := make([]string, 32)
		var sending sync.WaitGroup
		for i := range answers {
			sending.Go(func() {
				w := c.send("POST", "/v1/report-call", report(nil))
				answers[i] = fmt.Sprint(w.Code, w.Body)
			})
		}
		sending.Wait()
		for _, answer := range answers {
			if answer != answers[0] || !strings.HasPrefix(answer, "200") {
				c.Errorf("answered %s and %s", answers[0], answer)
			}
		}
		if got := sorted(strings.Fields(c.eventTypes())); got != "call_ended contact_status_changed" {
			c.Errorf("published %s", got)
		}
		// Different calls with a number that nobody knows yet make one contact.
		contacts := make([]string, 16)
		for i := range contacts {
			sending.Go(func() {
				w := c.send("POST", "/v1/report-call", report(object{"external_call_id": fmt.Sprint("at once ", i), "phone_number": "+442071838750"}))
				var done struct {
					ContactID string `json:"contact_id"`
				}
				if err := json.Unmarshal(w.Body.Bytes(), &done); err != nil || w.Code != 200 {
					c.Errorf("%d %s", w.Code, w.Body)
				}
				contacts[i] = done.ContactID
			})
		}
		sending.Wait()
		for _, id := range contacts {
			if id != contacts[0] {
				c.Errorf("contacts %s and %s", contacts[0], id)
			}
		}
		if got := c.ask(200, "GET", "/v1/get-contact/"+contacts[0], nil); got["call_attempts"] != 16.0 {
			c.Errorf("%v attempts were counted", got["call_attempts"])
		}
	})
}

// Pages hold every call once, also when many were triggered at the same moment.
func TestListCalls(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := c.addContact(object{"phone_number": "+14155552600"})
		for i := range 25 {
			c.ask(200, "POST", "/v1/report-call", report(object{"external_call_id": fmt.Sprint(i), "triggered_at": 1731956924302 + i/10}))
		}
		c.ask(200, "POST", "/v1/report-call", report(object{"external_call_id": "x", "contact_id": contact}))
		other.ask(200, "POST", "/v1/report-call", report(nil))
		seen := map[any]bool{}
		last, pages := 1e18, 0
		for cursor := ""; ; pages++ {
			page := c.ask(200, "GET", "/v1/list-calls?limit=7&cursor="+cursor, nil)
			for _, call := range page["calls"].([]any) {
				call := call.(object)
				if at := call["triggered_at"].(float64); at > last || seen[call["call_id"]] {
					c.Errorf("%v comes after %v, seen %v", at, last, seen[call["call_id"]])
				} else {
					last = at
				}
				seen[call["call_id"]] = true
			}
			if page["next_cursor"] == nil {
				break
			}
			cursor = page["next_cursor"].(string)
		}
		if len(seen) != 26 || pages != 3 {
			c.Errorf("%d calls on %d pages", len(seen), pages+1)
		}
		if of := c.ask(200, "GET", "/v1/list-calls?contact_id="+contact, nil)["calls"].([]any); len(of) != 1 {
			c.Errorf("%d calls of the contact", len(of))
		}
		if of := other.ask(200, "GET", "/v1/list-calls?contact_id="+contact, nil)["calls"].([]any); len(of) != 0 {
			c.Errorf("another account sees %d calls of the contact", len(of))
		}
		for call := range seen {
			other.ask(404, "GET", "/v1/get-call/"+call.(string), nil)
		}
		for query, field := range map[string]string{"limit=0": "limit", "limit=101": "limit", "limit=x": "query.limit", "cursor=x": "cursor", "contact_id=x": "contact_id"} {
			if got := c.ask(400, "GET", "/v1/list-calls?"+query, nil); got["fields"].(object)[field] == nil {
				c.Errorf("%s: %v", query, got)
			}
		}
	})
}

func sorted(types []string) string {
	slices.Sort(types)
	return strings.Join(types, " ")
}
