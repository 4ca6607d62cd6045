package dialer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// One contact, called through the simulator and its real callbacks, is reached, and
// told of.
func TestContactIsReached(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.contact(number(0))  // books an appointment
		<-time.After(6 * time.Hour) // nine o'clock UTC is the middle of the night in Washington
		run := w.schedule(id)[0]
		if c := w.find(id); c.Status != aftercall.ContactPending || c.NextCallAt != run.DueAt || w.events(id)["contact_status_changed"] != 1 {
			w.Errorf("scheduled: %s, next at %s", c.Status, c.NextCallAt)
		}
		w.settle(5 * time.Second)
		if c := w.find(id); !c.NextCallAt.IsZero() {
			w.Errorf("next call at %s in the call", c.NextCallAt)
		}
		w.settle(5 * time.Minute)
		calls := w.calls(id)
		if len(calls) != 1 || calls[0].Status != aftercall.CallCompleted || calls[0].RunID != run.ID || calls[0].Attempt != 1 ||
			calls[0].BookedSlotFor.IsZero() || len(calls[0].Turns) < 4 {
			w.Fatalf("calls %+v", calls)
		}
		c := w.find(id)
		if c.Status != aftercall.ContactReached || c.CallAttempts != 1 || !c.InCallSince.IsZero() || !c.NextCallAt.IsZero() {
			w.Errorf("contact %+v", c)
		}
		if r := w.run(run.ID); r.End != aftercall.RunReached {
			w.Errorf("the run ended %q", r.End)
		}
		if got := w.events(id); got["call_ended"] != 1 || got["contact_status_changed"] != 2 {
			w.Errorf("events %v", got)
		}
		w.settle(26 * time.Hour)
		if n := len(w.calls(id)); n != 1 {
			w.Errorf("%d calls to who was reached", n)
		}
	})
}

// A call that we placed can be ended by a report, too; what the engine tells later
// changes nothing.
func TestReportEndsLiveCall(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		id := w.contact(number(1))
		done, err := w.dialer.Initiate(w.Context(), w.account.ID, dialer.Wanted{ContactID: id})
		if err != nil {
			w.Fatal(err)
		}
		w.settle(time.Second)
		report := dialer.Report{Call: aftercall.Call{
			ID: done.Call.ID, Direction: aftercall.Outbound, FromNumber: "+12025550199", ToNumber: number(1), TriggeredAt: time.Now(),
			Status: aftercall.CallNotReached, Outcome: []byte(`{"mood":{"value":"good"}}`),
		}}
		for range 2 {
			finished, err := w.dialer.Finish(w.Context(), w.account.ID, report)
			if err != nil || finished.CallID != done.Call.ID || finished.ContactID != id {
				w.Fatalf("%+v, %v", finished, err)
			}
		}
		w.settle(5 * time.Minute)
		calls, run := w.calls(id), w.run(done.Run.ID)
		if len(calls) != 1 || calls[0].Status != aftercall.CallNotReached || string(calls[0].Outcome) != `{"mood":{"value":"good"}}` {
			w.Errorf("calls %+v", calls)
		}
		if contact := w.find(id); !run.Open() || contact.NextCallAt != run.DueAt || contact.Status != aftercall.ContactPending || run.Attempts != 1 {
			w.Errorf("run %+v, next call at %s", run, contact.NextCallAt)
		}
	})
}

// A line carries no more than its agent's pace allows.
func TestPace(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		f := w.through(nil)
		a, err := w.dialer.UpdateAgent(w.Context(), w.account.ID, "default", func(a *aftercall.Agent) {
			a.FromNumbers = []string{"+12025550180", "+12025550181"}
			a.Engine.Pace, a.Dialing.PerNumber = aftercall.Pace{Live: 5, PerSecond: 2, LivePerNumber: 3}, 100
		})
		if err != nil {
			w.Fatal(err)
		}
		w.agent = a
		ids := make([]string, 40)
		for i := range ids {
			ids[i] = w.contact(number(1))
			if i%2 == 0 {
				ids[i] = w.contact("+12025" + "5501" + "02")
			}
		}
		w.schedule(ids...)
		perNumber := map[string]int{}
		for range 1200 {
			w.settle(time.Second)
			if n := w.live(); n > 5 {
				w.Fatalf("%d live calls", n)
			}
		}
		second := map[int64]int{}
		for _, start := range f.starts {
			perNumber[start.Call.FromNumber]++
			second[start.Call.TriggeredAt.Unix()]++
		}
		if len(f.starts) != 40 || perNumber["+12025550180"] < 15 || perNumber["+12025550181"] < 15 {
			w.Errorf("%d calls, by number %v", len(f.starts), perNumber)
		}
		for at, n := range second {
			if n > 3 {
				w.Errorf("%d calls in second %d", n, at)
			}
		}
	})
}

// Who is taken out of the dialer is called no more; a call in progress goes on, and
// still counts.
func TestRemove(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		waiting, talking, missed := w.contact(number(1), func(c *aftercall.Contact) { c.Timezone = "Asia/Tokyo" }), w.contact(number(1)), w.contact(number(10))
		w.schedule(waiting, talking, missed)
		w.settle(30 * time.Second)
		failed, err := w.dialer.Remove(w.Context(), w.account.ID, []string{waiting, talking, missed, waiting, aftercall.NewUUID()})
		if err != nil || failed[0] != nil || failed[1] != nil || failed[2] != nil || failed[3] == nil || failed[4] == nil {
			w.Fatal(failed, err)
		}
		w.settle(26 * time.Hour)
		for id, want := range map[string]aftercall.ContactStatus{waiting: aftercall.ContactClosed, talking: aftercall.ContactReached, missed: aftercall.ContactClosed} {
			contact := w.find(id)
			if contact.Status != want || !contact.NextCallAt.IsZero() || len(w.calls(id)) > 1 {
				w.Errorf("%s, want %s; next at %s after %d calls", contact.Status, want, contact.NextCallAt, len(w.calls(id)))
			}
		}
	})
}

