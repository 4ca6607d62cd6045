package dialer

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// placers is how many calls may be on their way to a voice engine at once.
	placers = 32
	// maxPlacing bounds the calls that are decided but not yet on their way: few, so that
	// none waits for longer than it may.
	maxPlacing = 256
	// startTimeout is how long a voice engine may take to accept a call.
	startTimeout = 10 * time.Second
	// ambiguousWait is when to ask the engine about a call of which nobody can tell
	// whether it was placed.
	ambiguousWait = 5 * time.Second
	// Lines are closed for these times when a voice engine refuses calls and does not say
	// for how long.
	throttledWait  = 5 * time.Second
	downWait       = 15 * time.Second
	badAccountWait = 15 * time.Minute
	maxClosed      = time.Hour
)

// placement is a call that was decided, with what its engine has to know.
type placement struct {
	live    aftercall.LiveCall
	agent   aftercall.Agent
	contact aftercall.Contact
	zone    *time.Location
}

// placer has voice engines start calls.
type placer struct {
	d     *Dialer
	queue chan placement
	freed chan struct{} // a bell: there is room for another call
}

func newPlacer(d *Dialer) *placer {
	return &placer{d, make(chan placement, maxPlacing), make(chan struct{}, 1)}
}

// room is how many more calls may be decided.
func (p *placer) room() int { return cap(p.queue) - len(p.queue) }

// take queues a call whose decision is committed. Without room it is left to the
// looks, which find out that nobody was called.
func (p *placer) take(c placement) {
	select {
	case p.queue <- c:
	default:
	}
}

// run places calls until the context ends. A start that is in progress then is finished.
func (p *placer) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range placers {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case c := <-p.queue:
					ring(p.freed)
					p.place(context.WithoutCancel(ctx), c)
				}
			}
		})
	}
	workers.Wait()
}

// place has one call started and stores what came of it. A crash at any point leaves
// the call as decided, and the looks ask the engine whether it has it.
func (p *placer) place(ctx context.Context, c placement) {
	d := p.d
	notAfter := c.live.TriggeredAt.Add(aftercall.StartWithin)
	if time.Until(notAfter) < startTimeout/2 { // it waited too long: to ask now could be too late
		p.record(ctx, c, func(tx *store.Tx) error {
			return d.unplace(tx, c.live, unplaced{at: tx.Now(), why: "waited too long for its turn"})
		})
		return
	}
	if !p.wanted(ctx, c) {
		return
	}
	starting, cancel := context.WithDeadline(ctx, earlierOf(notAfter, time.Now().Add(startTimeout)))
	defer cancel()
	ref, err := d.engines[c.agent.Engine.Kind].Start(starting, c.agent, StartRequest{
		Call: c.live, Language: c.agent.Language, Zone: c.zone, Variables: variables(c), NotAfter: notAfter,
		CallbackURL: d.baseURL + "/voice/" + string(c.agent.Engine.Kind) + "/" + c.live.AccountID + "/" + c.live.AgentID,
	})
	refused, isRefused := errors.AsType[*StartError](err)
	switch {
	case err == nil:
		d.metrics.started("placed")
		p.record(ctx, c, func(tx *store.Tx) error { return d.began(tx, c, ref) })
	case !isRefused:
		d.metrics.started("unknown")
		d.log.Warn("nobody can tell whether a call was placed, asking the voice engine", "call", c.live.ID, "cause", err)
		p.record(ctx, c, func(tx *store.Tx) error { return d.doubt(tx, c.live) })
	case refused.Refusal == InvalidNumber:
		d.metrics.started("refused")
		p.record(ctx, c, func(tx *store.Tx) error {
			return d.hear(tx, c.live.AccountID, []heard{{c.live.ID, c.live.AgentID, aftercall.Progress{
				EndedAt: tx.Now(), Reason: aftercall.EndInvalidNumber, Final: true,
			}}})
		})
	default:
		d.metrics.started("refused")
		d.log.Info("a call was not placed", "call", c.live.ID, "agent", c.live.AgentID, "cause", refused.Err)
		p.record(ctx, c, func(tx *store.Tx) error {
			until := tx.Now().Add(closedFor(refused))
			return d.unplace(tx, c.live, unplaced{at: until, why: refused.Err.Error(), closed: until, told: refused.Told})
		})
	}
}

