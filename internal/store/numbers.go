package store

import (
	"slices"
	"time"

	"github.com/aftercall/aftercall"
)

// InsertDialRecords adds to the record of why calls were allowed, and which of them
// were never placed.
func (tx *Tx) InsertDialRecords(list []aftercall.DialRecord) error {
	return inChunks(list, func(rows []aftercall.DialRecord) error {
		args := make([]any, 0, 7*len(rows))
		for _, r := range rows {
			args = append(args, r.AccountID, r.NumberHash, micros(r.At), r.CallID, kindOf(r.NotPlaced), r.AgentID, jsonOf(r.Reason))
		}
		_, err := tx.exec(`INSERT INTO dial_record (account_id, number_hash, at, call_id, kind, agent_id, reason)
			VALUES `+tuples(len(rows), 1, bare(7)...)+` ON CONFLICT DO NOTHING`, args...)
		return err
	})
}

// Dialled returns when numbers were dialled since a time, by their hashes, in order.
// What was allowed but never placed is left out.
func (tx *Tx) Dialled(accountID string, hashes []string, since time.Time) (map[string][]time.Time, error) {
	times := make(map[string][]time.Time, len(hashes))
	err := inChunks(hashes, func(hashes []string) error {
		args := append([]any{accountID, micros(since)}, anys(hashes)...)
		_, err := all(tx, func(s scan) (none struct{}, err error) {
			var hash string
			var at time.Time
			if err = s(&hash, timeAt(&at)); err == nil {
				times[hash] = append(times[hash], at)
			}
			return none, err
		}, `SELECT number_hash, at FROM dial_record WHERE account_id = $1 AND at > $2 AND number_hash IN (`+placeholders(len(hashes), 3)+`)
			GROUP BY number_hash, at, call_id HAVING MAX(kind) = 0 ORDER BY number_hash, at`, args...)
		return err
	})
	return times, err
}

// DialRecordPage asks for the part of a record that begins after one of its entries;
// without one, at its beginning.
type DialRecordPage struct {
	Limit     int
	At        time.Time
	CallID    string
	NotPlaced bool
}

// DialRecords returns the record of a number, oldest first.
func (tx *Tx) DialRecords(accountID, hash string, p DialRecordPage) ([]aftercall.DialRecord, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.eq("number_hash", hash)
	if !p.At.IsZero() {
		where.conditions = append(where.conditions,
			"(at, call_id, kind) > ("+where.arg(micros(p.At))+", "+where.arg(p.CallID)+", "+where.arg(kindOf(p.NotPlaced))+")")
	}
	where.tail = " ORDER BY at, call_id, kind LIMIT " + where.arg(p.Limit)
	return all(tx, func(s scan) (r aftercall.DialRecord, err error) {
		var kind int
		err = s(&r.AccountID, &r.NumberHash, timeAt(&r.At), &r.CallID, &kind, &r.AgentID, jsonAt(&r.Reason))
		r.NotPlaced = kind == kindOf(true)
		return r, err
	}, `SELECT account_id, number_hash, at, call_id, kind, agent_id, reason FROM dial_record`+where.sql(), where.args...)
}

// kindOf is how it is stored whether a call was never placed.
func kindOf(notPlaced bool) int {
	if notPlaced {
		return 1
	}
	return 0
}

const blockedColumns = `account_id, number_hash, number, reason, created_at`

func readBlocked(s scan) (b aftercall.BlockedNumber, err error) {
	err = s(&b.AccountID, &b.Hash, &b.Number, &b.Reason, timeAt(&b.CreatedAt))
	return b, err
}

// BlockNumbers puts numbers on the block list. One that is there stays as it is, but
// gets its number back if that was erased.
func (tx *Tx) BlockNumbers(list []aftercall.BlockedNumber) error {
	seen := map[string]bool{} // PostgreSQL does not change a row twice in one statement
	list = slices.DeleteFunc(slices.Clone(list), func(b aftercall.BlockedNumber) bool {
		before := seen[b.Hash]
		seen[b.Hash] = true
		return before
	})
	return inChunks(list, func(rows []aftercall.BlockedNumber) error {
		args := make([]any, 0, 5*len(rows))
		for _, b := range rows {
			args = append(args, b.AccountID, b.Hash, b.Number, b.Reason, micros(tx.now))
		}
		_, err := tx.exec(`INSERT INTO blocked_number (`+blockedColumns+`) VALUES `+tuples(len(rows), 1, bare(5)...)+`
			ON CONFLICT (account_id, number_hash) DO UPDATE SET number = excluded.number`, args...)
		return err
	})
}

// UnblockNumber takes a number off the block list. Error: NotFound.
func (tx *Tx) UnblockNumber(accountID, hash string) error {
	n, err := tx.exec(`DELETE FROM blocked_number WHERE account_id = $1 AND number_hash = $2`, accountID, hash)
	if err == nil && n == 0 {
		return aftercall.Errorf(aftercall.NotFound, "the number is not blocked")
	}
	return err
}

// EraseBlockedNumber removes a number from the block list's text; it stays blocked by
// its hash.
func (tx *Tx) EraseBlockedNumber(accountID, hash string) error {
	_, err := tx.exec(`UPDATE blocked_number SET number = '' WHERE account_id = $1 AND number_hash = $2`, accountID, hash)
	return err
}

// Blocked reports which of some numbers, by their hashes, are on the block list.
func (tx *Tx) Blocked(accountID string, hashes []string) (map[string]bool, error) {
	blocked := map[string]bool{}
	err := inChunks(hashes, func(hashes []string) error {
		list, err := all(tx, value[string], `SELECT number_hash FROM blocked_number WHERE account_id = $1
			AND number_hash IN (`+placeholders(len(hashes), 2)+`)`, append([]any{accountID}, anys(hashes)...)...)
		for _, hash := range list {
			blocked[hash] = true
		}
		return err
	})
	return blocked, err
}

// BlockedByHash finds blocked numbers by their hashes.
func (tx *Tx) BlockedByHash(accountID string, hashes []string) (map[string]aftercall.BlockedNumber, error) {
	found := make(map[string]aftercall.BlockedNumber, len(hashes))
	err := inChunks(hashes, func(hashes []string) error {
		list, err := all(tx, readBlocked, `SELECT `+blockedColumns+` FROM blocked_number WHERE account_id = $1
			AND number_hash IN (`+placeholders(len(hashes), 2)+`)`, append([]any{accountID}, anys(hashes)...)...)
		for _, b := range list {
			found[b.Hash] = b
		}
		return err
	})
	return found, err
}

// BlockedNumbers lists the block list by hash.
func (tx *Tx) BlockedNumbers(accountID string, p Page) ([]aftercall.BlockedNumber, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.page("number_hash", p)
	return all(tx, readBlocked, `SELECT `+blockedColumns+` FROM blocked_number`+where.sql(), where.args...)
}
