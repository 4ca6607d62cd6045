package telli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/api/telli"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/voice/simulator"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// caller uses the face with one account's key. The account has a default agent, as all
// have, and an endpoint, so that events have deliveries.
type caller struct {
	*testing.T
	face    http.Handler
	store   *store.Store
	url     string // of the database
	account aftercall.Account
	key     string
}

func newCaller(t *testing.T, s *store.Store, face http.Handler) *caller {
	t.Helper()
	c := &caller{T: t, face: face, store: s, account: storetest.Account(t, s)}
	storetest.Update(t, s, func(tx *store.Tx) (err error) {
		if c.key, err = auth.Create(tx, c.account.ID, "test"); err != nil {
			return err
		}
		if err := tx.InsertAgent(aftercall.NewDefaultAgent(c.account.ID, tx.Now())); err != nil {
			return err
		}
		return tx.InsertEndpoint(aftercall.Endpoint{
			AccountID: c.account.ID, ID: aftercall.NewID(aftercall.EndpointPrefix, tx.Now()), URL: "https://crm.example/", Signature: aftercall.SignHMAC, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}, aftercall.NewSecret(aftercall.HMAC, tx.Now()))
	})
	return c
}

// newDialer is one with a voice engine, which dials nobody as long as nobody runs it.
func newDialer(s *store.Store) *dialer.Dialer {
	return dialer.New(s, dialer.Config{Engines: map[aftercall.EngineKind]dialer.VoiceEngine{
		aftercall.SimulatorEngine: simulator.New(simulator.Config{AnyNumber: true}),
	}})
}

// each runs a test over each database, as one account and another.
func each(t *testing.T, test func(c, other *caller)) {
	for name, database := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			s := storetest.Open(t, url)
			keys, _, err := auth.Open(t.Context(), s, auth.Options{OperatorKey: "operator"})
			if err != nil {
				t.Fatal(err)
			}
			face := telli.New(newDialer(s), keys)
			c := newCaller(t, s, face)
			c.url = url
			test(c, newCaller(t, s, face))
		})
	}
}

type object = map[string]any

func (c *caller) send(method, path string, body any) *httptest.ResponseRecorder {
	c.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			c.Fatal(err)
		}
		text = string(encoded)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	r.Header.Set("Authorization", "Bearer "+c.key)
	w := httptest.NewRecorder()
	c.face.ServeHTTP(w, r)
	return w
}