// wanted reports whether a call is still to be placed: its contact may have been erased
// while it waited for its turn. Without an answer of the store it is left to the looks.
func (p *placer) wanted(ctx context.Context, c placement) bool {
	var live aftercall.LiveCall
	err := p.d.store.View(ctx, func(tx *store.Tx) (err error) {
		live, err = tx.LiveCall(c.live.AccountID, c.live.ID)
		return err
	})
	return err == nil && live.State == aftercall.Placing
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// closedFor is how long a line takes no calls after its engine refused one.
func closedFor(e *StartError) time.Duration {
	if e.RetryAfter > 0 {
		return min(e.RetryAfter, maxClosed)
	}
	switch e.Refusal {
	case BadAccount:
		return badAccountWait
	case Down:
		return downWait
	case Throttled, InvalidNumber:
	}
	return throttledWait
}

// record stores what came of a start. If the store cannot, the looks find out.
func (p *placer) record(ctx context.Context, c placement, fn func(*store.Tx) error) {
	if err := p.d.store.Update(ctx, fn); err != nil {
		p.d.log.Warn("cannot store what came of a call's start", "call", c.live.ID, "cause", err)
	}
}

// began stores that the engine has a call. By then it may be over already.
func (d *Dialer) began(tx *store.Tx, c placement, ref string) error {
	live, err := tx.TakeLiveCalls(c.live.AccountID, []string{c.live.ID})
	if err != nil || len(live) == 0 {
		return err
	}
	return tx.PutLiveCalls([]aftercall.LiveCall{live[c.live.ID].Begun(ref, c.agent.Engine, tx.Now())})
}

// doubt has the engine asked about a call soon.
func (d *Dialer) doubt(tx *store.Tx, l aftercall.LiveCall) error {
	live, err := tx.TakeLiveCalls(l.AccountID, []string{l.ID})
	if err != nil || len(live) == 0 {
		return err
	}
	l = live[l.ID]
	if l.State == aftercall.Placing {
		l.DueAt = tx.Now().Add(ambiguousWait)
	}
	return tx.PutLiveCalls([]aftercall.LiveCall{l})
}

// unplaced says what becomes of a call that was never placed.
type unplaced struct {
	at     time.Time // when its run is tried again
	why    string
	closed time.Time // until when its line takes no calls; zero when that stays as it is
	told   string    // what the engine said of that
}

// unplace takes a call back.
func (d *Dialer) unplace(tx *store.Tx, l aftercall.LiveCall, u unplaced) error {
	if !u.closed.IsZero() {
		line, err := tx.TakeLine(l.AccountID, l.Line)
		if err != nil {
			return err
		}
		if u.closed.After(line.ClosedUntil) { // of answers that come together the longest counts
			line.ClosedUntil, line.Reason = u.closed, u.why
			if u.told != "" {
				line.Reason += ": " + u.told
			}
		}
		if err := tx.UpdateLine(line); err != nil {
			return err
		}
	}
	live, err := tx.TakeLiveCalls(l.AccountID, []string{l.ID})
	if err != nil || len(live) == 0 || live[l.ID].State != aftercall.Placing {
		return err
	}
	if _, err := tx.TakeContacts(l.AccountID, []string{l.ContactID}); err != nil {
		return err
	}
	runs, err := tx.RunsByID(l.AccountID, []string{l.RunID})
	if err != nil {
		return err
	}
	w := newWrites(tx, l.AccountID)
	w.unplace(live[l.ID], runs[l.RunID], u.at, u.why)
	return w.flush()
}

// variables are what the voice agent's prompt may use: the contact's fields by their
// names in payloads, and its details by theirs.
func variables(c placement) map[string]string {
	vars := map[string]string{}
	var details map[string]any
	if err := json.Unmarshal(c.contact.Details, &details); err == nil {
		for name, value := range details {
			if text, ok := value.(string); ok {
				vars[name] = text
			} else if encoded, err := json.Marshal(value); err == nil {
				vars[name] = string(encoded)
			}
		}
	}
	for name, value := range map[string]string{
		"first_name": c.contact.FirstName, "last_name": c.contact.LastName, "salutation": c.contact.Salutation,
		"email": c.contact.Email, "phone_number": c.contact.PhoneNumber, "external_contact_id": c.contact.ExternalID,
	} {
		if value != "" {
			vars[name] = value
		}
	}
	return vars
}
