package dialer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// maxPlan is how many runs are looked at in one transaction.
	maxPlan = 128
	// fullWait is when a full line is looked at again if none of its calls is heard to end.
	fullWait = time.Second
)

// planner decides which calls to make. It knows when each agent's next run is due, and
// asks the store for those that are: what is not due, it never reads.
type planner struct {
	d    *Dialer
	bell chan struct{}

	mu   sync.Mutex
	due  map[store.AgentRef]time.Time
	full map[store.LineRef]map[store.AgentRef]bool // who waits for the end of a call
}

func newPlanner(d *Dialer) *planner {
	return &planner{
		d: d, bell: make(chan struct{}, 1),
		due: map[store.AgentRef]time.Time{}, full: map[store.LineRef]map[store.AgentRef]bool{},
	}
}

// changed hears of runs that have a time, agents that have other settings, and lines
// that have room.
func (p *planner) changed(c store.Changes) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sooner := false
	set := func(ref store.AgentRef, at time.Time) {
		if before, ok := p.due[ref]; !ok || at.Before(before) {
			p.due[ref], sooner = at, true
		}
	}
	for _, r := range c.Runs {
		set(r.Agent, r.At)
	}
	for _, ref := range c.Agents {
		set(ref, time.Now())
	}
	for _, line := range c.Freed {
		for ref := range p.full[line] {
			set(ref, time.Now())
		}
		delete(p.full, line)
	}
	if sooner {
		ring(p.bell)
	}
}

func (p *planner) run(ctx context.Context) {
	var asked time.Time
	for {
		if time.Since(asked) >= p.d.poll() {
			if err := p.ask(ctx); err != nil {
				if ctx.Err() != nil {
					return
				}
				p.d.log.Warn("cannot ask which calls are due, trying again", "cause", err)
			} else {
				asked = time.Now()
			}
		}
		for p.d.placer.room() == 0 && ctx.Err() == nil {
			sleep(ctx, p.d.placer.freed, time.Time{})
		}
		p.planDue(ctx)
		until := time.Now().Add(p.d.poll())
		if next, ok := p.next(); ok && next.Before(until) {
			until = next
		}
		if !sleep(ctx, p.bell, until) {
			return
		}
	}
}

// ask learns from the store which agents have runs, and when the first is due.
func (p *planner) ask(ctx context.Context) error {
	var list []store.RunDue
	err := p.d.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.DueAgents()
		return err
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, due := range list {
		if at, ok := p.due[due.Agent]; !ok || due.At.Before(at) {
			p.due[due.Agent] = due.At
		}
	}
	return nil
}

// next is when something is due.
func (p *planner) next() (first time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.due {
		if !ok || at.Before(first) {
			first, ok = at, true
		}
	}
	return first, ok
}

// planDue plans for every agent whose time has come, a batch each.
func (p *planner) planDue(ctx context.Context) {
	now := time.Now()
	p.mu.Lock()
	var refs []store.AgentRef
	for ref, at := range p.due {
		if !at.After(now) {
			refs = append(refs, ref)
			delete(p.due, ref) // what is heard of meanwhile counts
		}
	}
	p.mu.Unlock()
	for _, ref := range refs {
		next, err := p.plan(ctx, ref)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			p.d.log.Warn("cannot plan calls, trying again", "account", ref.AccountID, "agent", ref.AgentID, "cause", err)
			next = time.Now().Add(retryPause)
		}
		if !next.IsZero() {
			p.changed(store.Changes{Runs: []store.RunDue{{Agent: ref, At: next}}})
		}
	}
}

