package portal_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// screenshotsEnv names a directory that pictures of all pages are written to.
const screenshotsEnv = "AFTERCALL_SCREENSHOTS"

// place is a page of the portal, with what it is called.
type place struct{ name, path string }

// populated fills an account with what its pages show, and lists them all.
func populated(t testing.TB, i *installation) []place {
	t.Helper()
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(good.Close)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error": "the CRM is down for maintenance"}`, http.StatusServiceUnavailable)
	}))
	t.Cleanup(bad.Close)
	endpoint := i.post(t, "/api/v1/app/"+i.account+"/endpoint", `{"url": "`+bad.URL+`/zapier", "description": "Zapier", "version": 1}`)["id"].(string)
	i.post(t, "/api/v1/app/"+i.account+"/endpoint", `{"url": "`+good.URL+`/hubspot", "description": "HubSpot", "filterTypes": ["call_ended"], "version": 1}`)
	var call, contact string
	now := time.Now()
	for n, status := range []string{"NOT_REACHED", "VOICEMAIL", "ERROR", "COMPLETED", "ANSWERED", "COMPLETED"} {
		at := now.Add(-time.Duration(6-n) * 70 * time.Minute)
		report := i.post(t, "/v1/report-call", fmt.Sprintf(`{"external_call_id": "call-%d", "phone_number": "+1415555010%d", "direction": "outbound",
			"from_number": "+17755719467", "to_number": "+1415555010%d", "triggered_at": %d, "started_at": %d, "ended_at": %d, "call_status": %q,
			"agent_id": "solar-agent",
			"call_analysis": {"appointment": {"value": true, "details": "2026-03-24T15:30:00Z"}, "interest": {"value": true, "details": "Wants solar panels"},
				"summary": {"value": true, "details": "The customer agreed to a visit on Tuesday at ten"}},
			"call_outcome": {"custom_lost_reason": {"value": "PRODUCT_TOO_EXPENSIVE", "fieldSchema": {"type": ["string", "null"]}}},
			"transcriptObject": [{"role": "agent", "content": "Hello, Sunny Solar here. Are you still interested in solar panels?"},
				{"role": "user", "content": "Yes, but last time the price was too high for us."},
				{"role": "agent", "content": "There is a new subsidy. Shall a colleague come by on Tuesday at ten?"}, {"role": "user", "content": "Tuesday at ten is fine."}]}`,
			n, n, n, at.UnixMilli(), at.Add(8*time.Second).UnixMilli(), at.Add(95*time.Second).UnixMilli(), status))
		call, contact = report["call_id"].(string), report["contact_id"].(string)
	}
	var message string
	storetest.View(t, i.Store(), func(tx *store.Tx) error {
		list, err := tx.Messages(i.account, store.MessageFilter{EventTypes: []string{"call_ended"}}, store.Page{Limit: 1})
		if err == nil {
			message = list[0].ID
		}
		return err
	})
	account := "/portal/" + i.account
	draft, imported := importFiles(t, i)
	agent, agents := addAgent(t, i)
	return append(append(agents, addDialing(t, i, agent)...), []place{
		{"imports", account + "/imports"}, {"import", account + "/imports/" + draft}, {"imported", account + "/imports/" + imported},
		{"overview", account}, {"calls", account + "/calls"}, {"call", account + "/calls/" + call},
		{"contacts", account + "/contacts"}, {"contact", account + "/contacts/" + contact}, {"add-contact", account + "/contacts/new"},
		{"edit-contact", account + "/contacts/" + contact + "/edit"}, {"settings", account + "/settings"},
		{"endpoints", account + "/webhooks"}, {"add-endpoint", account + "/webhooks/endpoints/new"},
		{"endpoint", account + "/webhooks/endpoints/" + endpoint}, {"edit-endpoint", account + "/webhooks/endpoints/" + endpoint + "/edit"},
		{"secret", account + "/webhooks/endpoints/" + endpoint + "/secret"}, {"test", account + "/webhooks/endpoints/" + endpoint + "/test"},
		{"recover", account + "/webhooks/endpoints/" + endpoint + "/recover?kind=recover&since=24h"},
		{"messages", account + "/webhooks/messages"}, {"message", account + "/webhooks/messages/" + message}, {"events", account + "/webhooks/events"},
	}...)
}

