// Package portal is what people see: the pages where an account's owner watches
// calls arrive and mends what did not, the webhook portal that its integrator is
// given by a link, and the operator's view of the whole.
//
// Pages are HTML that reads without a script; htmx makes small actions small. They
// ask the store and the engines' verbs, never our own HTTP API.
package portal

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/webhook"
)

// Config is what the portal needs of the program around it.
type Config struct {
	Store    *store.Store
	Engine   *webhook.Engine
	Dialer   *dialer.Dialer
	Keys     *auth.Keys
	BaseURL  string             // at which people reach the server, for links and snippets
	Schedule aftercall.Schedule // of endpoints without one of their own
	Log      *slog.Logger
}

// Portal serves everything below /portal.
type Portal struct {
	Config
	assets   *assets
	failures *failures // of signing in
	tallies  *tallies
	mux      *http.ServeMux
	handler  http.Handler
	closing  chan struct{} // closed when streams are to end
	ended    sync.Once
}

// New readies the portal.
func New(cfg Config) (*Portal, error) {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		return nil, err
	}
	p := &Portal{Config: cfg, failures: newFailures(), tallies: newTallies(), mux: http.NewServeMux(), closing: make(chan struct{})}
	if p.assets, err = newAssets(files); err != nil {
		return nil, err
	}
	p.routes()
	crossing := http.NewCrossOriginProtection()
	crossing.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.refuse(w, r, aftercall.Errorf(aftercall.Forbidden, "this form was sent from another site"))
	}))
	p.handler = crossing.Handler(p.mux)
	return p, nil
}

func (p *Portal) routes() {
	for name, file := range p.assets.files { // one by one: a wildcard there would clash with accounts'
		p.mux.Handle("GET /portal/assets/"+name, file)
	}
	p.mux.HandleFunc("GET /portal/login", p.login)
	p.mux.HandleFunc("POST /portal/login", p.signIn)
	p.mux.HandleFunc("POST /portal/logout", p.signOut)
	p.mux.HandleFunc("GET /portal/webhooks", p.boot)
	p.mux.HandleFunc("GET /portal", p.home)
	p.mux.HandleFunc("/portal/", func(w http.ResponseWriter, r *http.Request) {
		p.refuse(w, r, aftercall.Errorf(aftercall.NotFound, "there is no such page"))
	})

	p.mux.HandleFunc("GET /portal/{account}/live", p.live)
	p.endpointRoutes()
	p.messageRoutes()
	p.callRoutes()
	p.contactRoutes()
	p.importRoutes()
	p.agentRoutes()
	p.settingRoutes()
	p.show("/portal/{account}", auth.Full, p.overview)
	p.operatorRoutes()
}

func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy("'none'", ""))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // addresses of pages name accounts and people
	h.Set("Cache-Control", "no-store")      // pages hold personal data
	r.Body = http.MaxBytesReader(w, r.Body, limitOf(r))
	p.handler.ServeHTTP(w, r)
}

const (
	// maxForm is how much a form may hold, in bytes.
	maxForm = 1 << 20
	// maxUpload is the same for a form with a file.
	maxUpload = aftercall.MaxImportBytes + maxForm
)

func limitOf(r *http.Request) int64 {
	if uploads(r) {
		return maxUpload
	}
	return maxForm
}

// uploads reports whether a request is a form that may have a file.
func uploads(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

// policy is the Content-Security-Policy of a page: all is ours, but for what frames it
// and where a recording that it plays comes from.
func policy(framedBy, media string) string {
	if media != "" {
		media = "; media-src " + media
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors " + framedBy + media
}

// page reads what a page shows.
type page func(v *visit) (view, error)

// action does what a form asks for.
type action func(v *visit) (done, error)

// done is what follows an action.
type done struct {
	To   string // the page to show next
	Said string // what happened, shown there once
	Show page   // shown instead, when it holds what may be seen only now; nil else
}

// show adds a page for those who have a capability.
func (p *Portal) show(pattern string, need auth.Capability, get page) {
	p.mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := p.visit(r, need)
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		p.answer(w, v, http.StatusOK, get)
	})
}

// do adds an action for those who have a capability. What was wrong is said on the
// page of the form, which shows again what was typed.
func (p *Portal) do(pattern string, need auth.Capability, post action, form page) {
	p.mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := p.visit(r, need)
		if err == nil {
			err = v.readForm()
		}
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		next, err := post(v)
		if problem, ok := errors.AsType[*aftercall.Error](err); ok && problem.Kind != aftercall.NotFound && problem.Kind != aftercall.Internal {
			v.problem = problem
			p.answer(w, v, statusOf(problem.Kind), form)
			return
		}
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		p.tallies.forget(v.account.ID)
		p.audit(v, pattern)
		if next.Show != nil {
			p.answer(w, v, http.StatusOK, next.Show)
			return
		}
		p.say(w, v, next.Said)
		http.Redirect(w, r, next.To, http.StatusSeeOther)
	})
}

func statusOf(kind aftercall.Kind) int {
	switch kind {
	case aftercall.Invalid:
		return http.StatusUnprocessableEntity
	case aftercall.Unauthenticated:
		return http.StatusUnauthorized
	case aftercall.Forbidden:
		return http.StatusForbidden
	case aftercall.NotFound:
		return http.StatusNotFound
	case aftercall.Conflict:
		return http.StatusConflict
	case aftercall.TooLarge:
		return http.StatusRequestEntityTooLarge
	case aftercall.Throttled:
		return http.StatusTooManyRequests
	case aftercall.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
