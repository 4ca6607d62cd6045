package svix_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/signature"
)

// told is an operational event as its receiver gets it.
type told struct {
	Type string
	Data object
}

// events reads what a receiver of operational webhooks got, by type.
func (r *receiver) events(s *server) map[string][]object {
	s.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	events := map[string][]object{}
	for _, body := range r.bodies {
		var e told
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			s.Fatalf("%s: %v", body, err)
		}
		events[e.Type] = append(events[e.Type], e.Data)
	}
	return events
}

// What becomes of endpoints and their deliveries is told to those who want to know,
// signed and stored like any message.
func TestOperationalWebhooks(t *testing.T) {
	each(t, func(s *server) {
		ops, crm := receive(s.T), receive(s.T)
		made := s.do(201, "POST", "/operational-webhook/endpoint", object{"url": ops.URL, "uid": "ops", "filterTypes": aftercall.OperationalTypes()})
		s.do(422, "POST", "/operational-webhook/endpoint", object{"url": ops.URL, "filterTypes": []string{"call_ended"}})
		app := s.do(201, "POST", "/app", object{"name": "watched", "uid": "customer-1"})
		crm.answer(500)
		endpoint := s.do(201, "POST", "/app/customer-1/endpoint", object{"url": crm.URL, "uid": "crm", "retrySchedule": []int{0, 0, 0, 0}})
		s.do(200, "PATCH", "/app/customer-1/endpoint/crm", object{"description": "new"})
		s.do(202, "POST", "/app/customer-1/msg", object{"eventType": "call_ended", "eventId": "e-1", "payload": object{}})
		got := func(eventType string, n int) []object {
			s.Helper()
			s.until(eventType+" was told", func() bool { return len(ops.events(s)[eventType]) >= n })
			return ops.events(s)[eventType]
		}
		exhausted := got("message.attempt.exhausted", 1)[0]
		if exhausted["appId"] != app["id"] || exhausted["appUid"] != "customer-1" || exhausted["endpointId"] != endpoint["id"] ||
			exhausted["msgEventId"] != "e-1" || exhausted["lastAttempt"].(map[string]any)["responseStatusCode"] != 500.0 {
			s.Errorf("told of %v", exhausted)
		}
		got("message.attempt.failing", 1)
		crm.answer(200)
		s.do(202, "POST", "/app/customer-1/endpoint/crm/recover", object{"since": since(time.Hour)})
		finished := got("background_task.finished", 1)[0]
		if finished["task"] != "endpoint.recover" || finished["status"] != "finished" || finished["data"].(map[string]any)["started"] != 1.0 {
			s.Errorf("told of %v", finished)
		}
		s.do(200, "PATCH", "/app/customer-1/endpoint/crm", object{"disabled": true})
		if disabled := got("endpoint.disabled", 1)[0]; disabled["trigger"] != "manual" || disabled["endpointUid"] != "crm" {
			s.Errorf("told of %v", disabled)
		}
		s.do(200, "PATCH", "/app/customer-1/endpoint/crm", object{"disabled": false})
		got("endpoint.enabled", 1)
		crm.answer(410)
		s.do(202, "POST", "/app/customer-1/msg", object{"eventType": "call_ended", "payload": object{}})
		if disabled := got("endpoint.disabled", 2)[1]; disabled["trigger"] != "automatic" {
			s.Errorf("told of %v", disabled)
		}
		s.do(204, "DELETE", "/app/customer-1/endpoint/crm", nil)
		got("endpoint.deleted", 1)
		got("endpoint.created", 1)
		got("endpoint.updated", 1)

		secret := s.do(200, "GET", "/operational-webhook/endpoint/ops/secret", nil)["key"].(string)
		verifier, err := signature.NewVerifier(secret)
		if err != nil {
			s.Fatal(err)
		}
		_, header, body := ops.seen()
		if err := verifier.Verify(header, []byte(body), time.Now()); err != nil {
			s.Error(err)
		}
		if listed := s.do(200, "GET", "/operational-webhook/endpoint", nil).list("data"); len(listed) != 1 || listed[0]["id"] != made["id"] {
			s.Errorf("listed are %v", listed)
		}
	})
}

// An attempt that succeeds after many failures is told of.
func TestRecoveredIsTold(t *testing.T) {
	each(t, func(s *server) {
		ops, crm := receive(s.T), receive(s.T)
		s.do(201, "POST", "/operational-webhook/endpoint", object{"url": ops.URL})
		app := s.app("recovering")
		crm.answer(503)
		s.do(201, "POST", app+"/endpoint", object{"url": crm.URL, "retrySchedule": []int{0, 0, 0, 1, 1, 1}})
		s.do(202, "POST", app+"/msg", object{"eventType": "call_ended", "payload": object{}})
		s.until("four attempts failed", func() bool { n, _, _ := crm.seen(); return n >= 4 })
		crm.answer(200)
		s.until("the recovery was told", func() bool { return len(ops.events(s)["message.attempt.recovered"]) == 1 })
		if len(ops.events(s)["message.attempt.failing"]) != 1 {
			s.Error("that it was failing was not told")
		}
	})
}

// The reserved account belongs to the server: only the operator reaches it, it is in no
// list, and it cannot be removed.
func TestReservedAccount(t *testing.T) {
	each(t, func(s *server) {
		reserved := "/app/" + aftercall.OperationalAccountID
		app := s.app("a customer")
		list := s.do(200, "GET", "/app", nil).list("data")
		if slices.ContainsFunc(list, func(o object) bool { return o["id"] == aftercall.OperationalAccountID }) {
			s.Error("it is listed")
		}
		s.do(200, "GET", reserved+"/msg", nil)
		s.do(403, "DELETE", reserved, nil)
		s.do(403, "PATCH", reserved, object{"name": "mine"})
		s.key = s.accountKey(app)
		s.do(404, "GET", reserved+"/msg", nil)
		for _, path := range []string{"", "/ops", "/ops/secret", "/ops/headers"} {
			s.do(404, "GET", "/operational-webhook/endpoint"+path, nil)
		}
	})
}
