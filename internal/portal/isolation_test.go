package portal_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// visitor is somebody signed in, without a browser.
type visitor struct {
	t      testing.TB
	base   string
	client *http.Client
}

// signIn signs in with a key.
func signIn(t testing.TB, i *installation, key string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t, i.url, &http.Client{Jar: plainJar{jar}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if response := v.post("/portal/login", url.Values{"key": {key}}); response.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in is answered %s", response.Status)
	}
	return v
}

// plainJar keeps cookies for secure connections on a loopback address, as browsers do.
type plainJar struct{ http.CookieJar }

func (j plainJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	j.CookieJar.SetCookies(u, cookies)
}

func (v *visitor) get(path string) *http.Response { return v.send(http.MethodGet, path, "") }

func (v *visitor) post(path string, form url.Values) *http.Response {
	return v.send(http.MethodPost, path, form.Encode())
}

func (v *visitor) send(method, path, form string) *http.Response {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(form))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	response.Body.Close()
	return response
}

// actions are all that forms of an account's pages post to.
func actions(places []place) (list []string) {
	for _, p := range places {
		path, _, _ := strings.Cut(p.path, "?")
		switch p.name {
		case "endpoint":
			for _, action := range []string{"enable", "disable", "delete", "secret", "test", "call", "simulate", "recover", "cancel", "edit"} {
				list = append(list, path+"/"+action)
			}
		case "message":
			list = append(list, path+"/retry")
		case "import":
			list = append(list, path+"/check", path+"/run", path+"/cancel")
		case "imports":
			list = append(list, path)
		case "contact":
			for _, action := range []string{"erase", "edit", "schedule", "call", "remove", "block"} {
				list = append(list, path+"/"+action)
			}
		case "agent":
			for _, action := range []string{"on", "off", "delete", "general", "engine", "dialer", "hours", "numbers", "outcomes", "rotate"} {
				list = append(list, path+"/"+action)
			}
		case "agent-outcome":
			list = append(list, path, path+"/delete")
		case "blocked":
			list = append(list, path, path+"/"+aftercall.NumberHash(strings.Split(path, "/")[2], "+12025550104")+"/delete")
		case "add-endpoint", "add-contact", "add-agent":
			list = append(list, path)
		case "settings":
			list = append(list, path+"/keys", path+"/keys/revoke", path+"/sessions/end")
		}
	}
	return list
}

// TestAccountsAreApart walks every page and every action of an account as another one,
// and as an integrator of another: nothing is there for them. What is of the first is
// not there in the second's own pages either.
func TestAccountsAreApart(t *testing.T) {
	for name, database := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			i := serve(t, url)
			places := append(populated(t, i), place{"export", "/portal/" + i.account + "/contacts/export"}, place{"live", "/portal/" + i.account + "/live"},
				place{"payload", "/portal/" + i.account + "/webhooks/messages/x/payload"})
			other := aftercall.Account{Name: "Another"}
			access, err := app.CreateAccount(t.Context(), url, i.url, &other)
			if err != nil {
				t.Fatal(err)
			}
			theirs := *i
			theirs.account, theirs.key = other.ID, access.Key
			token := theirs.post(t, "/api/v1/auth/app-portal-access/"+other.ID, `{}`)["token"].(string)
			for _, v := range []*visitor{signIn(t, i, access.Key), signIn(t, i, token)} {
				walk(t, v, places, func(path string) string { return path })
				// Their own address, with the other's ids.
				var mixed []place
				for _, p := range places {
					if p.name == "blocked" {
						continue // the address holds a number, which is nobody's
					}
					if id := strings.TrimPrefix(p.path, "/portal/"+i.account); strings.ContainsAny(id, "0123456789") || p.name == "endpoint" {
						mixed = append(mixed, p)
					}
				}
				walk(t, v, mixed, func(path string) string { return strings.Replace(path, i.account, other.ID, 1) })
				for _, p := range operatorPlaces() {
					if response := v.get(p.path); response.StatusCode != http.StatusNotFound {
						t.Errorf("%s is answered %s", p.path, response.Status)
					}
				}
			}
			// And what the owner did is still there.
			owner := signIn(t, i, i.key)
			for _, p := range places {
				if response := owner.get(p.path); p.name != "payload" && p.name != "live" && response.StatusCode != http.StatusOK {
					t.Errorf("the owner's %s is answered %s", p.path, response.Status)
				}
			}
		})
	}
}

// walk asks for pages and does actions that must not be there.
func walk(t *testing.T, v *visitor, places []place, address func(string) string) {
	t.Helper()
	for _, p := range places {
		response := v.get(address(p.path))
		if ended := p.name == "live" && response.StatusCode == http.StatusNoContent; !ended && !refused(response) {
			t.Errorf("GET %s is answered %s", address(p.path), response.Status)
		}
	}
	form := url.Values{"phone_number": {"+14155550123"}, "url": {"https://example.com"}, "all": {"yes"}, "signature": {"hmac"}, "overlap": {"1h"},
		"eventType": {"call_ended"}, "since": {"24h"}, "endpoint": {"ep_x"}, "key": {"key_x"}, "session": {"sess_x"}, "task": {"qtask_x"},
		"first_name": {"A"}, "last_name": {"B"}, "title": {"A"}, "language": {"en"}, "name": {"a"}, "type": {"text"},
		"ending": {"00"}}
	for _, path := range actions(places) {
		last := path[strings.LastIndex(path, "/")+1:]
		if address(path) != path && (last == "new" || last == "keys" || last == "blocked") {
			continue // adding to what is one's own
		}
		if response := v.post(address(path), form); !refused(response) {
			t.Errorf("POST %s is answered %s", address(path), response.Status)
		}
	}
}

