package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/webhook"
)

// backlogLimit bounds how many pending deliveries are counted for a metric: beyond
// it, only that there are more matters.
const backlogLimit = 100_000

// gauges tells, when it is asked, how far behind deliveries are.
type gauges struct {
	store                                 *store.Store
	engine                                *webhook.Engine
	oldest, pending, inFlight, unrecorded *prometheus.Desc
}

func newGauges(s *store.Store, e *webhook.Engine) *gauges {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &gauges{
		store: s, engine: e,
		oldest:     desc("aftercall_oldest_due_seconds", "How long the oldest due delivery has been waiting; the number to alert on."),
		pending:    desc("aftercall_deliveries_pending", "Deliveries with an attempt due now or later, counted up to 100000."),
		inFlight:   desc("aftercall_attempts_in_flight", "Attempts being made by this process."),
		unrecorded: desc("aftercall_attempts_unrecorded", "Attempts that ended and are not stored yet."),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- g.oldest
	ch <- g.pending
	ch <- g.inFlight
	ch <- g.unrecorded
}

// Collect implements prometheus.Collector. While the database is away its figures are
// left out, which an alert on their absence shows.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	load := g.engine.Load()
	ch <- prometheus.MustNewConstMetric(g.inFlight, prometheus.GaugeValue, float64(load.InFlight))
	ch <- prometheus.MustNewConstMetric(g.unrecorded, prometheus.GaugeValue, float64(load.Unrecorded))
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	var oldest time.Time
	var pending int
	var now time.Time
	err := g.store.View(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now()
		oldest, pending, err = tx.Backlog(backlogLimit)
		return err
	})
	if err != nil {
		return
	}
	var age time.Duration
	if !oldest.IsZero() {
		age = now.Sub(oldest)
	}
	ch <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, age.Seconds())
	ch <- prometheus.MustNewConstMetric(g.pending, prometheus.GaugeValue, float64(pending))
}