// plan decides about an agent's due runs, as many as there is room for, and hands those
// that are to be called to the placer. It returns when to plan for the agent again; zero
// when there is nothing to wait for.
func (p *planner) plan(ctx context.Context, ref store.AgentRef) (next time.Time, err error) {
	room := min(maxPlan, p.d.placer.room())
	if room == 0 {
		return time.Now(), nil
	}
	var b *batch
	err = p.d.store.Update(ctx, func(tx *store.Tx) (err error) {
		b = &batch{d: p.d, tx: tx, ref: ref, due: map[string]time.Time{}}
		return b.plan(room)
	})
	if err != nil || b.agent.ID == "" {
		return time.Time{}, err
	}
	for _, l := range b.placed {
		p.d.metrics.late(l.TriggeredAt.Sub(b.due[l.ID]))
		p.d.placer.take(placement{live: l, agent: b.agent, contact: b.contacts[l.ContactID], zone: b.zonesOf(b.contacts[l.ContactID])[0]})
	}
	if b.full {
		p.mu.Lock()
		line := store.LineRef{AccountID: ref.AccountID, Line: b.agent.Engine.Line()}
		if p.full[line] == nil {
			p.full[line] = map[store.AgentRef]bool{}
		}
		p.full[line][ref] = true
		p.mu.Unlock()
	}
	return b.next, nil
}

// batch is one look at an agent's due runs.
type batch struct {
	d        *Dialer
	tx       *store.Tx
	ref      store.AgentRef
	agent    aftercall.Agent
	timezone string // the account's
	line     *aftercall.Line
	contacts map[string]aftercall.Contact
	placed   []aftercall.LiveCall
	due      map[string]time.Time // when each of those was planned
	full     bool                 // the line carries what it may
	next     time.Time            // when to look again
}

func (b *batch) zonesOf(c aftercall.Contact) []*time.Location {
	return b.d.zones.of(c.ZoneNames(b.timezone))
}

func (b *batch) plan(room int) (err error) {
	if b.agent, err = b.tx.AgentWithSecret(b.ref.AccountID, b.ref.AgentID); err != nil {
		if aftercall.KindOf(err) == aftercall.NotFound {
			err = nil // it was deleted, and its runs with it
		}
		return err
	}
	if !b.agent.Dialing.Enabled || b.d.engines[b.agent.Engine.Kind] == nil {
		b.agent = aftercall.Agent{} // until its settings change
		return nil
	}
	if err := b.load(); err != nil {
		return err
	}
	ids, err := b.tx.DueRuns(b.ref, room)
	if err != nil {
		return err
	}
	if err := b.decide(ids); err != nil {
		return err
	}
	if !b.next.IsZero() {
		return nil
	}
	b.next, err = b.tx.NextRun(b.ref)
	return err
}

// load holds the agent's line, and learns where its account is.
func (b *batch) load() (err error) {
	if b.line, err = b.tx.TakeLine(b.ref.AccountID, b.agent.Engine.Line()); err != nil {
		return err
	}
	account, err := b.tx.Account(b.ref.AccountID)
	b.timezone = account.Timezone
	return err
}

