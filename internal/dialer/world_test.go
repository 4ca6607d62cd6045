package dialer_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/voice"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/voice/simulator"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// world is a dialer on a real SQLite store, with the simulator as its voice engine,
// which calls back through the real face.
type world struct {
	*testing.T
	store   *store.Store
	path    string // of the database
	sim     *simulator.Engine
	engine  dialer.VoiceEngine // what the dialer starts calls with: the simulator, unless a test puts something before it
	dialer  *dialer.Dialer
	cut     atomic.Bool // callbacks are lost
	account aftercall.Account
	agent   aftercall.Agent
	stop    func()
}

// inBubble runs a test in virtual time, which begins in the year 2000 and is moved to a
// Monday morning.
func inBubble(t *testing.T, test func(w *world)) {
	path := filepath.Join(t.TempDir(), "aftercall.db")
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, path: path}
		if _, err := store.Migrate(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w.store = s
		w.account = aftercall.Account{Name: "Sunny Solar", Timezone: "UTC"}
		storetest.Update(t, s, func(tx *store.Tx) error { return auth.CreateAccount(tx, &w.account) })
		<-time.After(time.Until(time.Date(2000, 3, 6, 9, 0, 0, 0, time.UTC)))
		w.start()
		defer func() { w.stop() }() // also when the test has failed: the bubble waits for all
		if w.agent, err = w.dialer.Agent(t.Context(), w.account.ID, "default"); err != nil {
			t.Fatal(err)
		}
		test(w)
	})
}

// start runs a new dialer and simulator, as a process that starts would.
func (w *world) start() {
	w.sim = simulator.New(simulator.Config{Seed: 1, Speed: 1, AnyNumber: true, BaseURL: "http://aftercall.test", Transport: w})
	engine := w.engine
	switch f, ok := engine.(*flaky); {
	case ok:
		f.VoiceEngine = w.sim
	default:
		engine = w.sim
	}
	w.dialer = dialer.New(w.store, dialer.Config{
		Engines: map[aftercall.EngineKind]dialer.VoiceEngine{aftercall.SimulatorEngine: engine}, BaseURL: "http://aftercall.test",
		Log: slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	ctx, cancel := context.WithCancel(w.Context())
	var running sync.WaitGroup
	running.Go(func() { w.sim.Run(ctx) })
	running.Go(func() { w.dialer.Run(ctx) })
	w.stop = func() {
		cancel()
		running.Wait()
	}
}

// RoundTrip is the simulator's way back, without a socket.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	answer := httptest.NewRecorder()
	voice.New(w.dialer).ServeHTTP(answer, r)
	return answer.Result(), nil
}

// contact adds a contact with a number.
func (w *world) contact(number string, change ...func(*aftercall.Contact)) string {
	w.Helper()
	c := aftercall.Contact{AccountID: w.account.ID, FirstName: "Frida", LastName: "Kahlo", PhoneNumber: number}
	for _, f := range change {
		f(&c)
	}
	if err := w.dialer.AddContact(w.Context(), &c); err != nil {
		w.Fatal(err)
	}
	return c.ID
}

// schedule has contacts called until reached.
func (w *world) schedule(ids ...string) []aftercall.Run {
	w.Helper()
	wanted := make([]dialer.Wanted, len(ids))
	for i, id := range ids {
		wanted[i].ContactID = id
	}
	runs, failed, err := w.dialer.Schedule(w.Context(), w.account.ID, wanted)
	if err != nil {
		w.Fatal(err)
	}
	for _, err := range failed {
		if err != nil {
			w.Fatal(err)
		}
	}
	return runs
}

func (w *world) find(id string) aftercall.Contact {
	w.Helper()
	c, err := w.dialer.Contact(w.Context(), w.account.ID, id)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) run(id string) (r aftercall.Run) {
	w.Helper()
	storetest.View(w, w.store, func(tx *store.Tx) (err error) {
		r, err = tx.Run(w.account.ID, id)
		return err
	})
	return r
}

// calls are those of a contact, oldest first.
func (w *world) calls(contactID string) (list []aftercall.Call) {
	w.Helper()
	page := store.CallPage{Limit: 1000, Filter: store.CallFilter{ContactID: contactID}}
	found, err := w.dialer.Calls(w.Context(), w.account.ID, page)
	if err != nil {
		w.Fatal(err)
	}
	for i := range found {
		list = append(list, found[len(found)-1-i].Call)
	}
	return list
}

// events counts the messages of each type, of a contact or all.
func (w *world) events(contactID string) map[string]int {
	w.Helper()
	counts := map[string]int{}
	storetest.View(w, w.store, func(tx *store.Tx) error {
		for page := (store.Page{Limit: 1000}); ; {
			list, err := tx.Messages(w.account.ID, store.MessageFilter{}, page)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, m := range list {
				if contactID == "" || m.ContactID == contactID && bytes.Contains(m.Payload, []byte(contactID)) {
					counts[m.EventType]++
				}
			}
			page.After = list[len(list)-1].ID
		}
	})
	return counts
}

// settle lets everything happen that happens within a time.
func (w *world) settle(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// number is a fictional one that forces an outcome.
func number(outcome int) string {
	return "+120255501" + strconv.Itoa(outcome/10) + strconv.Itoa(outcome%10)
}
