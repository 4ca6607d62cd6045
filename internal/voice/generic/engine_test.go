package generic_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/voice/generic"
	"github.com/aftercall/aftercall/internal/voice/wire"
	"github.com/aftercall/aftercall/signature"
)

const callID = "0192f0c1-2f5e-7a3b-9c4d-5e6f70819203"

// fixture is an agent of an engine, and a call of it.
type fixture struct {
	*testing.T
	engine *generic.Engine
	agent  aftercall.Agent
	call   aftercall.LiveCall
}

func newFixture(t *testing.T, url string) *fixture {
	agent := aftercall.NewAgent("app_1", time.Now())
	agent.Engine.Kind, agent.Engine.URL, agent.Engine.Agent = aftercall.HTTPEngine, url, "sales"
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &fixture{t, generic.New(generic.Config{Transport: transport}), agent, aftercall.LiveCall{
		AccountID: "app_1", ID: callID, RunID: "run", ContactID: "contact", AgentID: agent.ID, Attempt: 2,
		FromNumber: "+493012345678", ToNumber: "+4915112345678",
	}}
}

// serve makes a fixture whose engine answers by a handler.
func serve(t *testing.T, handler http.HandlerFunc) *fixture {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newFixture(t, server.URL)
}

func (f *fixture) start() (string, error) {
	return f.engine.Start(f.Context(), f.agent, dialer.StartRequest{
		Call: f.call, Language: "de", Zone: time.UTC, Variables: map[string]string{"first_name": "Frida"},
		NotAfter: time.Date(2026, 11, 23, 10, 0, 15, 0, time.UTC), CallbackURL: "https://aftercall.example.com/voice/http/app_1/agent",
	})
}

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// asked is a request as an engine gets it.
type asked struct {
	method, path, id string
	header           http.Header
	body             []byte
}

// recorded answers, and hands on what was asked once its signature is right.
func recorded(t *testing.T, status int, body string) (*fixture, func() asked) {
	got := make(chan asked, 1)
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got <- asked{r.Method, r.URL.EscapedPath(), r.Header.Get("webhook-id"), r.Header, content}
		answer(status, body)(w, r)
	})
	return f, func() asked {
		t.Helper()
		select {
		case a := <-got:
			verifier, err := signature.NewVerifier(f.agent.Engine.Secret.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if err := verifier.Verify(a.header, a.body, time.Now()); err != nil {
				t.Errorf("%s %s: %v", a.method, a.path, err)
			}
			return a
		default:
			t.Fatal("nothing was asked")
			return asked{}
		}
	}
}

func TestStartRequest(t *testing.T) {
	f, last := recorded(t, 202, `{"ref": "r-1"}`)
	f.agent.Engine.URL += "/bots/7/"
	ref, err := f.start()
	if ref != "r-1" || err != nil {
		t.Fatal(ref, err)
	}
	a := last()
	if a.method != "POST" || a.path != "/bots/7/calls" || a.id != callID || a.header.Get("Idempotency-Key") != callID ||
		!strings.HasPrefix(a.header.Get("User-Agent"), "Aftercall") || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %+v", a)
	}
	var body, want any
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(`{
		"call_id": "`+callID+`", "to": "+4915112345678", "from": "+493012345678", "agent": "sales", "language": "de", "timezone": "UTC",
		"variables": {"first_name": "Frida"},
		"metadata": {"agent_id": "`+f.agent.ID+`", "contact_id": "contact", "loop_id": "run", "attempt": 2},
		"ring_timeout_s": 30, "max_duration_s": 600, "not_after": "2026-11-23T10:00:15Z",
		"callback_url": "https://aftercall.example.com/voice/http/app_1/agent"}`), &want)
	if !reflect.DeepEqual(body, want) {
		t.Errorf("posted %s", a.body)
	}
}

