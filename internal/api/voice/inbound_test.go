package voice_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/voice"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/voice/generic"
	"github.com/aftercall/aftercall/internal/voice/wire"
)

const caller = "+4915112345678"

// fixture is an agent, asked by its engine who is calling.
type fixture struct {
	*testing.T
	store  *store.Store
	dialer *dialer.Dialer
	face   http.Handler
	agent  aftercall.Agent
	log    *bytes.Buffer
	mu     sync.Mutex // of the log
}

// Write makes the fixture the end of a log.
func (f *fixture) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(line)
}

func (f *fixture) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

func each(t *testing.T, test func(f *fixture)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := &fixture{T: t, store: s, log: &bytes.Buffer{}}
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		f.dialer = dialer.New(s, dialer.Config{
			Engines: map[aftercall.EngineKind]dialer.VoiceEngine{aftercall.HTTPEngine: generic.New(generic.Config{Transport: transport})},
			Lookups: transport, Log: slog.New(slog.NewJSONHandler(f, nil)),
		})
		f.face = voice.New(f.dialer)
		f.agent = f.newAgent()
		test(f)
	})
}

// newAgent adds an account with an agent over HTTP, and an endpoint that wants to know.
func (f *fixture) newAgent() (agent aftercall.Agent) {
	f.Helper()
	storetest.Update(f, f.store, func(tx *store.Tx) error {
		account := aftercall.Account{ID: aftercall.NewID(aftercall.AccountPrefix, tx.Now()), Name: "Sunny Solar", Timezone: "UTC", CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.InsertAccount(account); err != nil {
			return err
		}
		agent = aftercall.NewAgent(account.ID, tx.Now())
		agent.Title, agent.Engine.Kind, agent.Engine.URL = "inbound", aftercall.HTTPEngine, "http://127.0.0.1:1"
		if err := tx.InsertAgent(agent); err != nil {
			return err
		}
		return tx.InsertEndpoint(aftercall.Endpoint{
			AccountID: account.ID, ID: aftercall.NewID(aftercall.EndpointPrefix, tx.Now()), URL: "https://crm.example/", Signature: aftercall.SignHMAC, Version: 1,
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}, aftercall.NewSecret(aftercall.HMAC, tx.Now()))
	})
	return agent
}

// post sends what an engine says, signed by an agent's secret.
func (f *fixture) post(agent aftercall.Agent, path, id, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/voice/http/"+f.agent.AccountID+"/"+f.agent.ID+path, strings.NewReader(body))
	wire.Sign(r, agent.Engine.Secret, id, []byte(body), time.Now())
	w := httptest.NewRecorder()
	f.face.ServeHTTP(w, r)
	return w
}

// ask asks who is calling.
func (f *fixture) ask(id, body string) (out voice.CallerOut) {
	f.Helper()
	w := f.post(f.agent, "/inbound", id, body)
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		f.Fatalf("%s: %d %s", body, w.Code, w.Body)
	}
	return out
}

func from(number string) string { return `{"from": "` + number + `", "to": "+493012345678"}` }

// A call from outside is live once it was asked for, and ends as any other: told of,
// with its contact reached, and nothing planned.
func TestInboundCall(t *testing.T) {
	each(t, func(f *fixture) {
		first := f.ask("q-1", `{"call_id": "sip-7", "from": "+49 151 12345678", "to": "+49 30 12345678"}`)
		if first.CallID == nil || first.Contact == nil || first.Contact.PhoneNumber != caller || first.Contact.FirstName != "" || first.Variables["phone_number"] != caller {
			f.Fatalf("answered %+v", first)
		}
		for _, id := range []string{"q-1", "q-2"} { // the same call, whoever asks again
			if again := f.ask(id, `{"call_id": "sip-7", "from": "+4915112345678", "to": "+493012345678"}`); *again.CallID != *first.CallID || again.Contact.ID != first.Contact.ID {
				f.Errorf("asked again: %+v", again)
			}
		}
		storetest.View(f, f.store, func(tx *store.Tx) error {
			l, err := tx.LiveCall(f.agent.AccountID, *first.CallID)
			if err == nil && (l.Ref != "sip-7" || l.Direction != aftercall.Inbound || l.State != aftercall.Placed || l.RunID != "" || l.Attempt != 1 || l.FromNumber != caller || l.ToNumber != "+493012345678") {
				f.Errorf("live: %+v", l)
			}
			return err
		})
		at := time.Now().UTC()
		body := `{"id": "e-1", "type": "ended", "call_id": "` + *first.CallID + `", "answered_at": "` + at.Format(time.RFC3339) + `", "ended_at": "` + at.Add(time.Minute).Format(time.RFC3339) + `",
			"reason": "contact_hangup", "final": true, "turns": [{"role": "agent", "text": "Sunny Solar, hello?"}, {"role": "contact", "text": "Hello, could you please come by on Tuesday?"}]}`
		if w := f.post(f.agent, "", "e-1", body); w.Code != http.StatusNoContent {
			f.Fatal(w.Code, w.Body)
		}
		ended := f.untilEnded(*first.CallID)
		if ended.Status != aftercall.CallCompleted || ended.Direction != aftercall.Inbound || ended.RunID != "" || ended.FromNumber != caller {
			f.Errorf("ended %+v", ended)
		}
		storetest.View(f, f.store, func(tx *store.Tx) error {
			c, err := tx.Contact(f.agent.AccountID, store.ByID, first.Contact.ID)
			if err == nil && (c.Status != aftercall.ContactReached || !c.NextCallAt.IsZero() || !c.InCallSince.IsZero() || c.CallAttempts != 0) {
				f.Errorf("contact %+v", c)
			}
			return err
		})
		if again := f.ask("q-3", `{"call_id": "sip-7", "from": "+4915112345678"}`); *again.CallID != *first.CallID || again.Contact == nil {
			f.Errorf("asked again after the end: %+v", again)
		}
	})
}

