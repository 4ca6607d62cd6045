// Package web is what the HTTP faces share: it binds requests to values, calls a
// verb, and writes its answer or error in the face's dialect. It also gives every
// request an id and a log line, and turns panics into errors.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/openapi"
	"github.com/aftercall/aftercall/internal/store"
)

// API is a dialect of HTTP: who its callers are, and how its errors look.
type API struct {
	Identify   func(ctx context.Context, authorization string) (auth.Caller, error)
	WriteError func(w http.ResponseWriter, err *aftercall.Error)
	MaxBody    int64 // of a request, in bytes
	// Store remembers what POST requests with an idempotency key were answered; nil
	// ignores such keys.
	Store *store.Store
}

// Empty is an answer without a body.
type Empty struct{}

// Operation is a handler that knows what it takes and answers.
type Operation struct {
	http.HandlerFunc
	Status int
	In     reflect.Type
	Out    reflect.Type
	Type   string // of what is answered; empty for JSON
	fixed  string // the path value that With has set
}

// With fixes a value of the path, for a route that does not have it.
func (o *Operation) With(name, value string) *Operation {
	fixed := *o
	fixed.fixed = name
	fixed.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue(name, value)
		o.HandlerFunc(w, r)
	}
	return &fixed
}

// Handle makes a handler of a verb. In is a struct whose fields are bound by the
// tags `path:"…"` and `query:"…"`, and whose field Body, if there is one, is read
// from JSON, or whose field File takes the body as it is. The answer is written as JSON
// with this status.
func Handle[In, Out any](api *API, status int, verb func(context.Context, auth.Caller, *In) (Out, error)) *Operation {
	bind := newBinder[In]()
	return &Operation{Status: status, In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](), HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
		in := new(In)
		caller, body, err := read(api, bind, in, w, r)
		if err != nil {
			api.Fail(w, r, err)
			return
		}
		do := func(ctx context.Context) (answer, error) {
			out, err := verb(ctx, caller, in)
			if err != nil {
				return answer{}, err
			}
			return answerOf(status, out), nil
		}
		var a answer
		if once := api.once(caller, r, body); once != nil {
			a, err = api.doOnce(r, once, do)
		} else {
			a, err = do(r.Context())
		}
		if err != nil {
			api.Fail(w, r, err)
			return
		}
		a.write(w)
	}}
}

// read binds a request. Body is what was sent, for those who compare it.
func read[In any](api *API, bind *binder[In], in *In, w http.ResponseWriter, r *http.Request) (caller auth.Caller, body []byte, err error) {
	if caller, err = api.Identify(r.Context(), r.Header.Get("Authorization")); err != nil {
		return caller, nil, err
	}
	note(r.Context(), caller)
	var form url.Values
	if bind.body != nil || bind.file != nil {
		if body, err = api.Body(w, r); err != nil {
			return caller, nil, err
		}
		if bind.body != nil {
			err = bind.decode(in, body)
		} else {
			form, err = bind.upload(in, r.Header.Get("Content-Type"), body)
		}
		if err != nil {
			return caller, nil, err
		}
	}
	return caller, body, bind.request(in, r, form)
}

// likelyBody is for how large a body memory is taken before anything has come of it.
const likelyBody = 16 << 10

// Body reads the body of a request as it was sent. Errors: TooLarge, Invalid.
func (api *API) Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if n := r.ContentLength; n > 0 {
		body.Grow(int(min(n, likelyBody)) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, api.MaxBody))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, aftercall.Errorf(aftercall.TooLarge, "the request body exceeds %d bytes", tooLarge.Limit).WithCode("payload_too_large")
	}
	if err != nil {
		return nil, &aftercall.Error{Kind: aftercall.Invalid, Message: "the request body could not be read", Err: err}
	}
	return body.Bytes(), nil
}

// answer is what a request is answered with.
type answer struct {
	status int
	body   []byte // JSON, or nothing
}

// answerOf encodes what a verb returned. What has a Status chooses its own, where a
// route has two.
func answerOf(status int, out any) answer {
	if s, ok := out.(interface{ Status() int }); ok {
		status = s.Status()
	}
	if _, ok := out.(Empty); ok {
		return answer{status, nil}
	}
	return answer{status, Marshal(out)}
}

