package telli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/telli"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// contactOf shows a contact.
func (c *caller) contactOf(id string) object {
	c.Helper()
	return c.ask(200, "GET", "/v1/get-contact/"+id, nil)
}

// schedule opens a run and returns its id.
func (c *caller) schedule(contact string) string {
	c.Helper()
	return c.ask(200, "POST", "/v1/schedule-call", object{"contact_id": contact, "agent_id": "default"})["loop_id"].(string)
}

// inHours reports whether a time that was answered is within the hours that agents begin
// with, at the place of a contact, and not in the past.
func (c *caller) inHours(text any, zone string, since time.Time) bool {
	c.Helper()
	at, err := time.Parse(time.RFC3339, fmt.Sprint(text))
	if err != nil {
		c.Error(err)
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		c.Fatal(err)
	}
	hours, _ := aftercall.PresetUS.Hours()
	return !at.Before(since.Truncate(time.Millisecond)) && hours.Open(at, []*time.Location{place})
}

// A contact that is scheduled is pending, has a time, and is told of, once.
func TestScheduleCall(t *testing.T) {
	each(t, func(c, other *caller) {
		since := time.Now()
		contact := c.addContact(object{"timezone": "Asia/Tokyo"})
		got := c.ask(200, "POST", "/v1/schedule-call", object{"contact_id": strings.ToUpper(contact), "agent_id": "default"})
		loop, _ := got["loop_id"].(string)
		if want := (object{"status": "success", "contact_id": contact, "loop_id": loop}); !reflect.DeepEqual(got, want) || !aftercall.ValidUUID(loop) {
			c.Errorf("answered %v, want %v", got, want)
		}
		shown := c.contactOf(contact)
		if shown["status"] != "pending" || !c.inHours(shown["next_call_at"], "Asia/Tokyo", since) || shown["call_attempts"] != 0.0 {
			c.Errorf("the contact is %v", shown)
		}
		var event struct {
			Event   string
			Contact object
		}
		if events := c.events(); len(events) != 1 || json.Unmarshal(events[0].Payload, &event) != nil ||
			event.Event != "contact_status_changed" || event.Contact["status"] != "pending" || event.Contact["contact_id"] != contact {
			c.Errorf("published %v", event)
		}
		again := c.ask(400, "POST", "/v1/schedule-call", object{"contact_id": contact, "agent_id": "default"})
		if again["code"] != "OPEN_RUN" || !strings.Contains(again["message"].(string), loop) {
			c.Errorf("again: %v", again)
		}
		if after := c.contactOf(contact); !reflect.DeepEqual(after, shown) || len(c.events()) != 1 {
			c.Errorf("again it is %v, was %v", after, shown)
		}
		// In the dialer of another account, or not at all.
		theirs := other.addContact(nil)
		agent := other.addAgent(nil)
		mine := c.addContact(nil)
		for name, body := range map[string]object{
			"another account's contact": {"contact_id": theirs, "agent_id": "default"},
			"another account's agent":   {"contact_id": mine, "agent_id": agent},
			"an unknown contact":        {"contact_id": aftercall.NewUUID(), "agent_id": "default"},
			"an unknown agent":          {"contact_id": mine, "agent_id": aftercall.NewUUID()},
			"no agent's id":             {"contact_id": mine, "agent_id": "anna"},
		} {
			if got := c.ask(404, "POST", "/v1/schedule-call", body); got["code"] != "NOT_FOUND" {
				c.Errorf("%s: %v", name, got)
			}
		}
		c.wrong("contact_id", "POST", "/v1/schedule-call", object{"agent_id": "default"})
		c.wrong("agent_id", "POST", "/v1/schedule-call", object{"contact_id": mine})
		c.wrong("max_retry_days", "POST", "/v1/schedule-call", object{"contact_id": mine, "agent_id": "default", "max_retry_days": 366})
		c.wrong("max_retry_days", "POST", "/v1/schedule-call", object{"contact_id": mine, "agent_id": "default", "max_retry_days": -1})
		c.wrong("override_from_number", "POST", "/v1/schedule-call", object{"contact_id": mine, "agent_id": "default", "override_from_number": "+12025550100"})
		if got := c.contactOf(mine); got["status"] != "new" || got["next_call_at"] != nil {
			c.Errorf("of what was refused became %v", got)
		}
		c.ask(200, "PATCH", "/v2/agents/default", object{"fromNumbers": []string{"+12025550100", "+12025550101"}})
		loop = c.ask(200, "POST", "/v1/schedule-call", object{
			"contact_id": mine, "agent_id": "default", "max_retry_days": 0, "override_from_number": "+1 (202) 555-0101",
		})["loop_id"].(string)
		storetest.View(c, c.store, func(tx *store.Tx) error {
			run, err := tx.Run(c.account.ID, loop)
			if err == nil && (run.FromNumber != "+12025550101" || run.MaxRetryDays == nil || *run.MaxRetryDays != 0) {
				c.Errorf("the run is %+v", run)
			}
			return err
		})
		c.ask(200, "PATCH", "/v2/agents/default", object{"autoDialer": object{"enabled": false}})
		if got := c.ask(400, "POST", "/v1/schedule-call", object{"contact_id": c.addContact(nil), "agent_id": "default"}); got["code"] != "AUTO_DIALER_OFF" {
			c.Errorf("an agent that does not dial: %v", got)
		}
	})
}