// The id binds a signature to what is asked, since a body that is empty does not.
func TestAskedOf(t *testing.T) {
	f, last := recorded(t, 200, `{"type": "ringing"}`)
	if _, err := f.engine.Fetch(f.Context(), f.agent, f.call); err != nil {
		t.Error(err)
	}
	if a := last(); a.method != "GET" || a.path != "/calls/"+callID || a.id != "get_"+callID {
		t.Errorf("asked %+v", a)
	}
	f.call.Ref = "a/b?c"
	if err := f.engine.Cancel(f.Context(), f.agent, f.call); err != nil {
		t.Error(err)
	}
	if a := last(); a.method != "DELETE" || a.path != "/calls/a%2Fb%3Fc" || a.id != "delete_"+callID || len(a.body) != 0 {
		t.Errorf("asked %+v", a)
	}
}

// ambiguous stands for an error after which nobody can tell whether the call is placed.
const ambiguous = dialer.Refusal(-1)

func TestStartAnswers(t *testing.T) {
	date := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		ref     string
		refusal dialer.Refusal // unless there is a ref
		after   time.Duration
		told    string
	}{
		"accepted":            {handler: answer(202, `{"ref": "r"}`), ref: "r"},
		"created":             {handler: answer(201, `{"ref": "r", "more": [1]}`), ref: "r"},
		"ok":                  {handler: answer(200, `{"ref": "r"}`), ref: "r"},
		"known already":       {handler: answer(409, `{"ref": "r"}`), ref: "r"},
		"known, not how":      {answer(409, `conflict`), "", ambiguous, 0, ""},
		"no content":          {answer(204, ``), "", ambiguous, 0, ""},
		"garbage":             {answer(200, `{"ref": `), "", ambiguous, 0, ""},
		"a list":              {answer(200, `["r"]`), "", ambiguous, 0, ""},
		"a number":            {answer(200, `{"ref": 7}`), "", ambiguous, 0, ""},
		"control characters":  {answer(200, `{"ref": "a\nb"}`), "", ambiguous, 0, ""},
		"null character":      {answer(200, `{"ref": "a\u0000"}`), "", ambiguous, 0, ""},
		"upwards":             {answer(200, `{"ref": ".."}`), "", ambiguous, 0, ""},
		"long":                {answer(200, `{"ref": "`+strings.Repeat("r", 1<<20-20)+`"}`), "", ambiguous, 0, ""},
		"too long":            {answer(200, `{"ref": "r"}`+strings.Repeat(" ", 2<<20)), "", ambiguous, 0, ""},
		"invalid number":      {answer(422, `{"error": "invalid_number"}`), "", dialer.InvalidNumber, 0, "invalid_number"},
		"otherwise invalid":   {answer(422, `{"error": "no_agent", "message": "agent x\nis\tunknown"}`), "", dialer.BadAccount, 0, "no_agent: agent x is unknown"},
		"endless refusal":     {answer(422, strings.Repeat("x", 2<<20)), "", dialer.BadAccount, 0, ""},
		"bad request":         {answer(400, `{"error": 7}`), "", dialer.BadAccount, 0, ""},
		"whose number":        {answer(400, `{"message": "cannot call +49 151 1234-5678 now"}`), "", dialer.BadAccount, 0, "cannot call … now"},
		"unauthorized":        {answer(401, ``), "", dialer.BadAccount, 0, ""},
		"to be paid":          {answer(402, `{"error": "no_credit"}`), "", dialer.BadAccount, 0, "no_credit"},
		"forbidden":           {answer(403, ``), "", dialer.BadAccount, 0, ""},
		"not found":           {answer(404, `<html>`), "", dialer.BadAccount, 0, ""},
		"wrong method":        {answer(405, ``), "", dialer.BadAccount, 0, ""},
		"long refusal":        {answer(400, `{"error": "`+strings.Repeat("ä", 300)+`"}`), "", dialer.BadAccount, 0, strings.Repeat("ä", 200) + "…"},
		"moved":               {answer(308, ``, "Location", "/elsewhere"), "", dialer.BadAccount, 0, ""},
		"see other":           {answer(303, ``, "Location", "/elsewhere"), "", ambiguous, 0, ""},
		"throttled":           {answer(429, ``), "", dialer.Throttled, 0, ""},
		"throttled for long":  {answer(429, `{"error": "busy"}`, "Retry-After", "7"), "", dialer.Throttled, 7 * time.Second, "busy"},
		"down":                {answer(503, ``), "", dialer.Down, 0, ""},
		"down until":          {answer(503, ``, "Retry-After", date), "", dialer.Down, time.Minute, ""},
		"down for nonsense":   {answer(503, ``, "Retry-After", "soon"), "", dialer.Down, 0, ""},
		"throttled for ever":  {answer(429, ``, "Retry-After", "1e300"), "", dialer.Throttled, aftercall.MaxWait, ""},
		"failed":              {answer(500, `{"error": "invalid_number"}`), "", ambiguous, 0, ""},
		"bad gateway":         {answer(502, ``), "", ambiguous, 0, ""},
		"gateway timeout":     {answer(504, ``), "", ambiguous, 0, ""},
		"gave up waiting":     {answer(499, ``), "", ambiguous, 0, ""},
		"request timeout":     {answer(408, ``), "", ambiguous, 0, ""},
		"cut off":             {cutOff, "", ambiguous, 0, ""},
		"no HTTP":             {noHTTP, "", ambiguous, 0, ""},
		"endless header":      {answer(200, `{"ref": "r"}`, "X-Long", strings.Repeat("x", 12<<20)), "", ambiguous, 0, ""},
		"an answer cut short": {answer(200, `{"ref": "r"}`, "Content-Length", "1000"), "", ambiguous, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ref, err := serve(t, test.handler).start()
			if test.ref != "" {
				if ref != test.ref || err != nil {
					t.Fatalf("%q, %v", ref, err)
				}
				return
			}
			refused, ok := errors.AsType[*dialer.StartError](err)
			switch {
			case err == nil:
				t.Fatalf("accepted as %q", ref)
			case strings.Contains(err.Error(), "secret words"):
				t.Errorf("the error tells what was answered: %v", err)
			case test.refusal == ambiguous && ok:
				t.Fatalf("refused: %+v", refused)
			case test.refusal == ambiguous:
				return
			case !ok:
				t.Fatalf("nobody can tell: %v", err)
			}
			if late := test.after - refused.RetryAfter; refused.Refusal != test.refusal || late < 0 || late > 5*time.Second || refused.Told != test.told {
				t.Errorf("refused: %+v", refused)
			}
		})
	}
}

