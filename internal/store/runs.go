package store

import (
	"strings"
	"time"

	"github.com/aftercall/aftercall"
)

const runColumns = `account_id, id, contact_id, agent_id, end_reason, attempts, charged, day_attempts, errors, unplaced, first_at, last_at,
	error_at, max_retry_days, from_number, due_at, asked, call_id, created_at, ended_at`

func readRun(s scan) (r aftercall.Run, err error) {
	err = s(&r.AccountID, &r.ID, &r.ContactID, &r.AgentID, &r.End, &r.Attempts, &r.Charged, &r.DayAttempts, &r.Errors, &r.Unplaced, timeAt(&r.FirstAt),
		timeAt(&r.LastAt), timeAt(&r.ErrorAt), &r.MaxRetryDays, &r.FromNumber, timeAt(&r.DueAt), &r.Asked, textAt(&r.CallID),
		timeAt(&r.CreatedAt), timeAt(&r.EndedAt))
	return r, err
}

func runArgs(r aftercall.Run) []any {
	var days any
	if r.MaxRetryDays != nil {
		days = *r.MaxRetryDays
	}
	return []any{
		r.AccountID, r.ID, r.ContactID, r.AgentID, string(r.End), r.Attempts, r.Charged, r.DayAttempts, r.Errors, r.Unplaced, maybe(r.FirstAt),
		maybe(r.LastAt), maybe(r.ErrorAt), days, r.FromNumber, maybe(r.DueAt), r.Asked, text(r.CallID), micros(r.CreatedAt), maybe(r.EndedAt),
	}
}

// PutRuns stores runs, new or not, and has the dialer look at those that are due at
// some time. Whoever changes a run holds its contact (see TakeContact), so that no two
// do at once.
func (tx *Tx) PutRuns(list []aftercall.Run) error {
	for _, r := range list {
		if !r.DueAt.IsZero() {
			tx.changes.Runs = append(tx.changes.Runs, RunDue{AgentRef{r.AccountID, r.AgentID}, r.DueAt})
		}
	}
	return inChunks(list, func(rows []aftercall.Run) error {
		args := make([]any, 0, 20*len(rows))
		for _, r := range rows {
			args = append(args, runArgs(r)...)
		}
		_, err := tx.exec(`INSERT INTO run (`+runColumns+`) VALUES `+tuples(len(rows), 1, bare(20)...)+`
			ON CONFLICT (account_id, id) DO UPDATE SET end_reason = excluded.end_reason, attempts = excluded.attempts,
			charged = excluded.charged, day_attempts = excluded.day_attempts, errors = excluded.errors, unplaced = excluded.unplaced, first_at = excluded.first_at,
			last_at = excluded.last_at, error_at = excluded.error_at, max_retry_days = excluded.max_retry_days,
			due_at = excluded.due_at, asked = excluded.asked, call_id = excluded.call_id, ended_at = excluded.ended_at`, args...)
		return err
	})
}

// Run finds a run.
func (tx *Tx) Run(accountID, id string) (aftercall.Run, error) {
	r, err := one(tx, readRun, `SELECT `+runColumns+` FROM run WHERE account_id = $1 AND id = $2`, accountID, id)
	return r, notFound(err, "run")
}

// RunsByID finds runs by their ids.
func (tx *Tx) RunsByID(accountID string, ids []string) (map[string]aftercall.Run, error) {
	found := make(map[string]aftercall.Run, len(ids))
	err := inChunks(ids, func(ids []string) error {
		list, err := all(tx, readRun, `SELECT `+runColumns+` FROM run WHERE account_id = $1 AND id IN (`+placeholders(len(ids), 2)+`)`,
			append([]any{accountID}, anys(ids)...)...)
		for _, r := range list {
			found[r.ID] = r
		}
		return err
	})
	return found, err
}

// OpenRuns returns the open runs of contacts, by contact. Each contact is looked up by
// itself: for a list of them SQLite would rather read all runs of the account.
func (tx *Tx) OpenRuns(accountID string, contactIDs []string) (map[string]aftercall.Run, error) {
	found := make(map[string]aftercall.Run, len(contactIDs))
	err := inChunks(contactIDs, func(ids []string) error {
		list, err := all(tx, readRun, `WITH wanted (contact_id) AS (VALUES `+tuples(len(ids), 2, "TEXT")+`)
			SELECT `+of("run", runColumns)+` FROM wanted CROSS JOIN run
			WHERE run.account_id = $1 AND run.contact_id = wanted.contact_id AND run.end_reason = ''`,
			append([]any{accountID}, anys(ids)...)...)
		for _, r := range list {
			found[r.ContactID] = r
		}
		return err
	})
	return found, err
}

