// Package listen is a receiver for developers: it verifies the webhooks that come
// in, shows them, and can fail on purpose so that retries can be watched.
package listen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/aftercall/aftercall/signature"
)

const (
	maxBody = 2 << 20
	// maxSeen bounds how many ids are remembered to tell a repeated webhook.
	maxSeen = 10_000
)

// Config says how to receive.
type Config struct {
	Verifier *signature.Verifier // nil: signatures are not checked
	Out      io.Writer           // where webhooks are shown
	Status   int                 // the answer instead of 204, unless 0
	Fail     int                 // only the first so many get Status, or 500; the others 204
}

// Handler receives webhooks. It shows them one at a time.
type Handler struct {
	verifier *signature.Verifier
	status   int

	mu       sync.Mutex
	out      io.Writer
	limited  bool // only so many are answered by status
	failures int
	seen     map[string]int
}

// New makes a Handler.
func New(cfg Config) (*Handler, error) {
	if cfg.Out == nil {
		return nil, errors.New("listen: no output")
	}
	if cfg.Status != 0 && (cfg.Status < 200 || cfg.Status > 599) {
		return nil, fmt.Errorf("listen: %d is not a status to answer: choose 200 to 599", cfg.Status)
	}
	if cfg.Fail < 0 {
		return nil, fmt.Errorf("listen: cannot fail %d times", cfg.Fail)
	}
	h := &Handler{
		verifier: cfg.Verifier, out: cfg.Out, status: cfg.Status,
		limited: cfg.Fail > 0, failures: cfg.Fail, seen: map[string]int{},
	}
	if h.status == 0 {
		h.status = http.StatusNoContent
		if h.limited {
			h.status = http.StatusInternalServerError
		}
	}
	return h, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "webhooks come by POST", http.StatusMethodNotAllowed)
		return
	}
	now := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		h.show(now, r, "not shown: larger than 2 MiB", nil, http.StatusRequestEntityTooLarge)
		http.Error(w, "larger than 2 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		return // the sender has gone
	}
	if h.verifier == nil {
		w.WriteHeader(h.show(now, r, "not checked: no secret was given", body, 0))
		return
	}
	if err := h.verifier.Verify(r.Header, body, now); err != nil {
		h.show(now, r, "REFUSED: "+strings.TrimPrefix(err.Error(), "signature: "), body, http.StatusUnauthorized)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	w.WriteHeader(h.show(now, r, "ok", body, 0))
}

// show prints a webhook and returns the status to answer: the given one or, if
// that is 0, the configured one.
func (h *Handler) show(now time.Time, r *http.Request, verdict string, body []byte, status int) int {
	id := r.Header.Get("svix-id")
	if id == "" {
		id = r.Header.Get("webhook-id")
	}
	block := describe(body)

	h.mu.Lock()
	defer h.mu.Unlock()
	if status == 0 {
		status = h.answer()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s  %s  %s%s\n", now.Format(time.TimeOnly), block.event, orDash(id), h.times(id))
	fmt.Fprintf(&text, "  signature  %s\n", verdict)
	fmt.Fprintf(&text, "  answered   %d %s\n", status, http.StatusText(status))
	text.WriteString(block.text)
	text.WriteByte('\n')
	_, _ = io.WriteString(h.out, printable(text.String())) // nobody is left to be told
	return status
}

func (h *Handler) answer() int {
	if !h.limited {
		return h.status
	}
	if h.failures == 0 {
		return http.StatusNoContent
	}
	h.failures--
	return h.status
}

// times tells a retry from what is new: the id is the same for every attempt.
func (h *Handler) times(id string) string {
	if id == "" {
		return ""
	}
	if len(h.seen) >= maxSeen {
		clear(h.seen)
	}
	h.seen[id]++
	if h.seen[id] == 1 {
		return ""
	}
	return fmt.Sprintf("  (time %d)", h.seen[id])
}

type block struct{ event, text string }

// describe makes a payload readable: who and what first, then all of it.
func describe(body []byte) block {
	var payload struct {
		Event string `json:"event"`
		Type  string `json:"type"`
		Call  struct {
			Status  string `json:"call_status"`
			Attempt int    `json:"attempt"`
		} `json:"call"`
		Contact struct {
			FirstName string `json:"first_name"`
			LastName  string `json:"last_name"`
			Phone     string `json:"phone_number"`
			Status    string `json:"status"`
		} `json:"contact"`
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "  ", "  ") != nil {
		return block{event: "webhook", text: fmt.Sprintf("  %d bytes that are not JSON\n  %s\n", len(body), body)}
	}
	// A payload of another shape is shown all the same, by what could be read.
	_ = json.Unmarshal(body, &payload)
	b := block{event: firstOf(payload.Event, payload.Type, "webhook")}
	if payload.Call.Status != "" {
		b.text += fmt.Sprintf("  call       %s, attempt %d\n", payload.Call.Status, payload.Call.Attempt)
	}
	if c := payload.Contact; c.Status != "" {
		name := strings.TrimSpace(c.FirstName + " " + c.LastName)
		b.text += fmt.Sprintf("  contact    %s, %s, %s\n", orDash(name), orDash(c.Phone), c.Status)
	}
	b.text += "  " + pretty.String() + "\n"
	return b
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func orDash(text string) string { return firstOf(text, "-") }

// printable keeps what strangers send from steering the developer's terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
