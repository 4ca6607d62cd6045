// Package app builds, starts and stops the whole: the store, the engines and the
// faces. Whoever embeds or tests the program begins here.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/svix"
	"github.com/aftercall/aftercall/internal/api/telli"
	"github.com/aftercall/aftercall/internal/api/voice"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/portal"
	"github.com/aftercall/aftercall/internal/retention"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/voice/generic"
	"github.com/aftercall/aftercall/internal/voice/simulator"
	"github.com/aftercall/aftercall/internal/web"
	"github.com/aftercall/aftercall/internal/webhook"
)

// Config is everything that can be chosen about a server.
type Config struct {
	Listen              string   // the address to serve on; port 0 picks one
	Database            string   // a file, or postgres://…
	BaseURL             string   // at which people reach the server, for links; empty: the address served on
	OperatorKey         string   // empty: one is made at the first start
	MasterKeys          []string // seal secrets, the newest first; empty: those in the file beside an SQLite database
	JWTSecret           string   // what the tokens of a Svix server are signed with that this one replaces; may be empty
	Schedule            aftercall.Schedule
	DeliveryTimeout     time.Duration
	HTTPSOnly           bool // refuses endpoints that would be sent to in the clear
	DisableAfter        time.Duration
	AllowNetworks       []netip.Prefix // that webhooks may be sent to although they are not public
	Concurrency         int
	EndpointConcurrency int
	ShutdownTimeout     time.Duration // how long requests in progress may take to end
	SimulatorSpeed      float64       // of simulated calls: 1 is real time, 0 at once
	SimulatorSeed       uint64
	SimulatorAnyNumber  bool // simulate calls to numbers, too, that may be somebody's
	Log                 *slog.Logger
}

// App is a server.
type App struct {
	// OperatorKey is the key that was made at the first start, to be shown once; empty
	// at any other.
	OperatorKey string
	// LoginLink opens the portal once, for the operator; made with the operator's key.
	LoginLink string

	cfg      Config
	occupied *store.Occupied
	store    *store.Store
	keys     *auth.Keys
	engine   *webhook.Engine
	dialer   *dialer.Dialer
	sim      *simulator.Engine
	listener net.Listener
	server   *http.Server
}

// Open brings the schema up to date and readies everything. One straight line: each
// part is there before what needs it, and Close takes them down in reverse.
func Open(ctx context.Context, cfg Config) (*App, error) {
	a := &App{cfg: cfg}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) open(ctx context.Context) (err error) {
	cfg := a.cfg
	if a.occupied, err = store.Occupy(ctx, cfg.Database); err != nil {
		return err
	}
	if _, err = store.Migrate(ctx, cfg.Database); err != nil {
		return err
	}
	if a.store, err = store.Open(ctx, cfg.Database, cfg.MasterKeys...); err != nil {
		return err
	}
	if !a.store.Seals() {
		cfg.Log.Warn("the secrets of endpoints and trunks are stored as they are: give a master key to have them sealed")
	}
	if err = a.store.CheckMasterKeys(ctx); err != nil {
		return err
	}
	if err = a.store.Analyze(ctx); err != nil {
		return err
	}
	if a.keys, a.OperatorKey, err = auth.Open(ctx, a.store, auth.Options{OperatorKey: cfg.OperatorKey, JWTSecret: cfg.JWTSecret}); err != nil {
		return err
	}
	if err = addEventTypes(ctx, a.store); err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.engine = webhook.New(a.store, engineConfig(cfg, metrics))
	metrics.MustRegister(newGauges(a.store, a.engine))
	if a.listener, err = net.Listen("tcp", cfg.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if a.OperatorKey != "" { // after the listener, whose address it holds
		err = a.store.Update(ctx, func(tx *store.Tx) (err error) {
			a.LoginLink, err = loginLink(tx, a.baseURL(), "")
			return err
		})
		if err != nil {
			return err
		}
	}
	a.openDialer(metrics)
	if err = a.dialer.EnsureAgents(ctx); err != nil {
		return err
	}
	pages, err := portal.New(portal.Config{
		Store: a.store, Engine: a.engine, Dialer: a.dialer, Keys: a.keys, BaseURL: a.baseURL(), Schedule: cfg.Schedule, Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	a.server = &http.Server{
		Handler:           a.routes(pages, metrics),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	a.server.RegisterOnShutdown(pages.Shutdown)
	return nil
}

// openDialer makes the dialer and its voice engines. The simulator calls back as a real
// engine does, but by the address that this process listens on. Engines over HTTP, and
// who knows callers, are where customers say, so they are reached as webhooks are.
func (a *App) openDialer(metrics prometheus.Registerer) {
	a.sim = simulator.New(simulator.Config{
		Seed: a.cfg.SimulatorSeed, Speed: a.cfg.SimulatorSpeed, AnyNumber: a.cfg.SimulatorAnyNumber,
		BaseURL: "http://" + a.listener.Addr().String(), Transport: localTransport(), Log: a.cfg.Log,
	})
	chosen := webhook.NewTransport(a.cfg.AllowNetworks)
	a.dialer = dialer.New(a.store, dialer.Config{
		Engines: map[aftercall.EngineKind]dialer.VoiceEngine{
			aftercall.SimulatorEngine: a.sim,
			aftercall.HTTPEngine:      generic.New(generic.Config{Transport: chosen}),
		},
		BaseURL: a.baseURL(), Lookups: chosen, Log: a.cfg.Log, Metrics: metrics,
	})
}

// localTransport sends to this process only.
func localTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}
}

func engineConfig(cfg Config, metrics prometheus.Registerer) webhook.Config {
	return webhook.Config{
		Schedule: cfg.Schedule, Timeout: cfg.DeliveryTimeout, HTTPSOnly: cfg.HTTPSOnly, DisableAfter: cfg.DisableAfter,
		Concurrency: cfg.Concurrency, EndpointConcurrency: cfg.EndpointConcurrency,
		QueueBytes: webhook.DefaultConfig().QueueBytes,
		Transport:  webhook.NewTransport(cfg.AllowNetworks),
		Log:        cfg.Log, Metrics: metrics,
	}
}

// routes puts the faces beside each other.
func (a *App) routes(pages *portal.Portal, metrics *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", svix.New(a.store, a.engine, a.keys, a.baseURL()))
	mux.Handle("/voice/", voice.New(a.dialer))
	mux.Handle("/", telli.New(a.dialer, a.keys)) // answers unknown routes, too
	mux.Handle("/portal", pages)
	mux.Handle("/portal/", pages)
	mux.Handle("GET /{$}", http.RedirectHandler("/portal", http.StatusSeeOther))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	requests := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "aftercall_request_seconds", Help: "How long requests to the API took.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	})
	failures := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "aftercall_request_failures_total", Help: "Requests to the API that were answered 5xx.",
	})
	metrics.MustRegister(requests, failures)
	return web.Log(a.cfg.Log, func(status int, took time.Duration) {
		requests.Observe(took.Seconds())
		if status >= http.StatusInternalServerError {
			failures.Inc()
		}
	}, mux)
}

