package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// update changes what is stored, as the dialer would.
func (i *installation) update(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	if err := i.Store().Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// addContact adds a contact by its form and returns its id.
func addContact(t testing.TB, i *installation, first, last, number string) string {
	t.Helper()
	response := signIn(t, i, i.key).post("/portal/"+i.account+"/contacts/new", url.Values{"first_name": {first}, "last_name": {last}, "phone_number": {number}})
	if response.StatusCode != http.StatusSeeOther {
		t.Fatal(response.Status)
	}
	return strings.TrimPrefix(response.Header.Get("Location"), "/portal/"+i.account+"/contacts/")
}

// addDialing puts contacts into all states that the dialer knows, and lists the pages
// that show them.
func addDialing(t testing.TB, i *installation, agent string) []place {
	t.Helper()
	waiting, called := addContact(t, i, "Norbert", "Kraft", "+493023125010"), addContact(t, i, "Ada", "Lind", "+442079460011")
	live := liveCall(i, called, agent)
	now := time.Now().Truncate(time.Millisecond)
	number := aftercall.NumberHash(i.account, "+493023125010")
	i.update(t, func(tx *store.Tx) error {
		three := 3
		run := func(contact string, r aftercall.Run) aftercall.Run {
			r.AccountID, r.ID, r.ContactID, r.AgentID, r.CreatedAt = i.account, aftercall.NewUUID(), contact, agent, now
			return r
		}
		before := run(waiting, aftercall.Run{End: aftercall.RunExhausted, Attempts: 5, FirstAt: now.AddDate(0, -2, 0), LastAt: now.AddDate(0, -2, 6), EndedAt: now.AddDate(0, -2, 6)})
		open := run(waiting, aftercall.Run{Attempts: 2, Charged: 2, FirstAt: now.Add(-20 * time.Hour), LastAt: now.Add(-3 * time.Hour), MaxRetryDays: &three, DueAt: now.Add(2*time.Hour + time.Minute)})
		calling := run(called, aftercall.Run{CallID: live.ID})
		live.RunID = calling.ID
		if err := tx.PutRuns([]aftercall.Run{before, open, calling}); err != nil {
			return err
		}
		if err := tx.ScheduleContacts(i.account, map[string]time.Time{waiting: open.DueAt}); err != nil {
			return err
		}
		if err := tx.PutLiveCalls([]aftercall.LiveCall{live}); err != nil {
			return err
		}
		if err := tx.BlockNumbers([]aftercall.BlockedNumber{
			{AccountID: i.account, Hash: aftercall.NumberHash(i.account, "+12025550104"), Number: "+12025550104", Reason: aftercall.AskedInCall},
			{AccountID: i.account, Hash: aftercall.NumberHash(i.account, "+12025550105"), Reason: "Wrote a letter"},
		}); err != nil {
			return err
		}
		record := aftercall.DialRecord{AccountID: i.account, NumberHash: number, At: now.Add(-20 * time.Hour), CallID: aftercall.NewUUID(), AgentID: agent,
			Reason: aftercall.DialReason{By: "schedule", Zones: []string{"Europe/Berlin"}, Limit: 3, Run: open.ID, Attempt: 1}}
		again := record
		again.At, again.CallID, again.Reason.By, again.Reason.Attempt, again.Reason.Attempts = now.Add(-3*time.Hour), aftercall.NewUUID(), "request", 2, 1
		never := again
		never.CallID, again.At = aftercall.NewUUID(), now.Add(-4*time.Hour)
		back := never
		back.NotPlaced, back.Reason = true, aftercall.DialReason{Why: "the line was out of order"}
		return tx.InsertDialRecords([]aftercall.DialRecord{record, again, never, back})
	})
	account := "/portal/" + i.account
	return []place{
		{"contact-waiting", account + "/contacts/" + waiting}, {"contact-live", account + "/contacts/" + called},
		{"live-call", account + "/calls/" + live.ID + "?follow=yes"}, {"blocked", account + "/contacts/blocked?number=%2B493023125010"},
	}
}

// liveCall is a call to a contact that rings, and of which nothing more is heard.
func liveCall(i *installation, contact, agent string) aftercall.LiveCall {
	now := time.Now().Truncate(time.Millisecond)
	return aftercall.LiveCall{
		AccountID: i.account, ID: aftercall.NewUUID(), ContactID: contact, AgentID: agent, Line: string(aftercall.SimulatorEngine),
		Direction: aftercall.Outbound, Attempt: 1, FromNumber: "+12025550198", ToNumber: "+442079460011", State: aftercall.Placed,
		TriggeredAt: now.Add(-9 * time.Second), DueAt: now.Add(time.Hour), Progress: aftercall.Progress{RangAt: now.Add(-8 * time.Second)},
	}
}

// TestDialing calls a contact from the portal in all ways, takes them out of the dialer
// again, blocks the number, and looks up why it was called.
func TestDialing(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	b := open(t, i.url)
	contact := "/portal/" + i.account + "/contacts/" + addContact(t, i, "Nora", "Nobody", "+12025550110") // who never answers
	b.do(chromedp.Navigate(i.login), press("Open the portal"), says("Nothing is delivered yet"), chromedp.Navigate(i.url+contact),
		says("Not called yet"), press("Call until reached"), says("In the auto-dialer"), says("contact's time, in America/New York"),
		says("Calls by “default” are simulated"))
	b.do(press("Call now"), says("The call is being placed"), says("Not reached"), says("next call in"))
	b.do(press("Take out of the dialer…"), press("Take out"), says("Taken out of the auto-dialer"), says("Runs before"), press("Block this number…"),
		fill("reason", "wrote a letter"), press("Block number"), says("it is never dialled"), until(`!document.body.innerText.includes("Call now")`))
	b.do(press("block list"), says("wrote a letter"), press("+12025550110"), says("is blocked since"), says("Somebody's request"))
	b.do(press("Take off…"), press("Allow calls to it again"), says("taken off the block list"), says("No number is blocked"))
	b.do(press("Agents"), says("Simulated calls reach nobody"), press("Overview"), says("Due in the next hour"))
}

// What is not called says why, and stays as it is.
func TestRefusedCalls(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := signIn(t, i, i.key)
	somebody := "/portal/" + i.account + "/contacts/" + addContact(t, i, "Some", "Body", "+14155552671")
	nobody := "/portal/" + i.account + "/contacts/" + addContact(t, i, "No", "Body", "+12025550111")
	blocked := "/portal/" + i.account + "/contacts/blocked"
	for _, test := range []struct {
		path   string
		form   url.Values
		status int
		says   string
	}{
		{somebody + "/call", nil, http.StatusUnprocessableEntity, "The simulator only calls numbers that are set aside for fiction"},
		{somebody + "/schedule", nil, http.StatusUnprocessableEntity, "The simulator only calls numbers"},
		{nobody + "/schedule", url.Values{"agent": {"x"}}, http.StatusNotFound, "Agent not found."},
		{nobody + "/remove", nil, http.StatusUnprocessableEntity, "The contact is not in the auto-dialer."},
		{nobody + "/block", url.Values{"reason": {strings.Repeat("a", 300)}}, http.StatusUnprocessableEntity, "must not exceed"},
		{blocked, url.Values{"number": {"911"}, "reason": {"no more"}}, http.StatusUnprocessableEntity, `value="no more"`},
		{blocked + "/unknown/delete", nil, http.StatusNotFound, "The number is not blocked."},
		{nobody + "/block", url.Values{"reason": {"asked"}}, http.StatusSeeOther, ""},
		{nobody + "/call", nil, http.StatusUnprocessableEntity, "The contact's number is on the block list."},
	} {
		if status, text := v.ask(http.MethodPost, test.path, test.form); status != test.status || !strings.Contains(text, test.says) {
			t.Errorf("%s %v: %d, want %d and %q in %s", test.path, test.form, status, test.status, test.says, text)
		}
	}
	if status, text := v.ask(http.MethodGet, blocked+"?number=911", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("%d: %s", status, text)
	}
}

// Pages follow a call: it rings, is answered, and is over.
func TestLiveCall(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	contact := addContact(t, i, "Ada", "Lind", "+442079460011")
	live := liveCall(i, contact, i.agents(t)[0].ID)
	put := func() { i.update(t, func(tx *store.Tx) error { return tx.PutLiveCalls([]aftercall.LiveCall{live}) }) }
	b := open(t, i.url)
	b.do(chromedp.Navigate(i.login), press("Open the portal"), says("Nothing is delivered yet"), press("Calls"), says("No call yet"))
	put()
	b.do(says("Live now"), says("Ringing"), press("Ada Lind"), says("This page follows the call"), says("Simulated: nobody is called"))
	live.Progress.AnsweredAt = time.Now()
	put()
	b.do(says("In call"), press("Contacts"), says("In a call"), press("Ada Lind"), says("In call"))
	i.update(t, func(tx *store.Tx) error { return tx.DeleteLiveCalls(i.account, []aftercall.LiveCall{live}) })
	b.do(until(`!document.getElementById("main").innerText.includes("In call")`))
}
