package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

const liveColumns = `account_id, id, run_id, contact_id, agent_id, line, ref, direction, attempt, from_number, to_number, state, lookups,
	triggered_at, due_at, progress`

func readLive(s scan) (l aftercall.LiveCall, err error) {
	err = s(&l.AccountID, &l.ID, textAt(&l.RunID), &l.ContactID, &l.AgentID, &l.Line, &l.Ref, &l.Direction, &l.Attempt, &l.FromNumber,
		&l.ToNumber, &l.State, &l.Lookups, timeAt(&l.TriggeredAt), timeAt(&l.DueAt), jsonAt(&l.Progress))
	return l, err
}

func liveArgs(l aftercall.LiveCall) []any {
	return []any{
		l.AccountID, l.ID, text(l.RunID), l.ContactID, l.AgentID, l.Line, l.Ref, string(l.Direction), l.Attempt, l.FromNumber,
		l.ToNumber, int(l.State), l.Lookups, micros(l.TriggeredAt), micros(l.DueAt), jsonOf(l.Progress),
	}
}

// PutLiveCalls stores live calls, new or not.
func (tx *Tx) PutLiveCalls(list []aftercall.LiveCall) error {
	return inChunks(list, func(rows []aftercall.LiveCall) error {
		args := make([]any, 0, 16*len(rows))
		for _, l := range rows {
			args = append(args, liveArgs(l)...)
			tx.changes.Looks = earliest(tx.changes.Looks, l.DueAt)
			if l.State == aftercall.Over {
				tx.changes.Freed = append(tx.changes.Freed, LineRef{l.AccountID, l.Line})
			}
		}
		_, err := tx.exec(`INSERT INTO live_call (`+liveColumns+`) VALUES `+tuples(len(rows), 1, bare(16)...)+`
			ON CONFLICT (account_id, id) DO UPDATE SET ref = excluded.ref, state = excluded.state, lookups = excluded.lookups,
			due_at = excluded.due_at, progress = excluded.progress`, args...)
		return err
	})
}

// earliest returns the earlier of two times, of which a zero one is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// LiveCall finds a live call.
func (tx *Tx) LiveCall(accountID, id string) (aftercall.LiveCall, error) {
	l, err := one(tx, readLive, `SELECT `+liveColumns+` FROM live_call WHERE account_id = $1 AND id = $2`, accountID, id)
	return l, notFound(err, "call")
}

// TakeLiveCalls finds live calls that are to be changed, see TakeContact.
func (tx *Tx) TakeLiveCalls(accountID string, ids []string) (map[string]aftercall.LiveCall, error) {
	found := make(map[string]aftercall.LiveCall, len(ids))
	err := inChunks(ids, func(ids []string) error {
		list, err := all(tx, readLive, `UPDATE live_call SET state = state WHERE account_id = $1
			AND id IN (`+placeholders(len(ids), 2)+`) RETURNING `+liveColumns, append([]any{accountID}, anys(ids)...)...)
		for _, l := range list {
			found[l.ID] = l
		}
		return err
	})
	return found, err
}

// DeleteLiveCalls removes calls whose end was taken, and has the dialer look at the
// lines that they free.
func (tx *Tx) DeleteLiveCalls(accountID string, list []aftercall.LiveCall) error {
	return inChunks(list, func(rows []aftercall.LiveCall) error {
		args := []any{accountID}
		for _, l := range rows {
			args = append(args, l.ID)
			tx.changes.Freed = append(tx.changes.Freed, LineRef{accountID, l.Line})
		}
		_, err := tx.exec(`DELETE FROM live_call WHERE account_id = $1 AND id IN (`+placeholders(len(rows), 2)+`)`, args...)
		return err
	})
}

// LiveCallsOf returns the live calls of a contact.
func (tx *Tx) LiveCallsOf(accountID, contactID string) ([]aftercall.LiveCall, error) {
	return all(tx, readLive, `SELECT `+liveColumns+` FROM live_call WHERE account_id = $1 AND contact_id = $2`, accountID, contactID)
}

// TakeLiveCallsOf is LiveCallsOf for those that are to be changed.
func (tx *Tx) TakeLiveCallsOf(accountID, contactID string) ([]aftercall.LiveCall, error) {
	return all(tx, readLive, `UPDATE live_call SET state = state WHERE account_id = $1 AND contact_id = $2 RETURNING `+liveColumns,
		accountID, contactID)
}

// LiveContacts reports which of some contacts are in a call.
func (tx *Tx) LiveContacts(accountID string, contactIDs []string) (map[string]bool, error) {
	live := map[string]bool{}
	err := inChunks(contactIDs, func(ids []string) error {
		list, err := all(tx, value[string], `SELECT contact_id FROM live_call WHERE account_id = $1
			AND contact_id IN (`+placeholders(len(ids), 2)+`)`, append([]any{accountID}, anys(ids)...)...)
		for _, id := range list {
			live[id] = true
		}
		return err
	})
	return live, err
}

