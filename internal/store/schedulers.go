package store

import (
	"database/sql"
	"time"

	"github.com/aftercall/aftercall"
)

// SchedulerRef names a call scheduler.
type SchedulerRef struct{ AccountID, SchedulerID string }

const schedulerColumns = `account_id, id, title, agent_id, enabled, filter, delay, enrolling, enrolled, enrol_started_at, enrol_ended_at,
	created_at, updated_at`

func readScheduler(s scan) (c aftercall.CallScheduler, err error) {
	var delay int64
	var enrolling sql.NullString
	e := &c.Enrolment
	err = s(&c.AccountID, &c.ID, &c.Title, &c.AgentID, &c.Enabled, jsonAt(&c.Filter), &delay, &enrolling, &e.Enrolled, timeAt(&e.StartedAt),
		timeAt(&e.EndedAt), timeAt(&c.CreatedAt), timeAt(&c.UpdatedAt))
	c.Delay = time.Duration(delay) * time.Microsecond
	e.Running, e.After = enrolling.Valid, enrolling.String
	return c, err
}

func schedulerArgs(c aftercall.CallScheduler) []any {
	e := c.Enrolment
	return []any{
		c.AccountID, c.ID, c.Title, c.AgentID, c.Enabled, jsonOf(c.Filter), c.Delay.Microseconds(), sql.NullString{String: e.After, Valid: e.Running},
		e.Enrolled, maybe(e.StartedAt), maybe(e.EndedAt), micros(c.CreatedAt), micros(c.UpdatedAt),
	}
}

// InsertScheduler stores a new call scheduler.
func (tx *Tx) InsertScheduler(c aftercall.CallScheduler) error {
	_, err := tx.exec(`INSERT INTO call_scheduler (`+schedulerColumns+`) VALUES `+tuples(1, 1, bare(13)...), schedulerArgs(c)...)
	return err
}

// UpdateScheduler stores what may change of a call scheduler, and how far its pass is.
func (tx *Tx) UpdateScheduler(c aftercall.CallScheduler) error {
	_, err := tx.exec(`UPDATE call_scheduler SET title = $3, agent_id = $4, enabled = $5, filter = $6, delay = $7, enrolling = $8,
			enrolled = $9, enrol_started_at = $10, enrol_ended_at = $11, created_at = $12, updated_at = $13
		WHERE account_id = $1 AND id = $2`, schedulerArgs(c)...)
	return err
}

// Scheduler finds a call scheduler.
func (tx *Tx) Scheduler(accountID, id string) (aftercall.CallScheduler, error) {
	c, err := one(tx, readScheduler, `SELECT `+schedulerColumns+` FROM call_scheduler WHERE account_id = $1 AND id = $2`, accountID, id)
	return c, notFound(err, "call scheduler")
}

// TakeScheduler finds a call scheduler that is to be changed, see TakeContact.
func (tx *Tx) TakeScheduler(accountID, id string) (aftercall.CallScheduler, error) {
	c, err := one(tx, readScheduler, `UPDATE call_scheduler SET updated_at = updated_at WHERE account_id = $1 AND id = $2
		RETURNING `+schedulerColumns, accountID, id)
	return c, notFound(err, "call scheduler")
}

// Schedulers lists call schedulers by id.
func (tx *Tx) Schedulers(accountID string, p Page) ([]aftercall.CallScheduler, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.page("id", p)
	return all(tx, readScheduler, `SELECT `+schedulerColumns+` FROM call_scheduler`+where.sql(), where.args...)
}

// EnabledSchedulers returns the call schedulers of an account that enrol, the oldest first.
func (tx *Tx) EnabledSchedulers(accountID string) ([]aftercall.CallScheduler, error) {
	return all(tx, readScheduler, `SELECT `+schedulerColumns+` FROM call_scheduler WHERE account_id = $1 AND enabled ORDER BY id`, accountID)
}

// TakeSchedulersOf finds the enabled call schedulers of an agent that are to be changed,
// see TakeContact.
func (tx *Tx) TakeSchedulersOf(ref AgentRef) ([]aftercall.CallScheduler, error) {
	return all(tx, readScheduler, `UPDATE call_scheduler SET updated_at = updated_at WHERE account_id = $1 AND agent_id = $2 AND enabled
		RETURNING `+schedulerColumns, ref.AccountID, ref.AgentID)
}

// Enrolling returns the call schedulers, of whichever account, whose pass runs.
func (tx *Tx) Enrolling() ([]SchedulerRef, error) {
	return all(tx, func(s scan) (r SchedulerRef, err error) { err = s(&r.AccountID, &r.SchedulerID); return r, err },
		`SELECT account_id, id FROM call_scheduler WHERE enrolling IS NOT NULL ORDER BY account_id, id`)
}

// DeleteScheduler removes a call scheduler; the runs that it opened go on. Error: NotFound.
func (tx *Tx) DeleteScheduler(accountID, id string) error {
	n, err := tx.exec(`DELETE FROM call_scheduler WHERE account_id = $1 AND id = $2`, accountID, id)
	if err == nil && n == 0 {
		err = aftercall.Errorf(aftercall.NotFound, "call scheduler not found")
	}
	return err
}
