package dialer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// maxLooks is how many calls are looked at at once.
	maxLooks = 32
	// fetchTimeout is how long a voice engine may take to say what became of a call.
	fetchTimeout = 15 * time.Second
	// lookLease is how long a look belongs to this process.
	lookLease = fetchTimeout + 15*time.Second
)

// lookAtAll has all calls in progress looked at: what was told while no process
// listened is lost. On PostgreSQL other nodes may be about to start what was decided.
func (d *Dialer) lookAtAll(ctx context.Context) error {
	placed := aftercall.Placed
	if d.store.Dialect() == "sqlite3" {
		placed = aftercall.Placing
	}
	return d.store.Update(ctx, func(tx *store.Tx) error { return tx.LookNow(placed) })
}

// runLooks asks what became of calls that nothing was heard of, until the context
// ends: voice engines lose callbacks, and processes die.
func (d *Dialer) runLooks(ctx context.Context) {
	d.looking(ctx, false, d.looks, d.look)
}

// runSettling takes calls that are over and whose transcript was waited for long enough.
// It asks nobody, so that no engine that does not answer keeps another's calls waiting.
func (d *Dialer) runSettling(ctx context.Context) {
	d.looking(ctx, true, d.settles, func(ctx context.Context, l aftercall.LiveCall) error {
		return d.lookedAt(ctx, l, func(l aftercall.LiveCall, _ time.Time) aftercall.LiveCall {
			l.Progress.Final = true
			return l
		})
	})
}

// looking looks at calls whose time has come, those that are over or the others.
func (d *Dialer) looking(ctx context.Context, over bool, bell <-chan struct{}, look func(context.Context, aftercall.LiveCall) error) {
	for {
		looked, next, err := d.lookAtDue(ctx, over, look)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.log.Warn("cannot look at calls, trying again", "cause", err)
			sleep(ctx, nil, time.Now().Add(retryPause))
		case looked < maxLooks:
			until := time.Now().Add(d.pollCalls())
			if !next.IsZero() {
				until = earlierOf(until, next)
			}
			if !sleep(ctx, bell, until) {
				return
			}
		}
	}
}

// lookAtDue looks at calls whose time has come, and returns how many there were, and
// when the next is.
func (d *Dialer) lookAtDue(ctx context.Context, over bool, look func(context.Context, aftercall.LiveCall) error) (looked int, next time.Time, err error) {
	var list []aftercall.LiveCall
	err = d.store.View(ctx, func(tx *store.Tx) (err error) {
		next, err = tx.NextLook(over)
		return err
	})
	if err != nil || next.IsZero() || next.After(time.Now()) {
		return 0, next, err
	}
	err = d.store.Update(ctx, func(tx *store.Tx) (err error) {
		if list, err = tx.ClaimLooks(over, maxLooks, tx.Now().Add(lookLease)); err != nil {
			return err
		}
		next, err = tx.NextLook(over)
		return err
	})
	if err != nil {
		return 0, next, err
	}
	var looks sync.WaitGroup
	for _, l := range list {
		looks.Go(func() {
			if err := look(ctx, l); err != nil && ctx.Err() == nil {
				d.log.Warn("cannot look at a call, trying again", "call", l.ID, "cause", err)
			}
		})
	}
	looks.Wait()
	return len(list), next, nil
}

// look finds out what became of a call.
func (d *Dialer) look(ctx context.Context, l aftercall.LiveCall) error {
	agent, err := d.agent(ctx, store.AgentRef{AccountID: l.AccountID, AgentID: l.AgentID})
	if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
		return err
	}
	engine := d.engines[agent.Engine.Kind]
	if engine == nil {
		return d.lookedAt(ctx, l, aftercall.LiveCall.Lost)
	}
	if agent.Engine.Line() != l.Line {
		return d.lookedAt(ctx, l, func(l aftercall.LiveCall, now time.Time) aftercall.LiveCall { return l.Elsewhere(agent.Engine, now) })
	}
	d.metrics.looks.Inc()
	asked := time.Now() // what the engine does not know now may begin before it answers
	asking, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	progress, err := engine.Fetch(asking, agent, l)
	if err == nil {
		err = progress.Validate()
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return d.lookedAt(ctx, l, func(l aftercall.LiveCall, now time.Time) aftercall.LiveCall {
			return l.Alive(progress, agent.Engine, now)
		})
	case !errors.Is(err, ErrUnknownCall):
		d.log.Warn("a voice engine does not say what became of a call", "call", l.ID, "cause", err)
		return d.lookedAt(ctx, l, aftercall.LiveCall.Unheard)
	case l.State == aftercall.Placing:
		return d.unknown(ctx, l, asked)
	}
	return d.lookedAt(ctx, l, aftercall.LiveCall.Lost)
}

// unknown takes back a call of which its engine knew nothing when it was asked, if it could
// no longer begin by then.
func (d *Dialer) unknown(ctx context.Context, l aftercall.LiveCall, asked time.Time) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		if l.Expired(asked) {
			return d.unplace(tx, l, unplaced{at: tx.Now(), why: "the voice engine does not know it"})
		}
		live, err := tx.TakeLiveCalls(l.AccountID, []string{l.ID})
		if err != nil || len(live) == 0 || live[l.ID].State != aftercall.Placing {
			return err
		}
		l := live[l.ID]
		l.DueAt = l.TriggeredAt.Add(aftercall.StartWithin + lookMargin)
		if !l.DueAt.After(tx.Now()) { // the answer took its time: ask again
			l.DueAt = tx.Now()
		}
		return tx.PutLiveCalls([]aftercall.LiveCall{l})
	})
}

// lookMargin is longer than clocks may differ, see [aftercall.LiveCall.Expired].
const lookMargin = 6 * time.Second

// lookedAt changes a call by what was found out, unless more was heard of it meanwhile.
func (d *Dialer) lookedAt(ctx context.Context, l aftercall.LiveCall, change func(aftercall.LiveCall, time.Time) aftercall.LiveCall) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		live, err := tx.TakeLiveCalls(l.AccountID, []string{l.ID})
		if err != nil || len(live) == 0 || live[l.ID].State != l.State {
			return err
		}
		return d.settle(tx, l.AccountID, []aftercall.LiveCall{change(live[l.ID], tx.Now())}, nil)
	})
}
