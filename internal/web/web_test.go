package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/web"
)

type in struct {
	ID    string    `path:"id"`
	Tags  []string  `query:"tag"`
	Limit int       `query:"limit"`
	Full  *bool     `query:"full"`
	Since time.Time `query:"since"`
	Body  struct {
		Name  string   `json:"name"`
		Count int      `json:"count"`
		List  []string `json:"list"`
	}
}

// server serves one verb with a dialect that shows errors as "kind path message".
func server(t *testing.T, verb func(*in) (any, error)) (http.Handler, *bytes.Buffer) {
	t.Helper()
	api := &web.API{
		Identify: func(_ context.Context, header string) (auth.Caller, error) {
			if header == "" {
				return auth.Caller{}, aftercall.Errorf(aftercall.Unauthenticated, "who are you?")
			}
			return auth.Caller{AccountID: header}, nil
		},
		WriteError: func(w http.ResponseWriter, err *aftercall.Error) {
			var fields []string
			for _, f := range err.Fields {
				fields = append(fields, f.Path)
			}
			web.WriteJSON(w, 400+int(err.Kind), map[string]any{"message": err.Message, "fields": fields})
		},
		MaxBody: 100,
	}
	mux := web.NewMux(api)
	mux.Handle("POST /thing/{id}", "thing.create", web.Handle(api, http.StatusCreated, func(_ context.Context, _ auth.Caller, v *in) (any, error) { return verb(v) }))
	mux.Handle("GET /thing/{id}", "thing.get", web.Handle(api, http.StatusOK, func(context.Context, auth.Caller, *struct{}) (web.Empty, error) { return web.Empty{}, nil }))
	var log bytes.Buffer
	return web.Log(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), func(int, time.Duration) {}, mux), &log
}

func send(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "app_1")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandleBindsRequests(t *testing.T) {
	var got in
	h, _ := server(t, func(v *in) (any, error) { got = *v; return map[string]string{"html": "<b>&"}, nil })
	w := send(h, "POST", "/thing/a%2Fb?tag=1&tag=2,3&tag[]=4&tag[0]=5&limit=7&full=true&since=2026-01-02T03:04:05%2B01:00&other=x", `{"name":"n","list":["l"],"unknown":1}`)
	if w.Code != http.StatusCreated || w.Body.String() != `{"html":"<b>&"}` || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %d %s %s", w.Code, w.Body, w.Header())
	}
	if got.ID != "a/b" || got.Limit != 7 || got.Full == nil || !*got.Full || got.Body.Name != "n" || got.Body.List[0] != "l" ||
		!got.Since.Equal(time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)) {
		t.Errorf("bound %+v", got)
	}
	for _, tag := range []string{"1", "2", "3", "4", "5"} {
		if !strings.Contains(fmt.Sprint(got.Tags), tag) {
			t.Errorf("tags are %v", got.Tags)
		}
	}
	// A trailing slash and a missing body are tolerated.
	if w := send(h, "POST", "/thing/x/", ""); w.Code != http.StatusCreated || got.ID != "x" {
		t.Errorf("answered %d, id %q", w.Code, got.ID)
	}
}

