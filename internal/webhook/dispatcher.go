package webhook

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Lists of lanes that have something to send. Fresh work goes first: retries of one
// endpoint must not delay another's first attempts.
const (
	freshList = 0
	retryList = 1
)

// dispatcher decides what is sent next. It schedules in memory over the durable
// rows: each endpoint has a lane, lanes with work take turns, and workers take one
// parcel a turn.
type dispatcher struct {
	cfg     Config
	store   *store.Store
	sender  sender
	metrics *metrics

	mu         sync.Mutex
	work       sync.Cond // a worker may find something to do
	lanes      map[store.EndpointRef]*lane
	ready      [2][]*lane // lanes with something to send now, by list, in turn
	timers     lanes
	queued     int // bytes of payloads in queues
	workers    int
	idle       int
	inFlight   int
	unrecorded int // attempts that ended and are not in the store yet
	draining   bool

	feed     chan struct{} // the feeder has something to look at
	changed  chan struct{} // endpoints have changed: the sweeper may have work
	outcomes chan outcome
	drained  sync.WaitGroup // workers
}

func newDispatcher(s *store.Store, cfg Config) *dispatcher {
	d := &dispatcher{
		cfg: cfg, store: s,
		sender:   sender{transport: cfg.Transport, timeout: cfg.Timeout},
		metrics:  newMetrics(),
		lanes:    map[store.EndpointRef]*lane{},
		feed:     make(chan struct{}, 1),
		changed:  make(chan struct{}, 1),
		outcomes: make(chan outcome, cfg.Concurrency),
	}
	d.work.L = &d.mu
	return d
}

// lane finds or makes the lane of an endpoint. A new one is loaded by the feeder.
func (d *dispatcher) lane(ref store.EndpointRef) *lane {
	l, ok := d.lanes[ref]
	if !ok {
		l = &lane{ref: ref, limit: d.cfg.EndpointConcurrency, index: -1}
		d.lanes[ref] = l
		d.wakeAt(l, time.Now())
	}
	return l
}

// room is the store's question whether a fresh delivery goes straight into memory.
func (d *dispatcher) room(ref store.EndpointRef, size int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining || d.queued+size > d.cfg.QueueBytes {
		return false
	}
	l, ok := d.lanes[ref]
	return !ok || l.room() > 0
}

// committed is the bell: it takes fresh deliveries and hears of changes.
func (d *dispatcher) committed(c store.Changes) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(c.Endpoints) > 0 {
		ring(d.changed)
	}
	for _, ref := range c.Endpoints {
		if l, ok := d.lanes[ref]; ok {
			d.reload(l)
		}
	}
	for _, m := range c.Erased {
		d.forget(m)
	}
	for _, ref := range c.Due {
		d.dueAt(d.lane(ref), time.Now())
	}
	for _, f := range c.Fresh {
		l := d.lane(f.Endpoint)
		delivery := aftercall.Delivery{
			AccountID: f.Message.AccountID, EndpointID: f.Endpoint.EndpointID, MessageID: f.Message.ID, DueAt: f.Message.CreatedAt,
		}
		d.enqueue(l, freshList, parcel{delivery, f.Message, f.LeaseUntil})
	}
}

// reload has a lane's settings loaded before anything more is sent.
func (d *dispatcher) reload(l *lane) {
	l.settings = nil
	l.changes++
	d.wakeAt(l, time.Now())
}

// forget drops a message that was erased.
func (d *dispatcher) forget(m aftercall.MessageRef) {
	for _, l := range d.lanes {
		if l.ref.AccountID == m.AccountID {
			d.drop(l, func(p parcel) bool { return p.delivery.MessageID == m.MessageID })
			if !l.due.IsZero() {
				d.wakeAt(l, l.due) // there may be room now
			}
		}
	}
}

// drop removes parcels from a lane's queues.
func (d *dispatcher) drop(l *lane, which func(parcel) bool) []parcel {
	dropped := append(l.fresh.remove(which), l.retry.remove(which)...)
	for _, p := range dropped {
		d.queued -= p.size()
	}
	return dropped
}

// forgetSettings has all endpoints loaded again before anything more is sent.
func (d *dispatcher) forgetSettings() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		d.reload(l)
	}
}

func (d *dispatcher) enqueue(l *lane, list int, p parcel) {
	if list == freshList {
		l.fresh.push(p)
	} else {
		l.retry.push(p)
	}
	d.queued += p.size()
	d.list(l)
}

// list puts a lane in turn where it has something to send and may.
func (d *dispatcher) list(l *lane) {
	if l.settings == nil || l.inFlight >= l.limit || !l.throttled.IsZero() {
		return
	}
	for list, q := range []*queue{&l.fresh, &l.retry} {
		if q.len() > 0 && !l.listed[list] {
			l.listed[list] = true
			d.ready[list] = append(d.ready[list], l)
			d.hire()
		}
	}
}