// ask sends a request that must be answered by a status, and decodes the answer.
func (c *caller) ask(status int, method, path string, body any) (answer object) {
	c.Helper()
	w := c.send(method, path, body)
	if w.Code != status {
		c.Fatalf("%s %s %v: %d %s, want %d", method, path, body, w.Code, w.Body, status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		c.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
	return answer
}

// list is ask where the answer is a list.
func (c *caller) list(method, path string, body any) (answer []object) {
	c.Helper()
	w := c.send(method, path, body)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
		c.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return answer
}

func (c *caller) addContact(change object) string {
	c.Helper()
	contact := object{"first_name": "Frida", "last_name": "Kahlo", "phone_number": "+14155552671"}
	for name, v := range change {
		contact[name] = v
	}
	return c.ask(200, "POST", "/v1/add-contact", contact)["contact_id"].(string)
}

// report is a call as a voice engine reports it.
func report(change object) object {
	r := object{
		"external_call_id": "call-1", "phone_number": "+14155552671", "direction": "outbound", "from_number": "+17755719467",
		"to_number": "+14155552671", "triggered_at": 1731956924302, "call_status": "COMPLETED",
	}
	for name, v := range change {
		r[name] = v
	}
	return r
}

// events are the messages that an account has published, oldest first.
func (c *caller) events() (list []aftercall.Message) {
	c.Helper()
	storetest.View(c, c.store, func(tx *store.Tx) (err error) {
		list, err = tx.Messages(c.account.ID, store.MessageFilter{}, store.Page{Limit: 1000})
		return err
	})
	return list
}

func (c *caller) eventTypes() string {
	c.Helper()
	var types []string
	for _, m := range c.events() {
		types = append(types, m.EventType)
	}
	return strings.Join(types, " ")
}

func TestKeys(t *testing.T) {
	each(t, func(c, _ *caller) {
		if got := c.ask(200, "GET", "/v1/verify-api-key", nil); got["message"] != "API key is valid" {
			c.Errorf("answered %v", got)
		}
		for _, test := range []struct {
			key, code string
			status    int
		}{
			{"", "INVALID_API_KEY", 401}, {"nonsense", "INVALID_API_KEY", 401}, {c.key + "x", "INVALID_API_KEY", 401},
			{"operator", "ACCOUNT_KEY_REQUIRED", 403},
		} {
			c := *c
			c.key = test.key
			if got := c.ask(test.status, "GET", "/v1/verify-api-key", nil); got["code"] != test.code || got["message"] == "" {
				c.Errorf("%q: %v", test.key, got)
			}
		}
	})
}

func TestUnknownRoutes(t *testing.T) {
	each(t, func(c, _ *caller) {
		for _, path := range []string{"/", "/v1", "/v1/nothing", "/v3/add-contact", "/v1/get-contact", "/v1/get-contact/a/b", "/%2e%2e/"} {
			if got := c.ask(404, "GET", path, nil); got["code"] != "NOT_FOUND" {
				c.Errorf("%s: %v", path, got)
			}
		}
		for _, route := range []string{"GET /v1/add-contact", "POST /v1/update-contact", "PUT /v1/report-call", "DELETE /v1/list-calls"} {
			method, path, _ := strings.Cut(route, " ")
			if got := c.ask(405, method, path, nil); got["code"] != "METHOD_NOT_ALLOWED" {
				c.Errorf("%s: %v", route, got)
			}
		}
	})
}

// Every route that takes a body says what is wrong with it, by the name of the field.
func TestBadInputNamesItsField(t *testing.T) {
	long := strings.Repeat("x", 3000)
	each(t, func(c, _ *caller) {
		id := c.addContact(nil)
		before := len(c.events())
		for _, test := range []struct {
			route, field string
			body         any
		}{
			{"POST /v1/add-contact", "body", `{"first_name":`},
			{"POST /v1/add-contact", "body", "\x00\xff\xfe"},
			{"POST /v1/add-contact", "body", `[]`},
			{"POST /v1/add-contact", "first_name", object{"last_name": "x", "phone_number": "+14155552671"}},
			{"POST /v1/add-contact", "phone_number", object{"first_name": "x", "last_name": "x", "phone_number": "0800"}},
			{"POST /v1/add-contact", "phone_number", object{"first_name": "x", "last_name": "x", "phone_number": 14155552671}},
			{"POST /v1/add-contact", "last_name", object{"first_name": "x", "last_name": long, "phone_number": "+14155552671"}},
			{"POST /v1/add-contact", "email", object{"first_name": "x", "last_name": "x", "phone_number": "+14155552671", "email": "not one"}},
			{"POST /v1/add-contact", "timezone", object{"first_name": "x", "last_name": "x", "phone_number": "+14155552671", "timezone": "Mars/Olympus"}},
			{"POST /v1/add-contact", "contact_details", object{"first_name": "x", "last_name": "x", "phone_number": "+14155552671", "contact_details": []int{1}}},
			{"POST /v1/add-contact", "external_contact_id", object{"first_name": "x", "last_name": "x", "phone_number": "+14155552671", "external_contact_id": long}},
			{"POST /v1/add-contact", "first_name", object{"first_name": "a\x00b", "last_name": "x", "phone_number": "+14155552671"}},
			{"PATCH /v1/update-contact", "contact_id", object{"first_name": "x"}},
			{"PATCH /v1/update-contact", "phone_number", object{"contact_id": id, "phone_number": nil}},
			{"PATCH /v1/update-contact", "timezone", object{"contact_id": id, "timezone": "x"}},
			{"POST /v1/add-contacts-batch", "contacts", object{}},
			{"POST /v1/add-contacts-batch", "contacts", object{"contacts": "x"}},
			{"POST /v1/add-contacts-batch", "contacts", object{"contacts": make([]object, 1001)}},
			{"POST /v1/get-contacts-batch", "contact_ids", object{"contact_ids": []string{}}},
			{"PATCH /v1/update-contacts-batch", "contacts", object{"contacts": []object{}}},
			{"POST /v1/report-call", "external_call_id", report(object{"external_call_id": nil})},
			{"POST /v1/report-call", "contact_id", report(object{"phone_number": nil})},
			{"POST /v1/report-call", "phone_number", report(object{"phone_number": "12"})},
			{"POST /v1/report-call", "direction", report(object{"direction": "sideways"})},
			{"POST /v1/report-call", "direction", report(object{"direction": nil})},
			{"POST /v1/report-call", "from_number", report(object{"from_number": "x"})},
			{"POST /v1/report-call", "to_number", report(object{"to_number": nil})},
			{"POST /v1/report-call", "triggered_at", report(object{"triggered_at": nil})},
			{"POST /v1/report-call", "triggered_at", report(object{"triggered_at": "yesterday"})},
			{"POST /v1/report-call", "triggered_at", report(object{"triggered_at": 1731956924})},
			{"POST /v1/report-call", "started_at", report(object{"started_at": object{}})},
			{"POST /v1/report-call", "ended_at", report(object{"started_at": 1731956924302, "ended_at": 1731956924301})},
			{"POST /v1/report-call", "follow_up.scheduled_at", report(object{"follow_up": object{"scheduled_at": "soon"}})},
			{"POST /v1/report-call", "call_status", report(object{"call_status": "DONE"})},
			{"POST /v1/report-call", "call_status", report(object{"call_status": nil})},
			{"POST /v1/report-call", "end_reason", report(object{"end_reason": "throttled"})},
			{"POST /v1/report-call", "transcript", report(object{"transcript": strings.Repeat("x", 3<<20)})},
			{"POST /v1/report-call", "transcriptObject.0.role", report(object{"transcriptObject": []object{{"role": "robot", "content": "x"}}})},
			{"POST /v1/report-call", "call_analysis", report(object{"call_analysis": "x"})},
		} {
			method, path, _ := strings.Cut(test.route, " ")
			got := c.ask(400, method, path, test.body)
			fields, _ := got["fields"].(object)
			if fields[test.field] == nil || got["code"] != "INVALID_REQUEST" || got["message"] == "" {
				c.Errorf("%s %.100v: %.300v, want a word on %s", test.route, test.body, got, test.field)
			}
		}
		if got := c.ask(413, "POST", "/v1/report-call", strings.Repeat(" ", 17<<20)); got["code"] != "PAYLOAD_TOO_LARGE" {
			c.Errorf("a body of 17 MiB: %v", got)
		}
		if after := len(c.events()); after != before {
			c.Errorf("%d events were published", after-before)
		}
	})
}

// Whatever bytes come, they are answered in JSON, and not by a fault of ours.
func FuzzRoutes(f *testing.F) {
	s := storetest.Open(f, storetest.SQLite(f))
	keys, _, err := auth.Open(f.Context(), s, auth.Options{OperatorKey: "operator"})
	if err != nil {
		f.Fatal(err)
	}
	face := telli.New(newDialer(s), keys)
	routes := []string{
		"POST /v1/add-contact", "POST /v1/add-contacts-batch", "POST /v1/get-contacts-batch", "PATCH /v1/update-contact",
		"PATCH /v1/update-contacts-batch", "POST /v1/report-call", "GET /v1/get-contact/", "GET /v1/get-contact-by-external-id/",
		"DELETE /v1/delete-contact/", "GET /v1/get-call/", "POST /v1/import-contacts", "GET /v1/imports/", "GET /v1/list-calls?cursor=", "GET /v1/list-calls?contact_id=",
		"POST /v2/contacts", "POST /v2/properties/contacts", "POST /v1/phone-numbers/import", "GET /v2/contacts?cursor=", "GET /v2/external/contacts/",
		"GET /v2/properties/contacts/", "DELETE /v2/contacts/", "DELETE /v1/phone-numbers/",
		"POST /v1/schedule-call", "POST /v1/schedule-calls-batch", "POST /v1/initiate-call", "POST /v1/remove-from-auto-dialer-batch",
		"POST /v2/agents", "PATCH /v2/agents/default", "GET /v2/agents?cursor=", "GET /v2/agents/",
		"POST /v1/blocked-numbers", "POST /v1/blocked-numbers-batch", "GET /v1/blocked-numbers?cursor=", "DELETE /v1/blocked-numbers/", "GET /v1/dial-records?number=%2B14155552671&cursor=",
		"GET /v1/get-loop/", "GET /v1/list-loops?contact_id=", "GET /v1/list-loops?cursor=",
		"POST /v2/call-schedulers", "GET /v2/call-schedulers/", "GET /v2/call-schedulers?cursor=",
	}
	for i := range routes {
		for _, body := range []string{
			"", "null", "{}", `{"contacts":[null,1,{}]}`, `{"contact_id":"` + strings.Repeat("1", 36) + `"}`, "\xff\x00", `{"contact_ids":["\u0000"]}`,
			fmt.Sprintf(`{"contacts":[{"first_name":"\ud800","last_name":"%s","phone_number":"+14155552671","contact_details_x":1e999}]}`, "\u2028"),
			`{"external_call_id":"1","phone_number":"+14155552671","direction":"inbound","from_number":"+14155552671","to_number":"+14155552671","triggered_at":1e300,"call_status":"ERROR"}`,
			`{"firstName":"\u0000","lastName":"x","phoneNumber":"+14155552671","properties":[null,{"key":"x","value":1e999}]}`,
			`{"key":"x","dataType":"select","label":"\ud800","description":"\u0000","options":[{"value":"\u0000","label":""},null]}`,
			`{"phoneNumber":"+14155552671","terminationUri":"sip:[::]","authUsername":"\u0000","authPassword":"\ud800"}`,
			`{"title":"\u0000","voiceEngine":{"ringTimeoutSeconds":1e18,"maxCallsPerSecond":-1},"autoDialer":{"hours":{"monday":[null,{"from":"\ud800"}]},"intervalsSeconds":[9223372036854775807]}}`,
			`{"title":"x","agentId":"default","delaySeconds":1e18,"enrolExisting":true,"filter":{"any":[{"property":"\u0000","operator":"is","value":"\ud800"},null]}}`,
			`{"title":"x","agentId":"default","enrolExisting":true,"filter":{"property":"\u0000","operator":"is","value":"\ud800"}}`,
		} {
			f.Add(i, body)
		}
	}
	f.Fuzz(func(t *testing.T, route int, body string) {
		method, path, _ := strings.Cut(routes[uint(route)%uint(len(routes))], " ")
		if method == "GET" || method == "DELETE" {
			path, body = path+strings.Map(func(r rune) rune {
				if r <= ' ' || r > '~' {
					return '%'
				}
				return r
			}, body), ""
		}
		r, err := http.NewRequest(method, "http://x"+path, strings.NewReader(body))
		if err != nil {
			return // no client could send it
		}
		c := newCaller(t, s, face)
		r.Header.Set("Authorization", c.key)
		w := httptest.NewRecorder()
		face.ServeHTTP(w, r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	})
}
