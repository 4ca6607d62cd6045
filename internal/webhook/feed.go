package webhook

import (
	"container/heap"
	"context"
	"errors"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// lookEvery is how often the store is asked for endpoints that have something
	// due which this process has not heard of: spilled by another node, or left by
	// one that died.
	lookEvery = 15 * time.Second
	// feedBatch is how many lanes are fed in one transaction.
	feedBatch = 64
	// claimMost bounds what one claim reads.
	claimMost = 512
)

// chore is what the feeder has to do for a lane.
type chore struct {
	lane    *lane
	load    bool // its settings are not known
	claim   int  // how many due deliveries to claim
	changes int  // the lane's count when the chore began

	settings *settings
	gone     bool // the endpoint is disabled or removed
	sealed   bool // its secret cannot be opened
	claimed  []store.Claimed
	next     time.Time // when more falls due
	until    time.Time // the lease of what was claimed
}

// runFeeder loads settings and claims due deliveries for lanes, when their time has
// come. It sleeps until something is due.
func (d *dispatcher) runFeeder(ctx context.Context) {
	look := time.Now() // at once: what was pending when the process started
	for ctx.Err() == nil {
		if now := time.Now(); !now.Before(look) {
			if err := d.lookForDue(ctx); err != nil && ctx.Err() == nil {
				d.cfg.Log.Warn("cannot read what is due", "cause", err)
			}
			look = now.Add(d.lookPause())
		}
		chores, sleep := d.chores(time.Now())
		if len(chores) == 0 {
			d.sleep(ctx, min(sleep, time.Until(look)))
			continue
		}
		err := retry(ctx, func() error {
			err := d.do(ctx, chores)
			if err != nil {
				d.cfg.Log.Error("cannot claim what is due, trying again", "cause", err)
			}
			if aftercall.KindOf(err) == aftercall.Unavailable {
				return err
			}
			if err != nil { // a fault of ours, which must not stop the others for ever
				d.postpone(chores)
				chores = nil
			}
			return nil
		})
		if err != nil {
			return
		}
		d.done(chores)
	}
}

// postpone puts chores off that cannot be done now.
func (d *dispatcher) postpone(chores []*chore) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range chores {
		d.dueAt(c.lane, time.Now().Add(lookEvery))
	}
}

// lookPause is long on SQLite, where no other process writes deliveries.
func (d *dispatcher) lookPause() time.Duration {
	if d.store.Dialect() == "sqlite3" {
		return time.Hour
	}
	return lookEvery
}

func (d *dispatcher) sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-d.feed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lookForDue asks the store for all endpoints with pending deliveries.
func (d *dispatcher) lookForDue(ctx context.Context) error {
	var due []store.Due
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueEndpoints()
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range due {
		d.dueAt(d.lane(e.Endpoint), e.At)
	}
	return err
}

// chores takes the lanes whose time has come, and tells how long to sleep when
// there are none.
func (d *dispatcher) chores(now time.Time) (chores []*chore, sleep time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.timers) > 0 && len(chores) < feedBatch {
		l := d.timers[0]
		if l.wake.After(now) {
			return chores, l.wake.Sub(now)
		}
		heap.Pop(&d.timers)
		l.wake = time.Time{}
		if !l.throttled.IsZero() && !l.throttled.After(now) {
			l.throttled = time.Time{}
			d.list(l)
		}
		c := &chore{lane: l, load: l.settings == nil, claim: d.claimable(l, now), changes: l.changes}
		if c.claim > 0 {
			l.due = time.Time{} // what falls due from here on sets it again
		}
		if c.load || c.claim > 0 {
			chores = append(chores, c)
		}
	}
	return chores, time.Hour
}

// memoryPause is how long a claim waits when memory is full of payloads.
const memoryPause = 50 * time.Millisecond

