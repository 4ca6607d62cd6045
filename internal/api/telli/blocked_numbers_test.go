package telli_test

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestBlockedNumbers(t *testing.T) {
	each(t, func(c, other *caller) {
		if got := c.ask(200, "GET", "/v1/blocked-numbers", nil); fmt.Sprint(got) != "map[blocked_numbers:[] next_cursor:<nil>]" {
			c.Errorf("of none: %v", got)
		}
		got := c.ask(200, "POST", "/v1/blocked-numbers", object{"number": "+1 (415) 555-2671", "reason": "wrote us"})
		hash := aftercall.NumberHash(c.account.ID, "+14155552671")
		want := object{"number": "+14155552671", "hash": hash, "reason": "wrote us", "created_at": got["created_at"]}
		if at, _ := got["created_at"].(string); !reflect.DeepEqual(got, want) || len(at) != len("2026-11-23T10:00:00.000Z") {
			c.Errorf("blocked %v, want %v", got, want)
		}
		if again := c.ask(200, "POST", "/v1/blocked-numbers", object{"number": "+14155552671", "reason": "called us"}); !reflect.DeepEqual(again, want) {
			c.Errorf("again it is %v", again)
		}
		contact := c.addContact(nil)
		if got := c.ask(400, "POST", "/v1/schedule-call", object{"contact_id": contact, "agent_id": "default"}); got["code"] != "NUMBER_BLOCKED" {
			c.Errorf("scheduled: %v", got)
		}
		if got := c.ask(400, "POST", "/v1/initiate-call", object{"contact_id": contact}); got["code"] != "NUMBER_BLOCKED" {
			c.Errorf("called at once: %v", got)
		}
		other.schedule(other.addContact(nil)) // it is another's block list
		other.ask(404, "DELETE", "/v1/blocked-numbers/"+hash, nil)

		c.ask(200, "DELETE", "/v1/delete-contact/"+contact, nil)
		if got := c.ask(200, "GET", "/v1/blocked-numbers", nil)["blocked_numbers"].([]any)[0].(object); got["number"] != nil || got["hash"] != hash {
			c.Errorf("with its contact erased it is %v", got)
		}
		c.ask(200, "DELETE", "/v1/blocked-numbers/"+hash, nil)
		c.ask(404, "DELETE", "/v1/blocked-numbers/"+hash, nil)
		c.ask(200, "POST", "/v1/blocked-numbers", object{"number": "+14155552671"})
		for _, path := range []string{"nobody", "%2B4915112345678", "4155552671"} {
			c.ask(404, "DELETE", "/v1/blocked-numbers/"+path, nil)
		}
		c.ask(200, "DELETE", "/v1/blocked-numbers/"+url.PathEscape("+1 415 555 2671"), nil)
		c.schedule(c.addContact(nil))
		for fields, body := range map[string]object{
			"number": {"number": "911"}, "reason": {"number": "+14155552671", "reason": strings.Repeat("x", 257)}, "number reason": {"reason": "a\nb"},
		} {
			c.wrong(fields, "POST", "/v1/blocked-numbers", body)
		}
	})
}

// What is planned for a number ends when it is blocked, not when it would be dialled.
func TestBlockingEndsRuns(t *testing.T) {
	each(t, func(c, other *caller) {
		theirs := other.addContact(nil)
		other.schedule(theirs)
		var closed []string
		for range 3 {
			id := c.addContact(nil)
			c.schedule(id)
			closed = append(closed, id)
		}
		untouched := c.addContact(object{"phone_number": "+12025550111"})
		c.schedule(untouched)
		fresh := c.addContact(nil)
		before := len(c.events())
		c.ask(200, "POST", "/v1/blocked-numbers", object{"number": "+14155552671", "reason": "x"})
		for _, id := range closed {
			if got := c.contactOf(id); got["status"] != "closed" || got["next_call_at"] != nil {
				c.Errorf("a contact is %v", got)
			}
		}
		if n := len(c.events()) - before; n != 3 {
			c.Errorf("%d events were published", n)
		}
		if got := c.contactOf(fresh)["status"]; got != "new" {
			c.Errorf("one that was not planned is %v", got)
		}
		for who, id := range map[*caller]string{c: untouched, other: theirs} {
			if got := who.contactOf(id); got["status"] != "pending" {
				c.Errorf("one with another number, or of another account, is %v", got)
			}
		}
		storetest.View(c, c.store, func(tx *store.Tx) error {
			runs, err := tx.ContactRuns(c.account.ID, closed[0], 10)
			if err == nil && (len(runs) != 1 || runs[0].End != aftercall.RunBlocked || runs[0].EndedAt.IsZero()) {
				c.Errorf("its runs are %+v", runs)
			}
			return err
		})
		// In a batch the same may stand twice, and what is wrong spoils no other.
		got := c.list("POST", "/v1/blocked-numbers-batch", object{"numbers": []string{"+12025550111", "110", "+1 202 555 0111", "+14155552671"}, "reason": "y"})
		var items []any
		for _, item := range got {
			items = append(items, item["number"], item["status"], item["code"])
		}
		if text := fmt.Sprint(items); text != "[+12025550111 success <nil> 110 error INVALID_REQUEST +1 202 555 0111 success <nil> +14155552671 success <nil>]" || got[0]["hash"] != got[2]["hash"] {
			c.Errorf("answered %v", got)
		}
		if got := c.contactOf(untouched)["status"]; got != "closed" {
			c.Errorf("after the batch it is %v", got)
		}
		c.wrong("numbers", "POST", "/v1/blocked-numbers-batch", object{"numbers": []string{}})
		c.wrong("numbers", "POST", "/v1/blocked-numbers-batch", object{"numbers": make([]string, 1001)})
	})
}