// What is wrong with one contact of a batch keeps no other from being scheduled.
func TestScheduleCallsBatch(t *testing.T) {
	each(t, func(c, other *caller) {
		first, second, theirs := c.addContact(nil), c.addContact(nil), other.addContact(nil)
		item := func(contact string) object { return object{"contact_id": contact, "agent_id": "default"} }
		unknown := item(second)
		unknown["agent_id"] = aftercall.NewUUID()
		tooLong := item(second)
		tooLong["max_retry_days"] = 366
		got := c.list("POST", "/v1/schedule-calls-batch", object{"contacts": []object{
			item(first), item(theirs), item(first), unknown, tooLong, {}, {"contact_id": second},
		}})
		loop, _ := got[0]["loop_id"].(string)
		if want := (object{"contact_id": first, "status": "success", "loop_id": loop}); !reflect.DeepEqual(got[0], want) || !aftercall.ValidUUID(loop) {
			c.Errorf("the first is %v", got[0])
		}
		for i, want := range map[int]string{1: "404 NOT_FOUND", 2: "400 OPEN_RUN", 3: "404 NOT_FOUND", 4: "400 INVALID_REQUEST", 5: "404 NOT_FOUND"} {
			item := got[i]
			if text := fmt.Sprint(item["error_code"], " ", item["code"]); text != want || item["status"] != "error" || item["error_message"] == "" || item["loop_id"] != nil {
				c.Errorf("item %d is %v, want %s", i, item, want)
			}
		}
		if !strings.Contains(got[2]["error_message"].(string), loop) || got[6]["status"] != "success" || len(got) != 7 {
			c.Errorf("answered %v", got)
		}
		for _, id := range []string{first, second} {
			if shown := c.contactOf(id); shown["status"] != "pending" || shown["next_call_at"] == nil {
				c.Errorf("the contact is %v", shown)
			}
		}
		if got := c.eventTypes(); got != "contact_status_changed contact_status_changed" {
			c.Errorf("published %s", got)
		}
		c.wrong("contacts", "POST", "/v1/schedule-calls-batch", object{"contacts": make([]object, 51)})
		c.wrong("contacts", "POST", "/v1/schedule-calls-batch", object{"contacts": []object{}})
		if got := c.list("POST", "/v1/schedule-calls-batch", object{"contacts": make([]object, 50)}); len(got) != 50 {
			c.Errorf("of 50 it answers %d", len(got))
		}
	})
}

