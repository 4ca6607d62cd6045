package svix_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/svix"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/webhook"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const (
	operatorKey = "operator"
	jwtSecret   = "a secret that a Svix server had before"
)

// server is the face on a real store with a running engine.
type server struct {
	*testing.T
	url   string
	store *store.Store
	key   string // what requests are sent with
}

func serve(t *testing.T, s *store.Store) *server {
	t.Helper()
	keys, _, err := auth.Open(t.Context(), s, auth.Options{OperatorKey: operatorKey, JWTSecret: jwtSecret})
	if err != nil {
		t.Fatal(err)
	}
	cfg := webhook.DefaultConfig()
	cfg.Schedule = aftercall.Schedule{50 * time.Millisecond}
	cfg.Timeout = 2 * time.Second
	cfg.Transport = webhook.NewTransport([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	engine := webhook.New(s, cfg)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = engine.Run(ctx) })
	http := httptest.NewServer(svix.New(s, engine, keys, "https://aftercall.example"))
	t.Cleanup(func() {
		http.Close()
		stop()
		running.Wait()
	})
	for _, name := range []string{"call_ended", "contact_status_changed", "other.type"} {
		if _, err := engine.PutEventType(t.Context(), &aftercall.EventType{Name: name}, false); err != nil {
			t.Fatal(err)
		}
	}
	return &server{T: t, url: http.URL, store: s, key: operatorKey}
}

// each runs a test on the face over each database.
func each(t *testing.T, test func(s *server)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) { test(serve(t, s)) })
}

// object is decoded JSON.
type object map[string]any

func (o object) list(name string) []object {
	var list []object
	for _, item := range o[name].([]any) {
		list = append(list, item.(map[string]any))
	}
	return list
}

// do sends a request that must be answered by a status, and returns the answer.
func (s *server) do(status int, method, path string, body any) object {
	s.Helper()
	got, answer := s.send(method, path, body)
	if got != status {
		s.Fatalf("%s %s: %d %s, want %d", method, path, got, answer, status)
	}
	if len(answer) == 0 {
		return nil
	}
	var o object
	if err := json.Unmarshal(answer, &o); err != nil {
		s.Fatalf("%s %s: %s is no object: %v", method, path, answer, err)
	}
	return o
}

func (s *server) send(method, path string, body any) (int, []byte) {
	s.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = bytes.NewReader([]byte(b))
	default:
		text, err := json.Marshal(b)
		if err != nil {
			s.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(s.Context(), method, s.url+"/api/v1"+path, reader)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, answer
}

// app makes an application and returns its path.
func (s *server) app(name string) string {
	s.Helper()
	return "/app/" + s.do(201, "POST", "/app", object{"name": name})["id"].(string)
}

// accountKey makes a key of the account that a path names.
func (s *server) accountKey(app string) string {
	s.Helper()
	var key string
	storetest.Update(s, s.store, func(tx *store.Tx) (err error) {
		key, err = auth.Create(tx, app[len("/app/"):], "test")
		return err
	})
	return key
}

// receiver counts what arrives, and answers with a status.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies []string
	header http.Header // of the last one
}

func receive(t *testing.T) *receiver {
	r := &receiver{status: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
		r.header = req.Header
		w.WriteHeader(r.status)
		fmt.Fprint(w, "answer")
	}))
	t.Cleanup(r.Close)
	return r
}

// seen is how many have arrived, with what the last one was.
func (r *receiver) seen() (count int, header http.Header, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if count = len(r.bodies); count > 0 {
		body = r.bodies[count-1]
	}
	return count, r.header, body
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// until waits for something to become true.
func (s *server) until(what string, done func() bool) {
	s.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			s.Fatal("waited in vain until ", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
