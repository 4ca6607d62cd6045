package portal

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// login shows where to sign in. A link's token is not used up by looking: programs
// that fetch links out of messages, and run their scripts, would do it before the person
// they are for. Nor does a link that somebody else made replace a session unasked.
func (p *Portal) login(w http.ResponseWriter, r *http.Request) {
	if err := readable(r.URL.Query()); err != nil {
		p.refuse(w, r, err)
		return
	}
	p.write(w, r, http.StatusOK, loginPage(loginView{
		chrome: p.chrome(r), Token: r.URL.Query().Get("token"), Next: inside(r.URL.Query().Get("next")),
	}))
}

// signIn takes a key or the token of a link, and begins a session.
func (p *Portal) signIn(w http.ResponseWriter, r *http.Request) {
	if err := (&visit{Request: r}).readForm(); err != nil {
		p.refuse(w, r, err)
		return
	}
	token, key, next := r.FormValue("token"), strings.TrimSpace(r.FormValue("key")), inside(r.FormValue("next"))
	session, err := "", error(nil)
	from := remote(r)
	// Who has a key that nobody guesses is not kept out by the failures of others, who may
	// share the address of a proxy.
	guessable := token == "" && auth.Guessable(key)
	allowed := p.failures.allow(from)
	if guessable && !allowed {
		err = throttled()
	} else if token != "" {
		session, err = p.Keys.Redeem(r.Context(), token, r.UserAgent())
	} else if r.PostFormValue("webhooks") == "only" && !auth.IsPortalToken(key) {
		// The page that sends itself takes what opens the webhook portal, beside a
		// person's own session, and nothing that would replace that.
		err = aftercall.Errorf(aftercall.Unauthenticated, "this link does not open the webhook portal")
	} else {
		session, err = p.Keys.SignIn(r.Context(), key, r.UserAgent())
	}
	if !allowed && aftercall.KindOf(err) == aftercall.Unauthenticated {
		err = throttled()
	}
	var caller auth.Caller
	if err == nil {
		caller, err = p.Keys.Session(r.Context(), session)
	}
	switch kind := aftercall.KindOf(err); {
	case err == nil:
	case kind == aftercall.Unauthenticated || kind == aftercall.Throttled:
		p.failures.count(from)
		problem := err.Error()
		if kind == aftercall.Unauthenticated && token == "" {
			problem = "No account has this key. It is shown once, when it is made; make another in the settings or by aftercall account keys."
		}
		p.write(w, r, statusOf(kind), loginPage(loginView{chrome: p.chrome(r), Next: next, Problem: problem}))
		return
	default:
		p.refuse(w, r, err)
		return
	}
	p.audit(&visit{Request: r, caller: caller, account: aftercall.Account{ID: caller.AccountID}}, "/sign-in")
	name := sessionCookie
	if caller.Portal != nil {
		name = portalCookie
	}
	p.setCookie(w, caller, name, session, int(auth.SessionLife/time.Second))
	if next == "" {
		next = homeOf(caller)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func throttled() error {
	return aftercall.Errorf(aftercall.Throttled, "too many attempts failed from your address; try again in a minute")
}

// signOut ends the session, and all that the browser has of it.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{sessionCookie, portalCookie} {
		caller, err := p.Keys.Session(r.Context(), cookie(r, name))
		if err == nil {
			err = p.Keys.SignOut(r.Context(), caller)
		}
		if kind := aftercall.KindOf(err); err != nil && kind != aftercall.Unauthenticated && kind != aftercall.NotFound {
			p.refuse(w, r, err)
			return
		}
		p.setCookie(w, caller, name, "", -1)
	}
	http.Redirect(w, r, "/portal/login", http.StatusSeeOther)
}

// boot is where links with a token of the portal lead: its script takes the token out
// of the address, where no server or log sees it, and signs in. It holds nothing, so
// that any page may frame it; the pages after it name who may frame them.
func (p *Portal) boot(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy("*", ""))
	p.write(w, r, http.StatusOK, bootPage(p.chrome(r)))
}

// home leads everybody to where they begin.
func (p *Portal) home(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{sessionCookie, portalCookie} {
		if c, err := p.Keys.Session(r.Context(), cookie(r, name)); err == nil {
			http.Redirect(w, r, homeOf(c), http.StatusSeeOther)
			return
		}
	}
	http.Redirect(w, r, "/portal/login", http.StatusSeeOther)
}

func homeOf(c auth.Caller) string {
	switch {
	case c.Operator:
		return "/portal/operator"
	case c.Portal != nil:
		return "/portal/" + c.AccountID + "/webhooks"
	}
	return "/portal/" + c.AccountID
}

// inside returns an address within the portal as it is, and empties any other, so
// that signing in leads nowhere else.
func inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/portal/") || u.Path == "/portal/logout" || path.Clean(u.Path) != u.Path ||
		strings.ContainsAny(next, "\\\r\n\t") {
		return ""
	}
	return next
}

// setCookie gives the browser what it needs to be known by. A token of the portal may
// live in a frame of another site's page, where browsers take only cookies that say
// so, and only over a connection nobody can listen to; others are not sent from there.
func (p *Portal) setCookie(w http.ResponseWriter, c auth.Caller, name, value string, maxAge int) {
	set := &http.Cookie{Name: name, Value: value, Path: "/portal", MaxAge: maxAge, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(p.BaseURL, "https:")}
	if c.Portal != nil && (set.Secure || loopback(p.BaseURL)) {
		set.SameSite, set.Secure, set.Partitioned = http.SameSiteNoneMode, true, true
	}
	http.SetCookie(w, set)
}

// loopback reports whether browsers trust an address although it is in the clear.
func loopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

const (
	// failuresAtOnce may happen in a row before an address has to wait failureEvery.
	failuresAtOnce = 10
	failureEvery   = 6 * time.Second
	// maxRemotes bounds what is remembered of addresses.
	maxRemotes = 10_000
)

// failures limits how often signing in may fail from one address.
type failures struct {
	mu      sync.Mutex
	remotes map[netip.Prefix]*rate.Limiter
}

func newFailures() *failures { return &failures{remotes: map[netip.Prefix]*rate.Limiter{}} }

// allow reports whether an attempt may be made.
func (f *failures) allow(from netip.Prefix) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	limiter, ok := f.remotes[from]
	return !ok || limiter.Tokens() >= 1
}

// count remembers an attempt that failed.
func (f *failures) count(from netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.remotes) >= maxRemotes {
		clear(f.remotes)
	}
	if f.remotes[from] == nil {
		f.remotes[from] = rate.NewLimiter(rate.Every(failureEvery), failuresAtOnce)
	}
	f.remotes[from].Allow()
}

// remote is who asks, as far as addresses tell: a network of IPv6 counts as one, since
// whoever has one address there has them all.
func remote(r *http.Request) netip.Prefix {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	network, _ := ip.Prefix(bits) // fails only for more bits than it has
	return network
}
