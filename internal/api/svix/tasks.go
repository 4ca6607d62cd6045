package svix

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// TaskOut is what is shown of a background task.
type TaskOut struct {
	ID        string         `json:"id"`
	Status    string         `json:"status"`
	Task      string         `json:"task"`
	UpdatedAt time.Time      `json:"updatedAt"`
	Data      store.TaskData `json:"data"`
}

func taskOut(t store.Task) TaskOut {
	return TaskOut{t.ID, string(t.Status), t.Kind, t.UpdatedAt, t.Data()}
}

// ReplayIn is the time window of what is sent again.
type ReplayIn struct {
	Since time.Time  `json:"since" required:"true"`
	Until *time.Time `json:"until"` // null means now
}

func (in ReplayIn) window() (since, until time.Time, err error) {
	if in.Since.IsZero() {
		return since, until, aftercall.InvalidField("since", "is required: a time such as 2025-02-18T15:30:00Z")
	}
	if in.Until != nil {
		until = in.Until.UTC()
	}
	return in.Since.UTC(), until, nil
}

func (a *API) recover(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body ReplayIn
}) (TaskOut, error) {
	return a.again(ctx, c, in.endpointPath, in.Body, a.engine.Recover)
}

func (a *API) replayMissing(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body ReplayIn
}) (TaskOut, error) {
	return a.again(ctx, c, in.endpointPath, in.Body, a.replay(aftercall.Replay{Missing: true}))
}

// BulkReplayIn picks what is sent again.
type BulkReplayIn struct {
	ReplayIn
	EventTypes      []string `json:"eventTypes"`
	Channel         string   `json:"channel"`
	Tag             string   `json:"tag"`
	Status          *int     `json:"status"`          // of the message at the endpoint: 0 succeeded, 2 failed
	StatusCodeClass *int     `json:"statusCodeClass"` // 0, 100 to 500
}

func (a *API) bulkReplay(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body BulkReplayIn
}) (TaskOut, error) {
	r := aftercall.Replay{EventTypes: in.Body.EventTypes, Channel: in.Body.Channel, Tag: in.Body.Tag, StatusClass: in.Body.StatusCodeClass}
	if err := validStatusClass("statusCodeClass", r.StatusClass); err != nil {
		return TaskOut{}, err
	}
	if status := in.Body.Status; status != nil {
		switch *status {
		case statusSuccess:
			r.State = new(aftercall.Succeeded)
		case statusFail:
			r.State = new(aftercall.Failed)
		case statusPending, statusSending, statusCanceled:
			r.State = new(aftercall.Pending) // nothing: it arrives by itself
		default:
			return TaskOut{}, aftercall.InvalidField("status", "must be 0 to 4")
		}
	}
	return a.again(ctx, c, in.endpointPath, in.Body.ReplayIn, a.replay(r))
}

// sending starts a task that sends messages of a window again.
type sending func(ctx context.Context, accountID, endpointID string, since, until time.Time) (store.Task, error)

func (a *API) replay(r aftercall.Replay) sending {
	return func(ctx context.Context, accountID, endpointID string, since, until time.Time) (store.Task, error) {
		return a.engine.Replay(ctx, accountID, endpointID, since, until, r)
	}
}

func (a *API) again(ctx context.Context, c auth.Caller, path endpointPath, in ReplayIn, start sending) (TaskOut, error) {
	accountID, err := a.accountID(ctx, c, path.App)
	if err != nil {
		return TaskOut{}, err
	}
	since, until, err := in.window()
	if err != nil {
		return TaskOut{}, err
	}
	task, err := start(ctx, accountID, path.Endpoint, since, until)
	return taskOut(task), err
}

func (a *API) listTasks(ctx context.Context, c auth.Caller, in *struct {
	Paging
	Status string `query:"status"`
	Task   string `query:"task"`
}) (List[TaskOut], error) {
	var list List[TaskOut]
	page, err := in.page(true, iteratorOf(aftercall.TaskPrefix))
	if err != nil {
		return list, err
	}
	err = a.store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Tasks(store.TaskFilter{AccountID: c.AccountID, Status: in.Status, Kind: in.Task}, page)
		list = listOf(rows, page, func(t store.Task) string { return t.ID }, taskOut)
		return err
	})
	return list, err
}

type taskPath struct {
	Task string `path:"task"`
}

// cancelTask ends a task where it stands.
func (a *API) cancelTask(ctx context.Context, c auth.Caller, in *taskPath) (TaskOut, error) {
	t, err := a.engine.CancelTask(ctx, c.AccountID, in.Task)
	return taskOut(t), err
}

func (a *API) getTask(ctx context.Context, c auth.Caller, in *taskPath) (TaskOut, error) {
	var out TaskOut
	err := a.store.View(ctx, func(tx *store.Tx) error {
		t, err := tx.Task(c.AccountID, in.Task)
		out = taskOut(t)
		return err
	})
	return out, err
}
