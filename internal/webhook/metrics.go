package webhook

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aftercall/aftercall"
)

// metrics counts without a label per endpoint: there may be any number of them.
type metrics struct {
	attempts *prometheus.CounterVec // by class of the answer
	latency  prometheus.Histogram
	batch    prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aftercall_attempts_total", Help: "Attempts that ended, by class of the answer's status; none means no answer.",
		}, []string{"class"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aftercall_attempt_seconds", Help: "How long attempts took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aftercall_record_batch_size", Help: "Attempts recorded in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
	}
}

func (m *metrics) register(r prometheus.Registerer) { r.MustRegister(m.attempts, m.latency, m.batch) }

func (m *metrics) attempted(a aftercall.Attempt) {
	class := "none"
	if a.StatusCode > 0 {
		class = strconv.Itoa(a.StatusCode/100) + "xx"
	}
	m.attempts.WithLabelValues(class).Inc()
	m.latency.Observe(a.Duration.Seconds())
}

func (m *metrics) recorded(attempts int) { m.batch.Observe(float64(attempts)) }

// Load is what the engine holds now.
type Load struct {
	InFlight   int // attempts being made
	Unrecorded int // attempts that ended and are not stored yet
	Lanes      int // endpoints it has heard of
}

// Load tells what the engine holds now.
func (e *Engine) Load() Load {
	d := e.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	return Load{d.inFlight, d.unrecorded, len(d.lanes)}
}