// ContactRuns lists the runs of a contact, newest first.
func (tx *Tx) ContactRuns(accountID, contactID string, limit int) ([]aftercall.Run, error) {
	return tx.Runs(accountID, contactID, Page{Limit: limit, Descending: true})
}

// Runs lists runs by id, which is by when they were opened: those of a contact, or all.
func (tx *Tx) Runs(accountID, contactID string, p Page) ([]aftercall.Run, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	if contactID == "" {
		where.page("id", p)
		return all(tx, readRun, `SELECT `+runColumns+` FROM run`+where.sql(), where.args...)
	}
	where.eq("contact_id", contactID)
	where.page("id", p)
	order, _, _ := strings.Cut(where.tail, " LIMIT ")
	// The ids come from an index that has all it needs: without that SQLite would rather
	// read all runs of the account.
	return all(tx, readRun, `SELECT `+runColumns+` FROM run WHERE account_id = $1
		AND id IN (SELECT id FROM run`+where.sql()+`)`+order, where.args...)
}

// DueRuns returns contacts of an agent whose runs are due, the longest first. What is
// not due is not read, however much there is.
func (tx *Tx) DueRuns(ref AgentRef, limit int) (contactIDs []string, err error) {
	return all(tx, value[string], `SELECT contact_id FROM run WHERE account_id = $1 AND agent_id = $2 AND due_at <= $3
		ORDER BY due_at LIMIT $4`, ref.AccountID, ref.AgentID, micros(tx.now), limit)
}

// OpenRunsOf returns up to limit open runs of an agent that wait for their time.
func (tx *Tx) OpenRunsOf(ref AgentRef, limit int) ([]aftercall.Run, error) {
	return all(tx, readRun, `SELECT `+runColumns+` FROM run WHERE account_id = $1 AND agent_id = $2 AND due_at IS NOT NULL
		ORDER BY due_at LIMIT $3`, ref.AccountID, ref.AgentID, limit)
}

// OpenRunsTo returns up to limit open runs of contacts with one of some numbers.
func (tx *Tx) OpenRunsTo(accountID string, numbers []string, limit int) (list []aftercall.Run, err error) {
	err = inChunks(numbers, func(numbers []string) error {
		args := append([]any{accountID, limit - len(list)}, anys(numbers)...)
		found, err := all(tx, readRun, `SELECT `+of("r", runColumns)+` FROM contact c
			JOIN run r ON r.account_id = c.account_id AND r.contact_id = c.id AND r.end_reason = ''
			WHERE c.account_id = $1 AND c.phone_number IN (`+placeholders(len(numbers), 3)+`) LIMIT $2`, args...)
		list = append(list, found...)
		return err
	})
	return list, err
}

// NextRun is when an agent's next run is due; zero when none is.
func (tx *Tx) NextRun(ref AgentRef) (time.Time, error) {
	return one(tx, func(s scan) (t time.Time, err error) { err = s(timeAt(&t)); return t, err },
		`SELECT MIN(due_at) FROM run WHERE account_id = $1 AND agent_id = $2 AND due_at IS NOT NULL`, ref.AccountID, ref.AgentID)
}

// RunDue is when a run of an agent is due.
type RunDue struct {
	Agent AgentRef
	At    time.Time
}

// DueAgents returns every agent that has runs due at some time, and when the first is.
func (tx *Tx) DueAgents() ([]RunDue, error) {
	return all(tx, func(s scan) (d RunDue, err error) {
		err = s(&d.Agent.AccountID, &d.Agent.AgentID, timeAt(&d.At))
		return d, err
	}, `SELECT account_id, id, due FROM (
			SELECT account_id, id, (SELECT MIN(due_at) FROM run r
				WHERE r.account_id = a.account_id AND r.agent_id = a.id AND r.due_at IS NOT NULL) AS due
			FROM agent a) AS waiting
		WHERE due IS NOT NULL`)
}

// ScheduleContacts stores when contacts are called next, or that they are being.
func (tx *Tx) ScheduleContacts(accountID string, next map[string]time.Time) error {
	type plan struct {
		id string
		at time.Time
	}
	plans := make([]plan, 0, len(next))
	for id, at := range next {
		plans = append(plans, plan{id, at})
	}
	return inChunks(plans, func(rows []plan) error {
		args := []any{accountID, micros(tx.now)}
		for _, p := range rows {
			args = append(args, p.id, maybe(p.at))
		}
		_, err := tx.exec(`WITH next (id, at) AS (VALUES `+tuples(len(rows), 3, "TEXT", "BIGINT")+`)
			UPDATE contact SET next_call_at = next.at, updated_at = $2 FROM next
			WHERE contact.account_id = $1 AND contact.id = next.id`, args...)
		return err
	})
}
