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
	crm := &switchable{handler: http.NotFoundHandler()}
	receiver := httptest.NewServer(crm)
	defer receiver.Close()

	// 2. Go to Settings > API & Webhooks and click "Configure".
	b.do(chromedp.Navigate(i.login), says("Nothing is delivered yet"), press("Settings"), says("API & Webhooks"), press("Configure"))
	// 3. Click "Add Endpoint" and paste the URL. 4. Enable the events.
	b.do(says("No endpoint yet"), press("Add Endpoint"), fill("url", receiver.URL+"/crm"), fill("description", "Our CRM"),
		chromedp.Click(chromedp.CSS(`input[value="call_ended"]`)), press("Add"), says("Endpoint added"))
	b.do(press("Signing secret"), press("Reveal"))
	secret := run(b, chromedp.TextContent(chromedp.CSS(`.secret pre`)))
	records, err := demo.OpenCRM(t.Context(), filepath.Join(t.TempDir(), "crm.db"), secret)
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	if err := records.AddRecord(t.Context(), demo.Record{ExternalID: "lead-1", Phone: "+14155550100"}); err != nil {
		t.Fatal(err)
	}
	crm.set(records)
	// 5. Make a test call. 6. Verify that the webhook triggered and the record was updated.
	b.do(press("Test"), press("Make a test call"), says("Messages it caused"), says("Succeeded"), says("Shall a colleague visit you"))
	if _, err := records.Wait(t.Context(), "lead-1", func(r demo.Record) bool { return r.LastCallStatus == "COMPLETED" }); err != nil {
		t.Fatal(err)
	}

	// A failing endpoint, and a message retried by hand.
	crm.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Node", "crm-7")
		http.Error(w, "closed at night", http.StatusServiceUnavailable)
	}))
	b.do(press("call_ended"), press(receiver.URL+"/crm"), press("Test"), press("Send test event"), says("Test event sent"),
		says("Every attempt of the retry schedule failed"), chromedp.Click(chromedp.CSS(".attempts summary")), says("closed at night"), says("crm-7"))
	crm.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	b.do(press("Retry now"), says("Succeeded"))

	// Recovery, with a count before and progress after.
	crm.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	b.do(press(receiver.URL+"/crm"), press("Test"))
	for range 3 {
		b.do(press("Test"), press("Send test event"), says("Test event sent"), says("Every attempt of the retry schedule failed"),
			press(receiver.URL+"/crm"))
	}
	b.do(press("Overview"), says("3 messages were given up"), press("Recover"), says("3 messages since"))
	crm.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	b.do(press("Recover 3 messages"), says("3 of 3 looked at, 3 sent again"), says("Done"),
		press("Deliveries"), until(`document.querySelectorAll("tbody .badge.good").length === 5`))

	// Rotation with overlap.
	b.do(press("Signing secret"), press("Rotate secret"), says("Secret rotated"), says("signs too until"))

	// Disabling says what it does, and can be undone.
	b.do(press("Deliveries"), press("Disable…"), press("Disable endpoint"), says("Nothing is sent here"), press("Enable"), says("Endpoint enabled"))
	b.do(press("Sign out"), says("Sign in"))
}
