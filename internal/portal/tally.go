package portal

import (
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// tallyPart is the time that is counted at once: figures of any time are sums of hours.
	tallyPart = time.Hour
	// An hour whose deliveries may still be under way, as long as the longest schedule
	// takes, is counted anew when the count is tallyFresh old; one that is over changes
	// only by hand, and is believed for tallyOld.
	tallyUnderway = 30 * time.Hour
	tallyFresh    = 5 * time.Second
	tallyOld      = 5 * time.Minute
	// maxTallies bounds what is remembered: a month of 140 endpoints.
	maxTallies = 100_000
)

// tallies remember how the deliveries of endpoints went by the hour. To count a month of
// a million messages takes a second, and every viewer's page asks for it.
type tallies struct {
	mu    sync.Mutex
	hours map[tallyKey]tally
}

type tallyKey struct {
	store.EndpointRef
	hour int64 // unix seconds
}

type tally struct {
	store.Stats
	at time.Time
}

func newTallies() *tallies { return &tallies{hours: map[tallyKey]tally{}} }

// of counts the deliveries of endpoints for the n parts of time, in whole hours, that
// end with the hour of now.
func (t *tallies) of(tx *store.Tx, now time.Time, part time.Duration, n int, list ...aftercall.Endpoint) ([][]store.Stats, error) {
	counted := make([][]store.Stats, len(list))
	begin, hours := beginOf(now, part, n), int(part/tallyPart)
	for i, e := range list {
		byHour, err := t.byHour(tx, refOf(e), now, begin, n*hours)
		if err != nil {
			return nil, err
		}
		counted[i] = make([]store.Stats, n)
		for k := range counted[i] {
			counted[i][k] = sum(byHour[k*hours : (k+1)*hours])
		}
	}
	return counted, nil
}

// beginOf is when the first of n parts of time begins, the last of which ends with the
// hour of now.
func beginOf(now time.Time, part time.Duration, n int) time.Time {
	return now.Truncate(tallyPart).Add(tallyPart - time.Duration(n)*part)
}

// byHour takes what is remembered, and counts from the first hour that is not to the
// last.
func (t *tallies) byHour(tx *store.Tx, ref store.EndpointRef, now, begin time.Time, n int) ([]store.Stats, error) {
	known := make([]store.Stats, n)
	first, last := n, -1
	t.mu.Lock()
	for k := range n {
		hour := begin.Add(time.Duration(k) * tallyPart)
		trust := tallyOld
		if now.Sub(hour) < tallyUnderway {
			trust = tallyFresh
		}
		found, ok := t.hours[tallyKey{ref, hour.Unix()}]
		if known[k] = found.Stats; !ok || now.Sub(found.at) > trust {
			first, last = min(first, k), k
		}
	}
	t.mu.Unlock()
	if last < 0 {
		return known, nil
	}
	counted, err := tx.Tally([]store.EndpointRef{ref}, begin.Add(time.Duration(first)*tallyPart), tallyPart, last-first+1)
	if err != nil {
		return nil, err
	}
	copy(known[first:], counted[0])
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.hours)+n > maxTallies {
		clear(t.hours)
	}
	for k := first; k <= last; k++ {
		t.hours[tallyKey{ref, begin.Add(time.Duration(k) * tallyPart).Unix()}] = tally{known[k], now}
	}
	return known, nil
}

// forget has an account's deliveries counted anew: something was done about them.
func (t *tallies) forget(accountID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.hours {
		if key.AccountID == accountID {
			delete(t.hours, key)
		}
	}
}
