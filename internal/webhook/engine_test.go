package webhook_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/webhook"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// world is an engine on a real SQLite store, with a receiver at its edge.
type world struct {
	*testing.T
	store    *store.Store
	path     string // of the database, in a bubble
	cfg      webhook.Config
	engine   *webhook.Engine
	stop     func()
	receiver *receiver
	account  aftercall.Account
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, change func(*webhook.Config), test func(w *world)) {
	path := filepath.Join(t.TempDir(), "aftercall.db")
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, path: path, receiver: &receiver{status: func(*http.Request) int { return 200 }}}
		if _, err := store.Migrate(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		w.store = s
		w.account = storetest.Account(t, s)
		w.cfg = webhook.DefaultConfig()
		w.cfg.Transport = w.receiver
		if change != nil {
			change(&w.cfg)
		}
		w.start()
		defer s.Close()
		defer func() { w.stop() }() // also when the test has failed: the bubble waits for all
		test(w)
	})
}

// start runs a new engine, as a process that starts would.
func (w *world) start() {
	engine := webhook.New(w.store, w.cfg)
	ctx, cancel := context.WithCancel(w.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := engine.Run(ctx); err != nil {
			w.Error(err)
		}
	})
	w.engine, w.stop = engine, func() {
		cancel()
		running.Wait()
	}
}

func (w *world) endpoint(change ...func(*aftercall.Endpoint)) aftercall.Endpoint {
	w.Helper()
	e := aftercall.Endpoint{AccountID: w.account.ID, URL: "https://crm.example/hook", Version: 1}
	for _, c := range change {
		c(&e)
	}
	if err := w.engine.CreateEndpoint(w.Context(), &e, ""); err != nil {
		w.Fatal(err)
	}
	return e
}

func (w *world) publish(change ...func(*aftercall.Message)) *aftercall.Message {
	w.Helper()
	m := &aftercall.Message{AccountID: w.account.ID, EventType: "call_ended", Payload: []byte(`{"event": "call_ended",  "n":1.50}`)}
	for _, c := range change {
		c(m)
	}
	if err := w.engine.Publish(w.Context(), m); err != nil {
		w.Fatal(err)
	}
	return m
}

// update changes an endpoint as its owner would.
func (w *world) update(e aftercall.Endpoint, change func(*aftercall.Endpoint)) {
	w.Helper()
	_, err := w.engine.UpdateEndpoint(w.Context(), e.AccountID, e.ID, "", func(e *aftercall.Endpoint) error { change(e); return nil })
	if err != nil {
		w.Fatal(err)
	}
}

// stored is an endpoint as it is now.
func (w *world) stored(e aftercall.Endpoint) aftercall.Endpoint {
	w.Helper()
	synctest.Wait()
	storetest.View(w, w.store, func(tx *store.Tx) (err error) {
		e, err = tx.Endpoint(e.AccountID, e.ID)
		return err
	})
	return e
}

func (w *world) delivery(e aftercall.Endpoint, m *aftercall.Message) aftercall.Delivery {
	w.Helper()
	synctest.Wait()
	var d aftercall.Delivery
	storetest.View(w, w.store, func(tx *store.Tx) (err error) {
		d, err = tx.Delivery(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}, m.ID)
		return err
	})
	return d
}

// receiver is the world's edge: it answers attempts without a network.
type receiver struct {
	mu       sync.Mutex
	status   func(*http.Request) int
	header   http.Header
	received []received
}

type received struct {
	at     time.Time
	header http.Header
	body   string
	url    string
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.received = append(r.received, received{time.Now(), req.Header, string(body), req.URL.String()})
	answer, header := r.status, r.header
	r.mu.Unlock()
	status := answer(req)
	if status == 0 { // it hangs
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("thanks")), Request: req}, nil
}

// answer has the receiver answer so from here on, with at most one header.
func (r *receiver) answer(status func(*http.Request) int, header ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.header = status, nil
	if len(header) > 0 {
		r.header = http.Header{header[0]: header[1:]}
	}
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.received)
}

// answers gives these statuses in turn, the last for ever.
func answers(statuses ...int) func(*http.Request) int {
	var mu sync.Mutex
	return func(*http.Request) int {
		mu.Lock()
		defer mu.Unlock()
		status := statuses[0]
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		return status
	}
}

func TestMessageArrivesAtOnceAndVerifies(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		e := w.endpoint()
		start := time.Now()
		m := w.publish()
		if d := w.delivery(e, m); d.State != aftercall.Succeeded || d.Attempts != 1 {
			w.Errorf("delivery is %+v", d)
		}
		got := w.receiver.all()
		if len(got) != 1 || got[0].at != start {
			w.Fatalf("received %v, want one at %v", got, start)
		}
		if got[0].body != string(m.Payload) {
			w.Errorf("body is %s, not the bytes published", got[0].body)
		}
		var secret string
		storetest.View(w, w.store, func(tx *store.Tx) error {
			secrets, err := tx.Secrets(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID})
			secret = secrets[0].Reveal()
			return err
		})
		verifier, err := svix.NewWebhook(secret)
		if err != nil {
			w.Fatal(err)
		}
		if err := verifier.VerifyIgnoringTimestamp([]byte(got[0].body), got[0].header); err != nil {
			w.Error(err)
		}
	})
}

// The reference: "an attempt that fails three times before eventually succeeding
// will be delivered roughly 35 minutes and 5 seconds following the first attempt."
func TestThreeFailuresThenSuccess(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(answers(500, 500, 500, 200))
		e := w.endpoint()
		start := time.Now()
		m := w.publish()
		<-time.After(time.Hour)
		if d := w.delivery(e, m); d.State != aftercall.Succeeded || d.Attempts != 4 {
			w.Errorf("delivery is %+v", d)
		}
		got := w.receiver.all()
		if len(got) != 4 {
			w.Fatalf("%d attempts, want 4", len(got))
		}
		wanted := 35*time.Minute + 5*time.Second
		if took := got[3].at.Sub(start); took < wanted || took > wanted*11/10 {
			w.Errorf("delivered after %v, want %v to 10%% more", took, wanted)
		}
		for _, r := range got[1:] {
			if r.header.Get("svix-id") != got[0].header.Get("svix-id") {
				w.Error("the id changed between attempts")
			}
			if r.header.Get("svix-signature") == got[0].header.Get("svix-signature") {
				w.Error("the signature is that of an earlier attempt")
			}
		}
	})
}

func TestEightAttemptsInAll(t *testing.T) {
	inBubble(t, func(c *webhook.Config) { c.DisableAfter = 0 }, func(w *world) {
		w.receiver.answer(answers(503))
		e := w.endpoint()
		m := w.publish()
		<-time.After(100 * time.Hour)
		if d := w.delivery(e, m); d.State != aftercall.Failed || d.Reason != aftercall.FailedExhausted || d.Attempts != 8 {
			w.Errorf("delivery is %+v", d)
		}
		got := w.receiver.all()
		if len(got) != 8 {
			w.Fatalf("%d attempts, want 8", len(got))
		}
		at := got[0].at
		for i, wait := range aftercall.DefaultSchedule() {
			gap := got[i+1].at.Sub(at)
			if gap < wait || gap > wait*11/10 {
				w.Errorf("wait %d is %v, want %v to 10%% more", i, gap, wait)
			}
			at = got[i+1].at
		}
	})
}
