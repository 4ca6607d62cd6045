package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

// Task is work over many rows that goes on after a restart, such as a recovery.
type Task struct {
	AccountID    string
	ID           string
	Kind         string // in Svix's words: "endpoint.recover"
	Status       TaskStatus
	Reason       string           // why it failed, for people
	EndpointID   string           // empty when it is about no endpoint
	Replay       aftercall.Replay // what a replay picks
	Since, Until time.Time
	Cursor       string // the last row that is done
	Total        int    // how many rows there were to look at when it began
	Done         int    // how many were looked at
	Started      int    // how many deliveries were started again
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Data is what is shown of a task beside its kind and status.
func (t Task) Data() TaskData {
	return TaskData{t.AccountID, t.EndpointID, t.Since, t.Until, t.Total, t.Done, t.Started, t.Reason}
}

// TaskData is how far a task has come.
type TaskData struct {
	AppID      string    `json:"appId"`
	EndpointID string    `json:"endpointId,omitempty"`
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	Total      int       `json:"total"`
	Done       int       `json:"done"`
	Started    int       `json:"started"`
	Reason     string    `json:"reason,omitempty"`
}

// TaskStatus is how far a task has come, in Svix's words.
type TaskStatus string

const (
	TaskRunning  TaskStatus = "running"
	TaskFinished TaskStatus = "finished"
	TaskFailed   TaskStatus = "failed"
)

const taskColumns = `account_id, id, kind, status, reason, endpoint_id, replay, since, until, cursor, total, done, started,
	created_at, updated_at`

func readTask(s scan) (t Task, err error) {
	err = s(&t.AccountID, &t.ID, &t.Kind, &t.Status, textAt(&t.Reason), &t.EndpointID, jsonAt(&t.Replay), timeAt(&t.Since), timeAt(&t.Until), &t.Cursor,
		&t.Total, &t.Done, &t.Started, timeAt(&t.CreatedAt), timeAt(&t.UpdatedAt))
	return t, err
}

// PutTask stores a task, new or not.
func (tx *Tx) PutTask(t Task) error {
	_, err := tx.exec(`INSERT INTO task (`+taskColumns+`) VALUES `+tuples(1, 1, bare(15)...)+`
		ON CONFLICT (account_id, id) DO UPDATE SET status = excluded.status, reason = excluded.reason,
		cursor = excluded.cursor, done = excluded.done, started = excluded.started, updated_at = excluded.updated_at`,
		t.AccountID, t.ID, t.Kind, string(t.Status), text(t.Reason), t.EndpointID, jsonOf(t.Replay), micros(t.Since), micros(t.Until), t.Cursor,
		t.Total, t.Done, t.Started, micros(t.CreatedAt), micros(t.UpdatedAt))
	return err
}

// Task finds a task of an account, or, for an empty account, of any.
func (tx *Tx) Task(accountID, id string) (Task, error) {
	where := newFilter()
	where.eq("id", id)
	if accountID != "" {
		where.eq("account_id", accountID)
	}
	t, err := one(tx, readTask, `SELECT `+taskColumns+` FROM task`+where.sql(), where.args...)
	return t, notFound(err, "task")
}

// LockTask reads a running task so that no other node goes on with it during this
// transaction; NotFound when another has it or it is no longer running.
func (tx *Tx) LockTask(accountID, id string) (Task, error) {
	return one(tx, readTask, `SELECT `+taskColumns+` FROM task
		WHERE account_id = $1 AND id = $2 AND status = 'running'`+tx.store.dialect.skipLocked, accountID, id)
}

// RunningTasks returns the tasks that are not done, oldest first.
func (tx *Tx) RunningTasks() ([]Task, error) {
	return all(tx, readTask, `SELECT `+taskColumns+` FROM task WHERE status = 'running' ORDER BY id`)
}

// TaskFilter narrows a list of tasks. Zero values keep all.
type TaskFilter struct {
	AccountID  string
	EndpointID string
	Status     string
	Kind       string
}

// Tasks lists tasks by id, which is by time.
func (tx *Tx) Tasks(f TaskFilter, p Page) ([]Task, error) {
	where := newFilter()
	for column, v := range map[string]string{"account_id": f.AccountID, "endpoint_id": f.EndpointID, "status": f.Status, "kind": f.Kind} {
		if v != "" {
			where.eq(column, v)
		}
	}
	where.page("id", p)
	return all(tx, readTask, `SELECT `+taskColumns+` FROM task`+where.sql(), where.args...)
}
