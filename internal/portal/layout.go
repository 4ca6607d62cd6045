package portal

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// view is a page to be shown.
type view struct {
	Title   string
	Section string // of the navigation
	Body    templ.Component
	Media   string // an origin that it plays recordings from; may be empty
}

// chrome is what is around every page.
type chrome struct {
	assets *assets
	Theme  string
}

func (p *Portal) chrome(r *http.Request) chrome {
	c := chrome{assets: p.assets}
	if theme := cookie(r, themeCookie); theme == "light" || theme == "dark" {
		c.Theme = theme
	}
	return c
}

// frame is what is around the page of somebody who is signed in.
type frame struct {
	chrome
	*visit
	view
	seen string // the state of the account that the page shows at the least
}

// answer writes a page, whole or not at all.
func (p *Portal) answer(w http.ResponseWriter, v *visit, status int, get page) {
	seen, err := p.seen(v)
	if err != nil {
		p.refuse(w, v.Request, err)
		return
	}
	shown, err := get(v)
	if err != nil {
		p.refuse(w, v.Request, err)
		return
	}
	framed := "'none'"
	if v.caller.Portal != nil && len(v.caller.Portal.Origins) > 0 {
		framed = strings.Join(v.caller.Portal.Origins, " ")
	}
	w.Header().Set("Content-Security-Policy", policy(framed, shown.Media))
	if v.said != "" {
		p.setCookie(w, v.caller, saidCookie, "", -1)
	}
	p.write(w, v.Request, status, layout(frame{p.chrome(v.Request), v, shown, seen}))
}

// write renders first, so that what fails halfway is an error and no half page.
func (p *Portal) write(w http.ResponseWriter, r *http.Request, status int, body templ.Component) {
	var b bytes.Buffer
	if err := body.Render(r.Context(), &b); err != nil {
		p.Log.Error("a page of the portal failed", "cause", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// refuse says why there is no page. Whoever is not signed in is led to where they can.
func (p *Portal) refuse(w http.ResponseWriter, r *http.Request, err error) {
	kind := aftercall.KindOf(err)
	if kind == aftercall.Unauthenticated {
		to := "/portal/login"
		if r.Method == http.MethodGet {
			to += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	status, message := statusOf(kind), "Something went wrong on our side. Nothing was lost; try again in a moment."
	if e, ok := errors.AsType[*aftercall.Error](err); ok && kind != aftercall.Internal {
		message = sentence(e.Message)
	} else {
		p.Log.Error("a page of the portal failed", "page", r.Pattern, "cause", err)
	}
	p.write(w, r, status, refusalPage(p.chrome(r), status, message))
}

// sections are the parts of an account's pages that a caller may open.
func (f frame) sections() []link {
	if f.account.ID == "" {
		return []link{
			{"Accounts", "/portal/operator"}, {"Health", "/portal/operator/health"}, {"Audit log", "/portal/operator/audit"},
			{"Sessions", "/portal/operator/sessions"},
		}
	}
	if !f.caller.Can(auth.Full) {
		return nil
	}
	return []link{
		{"Overview", f.at()}, {"Calls", f.at("calls")}, {"Contacts", f.at("contacts")}, {"Agents", f.at("agents")},
		{"Settings", f.at("settings")},
	}
}

// live is where the page learns that it is out of date; a form under way is left alone.
func (f frame) live() string {
	if f.account.ID == "" || f.Method != http.MethodGet { // what a form is answered with is shown once
		return ""
	}
	return f.at("live") + "?" + url.Values{"seen": {f.seen}}.Encode()
}

type link struct{ Text, To string }
