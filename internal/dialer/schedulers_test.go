package dialer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// scheduler adds a call scheduler with a filter.
func (w *world) scheduler(filter string, existing bool, change ...func(*aftercall.CallScheduler)) aftercall.CallScheduler {
	w.Helper()
	f, err := aftercall.ParseFilter("filter", json.RawMessage(filter))
	if err != nil {
		w.Fatal(err)
	}
	s := aftercall.CallScheduler{AccountID: w.account.ID, Title: "Leads", AgentID: "default", Enabled: true, Filter: f}
	for _, c := range change {
		c(&s)
	}
	if err := w.dialer.AddScheduler(w.Context(), &s, existing); err != nil {
		w.Fatal(err)
	}
	return s
}

// Who is added is called by itself, after the delay, within the hours.
func TestNewContactsAreEnrolled(t *testing.T) {
	inBubble(t, func(w *world) {
		w.scheduler(`{"property":"plan","operator":"is","value":"pro"}`, false, func(s *aftercall.CallScheduler) { s.Delay = 2 * time.Hour })
		pro := func(c *aftercall.Contact) { c.Details = json.RawMessage(`{"plan":"pro"}`); c.Timezone = "UTC" }
		added := time.Now()
		enrolled, other := w.contact(number(1), pro), w.contact(number(2))
		if c := w.find(enrolled); c.Status != aftercall.ContactPending || c.NextCallAt.Sub(added) < 2*time.Hour {
			w.Errorf("the contact is %+v", c)
		}
		if got := w.events(""); got[aftercall.ContactStatusChanged] != 1 {
			w.Errorf("published %v", got)
		}
		w.settle(2*time.Hour - time.Minute)
		if n := len(w.calls(enrolled)); n != 0 {
			w.Errorf("%d calls before the delay", n)
		}
		w.settle(30 * time.Minute)
		if n := len(w.calls(enrolled)); n != 1 {
			w.Errorf("%d calls after the delay", n)
		}
		w.settle(24 * time.Hour)
		if c := w.find(other); c.Status != aftercall.ContactNew || len(w.calls(other)) != 0 {
			w.Errorf("one that the filter does not pick is %+v", c)
		}
		// A call that was made elsewhere takes the place of the first: nobody is enrolled by it.
		done, err := w.dialer.Finish(w.Context(), w.account.ID, dialer.Report{PhoneNumber: number(3), Call: aftercall.Call{
			ExternalID: "x", Direction: aftercall.Outbound, FromNumber: number(0), ToNumber: number(3), TriggeredAt: time.Now(), EndReason: aftercall.EndNoAnswer,
		}})
		if err != nil {
			w.Fatal(err)
		}
		storetest.View(w, w.store, func(tx *store.Tx) error {
			runs, err := tx.ContactRuns(w.account.ID, done.ContactID, 10)
			if len(runs) != 0 {
				w.Errorf("runs of a contact of a report: %+v", runs)
			}
			return err
		})
	})
}

// A pass whose process died goes on where it was.
func TestEnrolExistingAfterDying(t *testing.T) {
	inBubble(t, func(w *world) {
		w.stop()
		const contacts, looked = 500, 200
		list := make([]*aftercall.Contact, contacts)
		for i := range list {
			list[i] = &aftercall.Contact{
				AccountID: w.account.ID, FirstName: fmt.Sprint("n", i%2), LastName: "x", PhoneNumber: fmt.Sprintf("+1202555%04d", i), Timezone: "Asia/Tokyo",
			}
		}
		if _, err := w.dialer.AddContacts(w.Context(), list); err != nil {
			w.Fatal(err)
		}
		s := w.scheduler(`{"field":"first_name","operator":"is","value":"n1"}`, true, func(s *aftercall.CallScheduler) { s.Delay = time.Hour })
		storetest.Update(w, w.store, func(tx *store.Tx) error {
			return tx.UpdateScheduler(s.Enrolled([]aftercall.Contact{*list[looked-1]}, 1, 7, tx.Now()))
		})
		w.start()
		w.settle(time.Minute)
		s, err := w.dialer.Scheduler(w.Context(), w.account.ID, s.ID)
		const enrolled = (contacts - looked) / 2
		if err != nil || s.Enrolment.Running || s.Enrolment.Enrolled != 7+enrolled || s.Enrolment.EndedAt.IsZero() {
			w.Errorf("enrolled %+v, %v", s.Enrolment, err)
		}
		if got := w.events(""); got[aftercall.ContactStatusChanged] != enrolled {
			w.Errorf("published %v", got)
		}
		for i, c := range list {
			if got := w.find(c.ID); (got.Status == aftercall.ContactPending) != (i >= looked && i%2 == 1) {
				w.Errorf("contact %d is %+v", i, got)
			}
		}
		// It has ended. Asked again, it looks at all who are new.
		if s, err = w.dialer.EnrolExisting(w.Context(), w.account.ID, s.ID); err != nil || !s.Enrolment.Running || s.Enrolment.Enrolled != 0 {
			w.Errorf("again it is %+v, %v", s.Enrolment, err)
		}
		w.settle(time.Minute)
		if s, err = w.dialer.Scheduler(w.Context(), w.account.ID, s.ID); err != nil || s.Enrolment.Enrolled != looked/2 {
			w.Errorf("again it enrolled %+v, %v", s.Enrolment, err)
		}
	})
}

// Nodes that enrol at once enrol everybody once.
func TestEnrolExistingAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account := storetest.Account(t, s)
		d := dialer.New(s, dialer.Config{})
		agent := aftercall.NewDefaultAgent(account.ID, time.Now())
		if err := d.AddAgent(t.Context(), &agent); err != nil {
			t.Fatal(err)
		}
		list := make([]*aftercall.Contact, 300)
		for i := range list {
			list[i] = &aftercall.Contact{AccountID: account.ID, FirstName: "x", LastName: "x", PhoneNumber: "+14155552671"}
		}
		if _, err := d.AddContacts(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		scheduler := aftercall.CallScheduler{AccountID: account.ID, Title: "x", AgentID: agent.ID, Enabled: true}
		if err := d.AddScheduler(t.Context(), &scheduler, true); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var nodes sync.WaitGroup
		for range 3 {
			nodes.Go(func() { dialer.New(s, dialer.Config{}).Run(ctx) })
		}
		deadline := time.After(time.Minute)
		for scheduler.Enrolment.EndedAt.IsZero() {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-deadline:
				t.Fatalf("enrolled only %+v", scheduler.Enrolment)
			}
			var err error
			if scheduler, err = d.Scheduler(t.Context(), account.ID, scheduler.ID); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		nodes.Wait()
		runs, err := d.Runs(t.Context(), account.ID, "", store.Page{Limit: 1000})
		if err != nil || len(runs) != len(list) || scheduler.Enrolment.Enrolled != len(list) {
			t.Errorf("%d runs, %+v, %v", len(runs), scheduler.Enrolment, err)
		}
	})
}
