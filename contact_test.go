package aftercall

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestContactAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	later := now.Add(26 * time.Hour)
	for _, test := range []struct {
		name string
		from ContactStatus
		call Call
		to   ContactStatus
	}{
		{"conversation with a new one", ContactNew, Call{Status: CallCompleted}, ContactReached},
		{"conversation with one that is tried", ContactPending, Call{Status: CallCompleted}, ContactReached},
		{"conversation with a closed one", ContactClosed, Call{Status: CallCompleted}, ContactReached},
		{"another conversation", ContactReached, Call{Status: CallCompleted}, ContactReached},
		{"answered, to be tried again", ContactNew, Call{Status: CallAnswered, FollowUpAt: later}, ContactPending},
		{"nobody there", ContactNew, Call{Status: CallNotReached}, ContactPending},
		{"nobody there again", ContactPending, Call{Status: CallNotReached}, ContactPending},
		{"mailbox", ContactNew, Call{Status: CallVoicemail}, ContactPending},
		{"technical failure", ContactNew, Call{Status: CallError, EndReason: "trunk"}, ContactPending},
		{"no such number", ContactPending, Call{Status: CallError, EndReason: EndInvalidNumber}, ContactClosed},
		{"a closed one is not opened again", ContactClosed, Call{Status: CallNotReached}, ContactClosed},
		{"reached never goes back", ContactReached, Call{Status: CallNotReached}, ContactReached},
		{"nor by a wrong number", ContactReached, Call{Status: CallError, EndReason: EndInvalidNumber}, ContactReached},
		{"a conversation that the contact began", ContactNew, Call{Status: CallCompleted, Direction: Inbound}, ContactReached},
		{"an inbound call begins no trying", ContactNew, Call{Status: CallAnswered, Direction: Inbound}, ContactNew},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.call.Direction == "" {
				test.call.Direction = Outbound
			}
			test.call.EndedAt = now.Add(-time.Minute)
			next, events := Contact{Status: test.from, InCallSince: now, CallAttempts: 4}.After(test.call, nil, now)
			if next.Status != test.to {
				t.Errorf("status is %s, want %s", next.Status, test.to)
			}
			if !next.InCallSince.IsZero() {
				t.Error("still in the call")
			}
			if attempts := 4 + map[Direction]int{Outbound: 1}[test.call.Direction]; next.CallAttempts != attempts {
				t.Errorf("%d attempts, want %d", next.CallAttempts, attempts)
			}
			if next.Status == ContactPending && next.NextCallAt != test.call.FollowUpAt {
				t.Errorf("next call at %v, want %v", next.NextCallAt, test.call.FollowUpAt)
			}
			want := []string{CallEnded}
			if test.from != test.to {
				want = []string{ContactStatusChanged, CallEnded}
			}
			var got []string
			for _, e := range events {
				got = append(got, e.Type)
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("events are %v, want %v", got, want)
			}
		})
	}
}

func TestEndReason(t *testing.T) {
	for reason, want := range map[EndReason][2]CallStatus{ // without a conversation, and with one
		EndContactHangup: {CallAnswered, CallCompleted}, EndAgentHangup: {CallAnswered, CallCompleted},
		EndSilence: {CallAnswered, CallCompleted}, EndMaxDuration: {CallAnswered, CallCompleted},
		EndTransferred: {CallCompleted, CallCompleted}, EndVoicemail: {CallVoicemail, CallVoicemail},
		EndFax: {CallVoicemail, CallVoicemail}, EndIVR: {CallVoicemail, CallVoicemail},
		EndBusy: {CallNotReached, CallNotReached}, EndNoAnswer: {CallNotReached, CallNotReached},
		EndRejected: {CallNotReached, CallNotReached}, EndInvalidNumber: {CallError, CallError},
		"engine_error": {CallError, CallError}, "something nobody has heard of": {CallError, CallError},
	} {
		if got := [2]CallStatus{reason.Status(false), reason.Status(true)}; got != want {
			t.Errorf("%s is %v, want %v", reason, got, want)
		}
	}
}

