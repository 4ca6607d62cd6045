package dialer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Wanted is a contact to be called until reached.
type Wanted struct {
	ContactID    string
	AgentID      string // empty: the default agent
	MaxRetryDays *int   // nil: the agent's
	FromNumber   string // empty: one of the agent's
	NotBefore    time.Time
}

// OpenRunExists is the code of the error for a contact that has an open run.
const OpenRunExists = "OPEN_RUN"

// Schedule opens runs. What is wrong with one of them is told at its place in failed,
// and keeps no other from being opened. The contacts become pending, and are called at
// the earliest moment of their agents' hours.
func (d *Dialer) Schedule(ctx context.Context, accountID string, list []Wanted) (runs []aftercall.Run, failed []error, err error) {
	err = d.update(ctx, func(tx *store.Tx) error {
		runs, failed, err = d.schedule(tx, accountID, list)
		return err
	})
	return runs, failed, err
}

func (d *Dialer) schedule(tx *store.Tx, accountID string, list []Wanted) (runs []aftercall.Run, failed []error, err error) {
	runs, failed = make([]aftercall.Run, len(list)), make([]error, len(list))
	var ids []string
	for _, wanted := range list {
		if id, ok := uuidOf(wanted.ContactID); ok {
			ids = append(ids, id)
		}
	}
	s := &scheduling{d: d, tx: tx, agents: map[string]aftercall.Agent{}}
	if err := s.load(accountID, unique(ids), list); err != nil {
		return nil, nil, err
	}
	w := newWrites(tx, accountID)
	for i, wanted := range list {
		runs[i], failed[i] = s.begin(wanted)
		if kind := aftercall.KindOf(failed[i]); failed[i] != nil && kind != aftercall.Invalid && kind != aftercall.NotFound {
			return nil, nil, failed[i] // the store's fault, not this contact's
		}
		if failed[i] != nil {
			continue
		}
		contact, events := s.contacts[runs[i].ContactID].Scheduled(runs[i], tx.Now())
		s.contacts[contact.ID], s.open[contact.ID] = contact, runs[i]
		w.runs = append(w.runs, runs[i])
		w.change(contact, events)
	}
	return runs, failed, w.flush()
}

// scheduling is what runs are opened from.
type scheduling struct {
	d        *Dialer
	tx       *store.Tx
	account  aftercall.Account
	agents   map[string]aftercall.Agent
	contacts map[string]aftercall.Contact
	open     map[string]aftercall.Run
	blocked  map[string]bool // by the hash of the number
}

// load holds what is wanted: agents first, then contacts, as everywhere.
func (s *scheduling) load(accountID string, contactIDs []string, list []Wanted) (err error) {
	if s.account, err = s.tx.Account(accountID); err != nil {
		return err
	}
	agents := make([]string, len(list))
	for i, wanted := range list {
		agents[i] = wanted.AgentID
	}
	slices.Sort(agents)
	for _, id := range slices.Compact(agents) {
		if _, err := s.agent(id); err != nil && aftercall.KindOf(err) != aftercall.NotFound { // that is told of each contact
			return err
		}
	}
	if s.contacts, err = s.tx.TakeContacts(accountID, contactIDs); err != nil {
		return err
	}
	if s.open, err = s.tx.OpenRuns(accountID, contactIDs); err != nil {
		return err
	}
	hashes := make([]string, 0, len(s.contacts))
	for _, c := range s.contacts {
		hashes = append(hashes, aftercall.NumberHash(c.AccountID, c.PhoneNumber))
	}
	s.blocked, err = s.tx.Blocked(accountID, unique(hashes))
	return err
}

// agent finds an agent that dials.
func (s *scheduling) agent(id string) (aftercall.Agent, error) {
	id, err := agentID(id)
	if err != nil {
		return aftercall.Agent{}, err
	}
	if a, ok := s.agents[id]; ok {
		return a, nil
	}
	a, err := s.tx.HoldAgent(s.account.ID, id) // it is not deleted before its new runs are there
	if err == nil {
		s.agents[id] = a
	}
	return a, err
}

// errBlocked refuses a number that is never dialled.
func errBlocked() error {
	return aftercall.Errorf(aftercall.Invalid, "the contact's number is on the block list").WithCode("NUMBER_BLOCKED")
}

