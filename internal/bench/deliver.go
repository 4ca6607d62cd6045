package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	workers = 64 // of a publisher at full speed

	liveRate = 50 // messages a second while latency is measured
	liveTime = 20 * time.Second

	liveType    = "call_ended"
	backlogType = "bench.backlog" // so that a backlog is one endpoint's alone
)

// bare measures a loop that signs and sends, and does nothing else: webhooks a second.
func (b *bench) bare(ctx context.Context) (float64, error) {
	count := b.scaled(60_000)
	did, got, err := b.load(ctx, Load{URL: b.receiver.Hooks + "/", Key: operatorKey, Kind: Bare, Count: count, Workers: workers}, count)
	return perSecond(count, did.Began, got.Last), err
}

// throughput publishes as fast as it goes, and waits until all has arrived.
func (b *bench) throughput(ctx context.Context, database string, kind Kind, count, endpoints int) (Row, error) {
	bare, err := b.bare(ctx)
	if err != nil {
		return Row{}, err
	}
	f, err := b.newFixture(ctx, database, "/", endpoints)
	if err != nil {
		return Row{}, err
	}
	defer f.close()
	count = b.scaled(count)
	deliveries := count * endpoints
	if kind == Calls { // call_ended, and the new contact's status
		deliveries *= 2
	}
	before := f.server.usage()
	did, got, err := b.load(ctx, f.publish(kind, count, workers, 0), deliveries)
	if err != nil {
		return Row{}, err
	}
	delivered := perSecond(deliveries, did.Began, got.Last)
	row := f.used(before, deliveries)
	row.Accepted, row.Delivered = perSecond(count, did.Began, did.Ended), delivered
	row.Ratio, row.To = delivered/bare, toBare
	row.P50, row.P99 = milliseconds(got.P50), milliseconds(got.P99)
	return row, nil
}

// drain lets a receiver hang while messages gather, and measures what comes when it
// is back.
func (b *bench) drain(ctx context.Context, database string) (Row, error) {
	bare, err := b.bare(ctx)
	if err != nil {
		return Row{}, err
	}
	// The wait for an answer has to outlast the publishing.
	f, err := b.newFixture(ctx, database, hangPath, 1, "--delivery-timeout", "2m")
	if err != nil {
		return Row{}, err
	}
	defer f.close()
	count := b.scaled(30_000)
	if _, _, err := b.load(ctx, f.publish(Messages, count, workers, 0), 0); err != nil {
		return Row{}, err
	}
	before, began := f.server.usage(), time.Now()
	if err := b.release(ctx); err != nil {
		return Row{}, err
	}
	got, err := b.receive(ctx, count)
	if err != nil {
		return Row{}, err
	}
	row := f.used(before, count)
	row.Delivered = perSecond(count, began, got.Last)
	row.Ratio, row.To = row.Delivered/bare, toBare
	return row, nil
}

// latency publishes at a rate at which nothing has to wait.
func (b *bench) latency(ctx context.Context, database string) (Row, error) {
	f, err := b.newFixture(ctx, database, "/", 10)
	if err != nil {
		return Row{}, err
	}
	defer f.close()
	return b.live(ctx, f, 10)
}

// hanging compares the latency at nine of ten endpoints while the tenth hangs to that
// while it does not.
func (b *bench) hanging(ctx context.Context, database string) (Row, error) {
	f, err := b.newFixture(ctx, database, "/", 10)
	if err != nil {
		return Row{}, err
	}
	defer f.close()
	without, err := b.live(ctx, f, 10)
	if err != nil {
		return Row{}, err
	}
	body := map[string]any{"url": b.receiver.Hooks + hangPath}
	if err := f.call(ctx, http.MethodPatch, "/endpoint/"+f.endpoints[9], body, nil); err != nil {
		return Row{}, err
	}
	return b.compare(ctx, f, 9, without)
}

// backlog compares the latency at ten endpoints while an eleventh hangs, with a
// backlog, to that without it.
func (b *bench) backlog(ctx context.Context, database string) (Row, error) {
	return b.beside(ctx, database, hangPath, false)
}

// recovering compares it while an eleventh is sent again what has failed there.
func (b *bench) recovering(ctx context.Context, database string) (Row, error) {
	return b.beside(ctx, database, quietPath, true)
}