func refused(r *http.Response) bool {
	return r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusForbidden
}

// Whoever is not signed in is led to where they can, and back.
func TestSignedOut(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := &visitor{t, i.url, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	response := v.get("/portal/" + i.account + "/calls?status=ERROR")
	want := "/portal/login?next=" + url.QueryEscape("/portal/"+i.account+"/calls?status=ERROR")
	if got := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || got != want {
		t.Errorf("%s to %s", response.Status, got)
	}
	for _, next := range []string{"https://evil.example", "//evil.example", "/portal/../..//evil.example", "/portal/\\evil"} {
		response := v.post("/portal/login", url.Values{"key": {i.key}, "next": {next}})
		if got := response.Header.Get("Location"); !strings.HasPrefix(got, "/portal/") || strings.Contains(got, "evil") {
			t.Errorf("after signing in with next %s one is led to %s", next, got)
		}
	}
}

// A form that another site sends does nothing.
func TestCrossOrigin(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := signIn(t, i, i.key)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+"/portal/"+i.account+"/settings/keys", strings.NewReader("name=stolen"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a key is made for another site: %s", response.Status)
	}
}

// operatorKey has the form of an id, as an operator may well choose.
const operatorKey = "prod_9f35d2"

// Guessing keys is slowed down, and does not keep others out.
func TestGuessing(t *testing.T) {
	i := serveFor(t, storetest.SQLite(t), operatorKey)
	v := &visitor{t, i.url, &http.Client{}}
	for n := range 11 {
		want := http.StatusUnauthorized
		if n == 10 {
			want = http.StatusTooManyRequests
		}
		if response := v.post("/portal/login", url.Values{"key": {"aftercall_key_guess"}}); response.StatusCode != want {
			t.Errorf("guess %d is answered %s", n+1, response.Status)
		}
	}
	if response := v.post("/portal/login", url.Values{"key": {operatorKey}}); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a key that can be guessed is answered %s", response.Status)
	}
	signIn(t, i, i.key)
}

// The audit log names what was signed in with by nothing that opens it.
func TestAuditHoldsNoKeys(t *testing.T) {
	database := storetest.SQLite(t)
	i := serveFor(t, database, operatorKey)
	signIn(t, i, operatorKey)
	signIn(t, i, i.key)
	dump := storetest.Dump(t, database)
	for _, secret := range []string{operatorKey, i.key} {
		if strings.Contains(dump, secret) {
			t.Errorf("the key %s is stored", secret)
		}
	}
	if strings.Count(dump, "sign-in") != 2 {
		t.Error("not every sign-in is in the audit log")
	}
}

// A link that may only look shows pages and does nothing; what a page shows of secrets
// is not for it either.
func TestLooking(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	places := populated(t, i)
	token := i.post(t, "/api/v1/auth/app-portal-access/"+i.account, `{"capabilities": ["ViewBase"]}`)["token"].(string)
	v := signIn(t, i, token)
	seen := 0
	for _, p := range places {
		if response := v.get(p.path); response.StatusCode == http.StatusOK {
			seen++
		}
	}
	if seen == 0 {
		t.Error("nothing is shown")
	}
	for _, path := range actions(places) {
		if response := v.post(path, url.Values{}); response.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s is answered %s", path, response.Status)
		}
	}
}

// A page that sends what its address holds takes no key: it would replace the session of
// whoever follows a link.
func TestLinksTakeNoKeys(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := &visitor{t, i.url, &http.Client{}}
	if response := v.post("/portal/login", url.Values{"key": {i.key}, "webhooks": {"only"}}); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a key in a link is answered %s", response.Status)
	}
}

// What is no text is refused as such, and what is too long as that.
func TestNoText(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := signIn(t, i, i.key)
	for _, path := range []string{"/portal/login?token=%ff", "/portal/" + i.account + "/calls?text=%00"} {
		if response := v.get(path); response.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("GET %s is answered %s", path, response.Status)
		}
	}
	for key, want := range map[string]int{"a\x00b": http.StatusUnprocessableEntity, strings.Repeat("k", 2<<20): http.StatusRequestEntityTooLarge} {
		if response := v.post("/portal/login", url.Values{"key": {key}}); response.StatusCode != want {
			t.Errorf("a key of %d bytes is answered %s", len(key), response.Status)
		}
	}
}

// A key that is shown once is not taken away by a page that fetches itself anew.
func TestNewKeyStays(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := signIn(t, i, i.key)
	for method, live := range map[string]bool{http.MethodGet: true, http.MethodPost: false} {
		path := "/portal/" + i.account + "/settings"
		if method == http.MethodPost {
			path += "/keys"
		}
		r, err := http.NewRequestWithContext(t.Context(), method, i.url+path, strings.NewReader("name=CRM"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || strings.Contains(string(page), "aftercall_key_") == live || strings.Contains(string(page), `data-live="/`) != live {
			t.Errorf("%s %s: %v, %s", method, path, err, page)
		}
	}
}
