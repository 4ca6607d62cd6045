package dialer

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// maxHeard is how many events are taken in one transaction.
const maxHeard = 256

// Hear takes a callback of a voice engine: it is verified, and stored before Hear
// returns. What it means is decided afterwards. The same callback again changes
// nothing. Errors: NotFound, Unauthenticated, Invalid.
func (d *Dialer) Hear(ctx context.Context, kind aftercall.EngineKind, ref store.AgentRef, header http.Header, body []byte) error {
	agent, engine, err := d.calledBack(ctx, kind, ref)
	if err != nil {
		return err
	}
	ref.AgentID = agent.ID
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

// calledBack finds the agent that a voice engine names, and the engine.
func (d *Dialer) calledBack(ctx context.Context, kind aftercall.EngineKind, ref store.AgentRef) (agent aftercall.Agent, engine VoiceEngine, err error) {
	id, ok := uuidOf(ref.AgentID)
	if !ok || !aftercall.ValidID(aftercall.AccountPrefix, ref.AccountID) {
		return agent, nil, noAgent()
	}
	if agent, err = d.agent(ctx, store.AgentRef{AccountID: ref.AccountID, AgentID: id}); err != nil {
		return agent, nil, err
	}
	engine = d.engines[kind]
	if engine == nil || agent.Engine.Kind != kind {
		return agent, nil, noAgent()
	}
	return agent, engine, nil
}

// runHearing takes what was heard until the context ends. Where a batch fails by a fault
// of ours, its events are taken one by one, and the one that cannot be is left out: its
// call is looked at in time, and no other waits for it.
func (d *Dialer) runHearing(ctx context.Context) {
	singly := 0 // how many of the batch that failed are left
	for ctx.Err() == nil {
		limit := maxHeard
		if singly > 0 {
			limit = 1
		}
		taken, err := d.take(ctx, limit, d.hear)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && taken < limit:
			singly = 0
			sleep(ctx, d.heard, time.Now().Add(d.pollCalls()))
		case err == nil:
			singly = max(0, singly-1)
		case aftercall.KindOf(err) == aftercall.Unavailable:
			d.log.Warn("cannot take what voice engines told, trying again", "cause", err)
			sleep(ctx, nil, time.Now().Add(retryPause))
		case singly == 0:
			singly = maxHeard
		default:
			d.log.Error("what a voice engine told is left out", "cause", err)
			_, err = d.take(ctx, limit, func(*store.Tx, string, []heard) error { return nil })
			if err != nil {
				sleep(ctx, nil, time.Now().Add(retryPause))
			}
		}
	}
}

