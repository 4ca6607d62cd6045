package portal_test

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

const (
	// benchMessagesEnv says how many messages are stored; each goes to three endpoints.
	benchMessagesEnv = "AFTERCALL_BENCH_MESSAGES"
	benchMessages    = 1_000_000
	benchEndpoints   = 3
	benchDays        = 30
	benchBatch       = 500
)

// BenchmarkPages answers every page of an account with a million messages and three
// million attempts, over thirty days. It reports the median and the 95th of a hundred.
func BenchmarkPages(b *testing.B) {
	n := benchMessages
	if text := os.Getenv(benchMessagesEnv); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	database := storetest.SQLite(b)
	i := serve(b, database)
	places := populated(b, i)
	endpoint, message := crowd(b, i, n)
	account := "/portal/" + i.account
	failed := account + "/webhooks/endpoints/" + endpoint
	places = append(places, place{"endpoint, 30 days", failed + "?over=30+days"}, place{"endpoint, failed", failed + "?state=failed"},
		place{"endpoint, event and time", failed + "?type=call_ended&since=480h&until=" + time.Now().AddDate(0, 0, -15).Format("2006-01-02T15:04")},
		place{"endpoint, retrying", failed + "?state=retrying"}, place{"recover, counted", failed + "/recover?kind=recover&since=168h"},
		place{"messages, older", account + "/webhooks/messages?after=" + message}, place{"messages, one type", account + "/webhooks/messages?type=contact_status_changed"},
		place{"message, old", account + "/webhooks/messages/" + message}, place{"overview, 30 days", account + "?over=30+days"})
	v := signIn(b, i, i.key)
	for _, p := range places {
		b.Run(p.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, visitPage(b, v, p.path))
			}
			for len(took) < 100 {
				took = append(took, visitPage(b, v, p.path))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// visitPage reads a page to its end and returns how long that took.
func visitPage(b *testing.B, v *visitor, path string) time.Duration {
	begun := time.Now()
	response, err := v.client.Get(v.base + path)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s: %v", path, response.Status, err)
	}
	return time.Since(begun)
}

// crowd stores messages of the last days, each with an attempt at each of three
// endpoints, and returns one endpoint and a message from the middle.
func crowd(b *testing.B, i *installation, n int) (endpoint, middle string) {
	b.Helper()
	var refs []store.EndpointRef
	for k := range benchEndpoints {
		e := i.post(b, "/api/v1/app/"+i.account+"/endpoint", `{"url": "https://crm-`+strconv.Itoa(k)+`.invalid/", "version": 1, "disabled": true}`)
		refs = append(refs, store.EndpointRef{AccountID: i.account, EndpointID: e["id"].(string)})
	}
	begin := time.Now().AddDate(0, 0, -benchDays)
	step := benchDays * 24 * time.Hour / time.Duration(n)
	for first := 0; first < n; first += benchBatch {
		err := i.Store().Update(b.Context(), func(tx *store.Tx) error {
			return crowdBatch(tx, refs, min(benchBatch, n-first), begin.Add(time.Duration(first)*step), step, first, &middle)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := i.Store().Analyze(b.Context()); err != nil {
		b.Fatal(err)
	}
	return refs[0].EndpointID, middle
}

func crowdBatch(tx *store.Tx, refs []store.EndpointRef, n int, at time.Time, step time.Duration, first int, middle *string) error {
	var messages []*aftercall.Message
	var deliveries []aftercall.Delivery
	var outcomes []store.Outcome
	for k := range n {
		at := at.Add(time.Duration(k) * step)
		kind := aftercall.BuiltIn()[(first+k)%2]
		payload, err := kind.Example(0)
		if err != nil {
			return err
		}
		m := &aftercall.Message{AccountID: refs[0].AccountID, ID: aftercall.NewID(aftercall.MessagePrefix, at), EventType: kind.Name, Payload: payload, CreatedAt: at}
		messages = append(messages, m)
		if (first+k)%1000 == 500 {
			*middle = m.ID
		}
		for j, ref := range refs {
			d := aftercall.Delivery{AccountID: m.AccountID, EndpointID: ref.EndpointID, MessageID: m.ID, DueAt: at}
			deliveries = append(deliveries, d)
			next, status := d, 200
			next.State = aftercall.Succeeded
			verdict := aftercall.Accepted
			if (first+k)%100 == 0 { // one of a hundred has failed for good
				next.State, next.Reason, status, verdict = aftercall.Failed, aftercall.FailedExhausted, 500, aftercall.Refused
			}
			outcomes = append(outcomes, store.Outcome{Claimed: d, Next: next, Attempt: aftercall.Attempt{
				AccountID: m.AccountID, MessageID: m.ID, EndpointID: ref.EndpointID, ID: aftercall.NewID(aftercall.AttemptPrefix, at.Add(time.Duration(j)*time.Millisecond)),
				URL: "https://crm.invalid/", Verdict: verdict, StatusCode: status, Response: `{"ok": true}`, StartedAt: at, Duration: 80 * time.Millisecond,
			}})
		}
	}
	if err := tx.Publish(messages...); err != nil { // to nobody: the endpoints are disabled, and nothing is sent
		return err
	}
	if err := tx.PutDeliveries(deliveries); err != nil {
		return err
	}
	return tx.Record(outcomes)
}
