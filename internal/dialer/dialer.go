// Package dialer owns the verbs of calling: whom there is to call and when, what is
// told of a call, and what a finished one means.
//
// The main path of a call: [Dialer.Schedule] opens a run → planner.plan claims it when
// it is due, decides by [aftercall.Run.Decide] and stores the call before anything else
// → placer.place has the voice engine start it → [Dialer.Hear] stores what the engine
// tells → take → finish, by [aftercall.Run.After] and [aftercall.Contact.After]. What
// nothing is heard of, look asks for.
package dialer

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Config says what a dialer works with. Without engines it keeps contacts and takes
// reported calls, but dials nobody.
type Config struct {
	Engines map[aftercall.EngineKind]VoiceEngine
	BaseURL string // under which voice engines reach this server
	// Lookups carries questions to accounts' own systems, at addresses that they chose.
	// Nil: none are asked.
	Lookups http.RoundTripper
	Log     *slog.Logger
	Metrics prometheus.Registerer // may be nil
}

// Dialer keeps contacts, dials them, and takes finished calls. Its verbs may be called
// at any time; Run makes it dial.
type Dialer struct {
	store   *store.Store
	engines map[aftercall.EngineKind]VoiceEngine
	baseURL string
	lookups *http.Client
	log     *slog.Logger
	zones   zones
	agents  agentCache
	metrics *metrics
	planner *planner
	placer  *placer
	heard   chan struct{} // a bell: voice engines told something
	looks   chan struct{} // a bell: a live call is to be looked at sooner than was thought
	settles chan struct{} // the same, for calls that are over
	imports chan struct{} // a bell: one was started
	checks  chan struct{} // holds one for each file that is being checked
	enrols  chan struct{} // a bell: a call scheduler is to enrol who is there already
}

// New makes a dialer on a store.
func New(s *store.Store, cfg Config) *Dialer {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Dialer{
		store: s, engines: cfg.Engines, baseURL: strings.TrimRight(cfg.BaseURL, "/"), log: cfg.Log,
		lookups: &http.Client{Transport: cfg.Lookups, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		heard:   make(chan struct{}, 1), looks: make(chan struct{}, 1), settles: make(chan struct{}, 1), metrics: newMetrics(),
		imports: make(chan struct{}, 1), checks: make(chan struct{}, maxChecks), enrols: make(chan struct{}, 1),
	}
	if cfg.Metrics != nil {
		d.metrics.register(cfg.Metrics)
	}
	d.planner, d.placer = newPlanner(d), newPlacer(d)
	return d
}

// Run dials until the context ends. Calls in progress go on: what became of them is
// asked at the next start.
func (d *Dialer) Run(ctx context.Context) {
	d.store.WatchCalls(d.committed)
	for err := d.lookAtAll(ctx); err != nil; err = d.lookAtAll(ctx) {
		d.log.Warn("cannot look at the calls in progress, trying again", "cause", err)
		if !sleep(ctx, nil, time.Now().Add(retryPause)) {
			return
		}
	}
	var loops sync.WaitGroup
	loops.Go(func() { d.planner.run(ctx) })
	loops.Go(func() { d.placer.run(ctx) })
	loops.Go(func() { d.runHearing(ctx) })
	loops.Go(func() { d.runLooks(ctx) })
	loops.Go(func() { d.runSettling(ctx) })
	loops.Go(func() { d.runSchedulers(ctx) })
	loops.Wait()
}

// committed is told of what has changed, after its commit.
func (d *Dialer) committed(c store.Changes) {
	d.planner.changed(c)
	for _, ref := range c.Agents {
		d.agents.forget(ref)
	}
	if c.Heard {
		ring(d.heard)
	}
	if !c.Looks.IsZero() {
		ring(d.looks)
		ring(d.settles)
	}
}

// ring wakes a loop. A loop that is awake looks again before it sleeps.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// sleep waits for a bell, or a time; zero is no time. It reports false when the context
// ended first.
func sleep(ctx context.Context, bell <-chan struct{}, until time.Time) bool {
	var alarm <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-bell:
	case <-alarm:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// How often the store is asked for what was not heard of: what other nodes stored and did
// not come to. An SQLite database has no other nodes, but commands write contacts and
// runs to it.
const (
	pollNodes    = 5 * time.Second
	pollCommands = 15 * time.Second
	pollNobody   = 10 * time.Minute
)

// poll is for what commands may write, too.
func (d *Dialer) poll() time.Duration {
	if d.store.Dialect() == "sqlite3" {
		return pollCommands
	}
	return pollNodes
}

// pollCalls is for what only servers write.
func (d *Dialer) pollCalls() time.Duration {
	if d.store.Dialect() == "sqlite3" {
		return pollNobody
	}
	return pollNodes
}

// retryPause is the wait after the store did not answer.
const retryPause = time.Second

// races is how often a transaction may lose a unique value to another one.
const races = 8

// update runs a function in a transaction, and again when it lost a unique value to
// another transaction at the same time: then it finds the other's, and decides anew.
func (d *Dialer) update(ctx context.Context, fn func(*store.Tx) error) (err error) {
	for range races {
		if err = d.store.Update(ctx, fn); aftercall.KindOf(err) != aftercall.Conflict {
			return err
		}
	}
	return err
}

// uuidOf brings an id that a caller sent into the form that is stored. What is no
// UUID is none of our ids, so it is not even looked up.
func uuidOf(id string) (string, bool) { return strings.ToLower(id), aftercall.ValidUUID(id) }

func noContact() error { return aftercall.Errorf(aftercall.NotFound, "contact not found") }

func noCall() error { return aftercall.Errorf(aftercall.NotFound, "call not found") }

func noAgent() error { return aftercall.Errorf(aftercall.NotFound, "agent not found") }

// DuplicateExternalID is the code of the error for an external id that is taken.
const DuplicateExternalID = "DUPLICATE_EXTERNAL_ID"

func errTaken() error {
	e := aftercall.InvalidField("external_contact_id", "another contact has this id").WithCode(DuplicateExternalID)
	e.Kind = aftercall.Conflict
	return e
}

// zones loads time zones once.
type zones struct{ loaded sync.Map }

// of returns the zones of these names. Names that the program does not know, which a
// newer table of numbers may have, are left out; there is always one.
func (z *zones) of(names []string) []*time.Location {
	list := make([]*time.Location, 0, len(names))
	for _, name := range names {
		loaded, ok := z.loaded.Load(name)
		if !ok {
			zone, err := time.LoadLocation(name)
			if err != nil {
				continue
			}
			loaded, _ = z.loaded.LoadOrStore(name, zone)
		}
		list = append(list, loaded.(*time.Location))
	}
	if len(list) == 0 {
		list = append(list, time.UTC)
	}
	return list
}