// A number that more contacts have than are changed in one transaction.
func TestBlockingManyContacts(t *testing.T) {
	each(t, func(c, _ *caller) {
		var batch, wanted []object
		for i := range 150 {
			batch = append(batch, object{"external_contact_id": fmt.Sprint(i), "first_name": "x", "last_name": "x", "phone_number": "+14155552671"})
		}
		for _, item := range c.ask(200, "POST", "/v1/add-contacts-batch", object{"contacts": batch})["result"].([]any) {
			wanted = append(wanted, object{"contact_id": item.(object)["contact_id"], "agent_id": "default"})
		}
		for len(wanted) > 0 {
			c.list("POST", "/v1/schedule-calls-batch", object{"contacts": wanted[:50]})
			wanted = wanted[50:]
		}
		var numbers []string
		for i := range 999 {
			numbers = append(numbers, fmt.Sprintf("+1202555%04d", i))
		}
		c.list("POST", "/v1/blocked-numbers-batch", object{"numbers": append(numbers, "+14155552671")})
		storetest.View(c, c.store, func(tx *store.Tx) error {
			contacts, err := tx.ContactList(c.account.ID, store.ContactFilter{Status: aftercall.ContactClosed}, store.Page{Limit: 1000})
			if len(contacts) != 150 {
				c.Errorf("%d contacts were closed", len(contacts))
			}
			return err
		})
		seen := map[any]bool{}
		pages := 0
		for cursor := ""; pages == 0 || cursor != ""; pages++ {
			page := c.ask(200, "GET", "/v1/blocked-numbers?limit=100&cursor="+cursor, nil)
			for _, b := range page["blocked_numbers"].([]any) {
				seen[b.(object)["number"]] = true
			}
			cursor, _ = page["next_cursor"].(string)
		}
		if len(seen) != 1000 || pages != 10 {
			c.Errorf("%d numbers on %d pages", len(seen), pages)
		}
		c.wrong("cursor", "GET", "/v1/blocked-numbers?cursor=x", nil)
		c.wrong("limit", "GET", "/v1/blocked-numbers?limit=0", nil)
	})
}

// The record says of every call why it was allowed, also once its contact is gone.
func TestDialRecords(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := c.addContact(object{"timezone": "Europe/Berlin"})
		done := c.ask(200, "POST", "/v1/initiate-call", object{"contact_id": contact})
		agent := c.ask(200, "GET", "/v2/agents/default", nil)["id"]
		got := c.ask(200, "GET", "/v1/dial-records?number=+14155552671", nil)
		records := got["dial_records"].([]any)
		if len(records) != 1 {
			c.Fatalf("recorded %v", got)
		}
		want := object{
			"at": records[0].(object)["at"], "decision": "allowed", "call_id": done["call_id"], "agent_id": agent, "loop_id": done["loop_id"], "attempt": 1.0,
			"by": "request", "timezones": []any{"Europe/Berlin"}, "attempts_in_24_hours": 0.0, "max_attempts_in_24_hours": 3.0, "why": nil,
		}
		if !reflect.DeepEqual(records[0], any(want)) {
			c.Errorf("recorded %v\nwant %v", records[0], want)
		}
		c.ask(200, "DELETE", "/v1/delete-contact/"+contact, nil)
		storetest.Update(c, c.store, func(tx *store.Tx) error {
			more := []aftercall.DialRecord{{
				AccountID: c.account.ID, NumberHash: aftercall.NumberHash(c.account.ID, "+14155552671"), At: tx.Now(), CallID: aftercall.NewUUID(),
			}}
			late := more[0]
			late.NotPlaced, late.Reason.Why = true, "the line was closed"
			other := late
			other.CallID, other.At = aftercall.NewUUID(), late.At.Add(time.Second)
			return tx.InsertDialRecords(append(more, late, other))
		})
		var decisions []any
		for cursor, first := "", true; first || cursor != ""; first = false {
			page := c.ask(200, "GET", "/v1/dial-records?limit=1&number=%2B14155552671&cursor="+cursor, nil)
			for _, r := range page["dial_records"].([]any) {
				decisions = append(decisions, r.(object)["decision"], r.(object)["why"])
			}
			cursor, _ = page["next_cursor"].(string)
		}
		if text := fmt.Sprint(decisions); text != "[allowed <nil> allowed <nil> not_placed the line was closed not_placed the line was closed]" {
			c.Errorf("recorded %s", text)
		}
		if got := other.ask(200, "GET", "/v1/dial-records?number=%2B14155552671", nil); len(got["dial_records"].([]any)) != 0 {
			c.Errorf("another account sees %v", got)
		}
		c.wrong("number", "GET", "/v1/dial-records?number=4155552671", nil)
		c.wrong("number", "GET", "/v1/dial-records", nil)
		c.wrong("cursor", "GET", "/v1/dial-records?number=%2B14155552671&cursor=x", nil)
		c.wrong("limit", "GET", "/v1/dial-records?number=%2B14155552671&limit=101", nil)
	})
}
