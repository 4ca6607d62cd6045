package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// DialConfig is what to measure of the dialer.
type DialConfig struct {
	Config
	Waiting int     // open runs that are not due
	Calls   int     // runs that are
	Rate    float64 // of those that fall due one after another, a second
}

// DialRow is one measurement of the dialer.
type DialRow struct {
	Database  string  `json:"database"`
	Measure   string  `json:"measure"`
	Waiting   int     `json:"waiting"`              // open runs that are not due
	Planned   float64 `json:"planned_per_second"`   // decided, and stored
	Finished  float64 `json:"finished_per_second"`  // ended, stored and published
	Delivered float64 `json:"delivered_per_second"` // webhooks
	P50       float64 `json:"lateness_p50_ms"`      // from when a run was due to its decision
	P99       float64 `json:"lateness_p99_ms"`
	CPU       float64 `json:"cpu_seconds_per_1000"` // of the server, for calls
	Memory    float64 `json:"memory_mb"`            // of the server, at most
}

// Dial measures the dialer with the simulator, whose calls end at once: each is decided,
// started, told of by a signed callback, taken, and told to an endpoint by two webhooks.
func Dial(ctx context.Context, cfg DialConfig) (rows []DialRow, err error) {
	b, end, err := open(ctx, cfg.Config)
	if err != nil {
		return nil, err
	}
	defer end()
	for _, database := range cfg.databases() {
		for _, m := range []dialing{
			{"all due at once", 0, 0}, {"all due at once", cfg.Waiting, 0},
			{fmt.Sprintf("%g due a second", cfg.Rate), 0, cfg.Rate}, {fmt.Sprintf("%g due a second", cfg.Rate), cfg.Waiting, cfg.Rate},
		} {
			fmt.Fprintf(b.Progress, "%s: %s, %d waiting\n", database, m.name, m.waiting)
			row, err := b.dialOn(ctx, database, cfg.Calls, m)
			if err != nil {
				return rows, fmt.Errorf("%s on %s: %w", m.name, database, err)
			}
			row.Database, row.Measure, row.Waiting = database, m.name, m.waiting
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// dialing is what a measurement of the dialer does.
type dialing struct {
	name    string
	waiting int
	rate    float64 // 0: all at once
}

func (b *bench) dialOn(ctx context.Context, database string, calls int, m dialing) (row DialRow, err error) {
	if database == "PostgreSQL" {
		_, err = onPostgres(ctx, b.Postgres, func(url string) (Row, error) {
			row, err = b.dial(ctx, url, calls, m)
			return Row{}, err
		})
		return row, err
	}
	path, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		return row, err
	}
	defer os.RemoveAll(path)
	return b.dial(ctx, filepath.Join(path, "aftercall.db"), calls, m)
}

const (
	// leadTime is what the server has to be up before the first run is due.
	leadTime = 5 * time.Second
	// webhooksPerCall are call_ended and the contact's new status.
	webhooksPerCall = 2
)

func (b *bench) dial(ctx context.Context, database string, calls int, m dialing) (DialRow, error) {
	flags := []string{"--simulator-speed", "0", "--simulator-any-number"}
	f, err := b.newFixture(ctx, database, "/", 1, flags...)
	if err != nil {
		return DialRow{}, err
	}
	if err := f.server.stop(); err != nil {
		return DialRow{}, err
	}
	s, err := store.Open(ctx, database)
	if err != nil {
		return DialRow{}, err
	}
	defer s.Close()
	if err := allHours(ctx, s, f.account); err != nil {
		return DialRow{}, err
	}
	if err := addRuns(ctx, s, f.account, m.waiting, func(int) time.Time { return time.Now().AddDate(0, 1, 0) }); err != nil {
		return DialRow{}, err
	}
	if err := request(ctx, "POST", b.receiver.Control+"/reset", "", nil, nil); err != nil {
		return DialRow{}, err
	}
	first := time.Now().Add(leadTime + time.Duration(calls/5000)*time.Second)
	due := func(i int) time.Time {
		if m.rate == 0 {
			return first
		}
		return first.Add(time.Duration(float64(i) / m.rate * float64(time.Second)))
	}
	if err := addRuns(ctx, s, f.account, calls, due); err != nil {
		return DialRow{}, err
	}
	if f.server, err = startServer(ctx, database, flags...); err != nil {
		return DialRow{}, err
	}
	defer f.close()
	if late := time.Since(first); late > 0 {
		return DialRow{}, fmt.Errorf("the server was up %s after the first run was due", late)
	}
	before := f.server.usage()
	got, err := b.receive(ctx, webhooksPerCall*calls)
	if err != nil {
		return DialRow{}, err
	}
	used := f.used(before, calls)
	row := DialRow{Delivered: perSecond(webhooksPerCall*calls, first, got.Last), CPU: used.CPU, Memory: used.Memory}
	return row, row.measure(ctx, s, f.account, first, calls)
}

// allHours lets the default agent dial at all times, at any pace.
func allHours(ctx context.Context, s *store.Store, account string) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Agent(account, store.DefaultAgent)
		if err != nil {
			return err
		}
		for day := range a.Dialing.Hours.Week {
			a.Dialing.Hours.Week[day] = []aftercall.Range{{From: 0, To: 24 * 60}}
		}
		a.Dialing.PerNumber, a.Engine.Pace = 100, aftercall.Pace{}
		return tx.UpdateAgent(a)
	})
}

