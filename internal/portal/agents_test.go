package portal_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// agents are an account's agents from oldest to newest.
func (i *installation) agents(t testing.TB) (list []aftercall.Agent) {
	t.Helper()
	storetest.View(t, i.Store(), func(tx *store.Tx) (err error) {
		list, err = tx.Agents(i.account, store.Page{Limit: 10})
		return err
	})
	return list
}

// addAgent adds an agent with outcome fields, by the forms, and lists its pages.
func addAgent(t testing.TB, i *installation) (id string, places []place) {
	t.Helper()
	v := signIn(t, i, i.key)
	done := func(path string, form url.Values) string {
		response := v.post("/portal/"+i.account+path, form)
		if response.StatusCode != http.StatusSeeOther {
			t.Fatalf("POST %s is answered %s", path, response.Status)
		}
		return response.Header.Get("Location")
	}
	page := strings.TrimPrefix(done("/agents/new", url.Values{"title": {"Solar follow-up"}, "language": {"de"}}), "/portal/"+i.account)
	done(page+"/numbers", url.Values{"numbers": {"+12025550198\n+12025550199"}})
	done(page+"/outcomes", url.Values{"name": {"wants_offer"}, "type": {"boolean"}, "instructions": {"Whether an offer is to be sent."}, "reason": {"yes"}})
	done(page+"/outcomes", url.Values{"name": {"lost_reason"}, "type": {"category"}, "options": {"PRODUCT_TOO_EXPENSIVE\nCUSTOMER_NOT_INTERESTED"},
		"instructions": {"Why nothing came of it."}})
	account := "/portal/" + i.account
	page = account + page
	return strings.TrimPrefix(page, account+"/agents/"), []place{
		{"agents", account + "/agents"}, {"add-agent", account + "/agents/new"}, {"agent", page}, {"agent-general", page + "/general"},
		{"agent-engine", page + "/engine"}, {"agent-dialer", page + "/dialer"}, {"agent-hours", page + "/hours"},
		{"agent-preset", page + "/hours?preset=de"}, {"agent-numbers", page + "/numbers"}, {"agent-outcomes", page + "/outcomes"},
		{"agent-outcome", page + "/outcomes/lost_reason"},
	}
}

// ask sends a form and returns the answer's status and its page.
func (v *visitor) ask(method, path string, form url.Values) (status int, page string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, html.UnescapeString(string(text))
}

