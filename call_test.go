package aftercall

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestCallConclude(t *testing.T) {
	later := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	talk := []Turn{{"Hello?", RoleUser}, {"Yes, tell me more", RoleUser}}
	for name, test := range map[string]struct {
		contact ContactStatus
		call    Call
		want    CallStatus
	}{
		"told":                               {ContactNew, Call{Status: CallVoicemail, EndReason: EndContactHangup}, CallVoicemail},
		"conversation":                       {ContactNew, Call{EndReason: EndContactHangup, Turns: talk}, CallCompleted},
		"conversation in text":               {ContactNew, Call{EndReason: EndAgentHangup, Transcript: "Agent: Hello\nCustomer: Who is it?\nAgent: We\nCustomer: Go on"}, CallCompleted},
		"hello, and more will follow":        {ContactPending, Call{EndReason: EndContactHangup, Turns: talk[:1]}, CallAnswered},
		"hello, to a closed one":             {ContactClosed, Call{EndReason: EndContactHangup, Turns: talk[:1]}, CallNotReached},
		"hello, to a reached one":            {ContactReached, Call{EndReason: EndContactHangup, Turns: talk[:1]}, CallNotReached},
		"hello, inbound":                     {ContactNew, Call{EndReason: EndContactHangup, Direction: Inbound}, CallNotReached},
		"asked for another call":             {ContactNew, Call{EndReason: EndContactHangup, Turns: talk, FollowUpAt: later}, CallAnswered},
		"asked for another call, inbound":    {ContactNew, Call{EndReason: EndContactHangup, Direction: Inbound, FollowUpAt: later}, CallAnswered},
		"handed over":                        {ContactNew, Call{EndReason: EndTransferred}, CallCompleted},
		"canceled while it rang":             {ContactNew, Call{EndReason: EndCanceled, StartedAt: later}, CallNotReached},
		"a minute of which nothing is known": {ContactNew, Call{EndReason: EndContactHangup, StartedAt: later, EndedAt: later.Add(time.Minute)}, CallCompleted},
		"engine's fault":                     {ContactNew, Call{EndReason: EndEngineError, Turns: talk}, CallError},
		"trunk":                              {ContactNew, Call{EndReason: EndTrunk}, CallError},
		"media":                              {ContactNew, Call{EndReason: EndMedia}, CallError},
		"account":                            {ContactNew, Call{EndReason: EndAccount}, CallError},
		"lost":                               {ContactNew, Call{EndReason: EndLost}, CallError},
	} {
		if test.call.Direction == "" {
			test.call.Direction = Outbound
		}
		got := test.call.Conclude(Contact{ID: "c", AccountID: "a", Status: test.contact, CallAttempts: 3})
		if got.Status != test.want {
			t.Errorf("%s: %s, want %s", name, got.Status, test.want)
		}
		if attempt := map[Direction]int{Outbound: 4, Inbound: 1}[got.Direction]; got.Attempt != attempt || got.ContactID != "c" || got.AccountID != "a" {
			t.Errorf("%s: attempt %d of %s", name, got.Attempt, got.ContactID)
		}
	}
}

func TestCallValidate(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good := Call{
		Direction: Outbound, FromNumber: "+17755719467", ToNumber: "+1 650-679-4960", TriggeredAt: at, StartedAt: at, EndedAt: at,
		EndReason: EndContactHangup, Turns: []Turn{{"Hello", RoleAgent}, {"Hi", RoleUser}}, Analysis: json.RawMessage(` { "a" : 1 } `), Outcome: json.RawMessage("null"),
	}
	c := good
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.ToNumber != "+16506794960" || c.Transcript != "Agent: Hello\nContact: Hi" || string(c.Analysis) != `{"a":1}` || c.Outcome != nil {
		t.Errorf("became %+v", c)
	}
	for field, spoil := range map[string]func(*Call){
		"call_status: is required":        func(c *Call) { c.EndReason = "" },
		"call_status: must be":            func(c *Call) { c.Status = "completed" },
		"end_reason: must be a word":      func(c *Call) { c.EndReason = "Frida hung up" },
		"end_reason: is that":             func(c *Call) { c.EndReason = EndThrottled },
		"never placed":                    func(c *Call) { c.EndReason, c.StartedAt = EndCanceled, time.Time{} },
		"direction":                       func(c *Call) { c.Direction = "out" },
		"triggered_at":                    func(c *Call) { c.TriggeredAt = time.Time{} },
		"ended_at":                        func(c *Call) { c.EndedAt = at.Add(-1) },
		"from_number":                     func(c *Call) { c.FromNumber = "" },
		"to_number":                       func(c *Call) { c.ToNumber = "650 679 4960" },
		"external_call_id":                func(c *Call) { c.ExternalID = strings.Repeat("x", 257) },
		"agent_id":                        func(c *Call) { c.AgentID = "a\n" },
		"recording_url":                   func(c *Call) { c.RecordingURL = strings.Repeat("x", 9000) },
		"transcript:":                     func(c *Call) { c.Transcript = strings.Repeat("x", 1<<20+1) },
		"transcript: must be UTF-8":       func(c *Call) { c.Transcript = "\x00" },
		"transcriptObject.1.role":         func(c *Call) { c.Turns = []Turn{{"a", RoleAgent}, {"b", "tool"}} },
		"transcriptObject.0.content":      func(c *Call) { c.Turns = []Turn{{"\x00", RoleAgent}} },
		"transcriptObject: must not hold": func(c *Call) { c.Turns = make([]Turn, 10_001) },
		"transcriptObject: must not exc":  func(c *Call) { c.Turns = []Turn{{strings.Repeat("x", 1<<20+1), RoleUser}} },
		"call_analysis: must be":          func(c *Call) { c.Analysis = json.RawMessage(`"yes"`) },
		"call_outcome: must be":           func(c *Call) { c.Outcome = json.RawMessage("{\"a\":\"\xff\"}") },
		"call_outcome: must not":          func(c *Call) { c.Outcome = json.RawMessage(`{"a":"` + strings.Repeat("x", 256<<10) + `"}`) },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); KindOf(err) != Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// A report that comes late tells the past: it neither moves the last conversation
// back nor forgets the next call.
func TestContactAfterLateReports(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	hour := time.Hour
	c := Contact{Status: ContactReached, ReachedAt: now}
	if next, _ := c.After(Call{Status: CallCompleted, EndedAt: now.Add(-hour)}, nil, now); next.ReachedAt != now {
		t.Errorf("reached at %v", next.ReachedAt)
	}
	c = Contact{Status: ContactPending, NextCallAt: now.Add(hour)}
	missed := Call{Status: CallNotReached, Direction: Outbound, TriggeredAt: now}
	if next, _ := c.After(missed, nil, now); next.NextCallAt != c.NextCallAt {
		t.Errorf("next call at %v", next.NextCallAt)
	}
	missed.TriggeredAt = c.NextCallAt // it was that call
	if next, _ := c.After(missed, nil, now); !next.NextCallAt.IsZero() {
		t.Errorf("next call at %v", next.NextCallAt)
	}
	asked := Call{Status: CallAnswered, Direction: Inbound, TriggeredAt: now, FollowUpAt: now.Add(3 * hour)}
	if next, _ := c.After(asked, nil, now); next.NextCallAt != asked.FollowUpAt {
		t.Errorf("next call at %v", next.NextCallAt)
	}
	if next, _ := (Contact{Status: ContactNew}).After(asked, nil, now); next.Status != ContactNew || !next.NextCallAt.IsZero() {
		t.Errorf("an inbound call made a contact %s", next.Status)
	}
}
