package telli_test

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// A call is found as soon as it is decided, and says how far it has come.
func TestGetLiveCall(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := c.addContact(object{"external_contact_id": "crm-1"})
		done := c.ask(200, "POST", "/v1/initiate-call", object{"contact_id": contact})
		path := "/v1/get-call/" + done["call_id"].(string)
		got := c.ask(200, "GET", path, nil)
		want := object{
			"call_id": done["call_id"], "loop_id": done["loop_id"], "contact_id": contact, "external_contact_id": "crm-1", "agent_id": got["agent_id"], "attempt": 1.0,
			"direction": "outbound", "from_number": "", "to_number": "+14155552671", "triggered_at": got["triggered_at"], "triggered_at_iso": got["triggered_at_iso"],
			"started_at": nil, "started_at_iso": nil, "ended_at": nil, "ended_at_iso": nil, "call_length_min": nil, "call_status": nil, "state": "queued", "status": nil,
			"transcript": "", "transcriptObject": []any{}, "recording_url": nil, "booked_slot_for": nil, "call_analysis": object{}, "call_outcome": object{}, "outcomes": []any{},
		}
		if at, _ := got["triggered_at_iso"].(string); !reflect.DeepEqual(got, want) || at == "" {
			c.Errorf("the call is %v\nwant %v", got, want)
		}
		other.ask(404, "GET", path, nil)
		if list := c.ask(200, "GET", "/v1/list-calls", nil)["calls"].([]any); len(list) != 0 {
			c.Errorf("listed before its end: %v", list)
		}
		now := time.Now()
		for _, step := range []struct {
			progress aftercall.Progress
			state    string
		}{
			{aftercall.Progress{}, "queued"},
			{aftercall.Progress{RangAt: now}, "ringing"},
			{aftercall.Progress{AnsweredAt: now}, "live"},
			{aftercall.Progress{Turns: []aftercall.Turn{{Role: aftercall.RoleUser, Content: "Hello?"}}}, "live"},
			{aftercall.Progress{EndedAt: now.Add(time.Minute), Reason: aftercall.EndContactHangup}, "ended"},
		} {
			storetest.Update(c, c.store, func(tx *store.Tx) error {
				live, err := tx.LiveCall(c.account.ID, done["call_id"].(string))
				if err != nil {
					return err
				}
				return tx.PutLiveCalls([]aftercall.LiveCall{live.Hear(step.progress, tx.Now())})
			})
			if got := c.ask(200, "GET", path, nil); got["state"] != step.state || got["call_status"] != nil || got["status"] != nil {
				c.Errorf("with %+v the call is %v, want %s", step.progress, got, step.state)
			}
		}
		got = c.ask(200, "GET", path, nil)
		if got["transcript"] != "Contact: Hello?" || got["started_at"] == nil || got["ended_reason"] != "contact_hangup" || got["call_length_min"] != 1.0 {
			c.Errorf("at its end the call is %v", got)
		}
	})
}

// Calls say what the newest ones of the reference do; events do not.
func TestCallAdditions(t *testing.T) {
	each(t, func(c, _ *caller) {
		n := 0
		show := func(change object) object {
			n++
			full := report(object{"external_call_id": fmt.Sprint(n)})
			maps.Copy(full, change)
			id := c.ask(200, "POST", "/v1/report-call", full)["call_id"].(string)
			return c.ask(200, "GET", "/v1/get-call/"+id, nil)
		}
		for status, want := range map[string]string{
			"COMPLETED": "connected", "ANSWERED": "connected", "NOT_REACHED": "not_connected", "VOICEMAIL": "voicemail", "ERROR": "failed",
		} {
			if got := show(object{"call_status": status}); got["state"] != "ended" || got["status"] != want || got["call_status"] != status || fmt.Sprint(got["outcomes"]) != "[]" {
				c.Errorf("%s is %v, want %s", status, got, want)
			}
		}
		outcome := object{
			"plan":    object{"value": "pro", "fieldSchema": object{"type": []string{"string", "null"}, "enum": []string{"pro"}}, "reason": "they said so"},
			"age":     object{"value": 7.5, "fieldSchema": object{"type": []string{"number", "null"}}},
			"happy":   object{"value": nil, "fieldSchema": object{"type": []string{"boolean", "null"}}},
			"comment": object{"value": "fine", "fieldSchema": object{"type": "string"}},
			"bare":    object{"value": true}, "count": object{"value": -3}, "none": object{},
			"odd": "x", "odder": object{"value": 1, "fieldSchema": "x"},
		}
		want := []any{
			object{"key": "age", "dataType": "number", "value": 7.5},
			object{"key": "bare", "dataType": "boolean", "value": true},
			object{"key": "comment", "dataType": "string", "value": "fine"},
			object{"key": "count", "dataType": "number", "value": -3.0},
			object{"key": "happy", "dataType": "boolean", "value": nil},
			object{"key": "none", "dataType": "string", "value": nil},
			object{"key": "plan", "dataType": "category", "value": "pro", "reason": "they said so"},
		}
		got := show(object{"call_outcome": outcome})
		if !reflect.DeepEqual(got["outcomes"], any(want)) {
			c.Errorf("the outcomes are %v\nwant %v", got["outcomes"], want)
		}
		if listed := c.ask(200, "GET", "/v1/list-calls", nil)["calls"].([]any); len(listed) != n || !strings.Contains(fmt.Sprint(listed), fmt.Sprint(want)) {
			c.Errorf("listed %v", listed)
		}
		for _, m := range c.events() {
			for _, addition := range []string{`"state":`, `"outcomes":`, `"connected"`, `_iso`} {
				if strings.Contains(string(m.Payload), addition) {
					c.Errorf("an event says %s: %s", addition, m.Payload)
				}
			}
		}
	})
}