// begin checks what is wanted, and opens the run in memory.
func (s *scheduling) begin(wanted Wanted) (aftercall.Run, error) {
	id, ok := uuidOf(wanted.ContactID)
	contact, known := s.contacts[id]
	if !ok || !known {
		return aftercall.Run{}, noContact()
	}
	if run, ok := s.open[contact.ID]; ok {
		return run, aftercall.Errorf(aftercall.Invalid, "the contact is in the auto-dialer already, in loop %s", run.ID).WithCode(OpenRunExists)
	}
	if s.blocked[aftercall.NumberHash(contact.AccountID, contact.PhoneNumber)] {
		return aftercall.Run{}, errBlocked()
	}
	agent, err := s.agent(wanted.AgentID)
	if err != nil {
		return aftercall.Run{}, err
	}
	if !agent.Dialing.Enabled {
		return aftercall.Run{}, aftercall.Errorf(aftercall.Invalid, "the agent's auto-dialer is off").WithCode("AUTO_DIALER_OFF")
	}
	if err := s.d.accepts(agent, contact.PhoneNumber); err != nil {
		return aftercall.Run{}, err
	}
	from := s.tx.Now()
	if wanted.NotBefore.After(from) {
		from = wanted.NotBefore
	}
	run, err := aftercall.OpenRun(contact, agent, s.d.zones.of(contact.ZoneNames(s.account.Timezone)), from, s.tx.Now())
	if err != nil {
		return run, err
	}
	err = override(&run, agent, wanted)
	return run, err
}

// accepts asks the agent's voice engine whether it calls a number at all.
func (d *Dialer) accepts(agent aftercall.Agent, number string) error {
	if engine := d.engines[agent.Engine.Kind]; engine != nil {
		return engine.Accepts(agent, number)
	}
	return nil
}

// override lets a request say more than its agent does.
func override(r *aftercall.Run, agent aftercall.Agent, wanted Wanted) error {
	if wanted.MaxRetryDays != nil {
		if err := aftercall.ValidMaxRetryDays("max_retry_days", *wanted.MaxRetryDays); err != nil {
			return err
		}
		r.MaxRetryDays = wanted.MaxRetryDays
	}
	if wanted.FromNumber == "" {
		return nil
	}
	number, ok := aftercall.ParsePhone(wanted.FromNumber)
	if !ok || !slices.Contains(agent.FromNumbers, number) {
		return aftercall.InvalidField("override_from_number", "is none of the agent's numbers")
	}
	r.FromNumber = number
	return nil
}

// Initiated is a call that is being placed at once.
type Initiated struct {
	Run  aftercall.Run
	Call aftercall.LiveCall
}

// Initiate calls a contact at once, whatever the hours, but no blocked number, nor one
// more often than the rules allow. It uses the contact's open run, or opens one. Errors:
// Invalid, NotFound, Throttled when the line is full.
func (d *Dialer) Initiate(ctx context.Context, accountID string, wanted Wanted) (done Initiated, err error) {
	if d.placer.room() == 0 {
		return done, aftercall.Errorf(aftercall.Throttled, "too many calls are being placed, try again in a moment")
	}
	var b *batch
	err = d.update(ctx, func(tx *store.Tx) error {
		b = &batch{d: d, tx: tx, due: map[string]time.Time{}}
		done, err = b.initiate(accountID, wanted)
		return err
	})
	if err != nil {
		return Initiated{}, err
	}
	contact := b.contacts[done.Run.ContactID]
	d.placer.take(placement{live: done.Call, agent: b.agent, contact: contact, zone: b.zonesOf(contact)[0]})
	return done, nil
}

func (b *batch) initiate(accountID string, wanted Wanted) (Initiated, error) {
	id, ok := uuidOf(wanted.ContactID)
	if !ok {
		return Initiated{}, noContact()
	}
	open, err := b.tx.OpenRuns(accountID, []string{id})
	if err != nil {
		return Initiated{}, err
	}
	if run, ok := open[id]; ok && wanted.AgentID == "" {
		wanted.AgentID = run.AgentID
	}
	name, err := agentID(wanted.AgentID)
	if err != nil {
		return Initiated{}, err
	}
	if b.agent, err = b.tx.TakeAgent(accountID, name); err != nil {
		return Initiated{}, err
	}
	b.ref = store.AgentRef{AccountID: accountID, AgentID: b.agent.ID}
	if b.d.engines[b.agent.Engine.Kind] == nil {
		return Initiated{}, aftercall.Errorf(aftercall.Unavailable, "the agent's voice engine is not running here")
	}
	if err := b.load(); err != nil { // before the contact, as the planner does
		return Initiated{}, err
	}
	if b.contacts, err = b.tx.TakeContacts(accountID, []string{id}); err != nil {
		return Initiated{}, err
	}
	contact, known := b.contacts[id]
	if !known {
		return Initiated{}, noContact()
	}
	if err := b.d.accepts(b.agent, contact.PhoneNumber); err != nil {
		return Initiated{}, err
	}
	run, err := b.runFor(contact, wanted)
	if err != nil {
		return Initiated{}, err
	}
	return b.dialAtOnce(contact, run)
}