// claimable is how many due deliveries of a lane can be taken now. When there is no
// room, takeFrom wakes the lane as soon as there is.
func (d *dispatcher) claimable(l *lane, now time.Time) int {
	switch {
	case l.due.IsZero() || d.draining:
		return 0
	case l.due.After(now):
		d.wakeAt(l, l.due)
		return 0
	case d.queued >= d.cfg.QueueBytes:
		d.wakeAt(l, now.Add(memoryPause))
		return 0
	}
	return max(0, min(l.room(), claimMost))
}

// do reads and claims for all chores in one transaction.
func (d *dispatcher) do(ctx context.Context, chores []*chore) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		for _, c := range chores {
			if c.load {
				if err := d.load(tx, c); err != nil {
					return err
				}
			}
			if c.claim > 0 && !c.gone && !c.sealed {
				if err := d.claim(tx, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (d *dispatcher) load(tx *store.Tx, c *chore) error {
	c.settings, c.gone, c.sealed = nil, false, false
	endpoint, err := tx.Endpoint(c.lane.ref.AccountID, c.lane.ref.EndpointID)
	if aftercall.KindOf(err) == aftercall.NotFound || err == nil && endpoint.Disabled {
		c.gone = true
		return nil
	}
	if err != nil {
		return err
	}
	account, err := tx.Account(endpoint.AccountID)
	if err != nil {
		return err
	}
	secrets, err := tx.Secrets(c.lane.ref)
	if errors.Is(err, store.ErrSealed) { // nothing is sent unsigned, and the other endpoints do not wait for the key
		d.cfg.Log.Error("an endpoint cannot be served", "account", endpoint.AccountID, "endpoint", endpoint.ID, "cause", err)
		c.sealed = true
		return nil
	}
	if err != nil {
		return err
	}
	c.settings = newSettings(endpoint, account, secrets, d.cfg.Schedule)
	return nil
}

func newSettings(e aftercall.Endpoint, a aftercall.Account, secrets []aftercall.Secret, schedule aftercall.Schedule) *settings {
	s := &settings{endpoint: e, secrets: secrets, schedule: schedule, rate: e.ThrottleRate}
	if e.Schedule != nil {
		s.schedule = *e.Schedule
	}
	if s.rate == 0 {
		s.rate = a.ThrottleRate
	}
	u, err := url.Parse(e.URL)
	if err != nil { // was checked when it was set; the attempt will say that it has no host
		u = &url.URL{}
	}
	if u.User != nil {
		s.auth = basicAuth(u.User)
		u.User = nil
	}
	s.url = u
	return s
}

// claim leases what is due. Afterwards c.next tells when more is: now, if there was
// more than was asked for.
func (d *dispatcher) claim(tx *store.Tx, c *chore) (err error) {
	c.until = tx.Now().Add(d.cfg.lease())
	if c.claimed, err = tx.Claim(c.lane.ref, c.claim, c.until); err != nil {
		return err
	}
	if len(c.claimed) == c.claim {
		c.next = tx.Now()
		return nil
	}
	c.next, err = tx.NextDue(c.lane.ref)
	return err
}

// done puts what the feeder brought into the lanes.
func (d *dispatcher) done(chores []*chore) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range chores {
		l := c.lane
		if c.gone && l.changes == c.changes {
			d.drop(l, func(parcel) bool { return true }) // the sweeper fails them in the store
			delete(d.lanes, l.ref)
			continue
		}
		if c.sealed && l.changes == c.changes {
			d.drop(l, func(parcel) bool { return true }) // their leases fall due again
			d.dueAt(l, time.Now().Add(d.cfg.lease()))    // the key may be there then
			continue
		}
		if c.load && l.changes == c.changes { // else they are old already, and the lane is due to be loaded again
			if l.limiter == nil || l.limiter.Limit() != rate.Limit(c.settings.rate) {
				l.limiter = limiterOf(c.settings.rate)
			}
			l.settings = c.settings
		}
		if !c.next.IsZero() {
			d.dueAt(l, c.next)
		}
		for _, claimed := range c.claimed {
			if claimed.Message == nil || claimed.Message.Payload == nil {
				continue // erased
			}
			d.enqueue(l, retryList, parcel{claimed.Delivery, claimed.Message, c.until})
		}
		d.list(l)
	}
}