// CountLiveOf is how many live calls an agent has.
func (tx *Tx) CountLiveOf(ref AgentRef) (int, error) {
	return one(tx, value[int], `SELECT COUNT(*) FROM live_call WHERE account_id = $1 AND agent_id = $2`, ref.AccountID, ref.AgentID)
}

// ClaimLooks leases up to limit live calls, of whichever account, that nothing was
// heard of until now, those that are over or the others; their due time is moved to until.
func (tx *Tx) ClaimLooks(over bool, limit int, until time.Time) ([]aftercall.LiveCall, error) {
	return all(tx, readLive, `WITH due AS MATERIALIZED (
			SELECT account_id, id FROM live_call WHERE due_at <= $1 AND (state = 2) = $4 ORDER BY due_at LIMIT $3`+tx.store.dialect.skipLocked+`)
		UPDATE live_call SET due_at = $2 WHERE (account_id, id) IN (SELECT account_id, id FROM due) RETURNING `+liveColumns,
		micros(tx.now), micros(until), limit, over)
}

// NextLook is when the next live call is to be looked at, of those that are over or of the
// others; zero when there is none.
func (tx *Tx) NextLook(over bool) (time.Time, error) {
	return one(tx, func(s scan) (t time.Time, err error) { err = s(timeAt(&t)); return t, err },
		`SELECT MIN(due_at) FROM live_call WHERE (state = 2) = $1`, over)
}

// LookNow has live calls looked at that have come as far as a state: for the start of a
// process, which may have missed what became of them.
func (tx *Tx) LookNow(from aftercall.LiveState) error {
	_, err := tx.exec(`UPDATE live_call SET due_at = $1 WHERE due_at > $1 AND state >= $2 AND state < 2`, micros(tx.now), int(from))
	return err
}

// SetInCall stores that contacts are in a call from now on.
func (tx *Tx) SetInCall(accountID string, contactIDs []string) error {
	return inChunks(contactIDs, func(ids []string) error {
		_, err := tx.exec(`UPDATE contact SET in_call_since = $1, updated_at = $1 WHERE account_id = $2
			AND id IN (`+placeholders(len(ids), 3)+`)`, append([]any{micros(tx.now), accountID}, anys(ids)...)...)
		return err
	})
}

// LineRef names a line.
type LineRef struct{ AccountID, Line string }

// TakeLine finds a line, with its live calls, and holds it until the transaction ends:
// no two decide at once about what it carries.
func (tx *Tx) TakeLine(accountID, id string) (*aftercall.Line, error) {
	line, err := one(tx, func(s scan) (*aftercall.Line, error) {
		l := &aftercall.Line{AccountID: accountID, ID: id}
		return l, s(jsonAt(&l.Free), timeAt(&l.ClosedUntil), &l.Reason)
	}, `INSERT INTO line (account_id, id, free, closed_until, reason) VALUES ($1, $2, '{}', NULL, '')
		ON CONFLICT (account_id, id) DO UPDATE SET reason = line.reason RETURNING free, closed_until, reason`, accountID, id)
	if err != nil {
		return nil, err
	}
	line.Live, err = tx.LiveCounts(accountID, id)
	return line, err
}

// LiveCounts returns how many calls a line carries now, by the number that they
// come from.
func (tx *Tx) LiveCounts(accountID, line string) (map[string]int, error) {
	counts := map[string]int{}
	_, err := all(tx, func(s scan) (none struct{}, err error) {
		var number string
		var calls int
		if err = s(&number, &calls); err == nil {
			counts[number] = calls
		}
		return none, err
	}, `SELECT from_number, COUNT(*) FROM live_call WHERE account_id = $1 AND line = $2 AND state < 2 GROUP BY from_number`, accountID, line)
	return counts, err
}

// UpdateLine stores what became of a line that was taken.
func (tx *Tx) UpdateLine(l *aftercall.Line) error {
	for number, at := range l.Free {
		if at.Before(tx.now) { // as good as never
			delete(l.Free, number)
		}
	}
	_, err := tx.exec(`UPDATE line SET free = $3, closed_until = $4, reason = $5 WHERE account_id = $1 AND id = $2`,
		l.AccountID, l.ID, jsonOf(l.Free), maybe(l.ClosedUntil), l.Reason)
	return err
}

// Lines returns the lines of an account.
func (tx *Tx) Lines(accountID string) ([]aftercall.Line, error) {
	return all(tx, func(s scan) (l aftercall.Line, err error) {
		err = s(&l.AccountID, &l.ID, jsonAt(&l.Free), timeAt(&l.ClosedUntil), &l.Reason)
		return l, err
	}, `SELECT account_id, id, free, closed_until, reason FROM line WHERE account_id = $1`, accountID)
}
