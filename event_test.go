package aftercall

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"
)

// example is the contact and call of the reference's examples.
func example(t *testing.T) (Contact, Call) {
	t.Helper()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	contact := Contact{
		ID: "6bd1e7e0-6d00-4c0b-ad5b-daa72457a27d", ExternalID: "external-123", FirstName: "Frida", LastName: "Kahlo",
		PhoneNumber: "+14155552671", Email: "[email\u00a0protected]", Salutation: "Ms.", Gender: "F", Timezone: "America/Los_Angeles",
		Details: json.RawMessage(`{"company": "Art Studio Inc", "notes": "Interested in solar panels"}`),
		Status:  ContactReached, CallAttempts: 1, CreatedAt: at("2024-11-18T15:30:00Z"), ReachedAt: at("2024-11-18T15:45:00Z"),
	}
	call := Call{
		ID: "b4a05730-2abc-4eb0-8066-2e4d23b53ba9", ContactID: contact.ID, AgentID: "d8931604-92ad-45cf-9071-d9cd2afbad0c",
		RunID: "ba99c99d-19b9-4a0d-8df6-3e213088989a", Attempt: 1, Direction: Outbound, Status: CallCompleted,
		FromNumber: "+17755719467", ToNumber: "+16506794960", BookedSlotFor: at("2025-02-24T15:30:00Z"),
		TriggeredAt: time.UnixMilli(1731956924302), StartedAt: time.UnixMilli(1731956932264), EndedAt: time.UnixMilli(1731957002078),
		RecordingURL: "<url-of-recording>", Transcript: "Agent: Hello...", Turns: []Turn{{Content: "Hello...", Role: RoleAgent}},
		Analysis: json.RawMessage(`{"appointment": {"details": "2025-02-18T15:30:00Z", "value": true},
			"interest": {"details": "The customer is interested in buying an ice cream machine", "value": true},
			"summary": {"details": "A call between an agent and a customer talking about buying an ice cream machine", "value": true}}`),
		Outcome: json.RawMessage(`{"custom_lost_reason": {"fieldSchema": {"enum": ["CUSTOMER_NOT_INTERESTED",
			"CUSTOMER_PREVIOUSLY_CONTACTED", "PRODUCT_TOO_EXPENSIVE"], "type": ["string", "null"]}, "value": "PRODUCT_TOO_EXPENSIVE"}}`),
	}
	return contact, call
}

// The payloads are the reference's examples, byte for byte but for white space.
func TestEventsAreTheReferences(t *testing.T) {
	contact, call := example(t)
	changed := contact
	changed.StatusUpdatedAt = time.Date(2024, 3, 18, 15, 30, 0, 0, time.UTC)
	changed.ReachedAt = changed.StatusUpdatedAt
	for name, event := range map[string]Event{
		"testdata/call_ended.json":             callEndedEvent(call, contact),
		"testdata/contact_status_changed.json": statusChangedEvent(changed),
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, text); err != nil {
			t.Fatal(err)
		}
		if got := string(event.Payload); got != want.String() {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want.String())
		}
	}
}

