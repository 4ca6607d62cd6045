package dialer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

// campaign is thirty days of calls, in which the clocks change in Europe and America.
type campaign struct {
	*world
	engine   *flaky
	agents   []aftercall.Agent
	contacts []string
	reached  map[string]time.Time
	blocked  map[string]time.Time // by number
	planned  map[string]time.Time // the next call that a contact showed an hour ago
	numbers  map[string]int       // of contacts that have each
	seen     int                  // starts that were looked at
}

// Whole campaigns hold the rules: never outside hours, never more than the limits, never
// after reached, never a blocked number, and what a contact shows as its next call is when
// it is called.
func TestCampaigns(t *testing.T) {
	inBubble(t, func(w *world) {
		c := &campaign{world: w, reached: map[string]time.Time{}, blocked: map[string]time.Time{}, planned: map[string]time.Time{}, numbers: map[string]int{}}
		c.engine = w.through(nil)
		c.addAgents()
		zones := []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "", "America/Los_Angeles", "Australia/Adelaide"}
		for i, outcome := range []int{10, 11, 20, 6, 3, 1, 30, 31, 5, 12, 4, 10, 10, 32, 99, 98, 97, 10, 20, 11, 96, 95} {
			id := w.contact(number(outcome), func(contact *aftercall.Contact) { contact.Timezone = zones[i%len(zones)] })
			c.contacts = append(c.contacts, id)
			c.numbers[number(outcome)]++
			_, failed, err := w.dialer.Schedule(w.Context(), w.account.ID, []dialer.Wanted{{ContactID: id, AgentID: c.agents[i%len(c.agents)].ID}})
			if err != nil || failed[0] != nil {
				w.Fatal(err, failed)
			}
		}
		days := 30
		if raceDetector {
			days = 4 // it is twenty times as slow
		}
		for hour := range days * 24 {
			w.settle(time.Hour)
			c.look()
			if hour == 10*24 {
				c.block(number(20))
			}
		}
		c.checkRules()
		c.checkContacts()
		if least := days * 5; len(c.engine.starts) < least {
			w.Errorf("only %d calls", len(c.engine.starts))
		}
	})
}

func (c *campaign) addAgents() {
	twelve, thirty := 12, 30
	for _, change := range []func(*aftercall.Agent){
		func(a *aftercall.Agent) { a.Dialing.Intensity = aftercall.Aggressive; a.Dialing.MaxRetryDays = &thirty },
		func(a *aftercall.Agent) { a.Dialing.MaxRetryDays = &thirty },
		func(a *aftercall.Agent) {
			a.Dialing.Strategy, a.Dialing.MaxAttempts, a.Dialing.MaxRetryDays = aftercall.DefinedIntervals, &twelve, nil
			a.Dialing.Intervals = []time.Duration{20 * time.Minute, time.Hour, 26 * time.Hour, 50 * time.Hour}
			a.Dialing.Hours.Week[time.Monday] = []aftercall.Range{{From: 9 * 60, To: 12 * 60}, {From: 13*60 + 30, To: 17 * 60}}
			a.Dialing.Hours.Holidays = []string{"2000-03-08", "03-21"}
		},
	} {
		a := aftercall.NewAgent(c.account.ID, time.Now())
		a.Title = "Ada"
		change(&a)
		if err := c.dialer.AddAgent(c.Context(), &a); err != nil {
			c.Fatal(err)
		}
		c.agents = append(c.agents, a)
	}
}

// block puts a number on the block list.
func (c *campaign) block(number string) {
	if _, err := c.dialer.BlockNumber(c.Context(), c.account.ID, number, "asked by mail"); err != nil {
		c.Fatal(err)
	}
	c.blocked[number] = time.Now()
}

// look compares what contacts showed an hour ago with what was done since, and notes
// what they show now.
func (c *campaign) look() {
	for _, start := range c.engine.starts[c.seen:] {
		id, at := start.Call.ContactID, start.Call.TriggeredAt
		if planned, ok := c.planned[id]; ok {
			shared := c.numbers[start.Call.ToNumber] > 1 // a call to another contact with the number moves it
			if late := at.Sub(planned); late < 0 || late > 2*time.Second && !shared {
				c.Errorf("%s was called at %s, and had shown %s", start.Call.ToNumber, at, planned)
			}
			delete(c.planned, id) // what came after was not shown an hour ago
		}
		if when, ok := c.reached[id]; ok && at.After(when) {
			c.Errorf("%s was called after it was reached", start.Call.ToNumber)
		}
	}
	c.seen = len(c.engine.starts)
	clear(c.planned)
	contacts, err := c.dialer.Contacts(c.Context(), c.account.ID, c.contacts)
	if err != nil {
		c.Fatal(err)
	}
	for i, id := range c.contacts {
		contact := *contacts[i]
		switch contact.Status {
		case aftercall.ContactReached:
			if _, ok := c.reached[id]; !ok {
				c.reached[id] = time.Now()
			}
		case aftercall.ContactPending:
			if contact.NextCallAt.IsZero() && len(c.liveOf(id)) == 0 || !contact.NextCallAt.IsZero() && contact.NextCallAt.Before(time.Now()) {
				c.Errorf("%s is pending, with its next call at %s", contact.PhoneNumber, contact.NextCallAt)
			}
		case aftercall.ContactNew, aftercall.ContactClosed:
		}
		if contact.Status != aftercall.ContactPending && !contact.NextCallAt.IsZero() {
			c.Errorf("%s is %s, and called next at %s", contact.PhoneNumber, contact.Status, contact.NextCallAt)
		}
		if !contact.NextCallAt.IsZero() {
			c.planned[id] = contact.NextCallAt
		}
	}
}

