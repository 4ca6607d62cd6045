package generic_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/voice/generic"
)

// What cannot have left is proven not to: such a call may be tried again.
func TestUnreachable(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := httptest.NewServer(answer(202, `{"ref": "r"}`))
	defer plain.Close()
	strange := httptest.NewUnstartedServer(answer(202, `{"ref": "r"}`)) // whose certificate nobody trusts
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS()
	defer strange.Close()
	for name, url := range map[string]string{
		"refused":        "http://" + closed.Addr().String(),
		"no such host":   "http://voice.invalid",
		"no TLS":         strings.Replace(plain.URL, "http:", "https:", 1),
		"untrusted":      strange.URL,
		"no port at all": "http://127.0.0.1:99999",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, url)
			_, err := f.start()
			if refused, ok := errors.AsType[*dialer.StartError](err); !ok || refused.Refusal != dialer.Down {
				t.Errorf("%v", err)
			}
			if _, err := f.engine.Fetch(t.Context(), f.agent, f.call); err == nil || errors.Is(err, dialer.ErrUnknownCall) {
				t.Errorf("asked: %v", err)
			}
		})
	}
}

// A connection that is not made in time carries nothing either.
func TestNoConnectionInTime(t *testing.T) {
	f := newFixture(t, "http://bot.example.com")
	over := make(chan struct{})
	defer close(over)
	f.engine = generic.New(generic.Config{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { <-over; return nil, net.ErrClosed },
	}})
	_, err := f.startWithin(20 * time.Millisecond)
	if refused, ok := errors.AsType[*dialer.StartError](err); !ok || refused.Refusal != dialer.Down {
		t.Errorf("%v", err)
	}
}

func (f *fixture) startWithin(d time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(f.Context(), d)
	defer cancel()
	return f.engine.Start(ctx, f.agent, dialer.StartRequest{Call: f.call, Zone: time.UTC})
}

// An engine that hangs may have taken the call, whatever part of its answer is missing,
// and whichever version of HTTP it speaks.
func TestHanging(t *testing.T) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	for name, handler := range map[string]http.HandlerFunc{
		"without an answer": func(http.ResponseWriter, *http.Request) { <-over },
		"in the body": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			_, _ = io.WriteString(w, `{"ref":`)
			w.(http.Flusher).Flush()
			<-over
		},
	} {
		for _, version := range []int{1, 2} {
			server := httptest.NewUnstartedServer(handler)
			server.EnableHTTP2 = version == 2
			server.StartTLS()
			f := newFixture(t, server.URL)
			f.engine = generic.New(generic.Config{Transport: server.Client().Transport})
			_, err := f.startWithin(500 * time.Millisecond)
			if _, refused := errors.AsType[*dialer.StartError](err); err == nil || refused {
				t.Errorf("%s, HTTP/%d: %v", name, version, err)
			}
			t.Cleanup(server.CloseClientConnections)
		}
	}
}

// A connection that was used before proves nothing when it breaks, although the next one
// is refused.
func TestBrokenThenRefused(t *testing.T) {
	var posted int
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if posted++; posted > 1 {
			server.Listener.Close()
			cutOff(w, r)
		}
		answer(202, `{"ref": "r"}`)(w, r)
	})
	server.Start()
	defer server.Close()
	f := newFixture(t, server.URL)
	if _, err := f.start(); err != nil {
		t.Fatal(err)
	}
	_, err := f.start()
	if _, refused := errors.AsType[*dialer.StartError](err); err == nil || refused {
		t.Errorf("%v", err)
	}
}

// An engine that never stops talking is cut off.
func TestEndlessAnswer(t *testing.T) {
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat(" ", 64<<10))
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, err := f.engine.Fetch(t.Context(), f.agent, f.call); err == nil {
		t.Error("an endless answer was read")
	}
	if _, err := f.start(); err == nil {
		t.Error("an endless answer was read")
	}
}

// roundTrip answers without a connection.
type roundTrip func() *http.Response

func (f roundTrip) RoundTrip(*http.Request) (*http.Response, error) { return f(), nil }

// Whatever an engine answers, what is made of it is short, printable, and one of the
// outcomes that there are.
func FuzzAnswers(f *testing.F) {
	f.Add(202, `{"ref": "r"}`, "")
	f.Add(422, `{"error": "invalid_number"}`, "")
	f.Add(429, `{"message": "\u0000\ud800"}`, "-1")
	f.Add(200, `{"type": "ended", "at": "2026-11-23T10:00:00Z", "turns": [{}], "fields": {"a": 1}}`, "Mon, 23 Nov 2026 10:00:00 GMT")
	f.Add(404, `{}`, "NaN")
	f.Fuzz(func(t *testing.T, status int, body, retryAfter string) {
		engine := generic.New(generic.Config{Transport: roundTrip(func() *http.Response {
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}}, Body: io.NopCloser(strings.NewReader(body))}
		})})
		fx := newFixture(t, "https://bot.example.com")
		ref, err := engine.Start(t.Context(), fx.agent, dialer.StartRequest{Call: fx.call, Zone: time.UTC})
		if len(ref) > 256 || strings.ContainsFunc(ref, unicode.IsControl) || err != nil && ref != "" {
			t.Errorf("ref %q, %v", ref, err)
		}
		if refused, ok := errors.AsType[*dialer.StartError](err); ok {
			if refused.RetryAfter < 0 || len([]rune(refused.Told)) > 201 || strings.ContainsFunc(refused.Told, unicode.IsControl) {
				t.Errorf("refused %+v", refused)
			}
		}
		progress, err := engine.Fetch(t.Context(), fx.agent, fx.call)
		if err == nil {
			_ = progress.Validate()
			_ = aftercall.LiveCall{}.Alive(progress, aftercall.EngineSettings{}, time.Now()).Call(nil)
		}
		_ = engine.Cancel(t.Context(), fx.agent, fx.call)
	})
}
