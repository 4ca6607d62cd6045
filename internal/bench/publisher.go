package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftercall/aftercall/signature"
)

// Load is what a publisher sends, and where to.
type Load struct {
	URL     string        // each request is a POST to it
	Key     string        // the bearer of requests; what bare webhooks are signed with
	Kind    Kind          // the bodies
	Type    string        // the event type of messages
	Count   int           // requests in all
	Workers int           // requests in flight at most
	Every   time.Duration // begin one request each; 0 for as fast as it goes
}

// Kind is what the bodies of a publisher are.
type Kind string

// What a publisher sends.
const (
	Bare     Kind = "bare"    // webhooks, signed, straight to the receiver
	Messages Kind = "message" // to the server, for it to sign and send
	Keyed    Kind = "keyed"   // the same with idempotency keys, as Svix's SDKs send them
	Calls    Kind = "call"    // finished calls, each with a contact that is new
)

// Published is what a publisher did.
type Published struct {
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"` // when the last request was answered
}

// What bodies are made of: about two kilobytes, which is a short call.
const (
	bodySize = 2048
	sentKey  = `"sent":` // begins the time in nanoseconds at which publishing began
)

// Publish sends a load and writes what it did to out.
func Publish(ctx context.Context, load Load, out io.Writer) error {
	body := load.bodies()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: load.Workers}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var begun atomic.Int64
	var workers sync.WaitGroup
	tick := ticker(ctx, load.Every)
	did := Published{Began: time.Now()}
	for range load.Workers {
		workers.Go(func() {
			for n := begun.Add(1); n <= int64(load.Count) && ctx.Err() == nil; n = begun.Add(1) {
				<-tick
				if err := send(ctx, client, load, body(n)); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	did.Ended = time.Now()
	return errors.Join(context.Cause(ctx), json.NewEncoder(out).Encode(did))
}

// ticker allows one request at each tick, or all at once.
func ticker(ctx context.Context, every time.Duration) <-chan time.Time {
	if every == 0 {
		open := make(chan time.Time)
		close(open)
		return open
	}
	t := time.NewTicker(every)
	context.AfterFunc(ctx, t.Stop)
	return t.C
}

// webhook is one request.
type webhook struct {
	header http.Header
	body   string
}

// bodies returns what makes the n-th request of a load.
func (l Load) bodies() func(n int64) webhook {
	text := strings.Repeat("y", bodySize)
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	event := func() string {
		return fmt.Sprintf(`{"event":"call_ended","call":{%s%d,"transcript":"%s"}}`, sentKey, time.Now().UnixNano(), text)
	}
	json := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + l.Key}}
	switch l.Kind {
	case Messages:
		return func(int64) webhook {
			return webhook{json, `{"eventType":"` + l.Type + `","payload":` + event() + `}`}
		}
	case Keyed:
		return func(n int64) webhook {
			header := json.Clone()
			header["Idempotency-Key"] = []string{"auto_" + run + strconv.FormatInt(n, 36)}
			return webhook{header, `{"eventType":"` + l.Type + `","payload":` + event() + `}`}
		}
	case Calls:
		return func(n int64) webhook {
			// The server writes the analysis into the event as it is, and so the time.
			return webhook{json, fmt.Sprintf(`{"external_call_id":"%s-%d","phone_number":"+1415%07d","direction":"outbound","from_number":"+17755719467",
				"to_number":"+1415%07d","triggered_at":1731956924302,"call_status":"COMPLETED","transcript":"%s","call_analysis":{"x":0,%s%d,"y":0}}`,
				run, n, 5550000+n, 5550000+n, text, sentKey, time.Now().UnixNano())}
		}
	}
	return func(n int64) webhook {
		now, id, body := time.Now(), "msg_"+run+strconv.FormatInt(n, 36), event()
		return webhook{http.Header{
			"Content-Type":   {"application/json"},
			"Svix-Id":        {id},
			"Svix-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
			"Svix-Signature": {signature.Sign([]byte(l.Key), id, now, []byte(body))},
		}, body}
	}
}

func send(ctx context.Context, client *http.Client, load Load, w webhook) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, load.URL, strings.NewReader(w.body))
	if err != nil {
		return err
	}
	request.Header = w.header
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s was answered %s: %s", load.URL, response.Status, answer)
	}
	return err
}
