// Package bench measures the program on the machine at hand. Receiver, publisher and
// server are processes of their own, and speed is told as a ratio to a bare loop that
// runs right before, since machines differ and are shared.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config is what to measure.
type Config struct {
	Postgres string    // a server where databases may be created and dropped; empty for SQLite only
	Rounds   int       // of each measurement; their median is told
	Scale    float64   // of how much is sent; 1 takes some minutes
	Backlog  int       // deliveries that wait at a hanging endpoint
	Only     string    // measure what has this in its name
	Progress io.Writer // told what runs
}

// Row is one measurement. What it does not measure is zero.
type Row struct {
	Database  string  `json:"database"`
	Measure   string  `json:"measure"`
	Accepted  float64 `json:"accepted_per_second"`
	Delivered float64 `json:"delivered_per_second"`
	Ratio     float64 `json:"ratio"`
	To        string  `json:"ratio_to"`
	P50       float64 `json:"p50_ms"` // from the begin of publishing to the receiver
	P99       float64 `json:"p99_ms"`
	CPU       float64 `json:"cpu_seconds_per_1000"` // of the server, for deliveries
	Memory    float64 `json:"memory_mb"`            // of the server, at most
}

// What ratios are to.
const (
	toBare    = "bare loop"
	toWithout = "p99 without"
)

const operatorKey = "bench-operator-key-which-only-this-run-knows"

// bench is a run.
type bench struct {
	Config
	dir      string
	receiver Addresses
}

// measurement is one row, to be made once for each round.
type measurement struct {
	name string
	make func(b *bench, ctx context.Context, database string) (Row, error)
}

func measurements() []measurement {
	return []measurement{
		{"messages, 1 endpoint", func(b *bench, ctx context.Context, db string) (Row, error) {
			return b.throughput(ctx, db, Messages, 40_000, 1)
		}},
		{"messages, 1 endpoint, each with an idempotency key", func(b *bench, ctx context.Context, db string) (Row, error) {
			return b.throughput(ctx, db, Keyed, 40_000, 1)
		}},
		{"messages, 10 endpoints", func(b *bench, ctx context.Context, db string) (Row, error) {
			return b.throughput(ctx, db, Messages, 8_000, 10)
		}},
		{"calls, 1 endpoint, 2 events each", func(b *bench, ctx context.Context, db string) (Row, error) {
			return b.throughput(ctx, db, Calls, 20_000, 1)
		}},
		{"stored backlog, 1 endpoint", (*bench).drain},
		{"50 messages/s, 10 endpoints", (*bench).latency},
		{"the same, one of the 10 hanging", (*bench).hanging},
		{"the same, and a backlog waits at a hanging one", (*bench).backlog},
		{"the same, and as many are recovered", (*bench).recovering},
	}
}

// open starts the receiver of a run; end stops it and removes what the run has left.
func open(ctx context.Context, cfg Config) (b *bench, end func(), err error) {
	b = &bench{Config: cfg}
	if b.dir, err = os.MkdirTemp("", "aftercall-bench-"); err != nil {
		return nil, nil, err
	}
	receiver, err := start(ctx, os.Stderr, "bench", "receive")
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	end = func() {
		_ = receiver.stop()
		_ = os.RemoveAll(b.dir)
	}
	if err := receiver.read(&b.receiver); err != nil {
		end()
		return nil, nil, err
	}
	return b, end, nil
}

// databases are what is measured, by name.
func (c Config) databases() []string {
	if c.Postgres == "" {
		return []string{"SQLite"}
	}
	return []string{"SQLite", "PostgreSQL"}
}

// Deliver measures the delivery of webhooks, on SQLite and then on PostgreSQL.
func Deliver(ctx context.Context, cfg Config) (rows []Row, err error) {
	b, end, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer end()
	bare, err := b.bare(ctx)
	if err != nil {
		return nil, err
	}
	rows = append(rows, Row{Measure: toBare, Delivered: bare})
	for _, name := range cfg.databases() {
		for _, m := range measurements() {
			if !strings.Contains(m.name, cfg.Only) {
				continue
			}
			row, err := b.rounds(ctx, name, m)
			if err != nil {
				return rows, fmt.Errorf("%s on %s: %w", m.name, name, err)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// rounds makes a measurement several times, each on a new database, and returns the
// median of each figure.
func (b *bench) rounds(ctx context.Context, database string, m measurement) (Row, error) {
	var rows []Row
	for round := range b.Rounds {
		fmt.Fprintf(b.Progress, "%s: %s (%d of %d)\n", database, m.name, round+1, b.Rounds)
		row, err := b.onNew(ctx, database, m)
		if err != nil {
			return Row{}, err
		}
		rows = append(rows, row)
	}
	middle := func(figure func(Row) float64) float64 {
		figures := make([]float64, len(rows))
		for i, row := range rows {
			figures[i] = figure(row)
		}
		slices.Sort(figures)
		return figures[len(figures)/2]
	}
	return Row{
		Database: database, Measure: m.name, To: rows[0].To,
		Accepted:  middle(func(r Row) float64 { return r.Accepted }),
		Delivered: middle(func(r Row) float64 { return r.Delivered }),
		Ratio:     middle(func(r Row) float64 { return r.Ratio }),
		P50:       middle(func(r Row) float64 { return r.P50 }),
		P99:       middle(func(r Row) float64 { return r.P99 }),
		CPU:       middle(func(r Row) float64 { return r.CPU }),
		Memory:    middle(func(r Row) float64 { return r.Memory }),
	}, nil
}

func (b *bench) onNew(ctx context.Context, database string, m measurement) (Row, error) {
	if database == "PostgreSQL" {
		return onPostgres(ctx, b.Postgres, func(url string) (Row, error) { return m.make(b, ctx, url) })
	}
	path, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		return Row{}, err
	}
	defer os.RemoveAll(path)
	return m.make(b, ctx, filepath.Join(path, "aftercall.db"))
}

// scaled is how many of something this run sends.
func (b *bench) scaled(n int) int { return max(int(float64(n)*b.Scale), 100) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
