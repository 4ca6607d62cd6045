package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// maxOutcomes bounds how many attempts are recorded in one transaction.
const maxOutcomes = 512

// outcome is an attempt that has ended and is not in the store yet.
type outcome struct {
	lane     *lane
	settings *settings
	parcel   parcel
	attempt  aftercall.Attempt
}

// runRecorder stores what attempts led to, many in one transaction, until there are
// no more to come. While the store is out of order it goes on trying: what was sent
// is never forgotten, and no more is sent than Concurrency allows.
func (d *dispatcher) runRecorder(ctx context.Context) {
	for first := range d.outcomes {
		d.record(ctx, store.Gather(first, d.outcomes, maxOutcomes))
	}
}

func (d *dispatcher) record(ctx context.Context, batch []outcome) {
	outcomes := make([]store.Outcome, len(batch))
	for i, o := range batch {
		outcomes[i] = store.Outcome{
			Attempt: o.attempt,
			Claimed: o.parcel.delivery,
			Next:    o.parcel.delivery.After(o.attempt, o.settings.schedule, rand.Float64()),
		}
	}
	healths := d.healths(batch)
	var settled map[store.EndpointRef]aftercall.Health
	err := retry(ctx, func() error {
		err := d.store.Update(ctx, func(tx *store.Tx) (err error) {
			if err := tx.Record(outcomes); err != nil {
				return err
			}
			if settled, err = saveHealths(tx, healths); err != nil {
				return err
			}
			return tellOfAttempts(tx, outcomes)
		})
		if err != nil {
			d.cfg.Log.Error("attempts cannot be recorded, trying again", "attempts", len(batch), "cause", err)
		}
		return err
	})
	if err == nil {
		d.metrics.recorded(len(batch))
	}
	for _, o := range outcomes {
		d.log(o)
	}
	d.settle(batch, outcomes, settled)
}

// log writes one line per attempt. What succeeded is told by the store already.
func (d *dispatcher) log(o store.Outcome) {
	a, level := o.Attempt, slog.LevelDebug
	if a.Verdict != aftercall.Accepted {
		level = slog.LevelInfo
	}
	ctx := context.Background()
	if !d.cfg.Log.Enabled(ctx, level) {
		return
	}
	d.cfg.Log.Log(ctx, level, "attempt", "account", a.AccountID, "endpoint", a.EndpointID, "message", a.MessageID, "attempt", a.ID,
		"number", o.Claimed.Attempts+1, "status", a.StatusCode, "took", a.Duration, "state", int(o.Next.State), "reason", string(o.Next.Reason))
}

// settle frees what the attempts held and plans what comes next.
func (d *dispatcher) settle(batch []outcome, outcomes []store.Outcome, settled map[store.EndpointRef]aftercall.Health) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, o := range batch {
		if next := outcomes[i].Next; next.State == aftercall.Pending {
			d.dueAt(o.lane, next.DueAt)
		}
		if h, ok := settled[o.lane.ref]; ok && o.lane.settings != nil {
			o.lane.settings.endpoint.Health = h
		}
	}
	d.unrecorded -= len(batch)
	for range min(len(batch), d.idle) {
		d.idle--
		d.work.Signal() // it may have waited for Concurrency
	}
}

// health is what a batch of attempts means for an endpoint.
type health struct {
	ref     store.EndpointRef
	next    aftercall.Health
	dead    bool                    // it has failed for too long
	disable aftercall.DisableReason // its receiver wants nothing more
}

// healths returns what changes of the endpoints of a batch; most of the time nothing.
func (d *dispatcher) healths(batch []outcome) []health {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := map[store.EndpointRef]*health{}
	for _, o := range batch {
		h, ok := now[o.lane.ref]
		if !ok {
			h = &health{ref: o.lane.ref, next: o.settings.endpoint.Health}
			if o.lane.settings != nil {
				h.next = o.lane.settings.endpoint.Health
			}
			now[o.lane.ref] = h
		}
		h.next, h.dead = h.next.After(o.attempt.Verdict == aftercall.Accepted, o.attempt.EndedAt(), d.cfg.DisableAfter)
		if o.attempt.Verdict == aftercall.Disable {
			h.disable = aftercall.DisabledAsked
			if o.attempt.StatusCode == 410 {
				h.disable = aftercall.DisabledGone
			}
		}
	}
	var changed []health
	for _, o := range batch {
		h := now[o.lane.ref]
		known := o.lane.settings
		if h != nil && (h.dead || h.disable != "" || known == nil || known.endpoint.Health != h.next) {
			changed = append(changed, *h)
		}
		delete(now, o.lane.ref)
	}
	return changed
}

// saveHealths stores what changed, and disables endpoints whose time is up. Another
// node may have had a success that this one has not heard of.
func saveHealths(tx *store.Tx, healths []health) (map[store.EndpointRef]aftercall.Health, error) {
	settled := make(map[store.EndpointRef]aftercall.Health, len(healths))
	for _, h := range healths {
		if h.dead && h.disable == "" {
			alive, err := tx.SucceededSince(h.ref, h.next.FailingSince)
			if err != nil {
				return nil, err
			}
			if alive {
				h.next = aftercall.Health{}
			} else {
				h.disable = aftercall.DisabledFailing
			}
		}
		if err := tx.SaveHealth(h.ref, h.next); err != nil {
			return nil, err
		}
		settled[h.ref] = h.next
		if h.disable == "" {
			continue
		}
		endpoint, err := tx.Endpoint(h.ref.AccountID, h.ref.EndpointID)
		if aftercall.KindOf(err) == aftercall.NotFound {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if endpoint.Disabled {
			continue
		}
		endpoint.Disabled, endpoint.Reason, endpoint.UpdatedAt = true, h.disable, tx.Now()
		endpoint.Health = h.next
		if err := tx.UpdateEndpoint(endpoint); err != nil {
			return nil, err
		}
		if err := tellOfEndpoint(tx, aftercall.EndpointDisabled, endpoint); err != nil {
			return nil, err
		}
	}
	return settled, nil
}
