package listen_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftercall/aftercall/internal/listen"
	"github.com/aftercall/aftercall/signature"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const callEnded = `{"event":"call_ended","call":{"call_status":"COMPLETED","attempt":2,` +
	`"call_analysis":{"summary":{"value":true,"details":"Wants solar panels"}}},` +
	`"contact":{"first_name":"Frida","last_name":"Kahlo","phone_number":"+14155552671","status":"reached"}}`

func handler(t *testing.T, cfg listen.Config, secrets ...string) *listen.Handler {
	t.Helper()
	if len(secrets) > 0 {
		v, err := signature.NewVerifier(secrets...)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Verifier = v
	}
	h, err := listen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func webhook(t *testing.T, family, id, body string) *http.Request {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r := httptest.NewRequest(http.MethodPost, "/anything", strings.NewReader(body))
	r.Header.Set(family+"id", id)
	r.Header.Set(family+"timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(family+"signature", signature.Sign(key, id, now, []byte(body)))
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestShowsWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(90 * time.Second) // the time of the bubble is not midnight
		var out bytes.Buffer
		h := handler(t, listen.Config{Out: &out}, secret)
		if w := serve(h, webhook(t, "webhook-", "msg_1", callEnded)); w.Code != http.StatusNoContent {
			t.Errorf("answered %d", w.Code)
		}
		want := time.Now().Format(time.TimeOnly) + `  call_ended  msg_1
  signature  ok
  answered   204 No Content
  call       COMPLETED, attempt 2
  contact    Frida Kahlo, +14155552671, reached
  {
    "event": "call_ended",
`
		if !strings.HasPrefix(out.String(), want) {
			t.Errorf("shown:\n%s\nwant:\n%s", out.String(), want)
		}
		if !strings.Contains(out.String(), `"details": "Wants solar panels"`) {
			t.Errorf("the payload is not shown:\n%s", out.String())
		}
	})
}

func TestRefusesBadSignature(t *testing.T) {
	var out bytes.Buffer
	h := handler(t, listen.Config{Out: &out}, secret)
	r := webhook(t, "svix-", "msg_1", callEnded)
	r.Header.Set("svix-id", "msg_2")
	if w := serve(h, r); w.Code != http.StatusUnauthorized {
		t.Errorf("answered %d", w.Code)
	}
	for _, want := range []string{"REFUSED: no signature matches", "answered   401", "call_ended"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
	out.Reset()
	if w := serve(h, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))); w.Code != http.StatusUnauthorized {
		t.Errorf("without headers answered %d", w.Code)
	}
	if !strings.Contains(out.String(), "missing header svix-id") {
		t.Errorf("shown:\n%s", out.String())
	}
}

func TestWithoutSecret(t *testing.T) {
	var out bytes.Buffer
	h := handler(t, listen.Config{Out: &out})
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"type":"invoice.paid"}`))
	if w := serve(h, r); w.Code != http.StatusNoContent {
		t.Errorf("answered %d", w.Code)
	}
	for _, want := range []string{"invoice.paid  -\n", "signature  not checked"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
}

func TestAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  listen.Config
		want []int
	}{
		"by default":           {listen.Config{}, []int{204, 204}},
		"a status":             {listen.Config{Status: 503}, []int{503, 503, 503}},
		"first fail":           {listen.Config{Fail: 2}, []int{500, 500, 204, 204}},
		"first fail by status": {listen.Config{Fail: 1, Status: 429}, []int{429, 204}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			test.cfg.Out = &out
			h := handler(t, test.cfg, secret)
			for i, want := range test.want {
				if w := serve(h, webhook(t, "svix-", "msg_1", callEnded)); w.Code != want {
					t.Errorf("answer %d is %d, want %d", i+1, w.Code, want)
				}
				if times := fmt.Sprintf("msg_1  (time %d)", i+1); (i > 0) != strings.Contains(out.String(), times) {
					t.Errorf("after %d:\n%s", i+1, out.String())
				}
			}
		})
	}
}

// A stranger's bad request does not use up a failure that is meant for a webhook.
func TestRefusedIsNotCounted(t *testing.T) {
	h := handler(t, listen.Config{Out: io.Discard, Fail: 1}, secret)
	serve(h, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")))
	if w := serve(h, webhook(t, "svix-", "msg_1", callEnded)); w.Code != http.StatusInternalServerError {
		t.Errorf("answered %d", w.Code)
	}
}

func TestOddRequests(t *testing.T) {
	var out bytes.Buffer
	h := handler(t, listen.Config{Out: &out})
	if w := serve(h, httptest.NewRequest(http.MethodGet, "/", nil)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	large := strings.NewReader(strings.Repeat("x", 2<<20+1))
	if w := serve(h, httptest.NewRequest(http.MethodPost, "/", large)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("large body: %d", w.Code)
	}
	broken := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{"), failing{}))
	serve(h, broken)
	out.Reset()
	serve(h, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("\x1b[2J hello \u009b")))
	if shown := out.String(); strings.ContainsAny(shown, "\x1b\u009b") || !strings.Contains(shown, "hello") {
		t.Errorf("shown: %q", shown)
	}
	out.Reset()
	serve(h, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"event":"x","call":"of duty","contact":[]}`)))
	if !strings.Contains(out.String(), "of duty") {
		t.Errorf("a payload of another shape:\n%s", out.String())
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestNewRefusesNonsense(t *testing.T) {
	for _, cfg := range []listen.Config{{}, {Out: io.Discard, Status: 99}, {Out: io.Discard, Status: 600}, {Out: io.Discard, Fail: -1}} {
		if _, err := listen.New(cfg); err == nil {
			t.Errorf("accepted: %+v", cfg)
		}
	}
}

// Over a real connection, from many senders at once: blocks are not mixed.
func TestConcurrent(t *testing.T) {
	var out bytes.Buffer
	server := httptest.NewServer(handler(t, listen.Config{Out: &out}, secret))
	defer server.Close()
	var wait sync.WaitGroup
	for i := range 20 {
		r := webhook(t, "svix-", fmt.Sprintf("msg_%02d", i), callEnded)
		wait.Go(func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			request.Header = r.Header
			response, err := server.Client().Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			if response.StatusCode != http.StatusNoContent {
				t.Errorf("answered %d", response.StatusCode)
			}
		})
	}
	wait.Wait()
	if n := strings.Count(out.String(), "\n  signature  ok\n  answered   204 No Content\n  call "); n != 20 {
		t.Errorf("%d whole blocks of 20:\n%s", n, out.String())
	}
}
