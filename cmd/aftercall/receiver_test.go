package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
)

type receiversKey struct{}

// receivers are those of one script, by name.
type receivers map[string]*receiver

// receiver is a customer's webhook address. Nobody here wrote what it verifies with.
type receiver struct {
	mu       sync.Mutex
	secret   string
	statuses []int // of the next answers
	accepted []string
	ids      map[string]bool
	attempts int
	wrong    []string // why webhooks did not verify
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	if err := r.verify(req.Header, body); err != nil {
		r.wrong = append(r.wrong, err.Error()+"\n"+pretty(body))
	}
	if len(r.statuses) > 0 {
		w.WriteHeader(r.statuses[0])
		r.statuses = r.statuses[1:]
		return
	}
	var envelope struct{ Event string }
	_ = json.Unmarshal(body, &envelope)
	if id := req.Header.Get("svix-id"); !r.ids[id] {
		r.ids[id] = true
		r.accepted = append(r.accepted, envelope.Event)
	}
}

func (r *receiver) verify(header http.Header, body []byte) error {
	if r.secret == "" {
		return nil
	}
	first, err := svix.NewWebhook(r.secret)
	if err != nil {
		return err
	}
	if err := first.Verify(body, header); err != nil {
		return fmt.Errorf("svix: %w", err)
	}
	second, err := standard.NewWebhook(r.secret)
	if err != nil {
		return err
	}
	if err := second.Verify(body, header); err != nil {
		return fmt.Errorf("standard webhooks: %w", err)
	}
	return nil
}

func receiverNamed(ts *testscript.TestScript, name string) *receiver {
	r, ok := ts.Value(receiversKey{}).(receivers)[name]
	if !ok {
		ts.Fatalf("no receiver %s", name)
	}
	return r
}

func receiverCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := &receiver{ids: map[string]bool{}}
	server := httptest.NewServer(r)
	ts.Defer(server.Close)
	ts.Value(receiversKey{}).(receivers)[args[0]] = r
	ts.Setenv(args[0], server.URL)
}

func secretCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := receiverNamed(ts, args[0])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = args[1]
}

func answerCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := receiverNamed(ts, args[0])
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses = nil
	for range n {
		r.statuses = append(r.statuses, status)
	}
}

func receivedCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := receiverNamed(ts, args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	poll(ts, fmt.Sprintf("%d messages at %s", n, args[0]), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.accepted) >= n
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, wrong := range r.wrong {
		ts.Fatalf("a webhook at %s does not verify: %s", args[0], wrong)
	}
	if len(r.accepted) > n {
		ts.Fatalf("%s accepted %d messages, not %d: %v", args[0], len(r.accepted), n, r.accepted)
	}
	for _, event := range r.accepted {
		fmt.Fprintln(ts.Stdout(), event)
	}
}

func triedCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := receiverNamed(ts, args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	poll(ts, fmt.Sprintf("%d attempts at %s", n, args[0]), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.attempts >= n
	})
}

func quietCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := receiverNamed(ts, args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts > n {
		ts.Fatalf("%s got %d attempts, more than %d", args[0], r.attempts, n)
	}
}