// checkRules looks at every call that was started.
func (c *campaign) checkRules() {
	perNumber := map[string][]time.Time{}
	wishes := c.wishes()
	for _, start := range c.engine.starts {
		contact := c.find(start.Call.ContactID)
		agent := c.agents[slices.IndexFunc(c.agents, func(a aftercall.Agent) bool { return a.ID == start.Call.AgentID })]
		at := start.Call.TriggeredAt
		if !wishes[start.Call.ID] && !c.open(agent, contact, at) {
			c.Errorf("%s was called at %s, outside hours", contact.PhoneNumber, at)
		}
		times := append(perNumber[contact.PhoneNumber], at)
		perNumber[contact.PhoneNumber] = times
		if n := agent.Dialing.PerNumber; len(times) > n && at.Sub(times[len(times)-1-n]) < 24*time.Hour {
			c.Errorf("%s was called %d times in 24 hours", contact.PhoneNumber, n+1)
		}
		if since, ok := c.blocked[contact.PhoneNumber]; ok && at.After(since) {
			c.Errorf("%s was called when it was blocked", contact.PhoneNumber)
		}
	}
}

// open looks at the clock on the contact's wall.
func (c *campaign) open(agent aftercall.Agent, contact aftercall.Contact, at time.Time) bool {
	for _, name := range contact.ZoneNames(c.account.Timezone) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			c.Fatal(err)
		}
		local := at.In(zone)
		minute := local.Hour()*60 + local.Minute()
		holiday := slices.Contains(agent.Dialing.Hours.Holidays, local.Format(time.DateOnly)) || slices.Contains(agent.Dialing.Hours.Holidays, local.Format("01-02"))
		if holiday || !slices.ContainsFunc(agent.Dialing.Hours.Week[local.Weekday()], func(r aftercall.Range) bool { return minute >= r.From && minute < r.To }) {
			return false
		}
	}
	return true
}

// wishes are the calls that contacts had asked for, by the record of why each was
// allowed.
func (c *campaign) wishes() map[string]bool {
	wishes := map[string]bool{}
	for _, id := range c.contacts {
		records, err := c.dialer.DialRecords(c.Context(), c.account.ID, c.find(id).PhoneNumber, store.DialRecordPage{Limit: 1000})
		if err != nil {
			c.Fatal(err)
		}
		for _, r := range records {
			if r.Reason.By == "wish" {
				wishes[r.CallID] = true
			}
		}
	}
	return wishes
}

// checkContacts looks at how each contact ended, and at its limits.
func (c *campaign) checkContacts() {
	for _, id := range c.contacts {
		contact, calls := c.find(id), c.calls(id)
		if got := c.events(id)["call_ended"]; got != len(calls) || contact.CallAttempts != len(calls) {
			c.Errorf("%s: %d calls, %d attempts, %d told of", contact.PhoneNumber, len(calls), contact.CallAttempts, got)
		}
		if len(calls) == 0 {
			if c.numbers[contact.PhoneNumber] == 1 { // else those before it may have used the number up
				c.Errorf("%s was never called", contact.PhoneNumber)
			}
			continue
		}
		run := c.run(calls[0].RunID)
		agent := c.agents[slices.IndexFunc(c.agents, func(a aftercall.Agent) bool { return a.ID == run.AgentID })]
		if most := agent.Dialing.MaxAttempts; most != nil && run.Charged > *most {
			c.Errorf("%s: %d attempts of %d", contact.PhoneNumber, run.Charged, *most)
		}
		if run.Open() != (contact.Status == aftercall.ContactPending) {
			c.Errorf("%s is %s, and its run ended %q", contact.PhoneNumber, contact.Status, run.End)
		}
		for i, call := range calls {
			if call.Attempt != i+1 || call.Status == aftercall.CallAnswered && i == len(calls)-1 && !run.Open() {
				c.Errorf("%s: call %d of %d is attempt %d, %s", contact.PhoneNumber, i+1, len(calls), call.Attempt, call.Status)
			}
		}
	}
}

func (w *world) liveOf(contactID string) (list []aftercall.LiveCall) {
	err := w.store.View(w.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.LiveCallsOf(w.account.ID, contactID)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return list
}