func TestConversation(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for name, test := range map[string]struct {
		call Call
		want bool
	}{
		"nothing said":      {Call{}, false},
		"only hello":        {Call{Turns: []Turn{{"Hello?", RoleUser}}}, false},
		"only the agent":    {Call{Turns: []Turn{{"Hello, this is a long greeting of mine", RoleAgent}}}, false},
		"two turns":         {Call{Turns: []Turn{{"Hello?", RoleUser}, {"Yes", RoleUser}}}, true},
		"five words":        {Call{Turns: []Turn{{"Please send me an offer", RoleUser}}}, true},
		"hung up in 9 s":    {Call{StartedAt: start, EndedAt: start.Add(9 * time.Second), Turns: []Turn{{"Please send me an offer", RoleUser}}}, false},
		"talked for a time": {Call{StartedAt: start, EndedAt: start.Add(10 * time.Second), Turns: []Turn{{"Please send me an offer", RoleUser}}}, true},
	} {
		if got := test.call.Conversation(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Whatever is reported, in whatever order: reached stays reached, every call tells
// of itself once, and a change of status tells of itself.
func TestContactAfterAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Contact{Status: rapid.SampledFrom([]ContactStatus{ContactNew, ContactPending, ContactReached, ContactClosed}).Draw(t, "status")}
		for range rapid.IntRange(1, 20).Draw(t, "calls") {
			call := Call{
				Status:    rapid.SampledFrom([]CallStatus{CallCompleted, CallAnswered, CallNotReached, CallVoicemail, CallError}).Draw(t, "call"),
				Direction: rapid.SampledFrom([]Direction{Outbound, Inbound}).Draw(t, "direction"),
				EndReason: rapid.SampledFrom([]EndReason{"", EndInvalidNumber, EndBusy, "?"}).Draw(t, "reason"),
			}
			next, events := c.After(call, nil, time.Unix(1, 0))
			if c.Status == ContactReached && next.Status != ContactReached {
				t.Fatalf("reached became %s", next.Status)
			}
			ended, changed := 0, 0
			for _, e := range events {
				if !json.Valid(e.Payload) {
					t.Fatalf("no JSON: %s", e.Payload)
				}
				switch e.Type {
				case CallEnded:
					ended++
				case ContactStatusChanged:
					changed++
				}
			}
			if ended != 1 || (changed == 1) != (next.Status != c.Status) {
				t.Fatalf("%s to %s: %d calls ended, %d changes", c.Status, next.Status, ended, changed)
			}
			c = next
		}
	})
}

func TestContactValidate(t *testing.T) {
	good := Contact{FirstName: "Frida", LastName: "Kahlo", PhoneNumber: "+1 (415) 555-2671"}
	if err := good.ValidateNew(); err != nil || good.PhoneNumber != "+14155552671" {
		t.Errorf("%v, %s", err, good.PhoneNumber)
	}
	for field, spoil := range map[string]func(*Contact){
		"first_name":          func(c *Contact) { c.FirstName = "" },
		"last_name":           func(c *Contact) { c.LastName = strings.Repeat("x", 257) },
		"phone_number":        func(c *Contact) { c.PhoneNumber = "0151 23456789" },
		"email":               func(c *Contact) { c.Email = "frida at example.com" },
		"timezone":            func(c *Contact) { c.Timezone = "Mars/Olympus" },
		"external_url":        func(c *Contact) { c.ExternalURL = "not a url" },
		"external_contact_id": func(c *Contact) { c.ExternalID = strings.Repeat("x", 257) },
		"contact_details":     func(c *Contact) { c.Details = json.RawMessage(`[1]`) },
		"salutation":          func(c *Contact) { c.Salutation = "a\x00b" },
	} {
		c := good
		spoil(&c)
		err := c.ValidateNew()
		if KindOf(err) != Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, seed := range []string{"+14155552671", "+49 151 23456789", "+1 202 555 0100", "4155552671", "+", "+1415555267100000000", "+１４１５５５５２６７１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number, ok := ParsePhone(text)
		if !ok {
			return
		}
		if again, ok := ParsePhone(number); !ok || again != number {
			t.Errorf("%q became %q, which becomes %q", text, number, again)
		}
		if len(number) > 16 || number[0] != '+' || strings.Trim(number[1:], "0123456789") != "" {
			t.Errorf("%q became %q, which is not E.164", text, number)
		}
	})
}