// untilEnded has the dialer take what was told, until a call has ended.
func (f *fixture) untilEnded(callID string) (call aftercall.Call) {
	f.Helper()
	ctx, stop := context.WithCancel(f.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.dialer.Run(ctx) }()
	defer func() { stop(); <-done }()
	deadline := time.After(20 * time.Second)
	for {
		var err error
		if call, err = f.call(callID); err == nil {
			return call
		}
		select {
		case <-deadline:
			f.Fatalf("the call does not end: %v\n%s", err, f.logged())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// call finds a call that is over.
func (f *fixture) call(id string) (call aftercall.Call, err error) {
	err = f.store.View(f.Context(), func(tx *store.Tx) error {
		call, err = tx.Call(f.agent.AccountID, id)
		return err
	})
	return call, err
}

// A caller who gives up before anybody answers was no call.
func TestInboundGivenUp(t *testing.T) {
	each(t, func(f *fixture) {
		given, taken := f.ask("q-1", from(caller)), f.ask("q-2", from("+4915112345679"))
		for i, c := range []voice.CallerOut{given, taken} {
			reason := []string{"canceled", "no_answer"}[i]
			id := "e-" + reason
			if w := f.post(f.agent, "", id, `{"id": "`+id+`", "type": "ended", "call_id": "`+*c.CallID+`", "reason": "`+reason+`", "final": true}`); w.Code != http.StatusNoContent {
				f.Fatal(w.Code, w.Body)
			}
		}
		if call := f.untilEnded(*taken.CallID); call.Status != aftercall.CallNotReached {
			f.Errorf("not answered: %+v", call)
		}
		if call, err := f.call(*given.CallID); aftercall.KindOf(err) != aftercall.NotFound {
			f.Errorf("given up: %+v, %v", call, err)
		}
		storetest.View(f, f.store, func(tx *store.Tx) error {
			if _, err := tx.LiveCall(f.agent.AccountID, *given.CallID); aftercall.KindOf(err) != aftercall.NotFound {
				f.Errorf("given up, and still live: %v", err)
			}
			records, err := tx.DialRecords(f.agent.AccountID, aftercall.NumberHash(f.agent.AccountID, "+493012345678"), store.DialRecordPage{Limit: 10})
			if len(records) > 0 {
				f.Errorf("nobody was dialled, but there is a record: %+v", records)
			}
			return err
		})
	})
}

func TestInboundRefused(t *testing.T) {
	each(t, func(f *fixture) {
		for _, body := range []string{`{}`, `{"from": ""}`, `{"from": "anonymous", "to": "sip:sales@example.com"}`} {
			if out := f.ask("withheld", body); out.CallID != nil || out.Contact != nil || out.Variables == nil {
				f.Errorf("%s: %+v", body, out)
			}
		}
		stranger := f.newAgent()
		for name, test := range map[string]struct {
			agent  aftercall.Agent
			body   string
			status int
		}{
			"another's secret":  {stranger, from(caller), 401},
			"no country":        {f.agent, from("0151 12345678"), 400},
			"no JSON":           {f.agent, `from`, 400},
			"a number":          {f.agent, `{"from": 4915112345678}`, 400},
			"a strange id":      {f.agent, `{"call_id": "a b", "from": "+4915112345678"}`, 400},
			"a way out":         {f.agent, `{"call_id": "..", "from": "+4915112345678"}`, 400},
			"a very long id":    {f.agent, `{"call_id": "` + strings.Repeat("x", 257) + `", "from": "+4915112345678"}`, 400},
			"more than allowed": {f.agent, `{"from": "` + strings.Repeat(" ", 9<<20) + `"}`, 413},
		} {
			if w := f.post(test.agent, "/inbound", "q", test.body); w.Code != test.status || strings.Contains(w.Body.String(), "49151") {
				f.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
		agent := f.agent
		for _, change := range []func(){
			func() { f.agent.ID = stranger.ID }, func() { f.agent.AccountID = stranger.AccountID }, func() { f.agent.ID = "x" }, func() { f.agent.AccountID = "y" },
		} {
			f.agent = agent
			change()
			if w := f.post(agent, "/inbound", "q", from(caller)); w.Code != http.StatusNotFound {
				f.Errorf("%s of %s: %d %s", f.agent.ID, f.agent.AccountID, w.Code, w.Body)
			}
		}
	})
}

// Two questions at once about one call are one call, and two calls at once of an unknown
// number are one contact.
func TestInboundAtOnce(t *testing.T) {
	each(t, func(f *fixture) {
		calls, contacts := map[string]bool{}, map[string]bool{}
		var mu sync.Mutex
		var questions sync.WaitGroup
		for i := range 16 {
			questions.Go(func() {
				id := []string{"one", "two"}[i%2]
				w := f.post(f.agent, "/inbound", "q", `{"call_id": "`+id+`", "from": "`+caller+`"}`)
				var out voice.CallerOut
				if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out.CallID == nil || out.Contact == nil {
					f.Errorf("%d %s", w.Code, w.Body)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				calls[id+*out.CallID], contacts[out.Contact.ID] = true, true
			})
		}
		questions.Wait()
		if len(calls) != 2 || len(contacts) != 1 {
			f.Errorf("%d calls of %d contacts", len(calls), len(contacts))
		}
	})
}