func TestHandleRefuses(t *testing.T) {
	called := false
	h, _ := server(t, func(*in) (any, error) { called = true; return nil, nil })
	kind := func(k aftercall.Kind) int { return 400 + int(k) }
	for _, test := range []struct {
		method, target, body string
		status               int
		says                 string
	}{
		{"POST", "/thing/1", `{"name":`, kind(aftercall.Invalid), "body"},
		{"POST", "/thing/1", `[]`, kind(aftercall.Invalid), "an object"},
		{"POST", "/thing/1", `{"name":1}`, kind(aftercall.Invalid), "name"},
		{"POST", "/thing/1", `{"count":"x"}`, kind(aftercall.Invalid), "count"},
		{"POST", "/thing/1", `{"list":[1]}`, kind(aftercall.Invalid), "list"},
		{"POST", "/thing/1", "\x00\xff", kind(aftercall.Invalid), "not valid JSON"},
		{"POST", "/thing/1", `{"name":"` + strings.Repeat("x", 100) + `"}`, kind(aftercall.TooLarge), "100 bytes"},
		{"POST", "/thing/1?limit=x", `{}`, kind(aftercall.Invalid), "query.limit"},
		{"POST", "/thing/1?full=perhaps", `{}`, kind(aftercall.Invalid), "query.full"},
		{"POST", "/thing/1?since=yesterday", `{}`, kind(aftercall.Invalid), "query.since"},
		{"POST", "/thing/1?%zz", `{}`, kind(aftercall.Invalid), "query"},
		{"POST", "/nothing", `{}`, kind(aftercall.NotFound), "no such route"},
		{"DELETE", "/thing/1", ``, kind(aftercall.NotFound), "not allowed"},
	} {
		w := send(h, test.method, test.target, test.body)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s %q: %d %s", test.method, test.target, test.body, w.Code, w.Body)
		}
	}
	if called {
		t.Error("the verb was called")
	}
	if w := send(h, "DELETE", "/thing/1", ""); w.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow is %q", w.Header().Get("Allow"))
	}
	r := httptest.NewRequest("POST", "/thing/1", strings.NewReader("{}"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != kind(aftercall.Unauthenticated) {
		t.Errorf("without a key: %d", w.Code)
	}
}

// The log has every id and the cause, which the answer has not, and no body.
func TestErrorsAreToldApart(t *testing.T) {
	var fault error
	h, log := server(t, func(*in) (any, error) { return nil, fault })
	for _, test := range []struct {
		fault        error
		answer, line string
	}{
		{&aftercall.Error{Kind: aftercall.Unavailable, Message: "try again later", Err: errors.New("dial db:5432")}, "try again later", "dial db:5432"},
		{errors.New("unexpected secret"), "internal error", "unexpected secret"},
	} {
		log.Reset()
		fault = test.fault
		w := send(h, "POST", "/thing/1?limit=5", `{"name":"Frida"}`)
		if !strings.Contains(w.Body.String(), test.answer) || strings.Contains(w.Body.String(), test.line) {
			t.Errorf("answered %s", w.Body)
		}
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["cause"] != test.line || line["account"] != "app_1" || line["request"] != w.Header().Get(web.RequestID) || line["route"] != "POST /thing/{id}" {
			t.Errorf("logged %s", log)
		}
		if strings.Contains(log.String(), "Frida") {
			t.Errorf("logged a body: %s", log)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	h, log := server(t, func(*in) (any, error) { panic("oh no") })
	w := send(h, "POST", "/thing/1", "{}")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "oh no") || !json.Valid(w.Body.Bytes()) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "oh no") || !strings.Contains(log.String(), "web_test.go") {
		t.Errorf("logged %s", log)
	}
}

func TestRequestIDs(t *testing.T) {
	h, _ := server(t, func(*in) (any, error) { return struct{}{}, nil })
	ids := map[string]bool{}
	for _, given := range []string{"", "", "mine", strings.Repeat("x", 65)} {
		r := httptest.NewRequest("POST", "/thing/1", nil)
		r.Header.Set("Authorization", "app_1")
		r.Header.Set(web.RequestID, given)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		id := w.Header().Get(web.RequestID)
		if ids[id] || id == "" || given == "mine" && id != "mine" || len(id) > 64 {
			t.Errorf("for %q the id is %q", given, id)
		}
		ids[id] = true
	}
}

// A body that breaks off is the caller's fault, not the server's.
func TestBodyBreaksOff(t *testing.T) {
	h, _ := server(t, func(*in) (any, error) { return nil, nil })
	r := httptest.NewRequest("POST", "/thing/1", io.MultiReader(strings.NewReader(`{"na`), broken{}))
	r.Header.Set("Authorization", "app_1")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 400+int(aftercall.Invalid) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
