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
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Task      string    `json:"task"`
	UpdatedAt time.Time `json:"updatedAt"`
	Data      TaskData  `json:"data"`
}

// TaskData is how far a recovery has come.
type TaskData struct {
	EndpointID string    `json:"endpointId"`
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	Total      int       `json:"total"`
	Done       int       `json:"done"`
}

func taskOut(t store.Task) TaskOut {
	return TaskOut{t.ID, string(t.Status), t.Kind, t.UpdatedAt, TaskData{t.EndpointID, t.Since, t.Until, t.Total, t.Done}}
}

func (a *API) recover(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body struct {
		Since time.Time  `json:"since"`
		Until *time.Time `json:"until"`
	}
}) (TaskOut, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return TaskOut{}, err
	}
	if in.Body.Since.IsZero() {
		return TaskOut{}, aftercall.InvalidField("since", "is required: a time such as 2025-02-18T15:30:00Z")
	}
	var until time.Time
	if in.Body.Until != nil {
		until = *in.Body.Until
	}
	task, err := a.engine.Recover(ctx, accountID, in.Endpoint, in.Body.Since.UTC(), until.UTC())
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

func (a *API) getTask(ctx context.Context, c auth.Caller, in *struct {
	Task string `path:"task"`
}) (TaskOut, error) {
	var out TaskOut
	err := a.store.View(ctx, func(tx *store.Tx) error {
		t, err := tx.Task(c.AccountID, in.Task)
		out = taskOut(t)
		return err
	})
	return out, err
}
