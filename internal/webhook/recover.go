package webhook

import (
	"context"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Kinds of tasks, in Svix's words.
const (
	RecoverKind    = "endpoint.recover"
	ReplayKind     = "endpoint.replay" // of what is missing
	BulkReplayKind = "endpoint.bulk-replay"
	EraseKind      = "application.purge_content"
)

const (
	// maxRecover is how much time a recovery may span, with a little over for clocks.
	maxRecover = 14*24*time.Hour + 5*time.Minute
	// maxReplay is the same for a replay: messages are not listed from further back.
	maxReplay = 90*24*time.Hour + 5*time.Minute
)

// Recover starts all failed deliveries of an endpoint again, with the normal
// schedule, for messages published in a time window; a zero until means now. It
// returns the stored task that does it, which goes on after a restart.
func (e *Engine) Recover(ctx context.Context, accountID, endpointID string, since, until time.Time) (store.Task, error) {
	t := store.Task{AccountID: accountID, EndpointID: endpointID, Kind: RecoverKind, Since: since, Until: until}
	return e.start(ctx, t, maxRecover, func(tx *store.Tx, t store.Task) (int, error) {
		_, last := window(t.Since, t.Until)
		return tx.CountFailed(endpointOf(t), t.Cursor, last)
	})
}

// Replay sends messages of a time window to an endpoint again, or for the first time,
// as Recover does: those that a [aftercall.Replay] picks.
func (e *Engine) Replay(ctx context.Context, accountID, endpointID string, since, until time.Time, r aftercall.Replay) (store.Task, error) {
	t := store.Task{AccountID: accountID, EndpointID: endpointID, Kind: BulkReplayKind, Since: since, Until: until, Replay: r}
	if r.Missing {
		t.Kind = ReplayKind
	}
	return e.start(ctx, t, maxReplay, func(tx *store.Tx, t store.Task) (int, error) {
		_, last := window(t.Since, t.Until)
		return tx.CountMessages(t.AccountID, t.Cursor, last)
	})
}

// start stores a task about an endpoint. Count tells how many rows it will look at.
func (e *Engine) start(ctx context.Context, t store.Task, longest time.Duration, count func(*store.Tx, store.Task) (int, error)) (store.Task, error) {
	err := e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := enabled(tx, t.AccountID, t.EndpointID)
		if err != nil {
			return err
		}
		t.EndpointID = endpoint.ID
		if t.Until.IsZero() {
			t.Until = tx.Now().Add(aftercall.IDStep)
		}
		switch {
		case !t.Since.Before(t.Until):
			return aftercall.InvalidField("since", "must be before until")
		case t.Until.Sub(t.Since) > longest:
			return aftercall.InvalidField("since", "must be at most %d days before until", int(longest.Hours()/24))
		}
		t.Cursor, _ = window(t.Since, t.Until)
		if t.Total, err = count(tx, t); err != nil {
			return err
		}
		return begin(tx, &t)
	})
	ring(e.tasks)
	return t, err
}

// window is the bounds of the ids of messages published from since until before
// until. The id of a message of that very step sorts after the bound.
func window(since, until time.Time) (first, last string) {
	return aftercall.FirstID(aftercall.MessagePrefix, since), aftercall.FirstID(aftercall.MessagePrefix, until)
}

func endpointOf(t store.Task) store.EndpointRef {
	return store.EndpointRef{AccountID: t.AccountID, EndpointID: t.EndpointID}
}

// recoverBatch starts failed deliveries again.
func recoverBatch(tx *store.Tx, t *store.Task) (changed int, err error) {
	_, last := window(t.Since, t.Until)
	failed, err := tx.FailedDeliveries(endpointOf(*t), t.Cursor, last, taskBatch)
	if err != nil {
		return 0, err
	}
	for i, d := range failed {
		failed[i] = d.Recover(tx.Now())
		t.Cursor = d.MessageID
	}
	t.Done += len(failed)
	t.Started += len(failed)
	return len(failed), tx.PutDeliveries(failed)
}

// replayBatch looks at messages and starts a delivery of those that are picked.
func replayBatch(tx *store.Tx, t *store.Task, endpoint aftercall.Endpoint) (changed int, err error) {
	messages, err := tx.Messages(t.AccountID, store.MessageFilter{Before: t.Until}, store.Page{After: t.Cursor, Limit: taskBatch})
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	ids := idsOf(messages)
	known, err := tx.DeliveriesTo(ref(endpoint), ids)
	if err != nil {
		return 0, err
	}
	messages = slices.DeleteFunc(messages, func(m aftercall.Message) bool { return !t.Replay.Picks(endpoint, m, known[m.ID]) })
	if class := t.Replay.StatusClass; class != nil {
		answered, err := tx.Answered(ref(endpoint), *class, ids)
		if err != nil {
			return 0, err
		}
		messages = slices.DeleteFunc(messages, func(m aftercall.Message) bool { return !answered[m.ID] })
	}
	picked := make([]aftercall.Delivery, len(messages))
	for i, m := range messages {
		d := aftercall.Delivery{AccountID: t.AccountID, EndpointID: t.EndpointID, MessageID: m.ID}
		if known[m.ID] != nil {
			d = *known[m.ID]
		}
		picked[i] = d.Recover(tx.Now())
	}
	t.Cursor = ids[len(ids)-1]
	t.Done += len(ids)
	t.Started += len(picked)
	return len(picked), tx.PutDeliveries(picked)
}
