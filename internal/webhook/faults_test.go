package webhook_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/webhook"
)

// Stopping waits for the attempts in flight and records them; what was only queued
// is there for the next start, at once.
func TestGracefulStop(t *testing.T) {
	inBubble(t, func(c *webhook.Config) { c.EndpointConcurrency = 4 }, func(w *world) {
		w.receiver.answer(func(*http.Request) int { <-time.After(3 * time.Second); return 200 })
		e := w.endpoint()
		var messages []*aftercall.Message
		for range 20 {
			messages = append(messages, w.publish())
		}
		synctest.Wait()
		start := time.Now()
		w.stop()
		if took := time.Since(start); took != 3*time.Second {
			w.Errorf("stopping took %v", took)
		}
		succeeded := 0
		for _, m := range messages {
			if d := w.delivery(e, m); d.State == aftercall.Succeeded {
				succeeded++
			}
		}
		if got := len(w.receiver.all()); got != 4 || succeeded != 4 {
			w.Errorf("%d attempts and %d successes by the stop, want the 4 in flight", got, succeeded)
		}
		if err := w.engine.Publish(w.Context(), &aftercall.Message{AccountID: w.account.ID, EventType: "x", Payload: []byte("{}")}); aftercall.KindOf(err) != aftercall.Unavailable {
			w.Errorf("publishing to a stopped engine: %v", err)
		}
		w.start()
		<-time.After(16 * time.Second)
		if got := len(w.receiver.all()); got != 20 {
			w.Errorf("%d attempts in all, want 20", got)
		}
	})
}

// What a process had leased when it died is delivered: first attempts at the next
// start, and retries when their lease ends, since somebody may still be at them.
func TestLeasesOfADeadProcess(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		e := w.endpoint()
		ref := store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}
		w.receiver.answer(answers(500))
		retried := w.publish()
		synctest.Wait()
		w.stop()
		w.receiver.answer(answers(200))

		lease := 35 * time.Second
		w.store.Watch(&store.Watcher{ // the process that dies: it takes everything and does nothing
			Room: func(store.EndpointRef, int) bool { return true }, Lease: lease, Committed: func(store.Changes) {},
		})
		fresh := &aftercall.Message{AccountID: e.AccountID, ID: aftercall.NewID(aftercall.MessagePrefix, time.Now()), EventType: "x", Payload: []byte("{}"), CreatedAt: time.Now()}
		<-time.After(6 * time.Second)
		storetest.Update(w, w.store, func(tx *store.Tx) error {
			claimed, err := tx.Claim(ref, 10, tx.Now().Add(lease))
			if len(claimed) != 1 || claimed[0].Delivery.MessageID != retried.ID {
				w.Errorf("claimed %+v", claimed)
			}
			if err != nil {
				return err
			}
			return tx.Publish(fresh)
		})
		died := time.Now()
		w.start()
		if d := w.delivery(e, fresh); d.State != aftercall.Succeeded {
			w.Errorf("the first attempt was not made at the start: %+v", d)
		}
		<-time.After(lease - time.Second)
		if d := w.delivery(e, retried); d.State != aftercall.Pending {
			w.Errorf("the retry was made during its lease: %+v", d)
		}
		<-time.After(2 * time.Second)
		if d := w.delivery(e, retried); d.State != aftercall.Succeeded {
			w.Errorf("the retry was not made %v after its lease began: %+v", time.Since(died), d)
		}
	})
}

// While the store refuses to write, outcomes wait and are not lost; no more is sent
// than Concurrency allows, so that a crash then repeats no more than that.
func TestStoreOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aftercall.db")
	if _, err := store.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(query string) {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	r := &receiver{status: func(*http.Request) int { return 200 }}
	cfg := webhook.DefaultConfig()
	cfg.Transport = r
	w := &world{T: t, store: s, receiver: r, cfg: cfg, account: storetest.Account(t, s)}
	w.start()
	defer func() { w.stop() }()
	e := w.endpoint()
	// No attempt can be stored: as if its disk were full.
	exec(`CREATE TRIGGER outage BEFORE INSERT ON attempt BEGIN SELECT RAISE(ABORT, 'outage'); END`)
	var publishing sync.WaitGroup
	messages := make([]*aftercall.Message, 50)
	for i := range messages {
		publishing.Go(func() { messages[i] = w.publish() })
	}
	publishing.Wait()
	eventually(t, "all to be sent", func() bool { return len(r.all()) == len(messages) })
	if load := w.engine.Load(); load.Unrecorded+load.InFlight != len(messages) {
		t.Errorf("the engine holds %+v, want %d unrecorded", load, len(messages))
	}
	exec(`DROP TRIGGER outage`)
	eventually(t, "all to be recorded", func() bool { return w.engine.Load().Unrecorded == 0 })
	for _, m := range messages {
		storetest.View(t, s, func(tx *store.Tx) error {
			d, err := tx.Delivery(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}, m.ID)
			if d.State != aftercall.Succeeded || d.Attempts != 1 {
				t.Errorf("delivery is %+v", d)
			}
			return err
		})
	}
	if got := len(r.all()); got != len(messages) {
		t.Errorf("%d attempts, want %d", got, len(messages))
	}
}

// eventually waits in real time, for what real sockets and files take.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited for ", what)
		}
	}
}

// Two nodes on one PostgreSQL share the work: everything arrives, nothing twice.
func TestTwoNodes(t *testing.T) {
	url := storetest.Postgres(t)
	r := &receiver{status: func(*http.Request) int { return 200 }}
	var nodes [2]*world
	for i := range nodes {
		cfg := webhook.DefaultConfig()
		cfg.Transport, cfg.EndpointConcurrency = r, 4 // so that some of it waits in the store
		nodes[i] = &world{T: t, store: storetest.Open(t, url), receiver: r, cfg: cfg}
	}
	account := storetest.Account(t, nodes[0].store)
	for _, n := range nodes {
		n.account = account
		n.start()
		defer func() { n.stop() }()
	}
	e := nodes[0].endpoint()
	const each = 500
	var publishing sync.WaitGroup
	for _, n := range nodes {
		for range 4 {
			publishing.Go(func() {
				for range each / 4 {
					n.publish()
				}
			})
		}
	}
	publishing.Wait()
	eventually(t, "all to arrive", func() bool { return len(r.all()) >= 2*each })
	seen := map[string]bool{}
	for _, got := range r.all() {
		seen[got.header.Get("svix-id")] = true
	}
	if len(seen) != 2*each || len(r.all()) != 2*each {
		t.Errorf("%d messages arrived by %d attempts, want %d", len(seen), len(r.all()), 2*each)
	}
	// What one node changes, the other follows.
	nodes[1].update(e, func(e *aftercall.Endpoint) { e.URL = "https://moved.example/" })
	eventually(t, "the other node to follow", func() bool {
		nodes[0].publish()
		all := r.all()
		return all[len(all)-1].url == "https://moved.example/"
	})
}
