package portal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

// host is a customer's own page that shows the webhook portal inside it.
func host(t testing.TB, frame *string) (origin string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><title>CRM</title><iframe width="1000" height="700" src="`+*frame+`"></iframe>`)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // another site than the portal's
}

// TestFrame walks the same steps in the webhook portal inside another site's page, by a
// link of app-portal-access that allows that site. The call is the account's to report.
func TestFrame(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	var link string
	origin := host(t, &link)
	link = i.post(t, "/api/v1/auth/app-portal-access/"+i.account, `{"origins": ["`+origin+`"]}`)["url"].(string)
	b := open(t, i.url, origin)
	b.do(chromedp.Navigate(origin))
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(frameOf(b, i.url)))
	defer cancel()
	inside := &browser{t: t, ctx: ctx, own: b.own}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	inside.watch(ctx)
	crm := newCRM(t)
	crm.connect(inside)
	i.post(t, "/v1/report-call", `{"external_call_id": "call-1", "phone_number": "+12025550100", "direction": "outbound",
		"from_number": "+14155550199", "to_number": "+12025550100", "triggered_at": 1763000000000, "call_status": "COMPLETED"}`)
	crm.updated(inside)
	inside.do(press("Messages"), says("call_ended"), press("Endpoints"), says("Healthy"),
		chromedp.Click(chromedp.CSS(`a[href*="/endpoints/ep_"]`)), says("Signing secret"))
	crm.retry(inside)
	crm.giveUp(inside)
	inside.do(press("Recover"), press("Last hour"))
	crm.recover(inside)
	crm.rotateAndDisable(inside)
	inside.do(press("Event catalogue"), says("contact_status_changed"))
	if text := inside.text(); strings.Contains(text, "Contacts") || strings.Contains(text, "Overview") {
		t.Errorf("the integrator sees more than the webhook portal: %s", text)
	}
	for _, problem := range inside.problems {
		t.Error(problem)
	}
}

// frameOf waits for the frame that shows an address.
func frameOf(b *browser, address string) target.ID {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		targets, err := chromedp.Targets(ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, info := range targets {
			if info.Type == "iframe" && strings.HasPrefix(info.URL, address) {
				return info.TargetID
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			b.t.Fatal("no frame has appeared: " + b.text())
		}
	}
}

// Pages name who may frame them: a token's origins, and for anybody else nobody.
func TestFramedBy(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	token := i.post(t, "/api/v1/auth/app-portal-access/"+i.account, `{"origins": ["https://crm.example.com"]}`)["token"].(string)
	bare := i.post(t, "/api/v1/auth/app-portal-access/"+i.account, `{}`)["token"].(string)
	for name, test := range map[string]struct{ key, want string }{
		"allowed": {token, "frame-ancestors https://crm.example.com"}, "not allowed": {bare, "frame-ancestors 'none'"}, "owner": {i.key, "frame-ancestors 'none'"},
	} {
		t.Run(name, func(t *testing.T) {
			v := signIn(t, i, test.key)
			response := v.get("/portal/" + i.account + "/webhooks")
			if got := response.Header.Get("Content-Security-Policy"); response.StatusCode != http.StatusOK || !strings.Contains(got, test.want) {
				t.Errorf("%s: %s", response.Status, got)
			}
		})
	}
}