// addRuns adds contacts that are to be called, each at its time, and will talk.
func addRuns(ctx context.Context, s *store.Store, account string, count int, due func(i int) time.Time) error {
	const batch = 1000
	for from := 0; from < count; from += batch {
		err := s.Update(ctx, func(tx *store.Tx) error {
			agent, err := tx.Agent(account, store.DefaultAgent)
			if err != nil {
				return err
			}
			contacts := make([]aftercall.Contact, min(batch, count-from))
			runs := make([]aftercall.Run, len(contacts))
			for i := range contacts {
				n, at := from+i, due(from+i).UTC().Truncate(time.Microsecond)
				contacts[i] = aftercall.Contact{
					AccountID: account, ID: aftercall.NewUUID(), FirstName: "Frida", LastName: "Kahlo", Timezone: "America/New_York",
					// Fictional numbers of all area codes, whose owners have a conversation.
					PhoneNumber: fmt.Sprintf("+1%d55501%02d", 201+n/3%599, n%3), Status: aftercall.ContactPending,
					StatusUpdatedAt: tx.Now(), CreatedAt: tx.Now(), UpdatedAt: tx.Now(), NextCallAt: at, ExternalURL: duePrefix + at.Format(time.RFC3339Nano),
				}
				runs[i] = aftercall.Run{
					AccountID: account, ID: aftercall.NewUUID(), ContactID: contacts[i].ID, AgentID: agent.ID, DueAt: at, CreatedAt: tx.Now(),
				}
			}
			if _, err := tx.InsertContacts(contacts); err != nil {
				return err
			}
			return tx.PutRuns(runs)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measure reads from the calls how late they were decided, and when they were taken.
func (r *DialRow) measure(ctx context.Context, s *store.Store, account string, first time.Time, calls int) error {
	var late []time.Duration
	var decided, taken time.Time
	err := s.View(ctx, func(tx *store.Tx) error {
		due, err := dueTimes(tx, account)
		if err != nil {
			return err
		}
		for page := (store.CallPage{Limit: 1000}); ; {
			list, err := tx.Calls(account, page)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, c := range list {
				late = append(late, c.TriggeredAt.Sub(due[c.ContactID]))
				decided, taken = latest(decided, c.TriggeredAt), latest(taken, c.CreatedAt)
			}
			page.TriggeredAt, page.ID = list[len(list)-1].TriggeredAt, list[len(list)-1].ID
		}
	})
	if err != nil {
		return err
	}
	if len(late) != calls {
		return fmt.Errorf("%d calls were made, not %d", len(late), calls)
	}
	slices.Sort(late)
	r.P50, r.P99 = milliseconds(quantile(late, 0.50)), milliseconds(quantile(late, 0.99))
	r.Planned, r.Finished = perSecond(calls, first, decided), perSecond(calls, first, taken)
	return nil
}

// dueTimes are when contacts were to be called. An ended run does not know it any more,
// but it was made in the order of these times, which a contact's external URL keeps.
func dueTimes(tx *store.Tx, account string) (map[string]time.Time, error) {
	due := map[string]time.Time{}
	for page := (store.Page{Limit: 1000}); ; {
		list, err := tx.ContactList(account, store.ContactFilter{}, page)
		if err != nil || len(list) == 0 {
			return due, err
		}
		for _, c := range list {
			if at, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(c.ExternalURL, duePrefix)); err == nil {
				due[c.ID] = at
			}
		}
		page.After = list[len(list)-1].ID
	}
}

const duePrefix = "https://due.example/"

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// DialTable writes rows as Markdown.
func DialTable(rows []DialRow) string {
	var b strings.Builder
	b.WriteString("| database | measured | waiting | planned/s | finished/s | delivered/s | late p50 ms | late p99 ms | CPU s/1000 | MB |\n")
	b.WriteString("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s | %s | %s | %s | %s |\n", r.Database, r.Measure, r.Waiting, figure(r.Planned, 0),
			figure(r.Finished, 0), figure(r.Delivered, 0), figure(r.P50, 1), figure(r.P99, 1), figure(r.CPU, 3), figure(r.Memory, 0))
	}
	return b.String()
}