// take has events that were stored heard, at most limit, and returns how many.
func (d *Dialer) take(ctx context.Context, limit int, hear func(*store.Tx, string, []heard) error) (taken int, err error) {
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		events, err := tx.TakeVoiceEvents(limit)
		if err != nil {
			return err
		}
		taken = len(events)
		byAccount := map[string][]heard{}
		for _, e := range events {
			byAccount[e.Agent.AccountID] = append(byAccount[e.Agent.AccountID], heard{e.CallID, e.Agent.AgentID, e.Progress})
		}
		for accountID, list := range byAccount {
			if err := hear(tx, accountID, list); err != nil {
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
	var talking []string
	for _, l := range list {
		if l.Done(tx.Now()) {
			done = append(done, l)
			continue
		}
		open = append(open, l)
		if slices.Contains(picked, l.ContactID) {
			talking = append(talking, l.ContactID)
		}
	}
	if err := tx.PutLiveCalls(open); err != nil {
		return err
	}
	if err := d.finishLive(tx, accountID, done); err != nil {
		return err
	}
	slices.Sort(talking)
	return tx.SetInCall(accountID, talking)
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
	for len(list) > 0 {
		var now []aftercall.LiveCall
		now, list = onePerContact(list)
		f := &finishing{d: d, writes: newWrites(tx, accountID), agents: map[string]aftercall.Agent{}}
		if err := f.load(now); err != nil {
			return err
		}
		for _, l := range now {
			if err := f.finish(l); err != nil {
				return err
			}
		}
		if err := f.flush(); err != nil {
			return err
		}
	}
	return nil
}

// onePerContact takes the calls out whose contact has another one before: what that one
// led to has to be stored before the next is taken.
func onePerContact(list []aftercall.LiveCall) (first, again []aftercall.LiveCall) {
	seen := make(map[string]bool, len(list))
	for _, l := range list {
		if seen[l.ContactID] {
			again = append(again, l)
			continue
		}
		seen[l.ContactID] = true
		first = append(first, l)
	}
	return first, again
}

// finishing is what ends of calls are taken with, and what comes of them.
type finishing struct {
	*writes
	d        *Dialer
	account  aftercall.Account
	contacts map[string]aftercall.Contact
	runsByID map[string]aftercall.Run
	agents   map[string]aftercall.Agent
	dialled  map[string][]time.Time
}

func (f *finishing) load(list []aftercall.LiveCall) (err error) {
	var contactIDs, runIDs, hashes []string
	for _, l := range list {
		contactIDs = append(contactIDs, l.ContactID)
		hashes = append(hashes, aftercall.NumberHash(l.AccountID, l.ToNumber))
		if l.RunID != "" {
			runIDs = append(runIDs, l.RunID)
		}
	}
	if f.contacts, err = f.tx.TakeContacts(f.accountID, unique(contactIDs)); err != nil {
		return err
	}
	if f.runsByID, err = f.tx.RunsByID(f.accountID, unique(runIDs)); err != nil {
		return err
	}
	if f.dialled, err = f.tx.Dialled(f.accountID, unique(hashes), f.tx.Now().Add(-memory)); err != nil {
		return err
	}
	f.account, err = f.tx.Account(f.accountID)
	return err
}

// agent is the agent of a call, or one without rules when it was deleted.
func (f *finishing) agent(id string) (aftercall.Agent, error) {
	if a, ok := f.agents[id]; ok {
		return a, nil
	}
	a, err := f.tx.Agent(f.accountID, id)
	if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
		return a, err
	}
	f.agents[id] = a
	return a, nil
}

func (f *finishing) finish(l aftercall.LiveCall) error {
	contact, known := f.contacts[l.ContactID]
	if !known { // erased meanwhile
		f.over = append(f.over, l)
		return nil
	}
	agent, err := f.agent(l.AgentID)
	if err != nil {
		return err
	}
	call := l.Call(agent.OutcomeFields)
	if !call.Placed() {
		f.unplace(l, f.runsByID[l.RunID], f.tx.Now(), string(call.EndReason))
		return nil
	}
	f.over = append(f.over, l)
	run, dialled := f.runsByID[l.RunID]
	if !dialled {
		return f.move(contact, call.Conclude(contact), nil)
	}
	facts := aftercall.DialFacts{
		Zones: f.d.zones.of(contact.ZoneNames(f.account.Timezone)), Dialled: f.dialled[aftercall.NumberHash(l.AccountID, l.ToNumber)],
	}
	goesOn := run.Open()
	run, call = run.After(call, agent.Dialing, facts, f.tx.Now())
	f.runs = append(f.runs, run)
	if !goesOn { // somebody ended it meanwhile, and the contact may have another by now
		return f.move(contact, call, nil)
	}
	return f.move(contact, call, &run)
}

func (f *finishing) move(contact aftercall.Contact, call aftercall.Call, run *aftercall.Run) (err error) {
	f.contacts[contact.ID], err = moved(f.writes, contact, call, run)
	return err
}

// moved moves a contact by a call that was concluded, and gathers what is to be written.
// Without a run of the call's own, the contact's open one hears of it.
func moved(w *writes, contact aftercall.Contact, call aftercall.Call, run *aftercall.Run) (aftercall.Contact, error) {
	if run == nil {
		open, err := w.tx.OpenRuns(w.accountID, []string{contact.ID})
		if err != nil {
			return contact, err
		}
		if r, ok := open[contact.ID]; ok && r.ID != call.RunID {
			next := r.Elsewhere(call, w.tx.Now())
			w.runs = append(w.runs, next)
			run = &next
		}
	}
	if call.DoNotCall {
		number := call.ToNumber // the one that was on the phone: the contact may have another by now
		if call.Direction == aftercall.Inbound {
			number = call.FromNumber
		}
		w.block(number, aftercall.AskedInCall)
	}
	call.CreatedAt = w.tx.Now()
	w.calls = append(w.calls, call)
	next, events := contact.After(call, run, w.tx.Now())
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