// Who is taken out is closed, and told of. Another run may follow.
func TestRemoveFromAutoDialer(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := c.addContact(nil)
		loop := c.schedule(contact)
		if got := c.ask(200, "POST", "/v1/remove-from-auto-dialer", object{"contact_id": contact}); got["status"] != "success" || got["contact_id"] != contact {
			c.Errorf("answered %v", got)
		}
		if shown := c.contactOf(contact); shown["status"] != "closed" || shown["next_call_at"] != nil {
			c.Errorf("the contact is %v", shown)
		}
		if got := c.eventTypes(); got != "contact_status_changed contact_status_changed" {
			c.Errorf("published %s", got)
		}
		if got := c.ask(400, "POST", "/v1/remove-from-auto-dialer", object{"contact_id": contact}); got["code"] != "NOT_IN_AUTO_DIALER" {
			c.Errorf("again: %v", got)
		}
		c.ask(404, "POST", "/v1/remove-from-auto-dialer", object{"contact_id": other.addContact(nil)})
		c.ask(404, "POST", "/v1/remove-from-auto-dialer", object{})
		if next := c.schedule(contact); next == loop || c.contactOf(contact)["status"] != "pending" {
			c.Errorf("scheduled again it is in %s, was in %s", next, loop)
		}
		never := c.addContact(nil)
		got := c.list("POST", "/v1/remove-from-auto-dialer-batch", object{"contact_ids": []string{contact, contact, never, "nobody"}})
		var codes []any
		for i, id := range []string{contact, contact, never, "nobody"} {
			if got[i]["contact_id"] != id {
				c.Errorf("item %d is %v", i, got[i])
			}
			codes = append(codes, got[i]["status"], got[i]["code"])
		}
		if want := "[success <nil> error NOT_IN_AUTO_DIALER error NOT_IN_AUTO_DIALER error NOT_FOUND]"; fmt.Sprint(codes) != want {
			c.Errorf("answered %v, want %s", codes, want)
		}
		c.wrong("contact_ids", "POST", "/v1/remove-from-auto-dialer-batch", object{"contact_ids": make([]string, 51)})
		c.wrong("contact_ids", "POST", "/v1/remove-from-auto-dialer-batch", object{})
	})
}

// A call that is wanted at once is on its way when it is answered, whatever the hours.
func TestInitiateCall(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := c.addContact(nil)
		got := c.ask(200, "POST", "/v1/initiate-call", object{"contact_id": contact})
		call, loop := fmt.Sprint(got["call_id"]), fmt.Sprint(got["loop_id"])
		if got["status"] != "success" || got["contact_id"] != contact || !aftercall.ValidUUID(call) || !aftercall.ValidUUID(loop) {
			c.Errorf("answered %v", got)
		}
		if shown := c.contactOf(contact); shown["status"] != "pending" || shown["next_call_at"] != nil {
			c.Errorf("the contact is %v", shown)
		}
		if got := c.ask(400, "POST", "/v1/initiate-call", object{"contact_id": contact}); got["code"] != "IN_CALL" {
			c.Errorf("again: %v", got)
		}
		// It uses the run that is open.
		scheduled := c.addContact(object{"phone_number": "+12025550111"})
		loop = c.schedule(scheduled)
		if got := c.ask(200, "POST", "/v1/initiate-call", object{"contact_id": scheduled}); got["loop_id"] != loop {
			c.Errorf("in the run %v, want %s", got["loop_id"], loop)
		}
		busy := c.addContact(object{"phone_number": "+12025550112"})
		c.schedule(busy)
		if got := c.ask(400, "POST", "/v1/initiate-call", object{"contact_id": busy, "agent_id": c.addAgent(nil)}); got["code"] != "OPEN_RUN" {
			c.Errorf("by another agent: %v", got)
		}
		c.ask(404, "POST", "/v1/initiate-call", object{"contact_id": other.addContact(nil)})
		c.ask(404, "POST", "/v1/initiate-call", object{"contact_id": busy, "agent_id": other.addAgent(nil)})
		c.wrong("contact_id", "POST", "/v1/initiate-call", object{})

		keys, _, err := auth.Open(c.Context(), c.store, auth.Options{OperatorKey: "operator"})
		if err != nil {
			c.Fatal(err)
		}
		c.face = telli.New(dialer.New(c.store, dialer.Config{}), keys)
		if got := c.ask(http.StatusServiceUnavailable, "POST", "/v1/initiate-call", object{"contact_id": contact}); got["code"] != "UNAVAILABLE" {
			c.Errorf("without a voice engine: %v", got)
		}
	})
}

// With a contact its run ends: nobody is called, and nothing is told of it any more.
func TestEraseScheduledContact(t *testing.T) {
	each(t, func(c, _ *caller) {
		contact := c.addContact(nil)
		loop := c.schedule(contact)
		c.ask(200, "DELETE", "/v1/delete-contact/"+contact, nil)
		c.ask(404, "POST", "/v1/remove-from-auto-dialer", object{"contact_id": contact})
		c.ask(404, "POST", "/v1/schedule-call", object{"contact_id": contact, "agent_id": "default"})
		storetest.View(c, c.store, func(tx *store.Tx) error {
			run, err := tx.Run(c.account.ID, loop)
			if err == nil && (run.End != aftercall.RunContactGone || !run.DueAt.IsZero() || run.EndedAt.IsZero()) {
				c.Errorf("its run is %+v", run)
			}
			return err
		})
	})
}