// hire wakes a worker, or makes one while there may be more.
func (d *dispatcher) hire() {
	switch {
	case d.idle > 0:
		d.idle-- // this one is spoken for, though it has not woken yet
		d.work.Signal()
	case d.workers < d.cfg.Concurrency && !d.draining:
		d.workers++
		d.drained.Go(d.runWorker)
	}
}

// runWorker sends one parcel after another.
func (d *dispatcher) runWorker() {
	for {
		l, p, s, ok := d.next()
		if !ok {
			return
		}
		attempt := d.sender.attempt(s, p)
		d.sent(l, p, s, attempt)
	}
}

// next waits for the next parcel to send. It reports false when the engine stops.
func (d *dispatcher) next() (*lane, parcel, *settings, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if d.draining {
			d.workers--
			return nil, parcel{}, nil, false
		}
		if d.inFlight+d.unrecorded < d.cfg.Concurrency {
			if l, p, ok := d.take(); ok {
				return l, p, l.settings, true
			}
		}
		d.idle++
		d.work.Wait()
	}
}

// take picks a parcel from the lane whose turn it is.
func (d *dispatcher) take() (*lane, parcel, bool) {
	now := time.Now()
	for list := range d.ready {
		for len(d.ready[list]) > 0 {
			l := d.ready[list][0]
			d.ready[list][0] = nil
			d.ready[list] = d.ready[list][1:]
			l.listed[list] = false
			if p, ok := d.takeFrom(l, list, now); ok {
				return l, p, true
			}
		}
	}
	return nil, parcel{}, false
}

func (d *dispatcher) takeFrom(l *lane, list int, now time.Time) (parcel, bool) {
	q := &l.fresh
	if list == retryList {
		q = &l.retry
	}
	// What could not end before its lease does might be sent by somebody else too.
	// It falls due again by itself.
	late := now.Add(d.cfg.Timeout + leaseMargin/2)
	for q.len() > 0 && late.After(q.first().leaseUntil) {
		p := q.pop()
		d.queued -= p.size()
		d.dueAt(l, p.leaseUntil)
	}
	if q.len() == 0 || l.settings == nil || l.inFlight >= l.limit || !d.allow(l, now) {
		return parcel{}, false
	}
	p := q.pop()
	d.queued -= p.size()
	l.inFlight++
	d.inFlight++
	d.list(l)
	if !l.due.IsZero() && 2*l.room() >= l.limit*healthyQueue {
		d.wakeAt(l, l.due) // half empty: time to claim more
	}
	return p, true
}

// allow takes a token of the lane's rate. Without one the lane waits its time.
func (d *dispatcher) allow(l *lane, now time.Time) bool {
	if l.limiter == nil {
		return true
	}
	r := l.limiter.ReserveN(now, 1)
	delay := r.DelayFrom(now)
	if delay == 0 {
		return true
	}
	r.CancelAt(now)
	l.throttled = now.Add(delay)
	d.wakeAt(l, l.throttled)
	return false
}

// sent takes the answer to an attempt and hands it to the recorder.
func (d *dispatcher) sent(l *lane, p parcel, s *settings, attempt aftercall.Attempt) {
	d.metrics.attempted(attempt)
	d.mu.Lock()
	l.answered(attempt, d.cfg.EndpointConcurrency)
	d.inFlight--
	d.unrecorded++
	d.list(l)
	d.mu.Unlock()
	d.outcomes <- outcome{lane: l, settings: s, parcel: p, attempt: attempt} // as large as Concurrency: never blocks
}

// drain takes no more work and waits for the attempts in flight.
func (d *dispatcher) drain() {
	d.mu.Lock()
	d.draining = true
	d.work.Broadcast()
	d.mu.Unlock()
	d.drained.Wait()
	close(d.outcomes)
}

// release gives back what is still queued, so that it need not wait for its lease.
func (d *dispatcher) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	for ref, l := range d.lanes {
		var ids []string
		for _, p := range d.drop(l, func(parcel) bool { return true }) {
			ids = append(ids, p.delivery.MessageID)
		}
		if len(ids) == 0 {
			continue
		}
		if err := d.store.Update(ctx, func(tx *store.Tx) error { return tx.Release(ref, ids) }); err != nil {
			return // they fall due by themselves
		}
	}
}

// dueAt remembers that the store has something due for a lane.
func (d *dispatcher) dueAt(l *lane, at time.Time) {
	if l.due.IsZero() || at.Before(l.due) {
		l.due = at
	}
	d.wakeAt(l, at)
}

// wakeAt has the feeder look at a lane, at the latest then.
func (d *dispatcher) wakeAt(l *lane, at time.Time) {
	if l.index >= 0 && !at.Before(l.wake) {
		return
	}
	l.wake = at
	if l.index >= 0 {
		heap.Fix(&d.timers, l.index)
	} else {
		heap.Push(&d.timers, l)
	}
	if l.index == 0 {
		ring(d.feed)
	}
}

// limiterOf is a token bucket of one second's worth.
func limiterOf(perSecond int) *rate.Limiter {
	if perSecond == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), perSecond)
}