// What is not known is null, {} or [], and every key is there.
func TestEventsWithoutValues(t *testing.T) {
	contact := Contact{ID: "c", Status: ContactPending, PhoneNumber: "+14155552671", CreatedAt: time.Unix(0, 0), ReachedAt: time.Unix(1, 0)}
	call := Call{ID: "a", ContactID: "c", Attempt: 2, Direction: Outbound, Status: CallNotReached, TriggeredAt: time.UnixMilli(5), EndReason: EndBusy}
	const want = `{"event":"call_ended","call":{"agent_id":"","attempt":2,"booked_slot_for":null,"call_analysis":{},"call_id":"a",` +
		`"call_length_min":null,"call_outcome":{},"call_status":"NOT_REACHED","contact_id":"c","direction":"outbound","ended_at":null,` +
		`"ended_reason":"busy","external_contact_id":null,"from_number":"","loop_id":null,"recording_url":null,"started_at":null,` +
		`"to_number":"","transcript":"","transcriptObject":[],"triggered_at":5},"contact":{"call_attempts":0,"contact_details":{},` +
		`"contact_id":"c","created_at":"1970-01-01T00:00:00.000Z","email":null,"external_contact_id":null,"first_name":"","gender":null,` +
		`"in_call_since":null,"last_name":"","next_call_at":null,"phone_number":"+14155552671","reached_at":"1970-01-01T00:00:01.000Z",` +
		`"salutation":null,"status":"pending","timezone":null}}`
	if got := string(callEndedEvent(call, contact).Payload); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	// reached_at says nothing while the contact is not reached.
	const changed = `{"event":"contact_status_changed","contact":{"contact_id":"c","external_contact_id":null,"status":"pending",` +
		`"status_updated_at":null,"reached_at":null,"first_name":"","last_name":"","phone_number":"+14155552671","email":null}}`
	if got := string(statusChangedEvent(contact).Payload); got != changed {
		t.Errorf(" got %s\nwant %s", got, changed)
	}
}

func TestLengthIsRoundedUp(t *testing.T) {
	start := time.UnixMilli(1731956932264)
	for length, want := range map[time.Duration]int{0: 0, 1: 1, time.Minute: 1, time.Minute + 1: 2, 69814 * time.Millisecond: 2} {
		if got, _ := (Call{StartedAt: start, EndedAt: start.Add(length)}).LengthMinutes(); got != want {
			t.Errorf("%v is %d minutes, want %d", length, got, want)
		}
	}
}

// Whatever texts a call and its contact hold, the payloads are JSON in UTF-8 with
// every key of the reference.
func FuzzEvents(f *testing.F) {
	f.Add("Frida", "Agent: Hello <b>&\u2028", `{"a": 1}`, int64(1731956924302))
	f.Add("\xff\x00", "\"\\", `[]`, int64(-1))
	f.Add("", "", `{"a":"\ud800", "b":"<"}`, int64(0))
	f.Fuzz(func(t *testing.T, name, said, object string, millis int64) {
		if millis < 0 || millis > 4102444800000 {
			return
		}
		contact := Contact{ID: "c", PhoneNumber: "+14155552671", FirstName: name, ExternalURL: said, Details: json.RawMessage(object)}
		call := Call{
			Direction: Outbound, Status: CallCompleted, FromNumber: "+14155552671", ToNumber: "+14155552671", Transcript: said,
			TriggeredAt: time.UnixMilli(millis), Turns: []Turn{{said, RoleUser}}, Analysis: json.RawMessage(object), FollowUpAt: time.UnixMilli(millis),
		}
		_, _ = contact.Validate(), call.Validate() // whatever is wrong: only objects are left of the objects
		_, events := contact.After(call, nil, time.UnixMilli(millis))
		if len(events) != 2 {
			t.Fatalf("%d events", len(events))
		}
		for i, want := range []any{StatusChangedPayload{}, CallEndedPayload{}} {
			m := Message{EventType: events[i].Type, Payload: events[i].Payload}
			if err := m.Validate(time.Now()); err != nil || !json.Valid(m.Payload) {
				t.Fatalf("%v: %q", err, events[i].Payload)
			}
			var got, keys struct{ Call, Contact map[string]any }
			if err := errors.Join(json.Unmarshal(events[i].Payload, &got), json.Unmarshal(encode(want), &keys)); err != nil {
				t.Fatal(err)
			}
			for key := range keys.Call {
				if _, ok := got.Call[key]; !ok {
					t.Errorf("call.%s is missing", key)
				}
			}
			for key := range keys.Contact {
				if _, ok := got.Contact[key]; !ok {
					t.Errorf("contact.%s is missing", key)
				}
			}
		}
	})
}
