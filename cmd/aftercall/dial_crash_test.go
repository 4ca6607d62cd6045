package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/signature"
)

const (
	// dialCrashCalls are made by the simulator, and as many again by a voice engine that
	// is not killed with the program, and so knows who was called.
	dialCrashCalls  = 500
	dialCrashRounds = 10
	// dialPatience is longer than a call that was decided when the program died is left
	// alone, and the ones after it.
	dialPatience = 5 * time.Minute
)

// TestDialCrash kills the real program at random moments while it calls a thousand
// contacts, and starts it again. Nobody is called twice, every call ends once, and
// nobody is left in a call.
func TestDialCrash(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { dialCrash(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { dialCrash(t, storetest.Postgres(t)) })
}

func dialCrash(t *testing.T, database string) {
	engine := newPhone(t)
	s := storetest.Open(t, database)
	c := &callees{T: t, store: s}
	c.add(engine.URL)
	v := &victim{t: t, database: database, address: freeAddress(t), flags: []string{"--simulator-speed", "60"}}
	v.start()
	for range dialCrashRounds {
		<-time.After(time.Duration(200+rand.IntN(1200)) * time.Millisecond)
		v.kill()
		t.Logf("%d of %d contacts are done, %d calls are live", len(c.ids)-c.pending(), len(c.ids), c.live())
		v.start()
	}
	for deadline := time.Now().Add(dialPatience); c.pending() > 0; <-time.After(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d contacts are still being called: %d calls are live", c.pending(), c.live())
		}
	}
	v.stop()
	c.check(engine)
}

func freeAddress(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// callees are the contacts, and what became of them.
type callees struct {
	*testing.T
	store   *store.Store
	account aftercall.Account
	ids     []string
}

// add adds contacts that are called once, half of them by either engine.
func (c *callees) add(engineURL string) {
	c.account = aftercall.Account{Name: "crash"}
	var agents []aftercall.Agent
	storetest.Update(c, c.store, func(tx *store.Tx) error {
		if err := auth.CreateAccount(tx, &c.account); err != nil {
			return err
		}
		agents = nil
		for _, url := range []string{"", engineURL} {
			a := aftercall.NewAgent(c.account.ID, tx.Now())
			one := 1
			a.Title, a.Dialing.MaxAttempts = "crash", &one
			for day := range a.Dialing.Hours.Week {
				a.Dialing.Hours.Week[day] = []aftercall.Range{{From: 0, To: 24 * 60}}
			}
			a.Engine.Pace = aftercall.Pace{Live: 150}
			if url != "" {
				a.Engine.Kind, a.Engine.URL = aftercall.HTTPEngine, url
				a.Engine.Secret = aftercall.Secret{Kind: aftercall.HMAC, Key: []byte(phoneKey), CreatedAt: tx.Now()}
			}
			if err := a.Validate(); err != nil {
				return err
			}
			if err := tx.InsertAgent(a); err != nil {
				return err
			}
			agents = append(agents, a)
		}
		return nil
	})
	d := dialer.New(c.store, dialer.Config{})
	outcomes := []string{"00", "01", "02", "05", "06", "10", "11", "12", "20", "30", "31", "33", "35"}
	var contacts []*aftercall.Contact
	for i := range 2 * dialCrashCalls {
		contacts = append(contacts, &aftercall.Contact{
			AccountID: c.account.ID, FirstName: "Frida", LastName: strconv.Itoa(i), Timezone: "UTC",
			PhoneNumber: fmt.Sprintf("+1%d55501%s", 201+i/len(outcomes), outcomes[i%len(outcomes)]),
		})
	}
	if _, err := d.AddContacts(c.Context(), contacts); err != nil {
		c.Fatal(err)
	}
	for from := 0; from < len(contacts); from += 100 {
		var wanted []dialer.Wanted
		for i, contact := range contacts[from : from+100] {
			c.ids = append(c.ids, contact.ID)
			wanted = append(wanted, dialer.Wanted{ContactID: contact.ID, AgentID: agents[i%2].ID})
		}
		_, failed, err := d.Schedule(c.Context(), c.account.ID, wanted)
		if err != nil || failed[0] != nil {
			c.Fatal(err, failed[0])
		}
	}
}

func (c *callees) contacts() (list []aftercall.Contact) {
	storetest.View(c, c.store, func(tx *store.Tx) error {
		found, err := tx.Contacts(c.account.ID, c.ids)
		for _, contact := range found {
			list = append(list, contact)
		}
		return err
	})
	return list
}

func (c *callees) pending() (n int) {
	for _, contact := range c.contacts() {
		if contact.Status == aftercall.ContactPending {
			n++
		}
	}
	return n
}

func (c *callees) live() (n int) {
	storetest.View(c, c.store, func(tx *store.Tx) error {
		live, err := tx.LiveContacts(c.account.ID, c.ids)
		n = len(live)
		return err
	})
	return n
}

func (c *callees) check(engine *phone) {
	if len(c.ids) != 2*dialCrashCalls || c.live() != 0 {
		c.Errorf("%d contacts, %d still live", len(c.ids), c.live())
	}
	called := map[string][]string{} // calls by contact
	ended := map[string]int{}       // call_ended by contact
	storetest.View(c, c.store, func(tx *store.Tx) error {
		calls, err := tx.Calls(c.account.ID, store.CallPage{Limit: 10 * dialCrashCalls})
		if err != nil {
			return err
		}
		for _, call := range calls {
			called[call.ContactID] = append(called[call.ContactID], call.ID)
		}
		messages, err := tx.Messages(c.account.ID, store.MessageFilter{}, store.Page{Limit: 10 * dialCrashCalls})
		for _, m := range messages {
			if m.EventType == aftercall.CallEnded {
				ended[m.ContactID]++
			}
		}
		return err
	})
	for _, contact := range c.contacts() {
		if n := len(called[contact.ID]); n != 1 || ended[contact.ID] != 1 || contact.CallAttempts != 1 {
			c.Errorf("contact %s: %d calls, told of %d times, %d attempts", contact.ID, n, ended[contact.ID], contact.CallAttempts)
		}
		if !contact.InCallSince.IsZero() || !contact.NextCallAt.IsZero() || contact.Status == aftercall.ContactNew {
			c.Errorf("contact %s is %s, in a call since %s, called next at %s", contact.ID, contact.Status, contact.InCallSince, contact.NextCallAt)
		}
	}
	placed := engine.placed()
	if len(placed) != dialCrashCalls {
		c.Errorf("%d people were called, not %d", len(placed), dialCrashCalls)
	}
	for number, calls := range placed {
		if len(calls) != 1 {
			c.Errorf("%s was called %d times: %v", number, len(calls), calls)
		}
	}
}

// phoneKey is what the engine and the program share.
const phoneKey = "0123456789abcdef0123456789abcdef"

// phone is a voice engine that speaks the contract of docs/voice-engine.md, and notes
// whom it has called. Some of its callbacks are lost while the program is down.
type phone struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	calls map[string]*phoneCall // by call_id
	ended sync.WaitGroup
}

