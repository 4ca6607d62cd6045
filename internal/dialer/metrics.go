package dialer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts without a label per account or agent: there may be any number of them.
type metrics struct {
	starts   *prometheus.CounterVec // by what came of them
	lateness prometheus.Histogram
	looks    prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		starts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aftercall_call_starts_total", Help: "Calls that voice engines were asked to start, by what came of it: placed, refused, or unknown.",
		}, []string{"result"}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aftercall_call_lateness_seconds", Help: "How long after their planned time calls were decided.",
			Buckets: []float64{.005, .025, .1, .5, 1, 5, 30, 60, 300, 900, 3600},
		}),
		looks: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aftercall_call_looks_total", Help: "Calls of which nothing was heard, so that their voice engine was asked.",
		}),
	}
}

func (m *metrics) register(r prometheus.Registerer) {
	r.MustRegister(m.starts, m.lateness, m.looks)
}

func (m *metrics) started(result string) { m.starts.WithLabelValues(result).Inc() }

func (m *metrics) late(by time.Duration) { m.lateness.Observe(max(0, by).Seconds()) }
