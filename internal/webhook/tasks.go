package webhook

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// taskBatch is how many rows of a task are looked at in one transaction. What is
	// started in one go keeps the machine busy until it is sent, and live traffic waits
	// for it: hence many small ones.
	taskBatch = 16
	// taskPace is how long each row that changed has to itself, so that live traffic
	// comes first: 2,000 are started in a second.
	taskPace = 500 * time.Microsecond
	// taskPause is between batches at the least.
	taskPause = time.Millisecond
	// tasksEvery is how often tasks are looked for that another node left undone.
	tasksEvery = time.Minute
)

func idsOf(messages []aftercall.Message) []string {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

// begin stores a task, which runTasks finds.
func begin(tx *store.Tx, t *store.Task) error {
	t.ID, t.Status = aftercall.NewID(aftercall.TaskPrefix, tx.Now()), store.TaskRunning
	t.CreatedAt, t.UpdatedAt = tx.Now(), tx.Now()
	return tx.PutTask(*t)
}

// CancelTask ends a task where it stands: what it has done stays done. One that is
// over stays as it is.
func (e *Engine) CancelTask(ctx context.Context, accountID, id string) (store.Task, error) {
	for {
		var t store.Task
		var busy bool // a batch of it is being done at this moment, which may be its last
		err := e.store.Update(ctx, func(tx *store.Tx) (err error) {
			if t, err = tx.Task(accountID, id); err != nil || t.Status != store.TaskRunning {
				return err
			}
			locked, err := tx.LockTask(t.AccountID, t.ID)
			if busy = aftercall.KindOf(err) == aftercall.NotFound; busy {
				return nil
			}
			if err != nil {
				return err
			}
			t = locked
			return finish(tx, &t, "it was canceled")
		})
		if err != nil || !busy || !wait(ctx, taskPause) {
			return t, err
		}
	}
}

// finish ends a task, with what it failed of, if it did, and tells of it.
func finish(tx *store.Tx, t *store.Task, failure string) error {
	t.Status, t.Reason, t.UpdatedAt = store.TaskFinished, failure, tx.Now()
	if failure != "" {
		t.Status = store.TaskFailed
	}
	if err := tx.PutTask(*t); err != nil {
		return err
	}
	return tell(tx, aftercall.OperationalEvent(aftercall.TaskFinished, struct {
		TaskID string `json:"taskId"`
		Task   string `json:"task"`
		Status string `json:"status"`
		Data   any    `json:"data"`
	}{t.ID, t.Kind, string(t.Status), t.Data()}))
}

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
		changed := 0
		for _, t := range tasks { // a batch of each in turn, so that a long one delays no other
			err := retry(ctx, func() error {
				n, err := e.doBatch(ctx, t)
				changed += n
				return err
			})
			if err != nil {
				return
			}
		}
		pause := max(taskPause, time.Duration(changed)*taskPace)
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

// doBatch goes on with a task, and returns how many rows it changed. The task's cursor
// moves in the same transaction, so that a crash repeats nothing and leaves nothing out.
func (e *Engine) doBatch(ctx context.Context, t store.Task) (changed int, err error) {
	err = e.store.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.LockTask(t.AccountID, t.ID)
		if aftercall.KindOf(err) == aftercall.NotFound {
			return nil // another node is at it, or it is done
		}
		if err != nil {
			return err
		}
		var endpoint aftercall.Endpoint
		if t.EndpointID != "" {
			endpoint, err = tx.Endpoint(t.AccountID, t.EndpointID)
			switch {
			case aftercall.KindOf(err) == aftercall.NotFound:
				return finish(tx, &t, "the endpoint was removed")
			case err != nil:
				return err
			case endpoint.Disabled:
				return finish(tx, &t, "the endpoint is disabled")
			}
		}
		before := t.Done
		switch t.Kind {
		case RecoverKind:
			changed, err = recoverBatch(tx, &t)
		case ReplayKind, BulkReplayKind:
			changed, err = replayBatch(tx, &t, endpoint)
		case EraseKind:
			changed, err = eraseBatch(tx, &t)
		default:
			return finish(tx, &t, "this version does not know such tasks")
		}
		if err != nil {
			return err
		}
		if t.Done-before < taskBatch {
			return finish(tx, &t, "")
		}
		t.UpdatedAt = tx.Now()
		return tx.PutTask(t)
	})
	return changed, err
}