type phoneCall struct {
	CallID      string    `json:"call_id"`
	To          string    `json:"to"`
	NotAfter    time.Time `json:"not_after"`
	CallbackURL string    `json:"callback_url"`
	event       map[string]any
}

func newPhone(t *testing.T) *phone {
	p := &phone{t: t, calls: map[string]*phoneCall{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /calls", p.start)
	mux.HandleFunc("GET /calls/{id}", p.fetch)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		p.ended.Wait()
		p.Close()
	})
	return p
}

func (p *phone) start(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c := &phoneCall{}
	if err != nil || json.Unmarshal(body, c) != nil {
		http.Error(w, "no call", http.StatusBadRequest)
		return
	}
	verifier, err := signature.NewVerifier(aftercall.Secret{Kind: aftercall.HMAC, Key: []byte(phoneKey)}.Reveal())
	if err != nil || verifier.Verify(r.Header, body, time.Now()) != nil {
		http.Error(w, "not signed", http.StatusUnauthorized)
		return
	}
	<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond) // so that the program may die meanwhile
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case time.Now().After(c.NotAfter):
		http.Error(w, `{"error":"too_late"}`, http.StatusServiceUnavailable)
		return
	case p.calls[c.CallID] != nil:
		w.WriteHeader(http.StatusConflict)
	default:
		p.calls[c.CallID] = c
		p.ended.Go(func() { p.end(c) })
		w.WriteHeader(http.StatusAccepted)
	}
	fmt.Fprintf(w, `{"ref":"phone-%s"}`, c.CallID)
}

// end ends a call after a moment, and tells of it.
func (p *phone) end(c *phoneCall) {
	<-time.After(time.Duration(50+rand.IntN(400)) * time.Millisecond)
	event := map[string]any{"id": c.CallID + "-ended", "type": "ended", "call_id": c.CallID, "reason": "no_answer", "final": true, "at": time.Now().UTC()}
	if strings.HasSuffix(c.To, "0") {
		event["reason"], event["answered_at"] = "contact_hangup", time.Now().Add(-time.Minute).UTC()
		event["turns"] = []map[string]any{
			{"role": "agent", "text": "Good morning, may I ask you something?"}, {"role": "contact", "text": "Yes, go ahead."}, {"role": "contact", "text": "I would like to know more."},
		}
	}
	p.mu.Lock()
	c.event = event
	p.mu.Unlock()
	body, err := json.Marshal(event)
	if err != nil {
		p.t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.CallbackURL, bytes.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return
	}
	now := time.Now()
	request.Header.Set("webhook-id", c.CallID)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("webhook-signature", signature.Sign([]byte(phoneKey), c.CallID, now, body))
	if response, err := http.DefaultClient.Do(request); err == nil { // else it is down, and asks later
		response.Body.Close()
	}
}

func (p *phone) fetch(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[strings.TrimPrefix(r.PathValue("id"), "phone-")]
	switch {
	case c == nil:
		http.Error(w, `{"error":"unknown_call"}`, http.StatusNotFound)
	case c.event == nil:
		_ = json.NewEncoder(w).Encode(map[string]any{"id": c.CallID, "type": "ringing", "call_id": c.CallID})
	default:
		_ = json.NewEncoder(w).Encode(c.event)
	}
}

// placed are the calls to each number.
func (p *phone) placed() map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	placed := map[string][]string{}
	for id, c := range p.calls {
		placed[c.To] = append(placed[c.To], id)
	}
	return placed
}