// runFor is the contact's open run, or a new one.
func (b *batch) runFor(contact aftercall.Contact, wanted Wanted) (aftercall.Run, error) {
	open, err := b.tx.OpenRuns(contact.AccountID, []string{contact.ID})
	if err != nil {
		return aftercall.Run{}, err
	}
	run, ok := open[contact.ID]
	switch {
	case ok && run.AgentID != b.agent.ID:
		return run, aftercall.Errorf(aftercall.Invalid, "the contact is in the auto-dialer of another agent, in loop %s", run.ID).WithCode(OpenRunExists)
	case !ok:
		run = aftercall.Run{
			AccountID: contact.AccountID, ID: aftercall.NewUUID(), ContactID: contact.ID, AgentID: b.agent.ID,
			MaxRetryDays: b.agent.Dialing.MaxRetryDays, CreatedAt: b.tx.Now(),
		}
	}
	err = override(&run, b.agent, wanted)
	return run, err
}

// dialAtOnce has a run's call made now, or tells why it cannot be.
func (b *batch) dialAtOnce(contact aftercall.Contact, run aftercall.Run) (Initiated, error) {
	facts, err := b.facts()
	if err != nil {
		return Initiated{}, err
	}
	facts.requested = true
	known := facts.of(contact)
	_, verdict := run.Decide(b.agent.Dialing, known, b.tx.Now())
	switch {
	case verdict == aftercall.DialNow:
	case known.Blocked:
		return Initiated{}, errBlocked()
	case known.InCall:
		return Initiated{}, aftercall.Errorf(aftercall.Invalid, "the contact is in a call").WithCode("IN_CALL")
	default:
		return Initiated{}, aftercall.Errorf(aftercall.Invalid, "the number was called %d times in the last 24 hours, as often as the agent's rules allow",
			len(known.Dialled)).WithCode("ATTEMPT_LIMIT")
	}
	w := newWrites(b.tx, contact.AccountID)
	b.dial(w, run, contact, facts, "request")
	if len(b.placed) == 0 {
		if b.line.ClosedUntil.After(b.tx.Now()) {
			return Initiated{}, aftercall.Errorf(aftercall.Throttled, "the voice engine takes no calls before %s: %s",
				b.line.ClosedUntil.UTC().Format(time.RFC3339), b.line.Reason)
		}
		return Initiated{}, aftercall.Errorf(aftercall.Throttled, "the agent's line is full, try again in a moment")
	}
	next, events := contact.Scheduled(w.runs[0], b.tx.Now())
	w.change(next, events)
	delete(w.scheduled, contact.ID)
	if err := b.tx.UpdateLine(b.line); err != nil {
		return Initiated{}, err
	}
	return Initiated{w.runs[0], b.placed[0]}, w.flush()
}

// NotInDialer is the code of the error for a contact without an open run.
const NotInDialer = "NOT_IN_AUTO_DIALER"

// Remove ends the open runs of contacts and closes them; what is wrong with one is told
// at its place in failed. A call in progress goes on.
func (d *Dialer) Remove(ctx context.Context, accountID string, contactIDs []string) (failed []error, err error) {
	var ids []string
	for _, id := range contactIDs {
		if id, ok := uuidOf(id); ok {
			ids = append(ids, id)
		}
	}
	ids = unique(ids)
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		failed = make([]error, len(contactIDs))
		contacts, err := tx.TakeContacts(accountID, ids)
		if err != nil {
			return err
		}
		open, err := tx.OpenRuns(accountID, ids)
		if err != nil {
			return err
		}
		w := newWrites(tx, accountID)
		for i, id := range contactIDs {
			id, _ = uuidOf(id)
			contact, known := contacts[id]
			run, in := open[id]
			switch {
			case !known:
				failed[i] = noContact()
			case !in:
				failed[i] = aftercall.Errorf(aftercall.Invalid, "the contact is not in the auto-dialer").WithCode(NotInDialer)
			default:
				w.end(contact, run.Removed(aftercall.RunRemoved, tx.Now()))
				delete(open, id)
			}
		}
		return w.flush()
	})
	if err != nil {
		return nil, fmt.Errorf("remove from the auto-dialer: %w", err)
	}
	return failed, nil
}
