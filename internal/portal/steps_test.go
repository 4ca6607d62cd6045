package portal_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall/internal/demo"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// TestSteps walks the six steps of the reference ("Setting Up Webhooks for Your CRM") as
// a new user would, from the link that signs in to the CRM record that changed; then
// what goes wrong with endpoints, and how it is mended.
func TestSteps(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	b := open(t, i.url)

	// 1. In your CRM, create a webhook endpoint and copy the URL.
	crm := newCRM(t)
	// 2. Go to Settings > API & Webhooks and click "Configure".
	b.do(chromedp.Navigate(i.login), press("Open the portal"), says("Nothing is delivered yet"), press("Settings"), says("API & Webhooks"), press("Configure"))
	// 3. Click "Add Endpoint" and paste the URL. 4. Enable the events.
	crm.connect(b)
	// 5. Make a test call. 6. Verify that the webhook triggered and the record was updated.
	b.do(press("Test"), press("Make a test call"), says("A simulated call is on its way"), says("Messages it caused"), says("Delivered"),
		says("Calls by “default” are simulated"), until(`document.querySelectorAll(".talk li").length > 2`))
	crm.updated(b)

	b.do(press("call_ended"), press(crm.url))
	crm.retry(b)
	crm.giveUp(b)
	b.do(press("Overview"), says("3 messages were given up"), press("Recover"))
	crm.recover(b)
	crm.rotateAndDisable(b)
	b.do(press("Sign out"), says("Sign in"))
}

// crm is a customer's CRM as it is seen from the portal: what takes its webhooks can be
// replaced, to fail and to work again.
type crm struct {
	switchable
	url     string
	records *demo.CRM
}

func newCRM(t testing.TB) *crm {
	t.Helper()
	c := &crm{switchable: switchable{handler: http.NotFoundHandler()}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + "/crm"
	return c
}

func (c *crm) answer(status int) {
	c.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
}

// connect adds the CRM as an endpoint for call_ended, and gives the CRM the secret.
func (c *crm) connect(b *browser) {
	b.t.Helper()
	b.do(says("No endpoint yet"), press("Add Endpoint"), fill("url", c.url), fill("description", "Our CRM"),
		chromedp.Click(chromedp.CSS(`input[value="call_ended"]`)), press("Add"), says("Endpoint added"))
	b.do(press("Signing secret"), press("Reveal"))
	secret := run(b, chromedp.TextContent(chromedp.CSS(`.secret pre`)))
	var err error
	if c.records, err = demo.OpenCRM(b.ctx, filepath.Join(b.t.TempDir(), "crm.db"), secret); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.records.Close() })
	if err := c.records.AddRecord(b.ctx, demo.Record{ExternalID: "lead-1", Phone: "+12025550100"}); err != nil {
		b.t.Fatal(err)
	}
	c.set(c.records)
}

// updated waits until a verified webhook has changed the CRM's record.
func (c *crm) updated(b *browser) {
	b.t.Helper()
	if _, err := c.records.Wait(b.ctx, "lead-1", func(r demo.Record) bool { return r.LastCallStatus == "COMPLETED" }); err != nil {
		b.t.Fatal(err)
	}
}

// retry sends to an endpoint that fails, sees why, and sends once more when it works.
func (c *crm) retry(b *browser) {
	b.t.Helper()
	c.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Node", "crm-7")
		http.Error(w, "closed at night", http.StatusServiceUnavailable)
	}))
	b.do(press("Test"), press("Send test event"), says("Test event sent"), says("Every attempt of the retry schedule failed"),
		chromedp.Click(chromedp.CSS(".attempts summary")), says("closed at night"), says("crm-7"))
	c.answer(http.StatusNoContent)
	b.do(press("Retry now"), says("Succeeded"), press(c.url))
}

// giveUp has three messages fail for good, and ends at the endpoint's page.
func (c *crm) giveUp(b *browser) {
	b.t.Helper()
	c.answer(http.StatusInternalServerError)
	for range 3 {
		b.do(press("Test"), press("Send test event"), says("Test event sent"), says("Every attempt of the retry schedule failed"), press(c.url))
	}
}

// recover recovers them, with a count before and progress after.
func (c *crm) recover(b *browser) {
	b.t.Helper()
	c.answer(http.StatusNoContent)
	b.do(says("3 messages since"), press("Recover 3 messages"), says("3 of 3 looked at, 3 sent again"), says("Done"),
		press("Deliveries"), until(`document.querySelectorAll("tbody .badge.good").length === 5`))
}

// rotateAndDisable rotates the secret, which overlaps with the one before, and disables
// the endpoint, which says what it does and can be undone.
func (c *crm) rotateAndDisable(b *browser) {
	b.t.Helper()
	b.do(press("Signing secret"), press("Rotate secret"), says("Secret rotated"), says("signs too until"))
	b.do(press("Deliveries"), press("Disable…"), press("Disable endpoint"), says("Nothing is sent here"), press("Enable"), says("Endpoint enabled"))
}
