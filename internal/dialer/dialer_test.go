package dialer_test

import (
	"testing"
	"time"

	"github.com/aftercall/aftercall"
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
		w.settle(48 * time.Hour)
		if n := len(w.calls(id)); n != 1 {
			w.Errorf("%d calls to who was reached", n)
		}
	})
}
