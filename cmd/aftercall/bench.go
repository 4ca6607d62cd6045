package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/aftercall/aftercall/internal/bench"
)

type benchCmd struct {
	Deliver benchDeliverCmd `cmd:"" help:"How fast webhooks are delivered, as a ratio to a loop that only sends."`
	Dial    benchDialCmd    `cmd:"" help:"How fast the dialer is, with simulated calls that end at once."`
	Receive benchReceiveCmd `cmd:"" hidden:"" help:"The receiver's process of a benchmark."`
	Publish benchPublishCmd `cmd:"" hidden:"" help:"The publisher's process of a benchmark."`
}

type benchDeliverCmd struct {
	Postgres string `help:"Measure on PostgreSQL, too: a server's address, postgres://…, where databases may be created."`
	Rounds   int    `help:"How often to measure; the median is told." default:"3"`
	Backlog  int    `help:"Deliveries that wait at a hanging endpoint." default:"100000"`
	Only     string `help:"Measure only what has this in its name."`
	Quick    bool   `help:"One round with little of everything, to see that it runs."`
	JSON     bool   `help:"Print JSON."`
}

// Run measures and prints a table.
func (c *benchDeliverCmd) Run(ctx context.Context) error {
	cfg := bench.Config{Postgres: c.Postgres, Rounds: max(c.Rounds, 1), Scale: 1, Backlog: c.Backlog, Only: c.Only, Progress: os.Stderr}
	if c.Quick {
		cfg.Rounds, cfg.Scale, cfg.Backlog = 1, 0.02, c.Backlog/50
	}
	rows, err := bench.Deliver(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(rows)
	}
	_, err = os.Stdout.WriteString(bench.Table(rows))
	return err
}

type benchDialCmd struct {
	Postgres string  `help:"Measure on PostgreSQL, too: a server's address, postgres://…, where databases may be created."`
	Waiting  int     `help:"Open runs that are not due." default:"100000"`
	Calls    int     `help:"Runs that are." default:"20000"`
	Rate     float64 `help:"How many fall due a second, where not all do at once." default:"400"`
	Quick    bool    `help:"Little of everything, to see that it runs."`
	JSON     bool    `help:"Print JSON."`
}

// Run measures and prints a table.
func (c *benchDialCmd) Run(ctx context.Context) error {
	cfg := bench.DialConfig{
		Config:  bench.Config{Postgres: c.Postgres, Rounds: 1, Scale: 1, Progress: os.Stderr},
		Waiting: c.Waiting, Calls: c.Calls, Rate: c.Rate,
	}
	if c.Quick {
		cfg.Waiting, cfg.Calls, cfg.Rate = 500, 200, 50
	}
	rows, err := bench.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(rows)
	}
	_, err = os.Stdout.WriteString(bench.DialTable(rows))
	return err
}

type benchReceiveCmd struct{}

// Run receives until a signal.
func (*benchReceiveCmd) Run(ctx context.Context) error { return bench.Receive(ctx, os.Stdout) }

type benchPublishCmd struct {
	URL     string
	Key     string
	Kind    string
	Type    string
	Count   int
	Workers int
	Every   time.Duration
}

// Run publishes and prints what was done.
func (c *benchPublishCmd) Run(ctx context.Context) error {
	load := bench.Load{URL: c.URL, Key: c.Key, Kind: bench.Kind(c.Kind), Type: c.Type, Count: c.Count, Workers: c.Workers, Every: c.Every}
	return bench.Publish(ctx, load, os.Stdout)
}