// A contact that calls by itself is reached, and not called any more.
func TestInboundEndsTheRun(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		id := w.contact(number(10))
		run := w.schedule(id)[0]
		w.settle(10 * time.Minute)
		inbound := func(status aftercall.CallStatus, external string) {
			_, err := w.dialer.Finish(w.Context(), w.account.ID, dialer.Report{PhoneNumber: number(10), Call: aftercall.Call{
				ExternalID: external, Direction: aftercall.Inbound, FromNumber: number(10), ToNumber: "+12025550199", TriggeredAt: time.Now(), Status: status,
			}})
			if err != nil {
				w.Fatal(err)
			}
		}
		inbound(aftercall.CallNotReached, "1")
		if c, r := w.find(id), w.run(run.ID); c.Status != aftercall.ContactPending || !r.Open() || c.NextCallAt != r.DueAt {
			w.Errorf("after a call that did not come through: %s, next at %s, due %s", c.Status, c.NextCallAt, r.DueAt)
		}
		inbound(aftercall.CallCompleted, "2")
		if c, r := w.find(id), w.run(run.ID); c.Status != aftercall.ContactReached || r.End != aftercall.RunReached || !c.NextCallAt.IsZero() {
			w.Errorf("after a conversation: %s, the run ended %q", c.Status, r.End)
		}
		w.settle(26 * time.Hour)
		if n := len(w.calls(id)); n != 3 {
			w.Errorf("%d calls", n)
		}
	})
}

// Whoever is erased in a call is hung up, called no more, and leaves nothing behind.
func TestEraseInACall(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		id := w.contact(number(1), func(c *aftercall.Contact) { c.LastName = "Nobodyknows" })
		run := w.schedule(id)[0]
		w.settle(40 * time.Second)
		if n := len(w.liveOf(id)); n != 1 {
			w.Fatalf("%d live calls", n)
		}
		if err := w.dialer.EraseContact(w.Context(), w.account.ID, id); err != nil {
			w.Fatal(err)
		}
		w.settle(10 * time.Minute)
		if r := w.run(run.ID); r.End != aftercall.RunContactGone || w.live() != 0 {
			w.Errorf("the run ended %q, %d calls are live", r.End, w.live())
		}
		if n := len(w.calls(id)); n != 0 || w.events("")["call_ended"] != 0 {
			w.Errorf("%d calls of who was erased", n)
		}
		if dump := storetest.Dump(w, w.path); strings.Contains(dump, number(1)) || strings.Contains(dump, "Nobodyknows") {
			w.Error("something is left")
		}
	})
}

// A file's contacts are called, but for those that may not be.
func TestImportIsCalled(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		if _, err := w.dialer.BlockNumber(w.Context(), w.account.ID, number(2), ""); err != nil {
			w.Fatal(err)
		}
		content := "external_contact_id,first_name,last_name,phone\n1,Frida,Kahlo," + number(0) + "\n2,Diego,Rivera," + number(10) + "\n3,Max,Ernst," + number(2) + "\n"
		file := dialer.ContactFile{Content: []byte(content), AgentID: "default"}
		for range 2 { // the second time nobody is called twice
			r, err := w.dialer.AddImport(w.Context(), w.account.ID, file)
			if err == nil {
				err = w.dialer.FinishImport(w.Context(), w.account.ID, r.ID)
			}
			if err != nil {
				w.Fatal(err)
			}
			w.settle(5 * time.Minute)
		}
		for id, want := range map[string]aftercall.ContactStatus{"2": aftercall.ContactPending, "3": aftercall.ContactNew} {
			if c, err := w.dialer.ContactByExternalID(w.Context(), w.account.ID, id); err != nil || c.Status != want {
				w.Errorf("%s is %s, want %s: %v", id, c.Status, want, err)
			}
		}
		c, err := w.dialer.ContactByExternalID(w.Context(), w.account.ID, "1")
		if err != nil || len(w.calls(c.ID)) != 2 { // who was reached is called again when somebody says so
			w.Errorf("%d calls, %v", len(w.calls(c.ID)), err)
		}
	})
}

// The next call follows its contact to another zone.
func TestNextCallMovesWithItsContact(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.contact(number(1)) // nine o'clock UTC is night in Washington
		run := w.schedule(id)[0]
		err := w.dialer.UpdateContact(w.Context(), w.account.ID, dialer.Change{ContactID: id, Apply: func(c *aftercall.Contact) { c.Timezone = "Pacific/Auckland" }})
		if err != nil {
			w.Fatal(err)
		}
		c, next := w.find(id), w.run(run.ID)
		if hour := c.NextCallAt.UTC().Hour(); c.NextCallAt != next.DueAt || hour != 19 { // eight in the morning there, in summer time
			w.Errorf("called next at %s, was %s", c.NextCallAt, run.DueAt)
		}
	})
}