// Each form of an agent stores what it says; what is wrong is told at its field, where
// what was typed stands, and nothing is stored.
func TestAgentForms(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	id, _ := addAgent(t, i)
	v := signIn(t, i, i.key)
	page := "/portal/" + i.account + "/agents/" + id
	engine := url.Values{"engine": {"http"}, "url": {"https://bot.example.com/voice"}, "agent": {"solar"}, "ring": {"25"}, "longest": {"300"},
		"live": {"5"}, "rate": {"0,5"}}
	dialing := url.Values{"enabled": {"yes"}, "strategy": {"intervals"}, "intensity": {"moderate"}, "intervals": {"20 min, 1 h, 2 h 30 min"},
		"attempts": {"4"}, "per_number": {"2"}}
	hours := url.Values{"monday": {"9-12, 13:00-17:30"}, "holidays": {"12-25\n2026-10-03"}}
	for name, form := range map[string]url.Values{
		"general": {"title": {"Solar"}, "language": {"de-AT"}}, "engine": engine, "dialer": dialing, "hours": hours, "numbers": {"numbers": {" +1 202 555 0100 "}},
	} {
		if response := v.post(page+"/"+name, form); response.StatusCode != http.StatusSeeOther {
			t.Errorf("%s is answered %s", name, response.Status)
		}
	}
	got := i.agents(t)[1]
	for _, is := range []struct{ got, want any }{
		{got.Title + " " + got.Language, "Solar de-AT"}, {got.Engine.Kind, aftercall.HTTPEngine}, {got.Engine.URL, "https://bot.example.com/voice"},
		{got.Engine.RingTimeout, 25 * time.Second}, {got.Engine.MaxDuration, 5 * time.Minute}, {got.Engine.Pace, aftercall.Pace{Live: 5, PerSecond: .5}},
		{got.Dialing.Strategy, aftercall.DefinedIntervals}, {got.Dialing.Intervals[2], 150 * time.Minute}, {*got.Dialing.MaxAttempts, 4},
		{got.Dialing.MaxRetryDays == nil, true}, {got.Dialing.PerNumber, 2}, {len(got.Dialing.Hours.Week[time.Monday]), 2},
		{len(got.Dialing.Hours.Week[time.Tuesday]), 0}, {len(got.Dialing.Hours.Holidays), 2}, {got.FromNumbers[0], "+12025550100"}, {len(got.OutcomeFields), 2},
	} {
		if is.got != is.want {
			t.Errorf("%v, want %v", is.got, is.want)
		}
	}
	for _, test := range []struct {
		name, field, typed, says string
	}{
		{"general", "title", " ", "Is required."}, {"engine", "ring", "soon", "Must be a whole number."}, {"engine", "ring", "5", "Must be 15 to 120."},
		{"engine", "url", "bot", "Must be the engine's address"}, {"dialer", "intervals", "in a while", "Must be waits such as 20 min, 1 h, 2 h 30 min"},
		{"dialer", "per_number", "0", "Must be 1 to 100 in 24 hours."}, {"hours", "monday", "nine to five", "Must be times such as 9:00-12:00"},
		{"hours", "monday", "17-9", "Must end after it begins"}, {"hours", "holidays", "12-24\nChristmas", "Line 2 must be a day"},
		{"numbers", "numbers", "+12025550100\n911", "Line 2 is not an international phone number"}, {"outcomes", "name", "a b", "Must be 1 to 64 letters"},
		{"outcomes", "name", "wants_offer", "Is the name of another field."},
	} {
		form := url.Values{"type": {"text"}}
		for name, values := range map[string]url.Values{"general": {"language": {"en"}}, "engine": engine, "dialer": dialing, "hours": hours}[test.name] {
			form[name] = values
		}
		form.Set(test.field, test.typed)
		status, text := v.ask(http.MethodPost, page+"/"+test.name, form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, `<strong class="wrong">`+test.says) || !strings.Contains(text, strings.TrimSpace(test.typed)) {
			t.Errorf("%s %q in %s: %d, %s", test.field, test.typed, test.name, status, text)
		}
	}
	dialing.Set("days", "a week")
	dialing.Set("per_number", "999") // with what cannot be read, what can be is checked, too
	if _, text := v.ask(http.MethodPost, page+"/dialer", dialing); strings.Count(text, `<strong class="wrong">`) != 2 {
		t.Errorf("not all is told: %s", text)
	}
	if after := i.agents(t)[1]; !after.UpdatedAt.Equal(got.UpdatedAt) {
		t.Error("what was wrong changed the agent")
	}
}

// A preset fills the hours in and stores nothing.
func TestHoursPreset(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	id, _ := addAgent(t, i)
	status, text := signIn(t, i, i.key).ask(http.MethodGet, "/portal/"+i.account+"/agents/"+id+"/hours?preset=de", nil)
	if status != http.StatusOK || !strings.Contains(text, `name="saturday" value="10:00-16:00"`) || !strings.Contains(text, "not saved yet") {
		t.Errorf("%d: %s", status, text)
	}
	if got := i.agents(t)[1].Dialing.Hours.Week[time.Saturday][0]; got.From != 8*60 {
		t.Errorf("Saturday begins at minute %d", got.From)
	}
}

// An agent can be switched off and on, its secret rotated, a field removed and, unless
// it is the default one, all of it.
func TestAgentActions(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	id, _ := addAgent(t, i)
	v := signIn(t, i, i.key)
	page := "/portal/" + i.account + "/agents/" + id
	do := func(path string, want int) {
		if response := v.post(path, nil); response.StatusCode != want {
			t.Errorf("POST %s is answered %s", path, response.Status)
		}
	}
	secret := func() string {
		_, text := v.ask(http.MethodGet, page+"/engine", nil)
		at := strings.Index(text, "whsec_")
		return text[at : at+40]
	}
	do(page+"/off", http.StatusSeeOther)
	if i.agents(t)[1].Dialing.Enabled {
		t.Error("it still dials")
	}
	do(page+"/on", http.StatusSeeOther)
	before := secret()
	do(page+"/rotate", http.StatusSeeOther)
	if secret() == before {
		t.Error("the secret is the same")
	}
	do(page+"/outcomes/lost_reason/delete", http.StatusSeeOther)
	do(page+"/outcomes/lost_reason/delete", http.StatusNotFound)
	if fields := i.agents(t)[1].OutcomeFields; len(fields) != 1 || fields[0].Name != "wants_offer" {
		t.Errorf("%+v is left", fields)
	}
	do("/portal/"+i.account+"/agents/default/delete", http.StatusConflict)
	do(page+"/delete", http.StatusSeeOther)
	do(page+"/delete", http.StatusNotFound)
	if list := i.agents(t); len(list) != 1 {
		t.Errorf("%d agents are left", len(list))
	}
}