// importFiles uploads a file that waits to be imported, and imports one.
func importFiles(t testing.TB, i *installation) (draft, imported string) {
	t.Helper()
	d := dialer.New(i.Store(), dialer.Config{})
	const head, rows = "Kundennummer;Vorname;Nachname;Telefon;Firma\n", "17;Frida;Kahlo;0171 1234567;Casa Azul\n18;Diego;Rivera;12;\n"
	file := dialer.ContactFile{Content: []byte(head + rows), DefaultCountry: "DE", Columns: map[string]string{"Firma": "contact_details.company"}}
	r, err := d.AddImport(t.Context(), i.account, file)
	if err == nil {
		err = d.FinishImport(t.Context(), i.account, r.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	file.Content = []byte(head + rows + "19;Eva;Muster;+49 171 7654321;Haus\n")
	waiting, err := d.DraftImport(t.Context(), i.account, file)
	if err != nil {
		t.Fatal(err)
	}
	return waiting.ID, r.ID
}

// operatorPlaces are the operator's pages.
func operatorPlaces() []place {
	return []place{
		{"accounts", "/portal/operator"}, {"health", "/portal/operator/health"}, {"audit", "/portal/operator/audit"},
		{"operator-sessions", "/portal/operator/sessions"},
	}
}

// post calls an API with the account's key.
func (i *installation) post(t testing.TB, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+i.key)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil || response.StatusCode > 299 {
		t.Fatalf("%s: %s: %v, %v", path, response.Status, out, err)
	}
	return out
}

// TestPages looks at every page, light and dark, wide and on a phone: nothing is out of
// the browser's way of reading it to people (axe-core's rules), and nothing is wider than
// a phone. With AFTERCALL_SCREENSHOTS it takes the pictures of docs/portal.
func TestPages(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	places := populated(t, i)
	b := open(t, i.url)
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(i.url+"/portal/login"), says("Sign in"))
	b.look(string(axe), place{"login", "/portal/login"}, i.url)
	b.do(chromedp.Navigate(i.login), press("Open the portal"), says("Needs attention"))
	for _, p := range places {
		b.look(string(axe), p, i.url)
	}
	b.do(chromedp.Navigate(i.operator), press("Open the portal"), says("Accounts"))
	for _, p := range operatorPlaces() {
		b.look(string(axe), p, i.url)
	}
}

// look visits a page in all its looks.
func (b *browser) look(axe string, p place, base string) {
	b.t.Helper()
	for _, dark := range []bool{false, true} {
		scheme := map[bool]string{false: "light", true: "dark"}[dark]
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}); err != nil {
			b.t.Fatal(err)
		}
		for width, name := range map[int64]string{1280: "", 390: "-phone"} {
			b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(base+p.path), until(`document.readyState === "complete"`))
			for _, finding := range b.examine(axe) {
				b.t.Errorf("%s, %s, %d wide: %s", p.name, scheme, width, finding)
			}
			if wide := run(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); int64(wide) > width {
				b.t.Errorf("%s is %d wide on a screen of %d", p.name, wide, width)
			}
			if dir := os.Getenv(screenshotsEnv); dir != "" && dark != (width == 390) {
				b.picture(filepath.Join(dir, p.name+map[bool]string{true: "-dark", false: name}[dark]+".jpg"))
			}
		}
	}
}

// examine returns what axe-core finds of the page that is serious.
func (b *browser) examine(axe string) []string {
	b.t.Helper()
	run(b, chromedp.Evaluate[bool](axe+"; true"))
	return run(b, chromedp.Evaluate[[]string](`axe.run({ resultTypes: ["violations"] }).then((r) => r.violations
		.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html.slice(0, 160) + " " + n.failureSummary).join(" | ").slice(0, 600)))`,
		chromedp.EvalAwaitPromise))
}

func (b *browser) picture(path string) {
	b.t.Helper()
	picture := run(b, chromedp.FullScreenshot(80))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
