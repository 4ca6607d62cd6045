package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// visit is one request of somebody who is signed in.
type visit struct {
	*http.Request
	clock
	caller  auth.Caller
	account aftercall.Account // whose pages these are; zero on the operator's
	said    string            // what the last action did, shown once
	problem *aftercall.Error  // what was wrong with the form, when its page is shown again
}

// Cookies that the portal sets, and those that its script does.
const (
	sessionCookie = "aftercall_session"
	portalCookie  = "aftercall_portal" // a token of the portal, beside an owner's session
	saidCookie    = "aftercall_said"
	zoneCookie    = "aftercall_zone"  // the browser's time zone
	themeCookie   = "aftercall_theme" // what was chosen
)

// visit finds who asks, and whether they may. Accounts that are not the caller's are
// not found.
func (p *Portal) visit(r *http.Request, need auth.Capability) (*visit, error) {
	id := r.PathValue("account")
	caller, err := p.caller(r, id)
	if err != nil {
		return nil, err
	}
	if err := readable(r.URL.Query()); err != nil {
		return nil, err
	}
	v := &visit{Request: r, caller: caller, said: saidIn(r)}
	if id != "" {
		err = p.Store.View(r.Context(), func(tx *store.Tx) (err error) {
			v.account, err = tx.Account(id)
			return err
		})
		if aftercall.KindOf(err) == aftercall.NotFound || err == nil && v.account.ID != id {
			err = noAccount()
		}
		if err != nil {
			return nil, err
		}
	}
	if err := caller.Need(need); err != nil {
		return nil, err
	}
	v.clock = clockOf(cookie(r, zoneCookie), v.account.Timezone)
	return v, nil
}

func noAccount() error { return aftercall.Errorf(aftercall.NotFound, "there is no such account") }

// caller is who is signed in and may see the account; empty stands for the
// installation. A browser can hold both a person's session and a token of the portal.
func (p *Portal) caller(r *http.Request, accountID string) (auth.Caller, error) {
	var last error = aftercall.Errorf(aftercall.Unauthenticated, "sign in first")
	for _, name := range []string{sessionCookie, portalCookie} {
		token := cookie(r, name)
		if token == "" {
			continue
		}
		c, err := p.Keys.Session(r.Context(), token)
		switch {
		case aftercall.KindOf(err) == aftercall.Unauthenticated:
			continue
		case err != nil:
			return c, err
		case c.Operator || accountID != "" && c.AccountID == accountID:
			return c, nil
		}
		last = noAccount()
	}
	return auth.Caller{}, last
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// say has the next page tell what was done.
func (p *Portal) say(w http.ResponseWriter, v *visit, text string) {
	if text != "" {
		p.setCookie(w, v.caller, saidCookie, url.QueryEscape(text), saidFor)
	}
}

// saidFor is how long it can be told, in seconds.
const saidFor = 60

func saidIn(r *http.Request) string {
	text, err := url.QueryUnescape(cookie(r, saidCookie))
	if err != nil {
		return ""
	}
	return text
}

// readForm reads what was sent.
func (v *visit) readForm() error {
	if uploads(v.Request) {
		return v.readUpload()
	}
	err := v.ParseForm()
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return aftercall.Errorf(aftercall.TooLarge, "the form exceeds %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return &aftercall.Error{Kind: aftercall.Invalid, Message: "the form could not be read", Err: err}
	}
	return readable(v.Form)
}

// readable refuses what pages could not show again, nor PostgreSQL store.
func readable(form url.Values) error {
	for name, values := range form {
		for _, text := range append([]string{name}, values...) {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				return aftercall.Errorf(aftercall.Invalid, "what was sent is not text in UTF-8")
			}
		}
	}
	return nil
}

// typed is what was typed into a field, without the spaces around it.
func (v *visit) typed(field string) string { return strings.TrimSpace(v.FormValue(field)) }

// wrong is what is wrong with a field of the form.
func (v *visit) wrong(field string) string {
	if v.problem == nil {
		return ""
	}
	for _, f := range v.problem.Fields {
		if f.Path == field || strings.HasPrefix(f.Path, field+".") {
			return f.Message
		}
	}
	return ""
}

// at is the address of a page of the account.
func (v *visit) at(parts ...string) string {
	path := "/portal/" + v.account.ID
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// with is the address of this page with one parameter of its query set, or dropped
// when the value is empty.
func (v *visit) with(pairs ...string) string {
	query := v.URL.Query()
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		} else {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return v.URL.Path
	}
	return v.URL.Path + "?" + query.Encode()
}
