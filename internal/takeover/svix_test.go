package takeover_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/svix"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/takeover"
	"github.com/aftercall/aftercall/internal/webhook"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// serve is a server to read from.
func serve(t *testing.T, s *store.Store) (*httptest.Server, *webhook.Engine) {
	t.Helper()
	keys, _, err := auth.Open(t.Context(), s, auth.Options{OperatorKey: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	engine := webhook.New(s, webhook.DefaultConfig())
	server := httptest.NewServer(svix.New(s, engine, keys, ""))
	t.Cleanup(server.Close)
	return server, engine
}

// shown is what the API tells of a thing.
func shown(t *testing.T, server *httptest.Server, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer operator")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var o map[string]any
	if err := json.NewDecoder(response.Body).Decode(&o); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// All that can come over does, as it was: ids, uids, secrets, headers.
func TestSvix(t *testing.T) {
	storetest.Each(t, func(t *testing.T, to *store.Store) {
		from := storetest.Open(t, storetest.SQLite(t))
		source, engine := serve(t, from)
		for _, name := range []string{"call_ended", "gone"} {
			eventType := aftercall.EventType{
				Name: name, Description: "text", GroupName: "g", FeatureFlags: []string{"beta"}, Archived: name == "gone", Schemas: []byte(`{"1":{"type":"object"}}`),
			}
			if _, err := engine.PutEventType(t.Context(), &eventType, true); err != nil {
				t.Fatal(err)
			}
		}
		var paths []string
		var asymmetric string
		for i := range 300 { // more than a page
			account := aftercall.Account{Name: "customer", ThrottleRate: 7, Metadata: map[string]string{"a": "b"}}
			if i == 0 {
				account.UID = "customer-1"
			}
			storetest.Update(t, from, func(tx *store.Tx) error { return auth.CreateAccount(tx, &account) })
			if i > 2 {
				continue
			}
			e := aftercall.Endpoint{
				AccountID: account.ID, UID: "crm", URL: "https://crm.example/hook?a=b", Description: "the CRM", EventTypes: []string{"call_ended"},
				Channels: []string{"x"}, ThrottleRate: 3, Metadata: map[string]string{"c": "d"}, Version: 2, Disabled: i == 1,
				Headers: map[string]string{"X-Own": "1"},
			}
			if i == 2 {
				e.Signature, e.Headers["Authorization"] = aftercall.SignEd25519, "Bearer token"
			}
			if err := engine.CreateEndpoint(t.Context(), &e, ""); err != nil {
				t.Fatal(err)
			}
			path := "/app/" + account.ID
			paths = append(paths, path, path+"/endpoint/"+e.ID)
			if i < 2 {
				paths = append(paths, path+"/endpoint/"+e.ID+"/secret", path+"/endpoint/crm/headers")
			} else {
				asymmetric = e.ID
			}
		}
		paths = append(paths, "/event-type?include_archived=true&with_content=true", "/app/customer-1")

		address, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		result, err := takeover.Svix(t.Context(), to, address, "operator")
		if err != nil || result.Accounts != 300 || result.Endpoints != 3 || result.EventTypes != 2 || len(result.Notes) != 2 {
			t.Fatalf("it brought %+v, %v", result, err)
		}
		if notes := strings.Join(result.Notes, "\n"); strings.Count(notes, asymmetric) != 2 || !strings.Contains(notes, "Authorization") || !strings.Contains(notes, "whpk_") {
			t.Errorf("it notes\n%s", notes)
		}
		target, _ := serve(t, to)
		for _, path := range paths {
			want, got := shown(t, source, path), shown(t, target, path)
			if got != want && !strings.HasPrefix(path, "/event-type") { // whose time of change is that of the import
				t.Errorf("%s: it was %s, and is %s", path, want, got)
			}
		}
		again, err := takeover.Svix(t.Context(), to, address, "operator")
		if err != nil || again.Accounts+again.Endpoints+len(again.Notes) != 0 || again.Present != 303 {
			t.Errorf("done again it brought %+v, %v", again, err)
		}
		if _, err := takeover.Svix(t.Context(), to, address, "wrong"); err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("with a wrong token: %v", err)
		}
	})
}