// beside compares the latency at ten endpoints, while an eleventh has much to get, to
// that without it. What has failed there is recovered.
func (b *bench) beside(ctx context.Context, database, path string, failed bool) (Row, error) {
	f, err := b.newFixture(ctx, database, "/", 10)
	if err != nil {
		return Row{}, err
	}
	defer f.close()
	without, err := b.live(ctx, f, 10)
	if err != nil {
		return Row{}, err
	}
	if err := f.fill(ctx, path, b.Backlog, failed); err != nil {
		return Row{}, err
	}
	if failed {
		since := map[string]any{"since": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
		if err := f.call(ctx, http.MethodPost, "/endpoint/"+f.endpoints[10]+"/recover", since, nil); err != nil {
			return Row{}, err
		}
	}
	return b.compare(ctx, f, 10, without)
}

func (b *bench) compare(ctx context.Context, f *fixture, endpoints int, without Row) (Row, error) {
	row, err := b.live(ctx, f, endpoints)
	row.Ratio, row.To = row.P99/without.P99, toWithout
	return row, errors.Join(err, b.release(ctx)) // so that the server stops soon
}

// live measures latency at a rate which leaves the machine mostly idle.
func (b *bench) live(ctx context.Context, f *fixture, endpoints int) (Row, error) {
	count := b.scaled(int(liveRate * liveTime / time.Second))
	before := f.server.usage()
	did, got, err := b.load(ctx, f.publish(Messages, count, workers, time.Second/liveRate), count*endpoints)
	row := f.used(before, count*endpoints)
	row.Accepted, row.Delivered = perSecond(count, did.Began, did.Ended), perSecond(count*endpoints, did.Began, got.Last)
	row.P50, row.P99 = milliseconds(got.P50), milliseconds(got.P99)
	return row, err
}

// load resets the receiver, runs a publisher, and waits until so many have arrived.
func (b *bench) load(ctx context.Context, l Load, want int) (did Published, got Received, err error) {
	if err := request(ctx, http.MethodPost, b.receiver.Control+"/reset", "", nil, nil); err != nil {
		return did, got, err
	}
	err = output(ctx, &did, "bench", "publish", "--url", l.URL, "--key", l.Key, "--kind", string(l.Kind), "--type", l.Type,
		"--count", strconv.Itoa(l.Count), "--workers", strconv.Itoa(l.Workers), "--every", l.Every.String())
	if err != nil {
		return did, got, err
	}
	got, err = b.receive(ctx, want)
	return did, got, err
}

// patience is how long nothing may arrive before something is wrong.
const patience = 30 * time.Second

// receive waits until so many have arrived since the reset.
func (b *bench) receive(ctx context.Context, want int) (got Received, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for last, progress := -1, time.Now(); ; <-tick.C {
		if err := request(ctx, http.MethodGet, b.receiver.Control+"/received", "", nil, &got); err != nil {
			return got, err
		}
		if got.Count >= want {
			return got, nil
		}
		if got.Count > last {
			last, progress = got.Count, time.Now()
		}
		if time.Since(progress) > patience {
			return got, fmt.Errorf("%d of %d arrived, and then none for %s", got.Count, want, patience)
		}
	}
}

// release lets the requests go that hang at the receiver.
func (b *bench) release(ctx context.Context) error {
	return request(ctx, http.MethodPost, b.receiver.Control+"/release", "", nil, nil)
}

func perSecond(n int, from, to time.Time) float64 { return float64(n) / to.Sub(from).Seconds() }

// Table writes rows for people, as Markdown.
func Table(rows []Row) string {
	var b strings.Builder
	b.WriteString("| database | measured | accepted/s | delivered/s | ratio | p50 ms | p99 ms | CPU s/1000 | MB |\n")
	b.WriteString("| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		ratio := ""
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f × %s", r.Ratio, r.To)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Database, r.Measure,
			figure(r.Accepted, 0), figure(r.Delivered, 0), ratio, figure(r.P50, 1), figure(r.P99, 1), figure(r.CPU, 3), figure(r.Memory, 0))
	}
	return b.String()
}

func figure(v float64, digits int) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
