package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

// AccountState is a text that changes when something happened in an account that people
// look at: a message, an attempt, a call, a change of an endpoint or an agent, progress
// of a task or an import, a run, the next call, or what is heard of the newest calls in
// progress.
func (tx *Tx) AccountState(accountID string) (string, error) {
	return one(tx, value[string], `SELECT
			COALESCE((SELECT MAX(id) FROM message WHERE account_id = $1), '') || '.' ||
			COALESCE((SELECT MAX((SELECT MAX(a.id) FROM attempt a WHERE a.account_id = e.account_id AND a.endpoint_id = e.id))
				FROM endpoint e WHERE e.account_id = $1), '') || '.' ||
			CAST(COALESCE((SELECT MAX(triggered_at) FROM call WHERE account_id = $1), 0) AS TEXT) || '.' ||
			CAST(COALESCE((SELECT MAX(updated_at) FROM endpoint WHERE account_id = $1), 0) AS TEXT) || '.' ||
			CAST(COALESCE((SELECT MAX(updated_at) FROM task WHERE account_id = $1), 0) AS TEXT) || '.' ||
			CAST(COALESCE((SELECT MAX(updated_at) FROM import WHERE account_id = $1), 0) AS TEXT) || '.' ||
			(SELECT COUNT(*) || '.' || COALESCE(MAX(updated_at), 0) || '.' ||
				COALESCE(MIN((SELECT MIN(due_at) FROM run r WHERE r.account_id = a.account_id AND r.agent_id = a.id AND r.due_at IS NOT NULL)), 0)
				FROM agent a WHERE a.account_id = $1) || '.' ||
			COALESCE((SELECT MAX(id) FROM run WHERE account_id = $1), '') || '.' ||
			(SELECT COUNT(*) || '.' || COALESCE(MAX(id), '') || '.' || COALESCE(SUM(state), 0) || '.' || COALESCE(SUM(LENGTH(progress)), 0)
				FROM (SELECT id, state, progress FROM live_call WHERE account_id = $1 ORDER BY id DESC LIMIT 50) AS newest)`, accountID)
}

// CallCount is how many calls of a part of time ended with a status.
type CallCount struct {
	Part   int // counted from 0
	Status aftercall.CallStatus
	Calls  int
}

// CountCalls counts the calls of an account by status for n parts of time, the first of
// which begins at since.
func (tx *Tx) CountCalls(accountID string, since time.Time, part time.Duration, n int) ([]CallCount, error) {
	return all(tx, func(s scan) (c CallCount, err error) {
		err = s(&c.Part, &c.Status, &c.Calls)
		return c, err
	}, `SELECT (triggered_at - $2) / $3 AS part, status, COUNT(*) FROM call
		WHERE account_id = $1 AND triggered_at >= $2 AND triggered_at < $4 GROUP BY 1, 2`,
		accountID, micros(since), part.Microseconds(), micros(since.Add(time.Duration(n)*part)))
}

// CountContacts counts the contacts of an account by status.
func (tx *Tx) CountContacts(accountID string) (map[aftercall.ContactStatus]int, error) {
	counted := map[aftercall.ContactStatus]int{}
	_, err := all(tx, func(s scan) (struct{}, error) {
		var status aftercall.ContactStatus
		var n int
		err := s(&status, &n)
		counted[status] = n
		return struct{}{}, err
	}, `SELECT status, COUNT(*) FROM contact WHERE account_id = $1 GROUP BY status`, accountID)
	return counted, err
}

// OldestDue is when the delivery of an account was due that has waited longest, zero
// when none is.
func (tx *Tx) OldestDue(accountID string) (time.Time, error) {
	var oldest time.Time
	refs, err := tx.Endpoints(accountID, Page{Limit: 1000})
	if err != nil {
		return oldest, err
	}
	for _, e := range refs {
		if e.Disabled {
			continue
		}
		due, err := tx.NextDue(EndpointRef{accountID, e.ID})
		if err != nil {
			return oldest, err
		}
		if !due.IsZero() && due.Before(tx.now) && (oldest.IsZero() || due.Before(oldest)) {
			oldest = due
		}
	}
	return oldest, nil
}
