package webhook

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// RecoverKind is Svix's word for the task that Recover starts.
const RecoverKind = "endpoint.recover"

const (
	// maxWindow is how much time a recovery may span, with a little over for clocks.
	maxWindow = 14*24*time.Hour + 5*time.Minute
	// recoverBatch is how many deliveries are started again in one transaction.
	recoverBatch = 250
	// recoverPause lets live traffic have its turn between batches.
	recoverPause = 20 * time.Millisecond
)

// Resend asks for one attempt of a message at an endpoint, now, whatever became of
// it before and whatever the endpoint's filters say. It is stored when Resend
// returns. A disabled endpoint, and a message whose payload was erased, are refused.
func (e *Engine) Resend(ctx context.Context, accountID, messageID, endpointID string) error {
	return e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := enabled(tx, accountID, endpointID)
		if err != nil {
			return err
		}
		message, err := tx.Message(accountID, messageID)
		if err != nil {
			return err
		}
		if message.Payload == nil {
			return aftercall.Errorf(aftercall.Invalid, "the message's payload was erased").WithCode("missing_payload")
		}
		delivery, err := tx.Delivery(ref(endpoint), message.ID)
		if aftercall.KindOf(err) == aftercall.NotFound { // it was not meant for this endpoint, or came while it was disabled
			delivery = aftercall.Delivery{
				AccountID: accountID, EndpointID: endpoint.ID, MessageID: message.ID,
				State: aftercall.Failed, Reason: aftercall.FailedDisabled,
			}
		} else if err != nil {
			return err
		}
		return tx.PutDeliveries([]aftercall.Delivery{delivery.Resend(tx.Now())})
	})
}

// Recover starts all failed deliveries of an endpoint again, with the normal
// schedule, for messages published in a time window; a zero until means now. It
// returns the stored task that does it, which goes on after a restart.
func (e *Engine) Recover(ctx context.Context, accountID, endpointID string, since, until time.Time) (store.Task, error) {
	var task store.Task
	err := e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := enabled(tx, accountID, endpointID)
		if err != nil {
			return err
		}
		if until.IsZero() {
			until = tx.Now()
		}
		switch {
		case !since.Before(until):
			return aftercall.InvalidField("since", "must be before until")
		case until.Sub(since) > maxWindow:
			return aftercall.InvalidField("since", "must be at most 14 days before until")
		}
		first, last := window(since, until)
		total, err := tx.CountFailed(ref(endpoint), first, last)
		if err != nil {
			return err
		}
		task = store.Task{
			AccountID: accountID, ID: aftercall.NewID(aftercall.TaskPrefix, tx.Now()), Kind: RecoverKind, Status: store.TaskRunning,
			EndpointID: endpoint.ID, Since: since, Until: until, Cursor: first, Total: total, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		return tx.PutTask(task)
	})
	ring(e.tasks)
	return task, err
}

// window is the bounds of the ids of messages published from since until before
// until. The id of a message of that very step sorts after the bound.
func window(since, until time.Time) (first, last string) {
	return aftercall.FirstID(aftercall.MessagePrefix, since), aftercall.FirstID(aftercall.MessagePrefix, until)
}

// tasksEvery is how often tasks are looked for that another node left undone.
const tasksEvery = time.Minute

// runTasks goes on with running tasks until each is done.
func (e *Engine) runTasks(ctx context.Context) {
	for {
		var tasks []store.Task
		err := retry(ctx, func() error {
			return e.store.View(ctx, func(tx *store.Tx) (err error) {
				tasks, err = tx.RunningTasks()
				return err
			})
		})
		if err != nil {
			return
		}
		for _, t := range tasks { // a batch of each in turn, so that a long one delays no other
			if err := retry(ctx, func() error { return e.recoverBatch(ctx, t) }); err != nil {
				return
			}
		}
		pause := recoverPause
		if len(tasks) == 0 {
			pause = tasksEvery
			if e.store.Dialect() == "sqlite3" {
				pause = sweepEvery
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-e.tasks:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// recoverBatch starts a batch of a task again. The task's cursor moves in the same
// transaction, so that a crash repeats nothing and leaves nothing out.
func (e *Engine) recoverBatch(ctx context.Context, t store.Task) error {
	return e.store.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.LockTask(t.AccountID, t.ID)
		if aftercall.KindOf(err) == aftercall.NotFound {
			return nil // another node is at it, or it is done
		}
		if err != nil {
			return err
		}
		ref := store.EndpointRef{AccountID: t.AccountID, EndpointID: t.EndpointID}
		t.UpdatedAt = tx.Now()
		if endpoint, err := tx.Endpoint(ref.AccountID, ref.EndpointID); aftercall.KindOf(err) == aftercall.NotFound || err == nil && endpoint.Disabled {
			t.Status = store.TaskFailed // nothing could be delivered
			return tx.PutTask(t)
		} else if err != nil {
			return err
		}
		_, last := window(t.Since, t.Until)
		failed, err := tx.FailedDeliveries(ref, t.Cursor, last, recoverBatch)
		if err != nil {
			return err
		}
		for i, d := range failed {
			failed[i] = d.Recover(tx.Now())
			t.Cursor = d.MessageID
		}
		t.Done += len(failed)
		if len(failed) < recoverBatch {
			t.Status = store.TaskFinished
		}
		if err := tx.PutDeliveries(failed); err != nil {
			return err
		}
		return tx.PutTask(t)
	})
}
