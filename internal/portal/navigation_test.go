package portal_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
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

// Who is signed out meanwhile is told so by the page that is open, and does not look at
// an empty one.
func TestSignedOutMeanwhile(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	b := open(t, i.url)
	b.do(chromedp.Navigate(i.login), press("Open the portal"), press("Calls"), says("No call yet"))
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	i.post(t, "/v1/report-call", `{"external_call_id": "call-1", "phone_number": "+14155550100", "direction": "outbound",
		"from_number": "+14155550199", "to_number": "+14155550100", "triggered_at": 1763000000000, "call_status": "COMPLETED"}`)
	b.do(says("API key"), until(`location.pathname === "/portal/login"`))
}
