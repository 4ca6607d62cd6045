package dialer

import (
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// writes gathers what a transaction decided about many contacts of an account, so that
// it is stored in few statements.
type writes struct {
	tx        *store.Tx
	accountID string
	runs      []aftercall.Run
	calls     []aftercall.Call
	live      []aftercall.LiveCall
	over      []aftercall.LiveCall
	records   []aftercall.DialRecord
	blocked   []aftercall.BlockedNumber
	scheduled map[string]time.Time // contacts of which only the next call changes
	contacts  []aftercall.Contact
	messages  []*aftercall.Message
}

func newWrites(tx *store.Tx, accountID string) *writes {
	return &writes{tx: tx, accountID: accountID, scheduled: map[string]time.Time{}}
}

// change stores a contact and tells of it.
func (w *writes) change(c aftercall.Contact, events []aftercall.Event) {
	w.contacts = append(w.contacts, c)
	w.messages = append(w.messages, messages(w.tx, w.accountID, events)...)
}

// end stores a run that ended without a call. Its contact, unless it is gone, is closed.
func (w *writes) end(c aftercall.Contact, r aftercall.Run) {
	w.runs = append(w.runs, r)
	if c.ID != "" {
		next, events := c.GivenUp(w.tx.Now())
		w.change(next, events)
	}
}

// wait stores a run that goes on at another time.
func (w *writes) wait(r aftercall.Run) {
	w.runs = append(w.runs, r)
	w.scheduled[r.ContactID] = r.DueAt
}

// unplace takes back a call that was never placed; its run is tried again at a time.
func (w *writes) unplace(l aftercall.LiveCall, r aftercall.Run, at time.Time, why string) {
	w.over = append(w.over, l)
	if l.Direction == aftercall.Inbound { // nobody was to be dialled
		return
	}
	w.records = append(w.records, aftercall.DialRecord{
		AccountID: l.AccountID, NumberHash: aftercall.NumberHash(l.AccountID, l.ToNumber), At: l.TriggeredAt, CallID: l.ID, AgentID: l.AgentID,
		NotPlaced: true, Reason: aftercall.DialReason{Run: l.RunID, Attempt: l.Attempt, Why: why},
	})
	if r = r.NotPlaced(l.ID, at, w.tx.Now()); r.ID != "" {
		w.runs = append(w.runs, r)
		if r.Open() {
			w.scheduled[r.ContactID] = r.DueAt
		}
	}
}

// block puts the number of a call on the block list.
func (w *writes) block(number, reason string) {
	w.blocked = append(w.blocked, aftercall.BlockedNumber{
		AccountID: w.accountID, Hash: aftercall.NumberHash(w.accountID, number), Number: number, Reason: reason,
	})
}

// flush writes what was gathered. Contacts come first, as everywhere, so that
// transactions wait for one another in one order.
func (w *writes) flush() error {
	for _, c := range w.contacts {
		if err := w.tx.UpdateContact(c); err != nil {
			return err
		}
	}
	for _, step := range []func() error{
		func() error { return w.tx.ScheduleContacts(w.accountID, w.scheduled) },
		func() error { return w.tx.PutRuns(w.runs) },
		func() error { return w.tx.PutLiveCalls(w.live) },
		func() error { return w.tx.DeleteLiveCalls(w.accountID, w.over) },
		func() error { return w.tx.InsertCalls(w.calls) },
		func() error { return w.tx.InsertDialRecords(w.records) },
		func() error { return w.tx.BlockNumbers(w.blocked) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if len(w.messages) == 0 {
		return nil
	}
	return w.tx.Publish(w.messages...)
}