// decide looks at the open runs of contacts.
func (b *batch) decide(contactIDs []string) (err error) {
	if len(contactIDs) == 0 {
		return nil
	}
	if b.contacts, err = b.tx.TakeContacts(b.ref.AccountID, contactIDs); err != nil {
		return err
	}
	runs, err := b.tx.OpenRuns(b.ref.AccountID, contactIDs) // as they are now that their contacts are held
	if err != nil {
		return err
	}
	facts, err := b.facts()
	if err != nil {
		return err
	}
	w := newWrites(b.tx, b.ref.AccountID)
	for _, r := range inDueOrder(runs) {
		if b.full || !b.next.IsZero() { // the line takes no more
			break
		}
		if r.DueAt.IsZero() || r.DueAt.After(b.tx.Now()) || r.AgentID != b.ref.AgentID {
			continue
		}
		contact := b.contacts[r.ContactID]
		next, verdict := r.Decide(b.agent.Dialing, facts.of(contact), b.tx.Now())
		switch verdict {
		case aftercall.DialNever:
			w.end(contact, next)
		case aftercall.DialLater:
			w.wait(next)
		case aftercall.DialNow:
			b.dial(w, r, contact, facts, "schedule")
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	return b.tx.UpdateLine(b.line)
}

func inDueOrder(runs map[string]aftercall.Run) []aftercall.Run {
	return slices.SortedFunc(maps.Values(runs), func(a, b aftercall.Run) int { return a.DueAt.Compare(b.DueAt) })
}

// dial has a run's call made, unless the line is full.
func (b *batch) dial(w *writes, r aftercall.Run, contact aftercall.Contact, facts *dialFacts, by string) {
	numbers := b.agent.FromNumbers
	if r.FromNumber != "" {
		numbers = []string{r.FromNumber}
	}
	number, free, ok := b.line.Take(b.agent.Engine.Pace, numbers, b.tx.Now())
	if !ok {
		b.hold(w, r, free)
		return
	}
	if r.Asked {
		by = "wish"
	}
	next, live := r.Dialling(contact, b.agent.Engine.Line(), number, b.tx.Now())
	w.runs = append(w.runs, next)
	w.live = append(w.live, live)
	w.scheduled[contact.ID] = time.Time{}
	hash := aftercall.NumberHash(contact.AccountID, contact.PhoneNumber)
	w.records = append(w.records, aftercall.DialRecord{
		AccountID: contact.AccountID, NumberHash: hash, At: b.tx.Now(), CallID: live.ID, AgentID: r.AgentID,
		Reason: aftercall.DialReason{
			By: by, Zones: contact.ZoneNames(b.timezone), Attempts: len(facts.dialled[hash]), Limit: b.agent.Dialing.PerNumber,
			Run: r.ID, Attempt: live.Attempt,
		},
	})
	facts.dialled[hash] = append(facts.dialled[hash], b.tx.Now())
	b.placed = append(b.placed, live)
	b.due[live.ID] = r.DueAt
}

// hold leaves a run, and with it the agent's others, until a call may begin. If only the
// number that the run has to come from is busy, the others go on.
func (b *batch) hold(w *writes, r aftercall.Run, free time.Time) {
	if full, _ := b.line.Full(b.agent.Engine.Pace, b.tx.Now()); !full && r.FromNumber != "" {
		r.DueAt = b.tx.Now().Add(fullWait)
		w.wait(r)
		return
	}
	b.full, b.next = free.IsZero(), free
	if b.full {
		b.next = b.tx.Now().Add(fullWait)
	}
}

// dialFacts are what decisions about some contacts are made from.
type dialFacts struct {
	b         *batch
	blocked   map[string]bool
	dialled   map[string][]time.Time
	live      map[string]bool
	requested bool
}

// memory is how far back calls to a number count.
const memory = 24 * time.Hour

func (b *batch) facts() (*dialFacts, error) {
	hashes := make([]string, 0, len(b.contacts))
	ids := make([]string, 0, len(b.contacts))
	for id, c := range b.contacts {
		hashes = append(hashes, aftercall.NumberHash(c.AccountID, c.PhoneNumber))
		ids = append(ids, id)
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	f := &dialFacts{b: b}
	var err error
	if f.blocked, err = b.tx.Blocked(b.ref.AccountID, hashes); err != nil {
		return nil, err
	}
	if f.dialled, err = b.tx.Dialled(b.ref.AccountID, hashes, b.tx.Now().Add(-memory)); err != nil {
		return nil, err
	}
	f.live, err = b.tx.LiveContacts(b.ref.AccountID, ids)
	return f, err
}

func (f *dialFacts) of(c aftercall.Contact) aftercall.DialFacts {
	hash := aftercall.NumberHash(c.AccountID, c.PhoneNumber)
	return aftercall.DialFacts{
		Zones: f.b.zonesOf(c), Blocked: f.blocked[hash], InCall: f.live[c.ID], Dialled: f.dialled[hash], Requested: f.requested,
	}
}
