package store

import (
	"math"
	"time"

	"github.com/aftercall/aftercall"
)

// CountWaiting counts the runs of an agent that wait for a time up to until, or for
// whichever when it is zero. It stops counting at a limit.
func (tx *Tx) CountWaiting(ref AgentRef, until time.Time, limit int) (int, error) {
	last := int64(math.MaxInt64)
	if !until.IsZero() {
		last = micros(until)
	}
	return one(tx, value[int], `SELECT COUNT(*) FROM (SELECT 1 FROM run WHERE account_id = $1 AND agent_id = $2 AND due_at <= $3 LIMIT $4) AS waiting`,
		ref.AccountID, ref.AgentID, last, limit)
}

// LiveCalls returns the calls of an account whose end was not taken yet, the newest
// first.
func (tx *Tx) LiveCalls(accountID string, limit int) ([]aftercall.LiveCall, error) {
	return all(tx, readLive, `SELECT `+liveColumns+` FROM live_call WHERE account_id = $1 ORDER BY id DESC LIMIT $2`, accountID, limit)
}

// CountLive counts the calls of an account that have not ended, by agent. What it reads
// is as much as lines carry at a time.
func (tx *Tx) CountLive(accountID string) (map[string]int, error) {
	counted := map[string]int{}
	_, err := all(tx, func(s scan) (none struct{}, err error) {
		var agent string
		var n int
		err = s(&agent, &n)
		counted[agent] = n
		return none, err
	}, `SELECT agent_id, COUNT(*) FROM live_call WHERE account_id = $1 AND state < 2 GROUP BY agent_id`, accountID)
	return counted, err
}

// BlockedNumber finds a number on the block list by its hash.
func (tx *Tx) BlockedNumber(accountID, hash string) (aftercall.BlockedNumber, error) {
	b, err := one(tx, readBlocked, `SELECT `+blockedColumns+` FROM blocked_number WHERE account_id = $1 AND number_hash = $2`, accountID, hash)
	return b, notFound(err, "blocked number")
}