// cutOff closes the connection without an answer.
func cutOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// noHTTP answers what somebody said.
func noHTTP(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "secret words\r\nof a call: and more\r\n\r\n")
	conn.Close()
}

// A redirect leads nowhere, whatever it is the answer to.
func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := make(chan string, 8)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { followed <- r.Method }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		f := serve(t, answer(status, "", "Location", elsewhere.URL))
		_, started := f.start()
		_, fetched := f.engine.Fetch(f.Context(), f.agent, f.call)
		if canceled := f.engine.Cancel(f.Context(), f.agent, f.call); started == nil || fetched == nil || canceled == nil {
			t.Errorf("%d: %v, %v, %v", status, started, fetched, canceled)
		}
	}
	if len(followed) > 0 {
		t.Errorf("%s was sent where a redirect pointed", <-followed)
	}
}

func TestFetch(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	ended := `{"type": "ended", "call_id": "` + strings.ToUpper(callID) + `", "at": "2026-11-23T11:00:00+01:00", "reason": "busy", "final": true,
		"turns": [{"role": "agent", "text": "Hello"}, {"role": "tool", "text": "{}"}, {"role": "contact", "text": "Hi"}]}`
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    aftercall.Progress
		wrong   bool
	}{
		"queued":       {handler: answer(200, `{"type": "queued"}`)},
		"ringing":      {answer(200, `{"type": "ringing", "at": "2026-11-23T10:00:00Z"}`), aftercall.Progress{RangAt: at}, false},
		"answered":     {answer(200, `{"type": "answered", "answered_at": "2026-11-23T10:00:00Z"}`), aftercall.Progress{AnsweredAt: at}, false},
		"ended":        {answer(200, ended), aftercall.Progress{EndedAt: at, Reason: aftercall.EndBusy, Final: true, Turns: []aftercall.Turn{{Role: aftercall.RoleAgent, Content: "Hello"}, {Role: aftercall.RoleUser, Content: "Hi"}}}, false},
		"of no type":   {handler: answer(200, `{}`), wrong: true},
		"enriched":     {handler: answer(200, `{"type": "enriched"}`), wrong: true},
		"another call": {handler: answer(200, `{"type": "ended", "call_id": "other"}`), wrong: true},
		"no JSON":      {handler: answer(200, `secret words`), wrong: true},
		"a number":     {handler: answer(200, `{"type": "ended", "reason": 4915112345678}`), wrong: true},
		"no time":      {handler: answer(200, `{"type": "ended", "at": "secret words"}`), wrong: true},
		"too long":     {handler: answer(200, `{"type": "ended"}`+strings.Repeat(" ", 2<<20)), wrong: true},
		"not found":    {handler: answer(404, `404 page not found`), wrong: true},
		"empty":        {handler: answer(404, ``), wrong: true},
		"gone":         {handler: answer(410, `{}`), wrong: true},
		"failed":       {handler: answer(500, `{}`), wrong: true},
		"cut off":      {handler: cutOff, wrong: true},
		"no HTTP":      {handler: noHTTP, wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, test.handler)
			got, err := f.engine.Fetch(f.Context(), f.agent, f.call)
			if !reflect.DeepEqual(got, test.want) || (err != nil) != test.wrong || errors.Is(err, dialer.ErrUnknownCall) {
				t.Errorf("%+v, %v", got, err)
			}
			if err != nil && (strings.Contains(err.Error(), "secret words") || strings.Contains(err.Error(), "49151")) {
				t.Errorf("the error tells what was answered: %v", err)
			}
		})
	}
	f := serve(t, answer(404, `{"error": "unknown_call"}`))
	if _, err := f.engine.Fetch(f.Context(), f.agent, f.call); !errors.Is(err, dialer.ErrUnknownCall) {
		t.Errorf("unknown: %v", err)
	}
}

func TestCancel(t *testing.T) {
	for status, wrong := range map[int]bool{200: false, 202: false, 204: false, 404: false, 409: false, 410: false, 401: true, 500: true, 503: true} {
		f := serve(t, answer(status, ""))
		if err := f.engine.Cancel(f.Context(), f.agent, f.call); (err != nil) != wrong {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// Callbacks are those of the contract.
func TestEvents(t *testing.T) {
	f := newFixture(t, "https://bot.example.com")
	body := []byte(`{"id": "e", "type": "answered", "call_id": "` + callID + `", "at": "2026-11-23T10:00:00Z"}`)
	r := httptest.NewRequest("POST", "/", nil)
	wire.Sign(r, f.agent.Engine.Secret, "e", body, time.Now())
	events, err := f.engine.Events(f.agent, r.Header, body)
	if err != nil || len(events) != 1 || events[0].CallID != callID || events[0].Progress.AnsweredAt.IsZero() {
		t.Errorf("%+v, %v", events, err)
	}
	if _, err := f.engine.Events(f.agent, r.Header, append(body, ' ')); aftercall.KindOf(err) != aftercall.Unauthenticated {
		t.Errorf("changed: %v", err)
	}
}
