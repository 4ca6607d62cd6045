// Package webhook is the delivery engine: it publishes messages, signs and sends
// them, retries what fails, and lets people resend and recover.
//
// Every delivery is a row of the store before it is anything else, and what the
// engine holds in memory can be lost at any moment without losing a delivery: a
// claim is a lease, which falls due again by itself. On the hot path no claim is
// needed, since a fresh delivery is stored already leased to this process (see
// [store.Tx.Publish]).
//
// The main path: [Engine.Publish] → dispatcher.committed → dispatcher.next →
// sender.attempt → [aftercall.Delivery.After] → recorder.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Config says how the engine behaves. Zero values mean what DefaultConfig gives.
type Config struct {
	Schedule            aftercall.Schedule
	Timeout             time.Duration // of one attempt, the answer's body included
	HTTPSOnly           bool          // refuses endpoints that would be sent to in the clear
	DisableAfter        time.Duration // how long an endpoint may fail before it is disabled; 0 never disables
	Concurrency         int           // attempts sent but not yet recorded, in all: what a crash may repeat
	EndpointConcurrency int           // attempts in flight at one endpoint
	QueueBytes          int           // of payloads waiting in memory, in all; more waits in the store
	Transport           http.RoundTripper
	Log                 *slog.Logger
	Metrics             prometheus.Registerer // may be nil
}

// DefaultConfig is what the reference promises, sized for one machine. The
// transport reaches public addresses only.
func DefaultConfig() Config {
	return Config{
		Schedule:            aftercall.DefaultSchedule(),
		Timeout:             15 * time.Second,
		DisableAfter:        5 * 24 * time.Hour,
		Concurrency:         1024,
		EndpointConcurrency: 64,
		QueueBytes:          32 << 20,
		Log:                 slog.New(slog.DiscardHandler),
	}
}

// leaseMargin is how much longer than two attempts a lease lasts: time to wait in
// a queue, and to record the outcome.
const leaseMargin = 5 * time.Second

// lease is how long a claimed delivery belongs to this process.
func (c Config) lease() time.Duration { return 2*c.Timeout + leaseMargin }

// Engine delivers messages. Its verbs may be called at any time; they only write to
// the store, so that what they answer is true even if the engine is not running.
type Engine struct {
	cfg        Config
	store      *store.Store
	log        *slog.Logger
	dispatcher *dispatcher
	publishing chan *publication
	tasks      chan struct{} // a task was added
	ended      chan struct{} // Run has returned
}

// New makes an engine on a store. It begins to work with Run.
func New(s *store.Store, cfg Config) *Engine {
	if cfg.Transport == nil {
		cfg.Transport = NewTransport(nil)
	}
	e := &Engine{
		cfg: cfg, store: s, log: cfg.Log,
		publishing: make(chan *publication, maxPublications),
		tasks:      make(chan struct{}, 1),
		ended:      make(chan struct{}),
	}
	e.dispatcher = newDispatcher(s, cfg)
	if cfg.Metrics != nil {
		e.dispatcher.metrics.register(cfg.Metrics)
	}
	return e
}

// Run delivers until the context ends. Then it takes no new work, lets the attempts
// in flight end, records them and gives back what it had claimed.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.ended)
	// Outcomes are recorded beyond the end of ctx, until the attempts in flight then
	// have ended, and a while longer if the store is out of order.
	record, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	d := e.dispatcher
	e.store.Watch(&store.Watcher{Room: d.room, Lease: e.cfg.lease(), Committed: d.committed})
	if e.store.Dialect() == "sqlite3" {
		if err := e.releaseFresh(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	var loops, recorders sync.WaitGroup
	for range publishers {
		loops.Go(func() { e.runPublisher(ctx) })
	}
	loops.Go(func() { e.runSweeper(ctx) })
	loops.Go(func() { e.runTasks(ctx) })
	loops.Go(func() { e.runListener(ctx) })
	loops.Go(func() { d.runFeeder(ctx) })
	recorders.Go(func() { d.runRecorder(record) })
	<-ctx.Done()
	d.drain() // waits for the attempts in flight
	loops.Wait()
	defer time.AfterFunc(e.cfg.Timeout, giveUp).Stop()
	recorders.Wait()
	d.release(context.WithoutCancel(ctx))
	return nil
}

// releaseFresh makes the first attempts due that a process before this one had
// leased and did not come to: on SQLite there is no other process that could still
// make them.
func (e *Engine) releaseFresh(ctx context.Context) error {
	return retry(ctx, func() error {
		return e.store.Update(ctx, func(tx *store.Tx) error {
			due, err := tx.DueEndpoints()
			if err != nil {
				return err
			}
			for _, d := range due {
				if err := tx.ReleaseFresh(d.Endpoint); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// runListener hears of endpoints that other nodes change, and reconnects for ever.
func (e *Engine) runListener(ctx context.Context) {
	_ = retry(ctx, func() error {
		err := e.store.Listen(ctx)
		if ctx.Err() == nil {
			e.log.Warn("no news from other nodes, reconnecting", "cause", err)
			e.dispatcher.forgetSettings() // what changed meanwhile is not known
		}
		return err
	})
}

// ring wakes a loop. A loop that is awake looks again before it sleeps.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

const (
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 2 * time.Second
)

// retry calls fn until it succeeds or the context ends, with growing pauses.
func retry(ctx context.Context, fn func() error) error {
	for pause := firstBackoff; ; pause = min(2*pause, lastBackoff) {
		err := fn()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !wait(ctx, pause) {
			return err
		}
	}
}

// wait pauses, and reports false when the context ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
