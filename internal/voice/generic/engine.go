// Package generic is the voice engine that speaks our own contract over HTTP,
// docs/voice-engine.md: for LiveKit, Pipecat, Asterisk, and whatever can be programmed.
package generic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/voice/wire"
)

// Config says how engines are reached.
type Config struct {
	// Transport connects to addresses that customers chose. Only one that tells
	// net/http/httptrace of its connections, as http.Transport does, can prove that nothing
	// was sent.
	Transport http.RoundTripper
}

// Engine has calls placed by servers that speak the contract, each agent's by its own.
type Engine struct{ client *http.Client }

const (
	userAgent = "Aftercall-Voice/1.0"
	// timeout bounds a request whose context does not.
	timeout = 15 * time.Second
	// maxAnswer is how much of an answer is read, after decompression: a long transcript.
	maxAnswer = 1 << 20
)

// New makes an engine.
func New(cfg Config) *Engine {
	return &Engine{client: &http.Client{
		Transport: cfg.Transport, Timeout: timeout,
		// What is signed goes where its owner pointed it, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Accepts implements dialer.VoiceEngine. Which numbers an engine does not call, it says
// when it is asked to.
func (e *Engine) Accepts(aftercall.Agent, string) error { return nil }

// Start implements dialer.VoiceEngine.
func (e *Engine) Start(ctx context.Context, agent aftercall.Agent, r dialer.StartRequest) (string, error) {
	body, err := wire.Encode(wire.CallOf(agent, r))
	if err != nil {
		return "", &dialer.StartError{Refusal: dialer.BadAccount, Err: fmt.Errorf("write the call: %w", err)}
	}
	a, err := e.ask(ctx, agent, request{method: http.MethodPost, id: r.Call.ID, body: body})
	if err != nil {
		if unsent, ok := errors.AsType[*unsentError](err); ok {
			return "", &dialer.StartError{Refusal: dialer.Down, Err: unsent}
		}
		return "", err
	}
	switch a.status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusConflict:
		return a.ref()
	}
	return "", a.refusal(time.Now())
}

// Fetch implements dialer.VoiceEngine.
func (e *Engine) Fetch(ctx context.Context, agent aftercall.Agent, call aftercall.LiveCall) (aftercall.Progress, error) {
	a, err := e.askOf(ctx, agent, http.MethodGet, call)
	switch {
	case err != nil:
		return aftercall.Progress{}, err
	case a.status == http.StatusNotFound && a.isObject():
		return aftercall.Progress{}, dialer.ErrUnknownCall
	case a.status != http.StatusOK:
		return aftercall.Progress{}, a.unexpected()
	case a.err != nil:
		return aftercall.Progress{}, a.err
	}
	event, err := wire.Read(a.body)
	switch {
	case err != nil:
		return aftercall.Progress{}, fmt.Errorf("the voice engine's answer is no call: %w", err)
	case event.CallID != "" && !strings.EqualFold(event.CallID, call.ID):
		return aftercall.Progress{}, errors.New("the voice engine answered with another call")
	}
	switch event.Type {
	case wire.Queued, wire.Ringing, wire.Answered, wire.Ended:
		return event.Progress(time.Now()), nil
	}
	return aftercall.Progress{}, errors.New("the voice engine's answer has none of the types queued, ringing, answered and ended")
}

// Cancel implements dialer.VoiceEngine. A call that the engine does not know has ended.
func (e *Engine) Cancel(ctx context.Context, agent aftercall.Agent, call aftercall.LiveCall) error {
	a, err := e.askOf(ctx, agent, http.MethodDelete, call)
	if err != nil {
		return err
	}
	switch {
	case a.status/100 == 2, a.status == http.StatusNotFound, a.status == http.StatusConflict, a.status == http.StatusGone:
		return nil
	}
	return a.unexpected()
}

// Events implements dialer.VoiceEngine.
func (e *Engine) Events(agent aftercall.Agent, header http.Header, body []byte) ([]dialer.Event, error) {
	return wire.Events(agent, header, body)
}

// request is what an engine is asked.
type request struct {
	method string
	path   string // below that of calls
	id     string // is signed with the body
	body   []byte
}

// askOf asks about a call. The signature covers no path, so the id says what is asked of
// which call: what was overheard is not good for anything else.
func (e *Engine) askOf(ctx context.Context, agent aftercall.Agent, method string, call aftercall.LiveCall) (answer, error) {
	ref := call.Ref
	if ref == "" {
		ref = call.ID
	}
	return e.ask(ctx, agent, request{method: method, path: "/" + url.PathEscape(ref), id: strings.ToLower(method) + "_" + call.ID})
}

// ask sends a request and reads the answer. The error is an *unsentError when nothing of
// it was sent.
func (e *Engine) ask(ctx context.Context, agent aftercall.Agent, q request) (answer, error) {
	var seeking, connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { seeking.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }, // nothing is written before
	})
	address := strings.TrimRight(agent.Engine.URL, "/") + "/calls" + q.path
	r, err := http.NewRequestWithContext(ctx, q.method, address, bytes.NewReader(q.body))
	if err != nil {
		return answer{}, &unsentError{"the voice engine's address is no URL"}
	}
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Accept", "application/json")
	if q.method == http.MethodPost {
		r.Header.Set("Idempotency-Key", q.id)
	}
	wire.Sign(r, agent.Engine.Secret, q.id, q.body, time.Now())
	response, err := e.client.Do(r)
	if err != nil {
		sent := !seeking.Load() || connected.Load()
		return answer{}, failure(err, sent)
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		a.err = failure(err, true)
	case len(a.body) > maxAnswer:
		a.err = fmt.Errorf("the voice engine's answer is longer than %d bytes", maxAnswer)
	}
	return a, nil
}

// ref is the engine's id of a call that it has accepted, empty when it has none of its
// own. The error means that nobody can tell whether it did accept it.
func (a answer) ref() (string, error) {
	var accepted struct {
		Ref string `json:"ref"`
	}
	switch {
	case a.err != nil:
		return "", a.err
	case json.Unmarshal(a.body, &accepted) != nil || !wire.ValidRef(accepted.Ref):
		return "", fmt.Errorf(`the voice engine answered %d without {"ref": …} as the contract has it`, a.status)
	}
	return accepted.Ref, nil
}

// Inbound implements dialer.VoiceEngine.
func (e *Engine) Inbound(agent aftercall.Agent, header http.Header, body []byte) (dialer.Inbound, error) {
	return wire.Inbound(agent, header, body)
}
