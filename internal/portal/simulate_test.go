package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

// Test calls go on although a number may be called a few times only; but nothing other
// than the simulator is made to call numbers that are made up.
func TestSimulate(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := signIn(t, i, i.key)
	endpoint := i.post(t, "/api/v1/app/"+i.account+"/endpoint", `{"url": "https://crm.invalid/", "version": 1, "disabled": true}`)["id"].(string)
	page := "/portal/" + i.account + "/webhooks/endpoints/" + endpoint
	for _, ending := range []string{"00", "04", "04", "10", "10", "10", "10"} {
		response := v.post(page+"/simulate", url.Values{"ending": {ending}})
		if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || !strings.HasSuffix(to, "?follow=yes") {
			t.Fatalf("%s is answered %s to %s", ending, response.Status, to)
		}
	}
	if response := v.post(page+"/simulate", url.Values{"ending": {"99"}}); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("another number is answered %s", response.Status)
	}
	if response := v.post("/portal/"+i.account+"/agents/default/engine", url.Values{"engine": {"http"}, "url": {"https://bot.invalid/"}, "ring": {"30"},
		"longest": {"600"}}); response.StatusCode != http.StatusSeeOther {
		t.Fatal(response.Status)
	}
	if response := v.post(page+"/simulate", url.Values{"ending": {"00"}}); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a real engine: %s", response.Status)
	}
	if _, text := v.ask(http.MethodGet, page+"/test", nil); strings.Contains(text, `name="ending"`) || !strings.Contains(text, ">Make a test call</button>") {
		t.Errorf("a simulated call is offered: %s", text)
	}
}
