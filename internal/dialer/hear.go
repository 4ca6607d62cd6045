package dialer

import (
	"context"
	"net/http"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// maxHeard is how many events are taken in one transaction.
	maxHeard = 256
	// rehear is how often the store is asked for events that nobody took: those that
	// another node stored right before it died.
	rehear = 5 * time.Second
)

// Hear takes a callback of a voice engine: it is verified, and stored before Hear
// returns. What it means is decided afterwards. The same callback again changes
// nothing. Errors: NotFound, Unauthenticated, Invalid.
func (d *Dialer) Hear(ctx context.Context, kind aftercall.EngineKind, ref store.AgentRef, header http.Header, body []byte) error {
	id, ok := uuidOf(ref.AgentID)
	if !ok || !aftercall.ValidID(aftercall.AccountPrefix, ref.AccountID) {
		return noAgent()
	}
	ref.AgentID = id
	agent, err := d.agent(ctx, ref)
	if err != nil {
		return err
	}
	engine := d.engines[kind]
	if engine == nil || agent.Engine.Kind != kind {
		return noAgent()
	}
	events, err := engine.Events(agent, header, body)
	if err != nil {
		return err
	}
	list := make([]store.VoiceEvent, 0, len(events))
	for _, e := range events {
		if err := e.Progress.Validate(); err != nil {
			return err
		}
		if callID, ok := uuidOf(e.CallID); ok { // else it is none of our calls
			list = append(list, store.VoiceEvent{Agent: ref, ID: e.ID, CallID: callID, Progress: e.Progress})
		}
	}
	return d.store.Update(ctx, func(tx *store.Tx) error { return tx.InsertVoiceEvents(list) })
}

// runHearing takes what was heard until the context ends.
func (d *Dialer) runHearing(ctx context.Context) {
	for {
		taken, err := d.take(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.log.Warn("cannot take what voice engines told, trying again", "cause", err)
			sleep(ctx, nil, time.Now().Add(retryPause))
		case taken < maxHeard:
			if !sleep(ctx, d.heard, time.Now().Add(rehear)) {
				return
			}
		}
	}
}