func (a answer) write(w http.ResponseWriter) {
	if a.body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// WriteJSON sends any value with a status, for the dialects' error bodies.
func WriteJSON(w http.ResponseWriter, status int, body any) { answerOf(status, body).write(w) }

// Marshal encodes without escaping HTML: payloads inside answers must come back as
// they went in.
func Marshal(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // only for values that are no JSON, a bug of ours
		panic(fmt.Sprintf("encode answer: %v", err))
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// Fail writes an error in the dialect, and leaves its cause to the log line.
func (api *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	e := errorOf(err)
	noteError(r.Context(), e)
	api.WriteError(w, e)
}

func errorOf(err error) *aftercall.Error {
	if e, ok := errors.AsType[*aftercall.Error](err); ok {
		return e
	}
	return &aftercall.Error{Kind: aftercall.Internal, Message: "internal error", Err: err}
}

// Mux routes requests and answers unknown routes and wrong methods in the dialect,
// where http.ServeMux would answer in plain text.
type Mux struct {
	mux    *http.ServeMux
	api    *API
	routes []route
}

// route is an operation with its place, "GET /path/{name}", and its name, which is that
// of the SDKs' method for it: "noun.verb".
type route struct {
	pattern, id string
	*Operation
}

// NewMux makes an empty mux of a dialect.
func NewMux(api *API) *Mux { return &Mux{mux: http.NewServeMux(), api: api} }

// Handle adds an operation.
func (m *Mux) Handle(pattern, id string, op *Operation) {
	m.mux.Handle(pattern, op)
	m.routes = append(m.routes, route{pattern, id, op})
}

// Describe adds the description of all operations that were added: a document at
// base/openapi.json and a page at base/docs.
func (m *Mux) Describe(base string, api openapi.API) {
	operations := make([]openapi.Operation, len(m.routes))
	for i, r := range m.routes {
		operations[i] = openapi.Operation{Pattern: r.pattern, ID: r.id, Status: r.Status, In: r.In, Out: r.Out, Type: mediaType(r.Type), Fixed: r.fixed}
	}
	document := openapi.Document(api, operations)
	m.mux.Handle("GET "+base+"/openapi.json", serve("application/json", Marshal(document)))
	m.mux.Handle("GET "+base+"/docs", serve("text/html; charset=utf-8", openapi.Page(document, base)))
	m.mux.Handle("GET "+base+"/docs/style.css", serve("text/css; charset=utf-8", openapi.Style()))
}

// serve answers with the same bytes each time. The page is ours and loads nothing from
// outside.
func serve(contentType string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(content)
	})
}

// HandleFunc adds a route that is no part of the API proper.
func (m *Mux) HandleFunc(pattern string, h http.HandlerFunc) { m.mux.HandleFunc(pattern, h) }

func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(p, "/") { // a trailing slash is tolerated
		r = r.Clone(r.Context())
		r.URL.Path = strings.TrimRight(p, "/")
		r.URL.RawPath = strings.TrimRight(r.URL.RawPath, "/")
	}
	if path.Clean(r.URL.Path) != r.URL.Path { // the standard mux would redirect, in HTML
		m.api.Fail(w, r, noRoute())
		return
	}
	handler, pattern := m.mux.Handler(r)
	noteRoute(r.Context(), pattern)
	if pattern != "" {
		m.mux.ServeHTTP(w, r)
		return
	}
	probe := &recording{header: http.Header{}} // asks the standard mux what it would answer
	handler.ServeHTTP(probe, r)
	if allow := probe.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		m.api.Fail(w, r, aftercall.Errorf(aftercall.NotFound, "method %s is not allowed here, only %s", r.Method, allow).WithCode(MethodNotAllowed))
		return
	}
	m.api.Fail(w, r, noRoute())
}

func noRoute() error {
	return aftercall.Errorf(aftercall.NotFound, "there is no such route").WithCode("not_found")
}

// MethodNotAllowed is the code of the error for a route that exists with other methods.
const MethodNotAllowed = "method_not_allowed"
