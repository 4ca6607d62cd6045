package portal_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

// TestTheLastClickWins goes to a slow page, changes its mind and goes to another: what
// was asked for first is given up, as browsers do, and never overwrites what is shown.
func TestTheLastClickWins(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	target, err := url.Parse(i.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	asked, givenUp := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/calls") {
			proxy.ServeHTTP(w, r)
			return
		}
		close(asked)
		select {
		case <-r.Context().Done():
			close(givenUp)
		case <-time.After(patience):
		}
	}))
	t.Cleanup(slow.Close) // after the browser's, which holds a stream open

	b := open(t, slow.URL)
	b.do(chromedp.Navigate(strings.Replace(i.login, i.url, slow.URL, 1)), press("Open the portal"), says("Nothing is delivered yet"), press("Calls"))
	<-asked
	b.do(press("Contacts"), says("No contact yet"))
	select {
	case <-givenUp:
	case <-time.After(patience):
		t.Error("the page that nobody waits for any more was not given up")
	}
}