// take takes events that were stored, and returns how many.
func (d *Dialer) take(ctx context.Context) (taken int, err error) {
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		events, err := tx.TakeVoiceEvents(maxHeard)
		if err != nil {
			return err
		}
		taken = len(events)
		byAccount := map[string][]heard{}
		for _, e := range events {
			byAccount[e.Agent.AccountID] = append(byAccount[e.Agent.AccountID], heard{e.CallID, e.Agent.AgentID, e.Progress})
		}
		for accountID, list := range byAccount {
			if err := d.hear(tx, accountID, list); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

// heard is what an agent's engine told of a call.
type heard struct {
	callID, agentID string
	progress        aftercall.Progress
}

// hear brings live calls up to what was told of them, and finishes those of which
// nothing more will come. What is told of a call that has been taken fills in what is
// missing of it.
func (d *Dialer) hear(tx *store.Tx, accountID string, list []heard) error {
	ids := make([]string, 0, len(list))
	for _, h := range list {
		ids = append(ids, h.callID)
	}
	live, err := tx.TakeLiveCalls(accountID, unique(ids))
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	var picked []string // who has just picked up
	for _, h := range list {
		l, ok := live[h.callID]
		if !ok {
			if err := enrich(tx, accountID, h); err != nil {
				return err
			}
			continue
		}
		if l.AgentID != h.agentID {
			continue
		}
		next := l.Hear(h.progress, tx.Now())
		if next.Answered() && !l.Answered() {
			picked = append(picked, l.ContactID)
		}
		live[h.callID], changed[h.callID] = next, true
	}
	return d.settle(tx, accountID, changedOf(live, changed), picked)
}

func changedOf(live map[string]aftercall.LiveCall, changed map[string]bool) []aftercall.LiveCall {
	list := make([]aftercall.LiveCall, 0, len(changed))
	for id := range changed {
		list = append(list, live[id])
	}
	return list
}

// settle stores live calls as they are now, or finishes them.
func (d *Dialer) settle(tx *store.Tx, accountID string, list []aftercall.LiveCall, picked []string) error {
	var done, open []aftercall.LiveCall
	for _, l := range list {
		if l.Done(tx.Now()) {
			done = append(done, l)
		} else {
			open = append(open, l)
		}
	}
	if err := tx.SetInCall(accountID, picked); err != nil {
		return err
	}
	if err := tx.PutLiveCalls(open); err != nil {
		return err
	}
	return d.finishLive(tx, accountID, done)
}

// enrich fills in what a call that was taken lacks, without telling of it again.
func enrich(tx *store.Tx, accountID string, h heard) error {
	if len(h.progress.Turns) == 0 && h.progress.RecordingURL == "" {
		return nil
	}
	call, err := tx.Call(accountID, h.callID)
	if aftercall.KindOf(err) == aftercall.NotFound {
		return nil // erased, or none of ours
	}
	if err != nil || call.AgentID != h.agentID {
		return err
	}
	if contacts, err := tx.Contacts(accountID, []string{call.ContactID}); err != nil || len(contacts) == 0 {
		return err // whose contact was erased, keeps no words
	}
	if next, more := call.Enrich(h.progress); more {
		return tx.EnrichCall(next)
	}
	return nil
}

// finishLive takes the ends of calls: their runs go on or end, their contacts are moved,
// and what happened is published, all in this transaction.
func (d *Dialer) finishLive(tx *store.Tx, accountID string, list []aftercall.LiveCall) error {
	if len(list) == 0 {
		return nil
	}
	var contactIDs, runIDs []string
	for _, l := range list {
		contactIDs = append(contactIDs, l.ContactID)
		if l.RunID != "" {
			runIDs = append(runIDs, l.RunID)
		}
	}
	contacts, err := tx.TakeContacts(accountID, unique(contactIDs))
	if err != nil {
		return err
	}
	runs, err := tx.RunsByID(accountID, unique(runIDs))
	if err != nil {
		return err
	}
	account, err := tx.Account(accountID)
	if err != nil {
		return err
	}
	agents := map[string]aftercall.Agent{}
	w := newWrites(tx, accountID)
	for _, l := range list {
		contact, known := contacts[l.ContactID]
		if !known { // erased meanwhile
			w.over = append(w.over, l)
			continue
		}
		agent, ok := agents[l.AgentID]
		if !ok {
			if agent, err = tx.Agent(accountID, l.AgentID); err != nil && aftercall.KindOf(err) != aftercall.NotFound {
				return err
			}
			agents[l.AgentID] = agent
		}
		run, hasRun := runs[l.RunID]
		call := l.Call(agent.OutcomeFields)
		if !call.Placed() {
			w.unplace(l, run, tx.Now().Add(throttledWait), string(call.EndReason))
			continue
		}
		if hasRun {
			zones := d.zones.of(contact.ZoneNames(account.Timezone))
			run, call = run.After(call, agent.Dialing, zones, tx.Now())
			w.runs = append(w.runs, run)
			runs[l.RunID] = run
		} else {
			call = call.Conclude(contact)
		}
		next, err := moved(tx, w, contact, call, runOf(run, hasRun))
		if err != nil {
			return err
		}
		contacts[l.ContactID] = next
		w.over = append(w.over, l)
	}
	return w.flush()
}

func runOf(r aftercall.Run, ok bool) *aftercall.Run {
	if !ok {
		return nil
	}
	return &r
}

// moved moves a contact by a call that was concluded, and gathers what is to be written.
// Without a run of the call's own, the contact's open one hears of it.
func moved(tx *store.Tx, w *writes, contact aftercall.Contact, call aftercall.Call, run *aftercall.Run) (aftercall.Contact, error) {
	if run == nil {
		open, err := tx.OpenRuns(w.accountID, []string{contact.ID})
		if err != nil {
			return contact, err
		}
		if r, ok := open[contact.ID]; ok {
			next := r.Elsewhere(call, tx.Now())
			w.runs = append(w.runs, next)
			run = &next
		}
	}
	if call.DoNotCall {
		w.block(contact.PhoneNumber, aftercall.AskedInCall)
	}
	call.CreatedAt = tx.Now()
	w.calls = append(w.calls, call)
	next, events := contact.After(call, run, tx.Now())
	w.change(next, events)
	return next, nil
}

// unique returns a list's distinct values.
func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	var distinct []string
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			distinct = append(distinct, v)
		}
	}
	return distinct
}