// readyTimeout is how long the database may take to show that it is there.
const readyTimeout = 2 * time.Second

func (a *App) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := a.store.Ping(ctx); err != nil {
		web.WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "the database is not available"})
		return
	}
	web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// baseURL is the address in links.
func (a *App) baseURL() string {
	if a.cfg.BaseURL != "" {
		return strings.TrimRight(a.cfg.BaseURL, "/")
	}
	return "http://" + a.Addr()
}

// Addr is the address served on, with the port that was picked.
func (a *App) Addr() string { return a.listener.Addr().String() }

// Store gives commands and tests that run inside the process the store.
func (a *App) Store() *store.Store { return a.store }

// Run serves until the context ends, then stops in order: no new requests, those in
// progress to their end, attempts in flight to theirs, everything recorded.
func (a *App) Run(ctx context.Context) error {
	// The engine and the key's times outlive the last request.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	engine, serving := make(chan error, 1), make(chan error, 1)
	var loops sync.WaitGroup
	go func() { engine <- a.engine.Run(work) }()
	loops.Go(func() { a.keys.Run(work) })
	loops.Go(func() { retention.New(a.store, a.cfg.Log).Run(work) })
	loops.Go(func() { a.store.KeepAnalyzed(work, a.cfg.Log) })
	loops.Go(func() { a.sim.Run(ctx) })
	loops.Go(func() { a.dialer.Run(ctx) }) // first of all no more calls
	loops.Go(func() { a.dialer.RunImports(work) })
	go func() { serving <- a.server.Serve(a.listener) }()

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-serving:
	case failed = <-engine:
		engine <- nil
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.ShutdownTimeout)
	defer cancel()
	if err := a.server.Shutdown(ending); err != nil {
		a.cfg.Log.Warn("requests were still in progress", "cause", err)
		a.server.Close()
	}
	stop()
	loops.Wait()
	return errors.Join(failed, <-engine)
}

// Close frees what Open took. Run must have returned.
func (a *App) Close() error {
	var errs []error
	if a.listener != nil {
		a.listener.Close() // closed already when it was served on
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	errs = append(errs, a.occupied.Release())
	return errors.Join(errs...)
}

// addEventTypes puts the events of the reference into the catalogue, where accounts
// choose from.
func addEventTypes(ctx context.Context, s *store.Store) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		for _, t := range aftercall.BuiltIn() {
			before, err := tx.EventType(t.Name)
			if err == nil && before.Schemas != nil {
				continue // its owner may have changed it
			}
			if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
				return err
			}
			t.CreatedAt, t.UpdatedAt = tx.Now(), tx.Now()
			if err := tx.PutEventType(t); err != nil {
				return err
			}
		}
		return nil
	})
}
