package svix_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall/signature"
)

func TestApplications(t *testing.T) {
	each(t, func(s *server) {
		made := s.do(201, "POST", "/app", object{"name": "one", "uid": "customer-1", "rateLimit": 7, "metadata": object{"plan": "pro"}})
		if made["throttleRate"] != 7.0 || made["rateLimit"] != 7.0 || made["uid"] != "customer-1" {
			s.Errorf("made %v", made)
		}
		s.do(409, "POST", "/app", object{"name": "again", "uid": "customer-1"})
		if same := s.do(200, "POST", "/app?get_if_exists=true", object{"name": "again", "uid": "customer-1"}); same["id"] != made["id"] {
			s.Errorf("get_if_exists made another: %v", same)
		}
		// Null clears, absent keeps.
		patched := s.do(200, "PATCH", "/app/customer-1", object{"throttleRate": nil})
		if patched["throttleRate"] != nil || patched["name"] != "one" || patched["uid"] != "customer-1" {
			s.Errorf("patched %v", patched)
		}
		replaced := s.do(200, "PUT", "/app/customer-1", object{"name": "two", "uid": "customer-1"})
		if fmt.Sprint(replaced["metadata"]) != "map[]" || replaced["name"] != "two" {
			s.Errorf("replaced %v", replaced)
		}
		if put := s.do(201, "PUT", "/app/customer-2", object{"name": "put"}); put["uid"] != "customer-2" {
			s.Errorf("put %v", put)
		}
		s.do(204, "DELETE", "/app/customer-1", nil)
		s.do(404, "GET", "/app/customer-1", nil)
		s.do(201, "POST", "/app", object{"name": "reused", "uid": "customer-1"})
		s.do(422, "POST", "/app", object{"name": ""})
		s.do(422, "POST", "/app", object{"name": "x", "throttleRate": 0})
		s.do(422, "POST", "/app", object{"name": "x", "uid": made["id"]})
	})
}

func TestEndpoints(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("endpoints")
		made := s.do(201, "POST", app+"/endpoint", object{
			"url": "https://example.com/hook", "uid": "crm", "description": "the CRM", "filterTypes": []string{"call_ended"},
			"channels": []string{"sales"}, "throttleRate": 3, "headers": object{"X-Tenant": "7", "Authorization": "Bearer x"},
		})
		for name, want := range map[string]any{"url": "https://example.com/hook", "uid": "crm", "disabled": false, "rateLimit": 3.0, "version": 1.0} {
			if made[name] != want {
				s.Errorf("%s is %v, want %v", name, made[name], want)
			}
		}
		if fmt.Sprint(made["eventTypes"], made["filterTypes"]) != "[call_ended] [call_ended]" {
			s.Errorf("event types are %v and %v", made["eventTypes"], made["filterTypes"])
		}
		headers := s.do(200, "GET", app+"/endpoint/crm/headers", nil)
		if fmt.Sprint(headers) != "map[headers:map[X-Tenant:7] sensitive:[Authorization]]" {
			s.Errorf("headers are %v", headers)
		}
		s.do(204, "PATCH", app+"/endpoint/crm/headers", object{"headers": object{"X-Tenant": nil, "X-New": "1"}, "deleteHeaders": []string{"Authorization"}})
		if headers = s.do(200, "GET", app+"/endpoint/crm/headers", nil); fmt.Sprint(headers) != "map[headers:map[X-New:1] sensitive:[]]" {
			s.Errorf("patched headers are %v", headers)
		}
		patched := s.do(200, "PATCH", app+"/endpoint/crm", object{"eventTypes": nil, "channels": nil, "throttleRate": nil})
		if patched["eventTypes"] != nil || patched["channels"] != nil || patched["throttleRate"] != nil || patched["description"] != "the CRM" {
			s.Errorf("patched %v", patched)
		}
		if put := s.do(200, "PUT", app+"/endpoint/crm", object{"url": "https://example.org", "eventTypes": []string{}}); put["uid"] != nil || put["description"] != "" {
			s.Errorf("put %v", put)
		}
		if put := s.do(201, "PUT", app+"/endpoint/other", object{"url": "https://example.org"}); put["uid"] != "other" {
			s.Errorf("put a new one: %v", put)
		}
		s.do(204, "DELETE", app+"/endpoint/other", nil)
		s.do(404, "GET", app+"/endpoint/other", nil)
		for name, body := range map[string]object{
			"url": {"url": "ftp://example.com"}, "eventTypes": {"url": "https://example.com", "eventTypes": []string{"nobody.knows"}},
			"headers": {"url": "https://example.com", "headers": object{"svix-id": "x"}}, "secret": {"url": "https://example.com", "secret": "short"},
			"throttleRate": {"url": "https://example.com", "throttleRate": 0},
		} {
			if answer := fmt.Sprint(s.do(422, "POST", app+"/endpoint", body)); !strings.Contains(answer, name) {
				s.Errorf("a wrong %s is answered %s", name, answer)
			}
		}
	})
}

func TestSecrets(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("secrets")
		const given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		path := app + "/endpoint/" + s.do(201, "POST", app+"/endpoint", object{"url": "https://example.com", "secret": given})["id"].(string)
		if key := s.do(200, "GET", path+"/secret", nil)["key"]; key != given {
			s.Errorf("the secret is %v", key)
		}
		s.do(204, "POST", path+"/secret/rotate", object{})
		if key := s.do(200, "GET", path+"/secret", nil)["key"]; key == given {
			s.Error("the secret was not rotated")
		}
		for range 9 {
			s.do(204, "POST", path+"/secret/rotate", nil)
		}
		if refused := s.do(400, "POST", path+"/secret/rotate", nil); refused["code"] != "limit_reached" {
			s.Errorf("the eleventh rotation: %v", refused)
		}
		s.do(422, "POST", path+"/secret/rotate", object{"gracePeriodSeconds": 604801})
		s.do(204, "POST", path+"/secret/rotate", object{"gracePeriodSeconds": 0})
	})
}

// An endpoint is signed by either kind of secret or both; who moves from one to the
// other has both for a day.
func TestSignatures(t *testing.T) {
	each(t, func(s *server) {
		app, crm := s.app("signatures"), receive(s.T)
		const private, public = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
			"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
		path := app + "/endpoint/" + s.do(201, "POST", app+"/endpoint", object{"url": crm.URL, "secret": private})["id"].(string)
		arrives := func(signatures string, secrets ...any) {
			s.Helper()
			before, _, _ := crm.seen()
			s.do(202, "POST", app+"/msg", `{"eventType":"call_ended","payload":{"a":1}}`)
			s.until("the message arrived", func() bool { n, _, _ := crm.seen(); return n > before })
			_, header, body := crm.seen()
			var versions []string
			for text := range strings.SplitSeq(header.Get("Svix-Signature"), " ") {
				version, _, _ := strings.Cut(text, ",")
				versions = append(versions, version)
			}
			if got := strings.Join(versions, " "); got != signatures {
				s.Errorf("it is signed %s, want %s", got, signatures)
			}
			for _, secret := range secrets {
				verifier, err := signature.NewVerifier(secret.(string))
				if err != nil {
					s.Fatal(err)
				}
				if err := verifier.Verify(header, []byte(body), time.Now()); err != nil {
					s.Errorf("with %s: %v", secret, err)
				}
			}
		}
		if e, secret := s.do(200, "GET", path, nil), s.do(200, "GET", path+"/secret", nil); e["signature"] != "ed25519" || secret["key"] != public {
			s.Errorf("the endpoint is %v with %v", e, secret)
		}
		arrives("v1a", public)
		s.do(200, "PATCH", path, object{"signature": "both"})
		secret := s.do(200, "GET", path+"/secret", nil)
		if secret["publicKey"] != public || !strings.HasPrefix(secret["key"].(string), "whsec_") {
			s.Errorf("with both it is %v", secret)
		}
		arrives("v1 v1a", secret["key"], public)
		s.do(200, "PATCH", path, object{"signature": "hmac"})
		arrives("v1 v1a", secret["key"], public) // the one that ended signs for a day
		s.do(204, "POST", path+"/secret/rotate", object{"key": private, "gracePeriodSeconds": 0})
		if e := s.do(200, "GET", path, nil); e["signature"] != "ed25519" {
			s.Errorf("a rotation to another kind leaves %v", e["signature"])
		}
		s.do(422, "PATCH", path, object{"signature": "rsa"})
		s.do(422, "POST", app+"/endpoint", object{"url": crm.URL, "secret": private, "signature": "hmac"})
		s.do(422, "POST", path+"/secret/rotate", object{"key": private[:60]})
	})
}

// Messages are delivered as their bytes were; failures are seen, resent, recovered.
func TestMessages(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("messages")
		crm := receive(s.T)
		crm.answer(500)
		endpoint := s.do(201, "POST", app+"/endpoint", object{"url": crm.URL})["id"].(string)
		const payload = `{"z": 1.50,  "a":"<&>", "big": 12345678901234567890}`
		sent := s.do(202, "POST", app+"/msg", `{"eventType":"call_ended","eventId":"e-1","payload":`+payload+`}`)
		msg := sent["id"].(string)
		s.do(409, "POST", app+"/msg", `{"eventType":"call_ended","eventId":"e-1","payload":{}}`)
		s.until("both attempts failed", func() bool {
			return s.do(200, "GET", app+"/endpoint/"+endpoint+"/stats", nil)["fail"] == 1.0
		})
		if crm.bodies[0] != payload {
			s.Errorf("sent %s", crm.bodies[0])
		}
		attempts := s.do(200, "GET", app+"/attempt/endpoint/"+endpoint+"?status=2&status_code_class=500&event_types=call_ended,other.type", nil).list("data")
		if len(attempts) != 2 || attempts[0]["responseStatusCode"] != 500.0 || attempts[0]["response"] != "answer" || attempts[0]["triggerType"] != 0.0 {
			s.Fatalf("attempts are %v", attempts)
		}
		if none := s.do(200, "GET", app+"/attempt/endpoint/"+endpoint+"?status=0", nil); len(none.list("data")) != 0 || none["iterator"] != nil {
			s.Errorf("successes are %v", none)
		}
		one := s.do(200, "GET", app+"/msg/e-1/attempt/"+attempts[0]["id"].(string), nil)
		if one["msgId"] != msg || one["endpointId"] != endpoint || one["url"] != crm.URL {
			s.Errorf("attempt is %v", one)
		}
		crm.answer(204)
		s.do(202, "POST", app+"/endpoint/"+endpoint+"/recover", object{"since": time.Now().Add(-time.Hour)})
		s.until("it was recovered", func() bool {
			return s.do(200, "GET", app+"/endpoint/"+endpoint+"/stats", nil)["success"] == 1.0
		})
		s.do(202, "POST", app+"/msg/"+msg+"/endpoint/"+endpoint+"/resend", nil)
		s.until("it was resent", func() bool {
			return len(s.do(200, "GET", app+"/attempt/msg/e-1?status=0", nil).list("data")) == 2
		})
		tasks := s.do(200, "GET", "/background-task?task=endpoint.recover", nil).list("data")
		if len(tasks) != 1 || tasks[0]["status"] != "finished" {
			s.Errorf("tasks are %v", tasks)
		}
		hidden := s.do(200, "GET", app+"/msg/"+msg+"?with_content=false", nil)
		if len(hidden["payload"].(map[string]any)) != 0 {
			s.Errorf("payload is %v", hidden["payload"])
		}
		s.do(422, "POST", app+"/endpoint/"+endpoint+"/recover", object{"since": time.Now().Add(-15 * 24 * time.Hour)})
		s.do(422, "POST", app+"/msg", `{"eventType":"call_ended","payload":[1]}`)
		s.do(422, "POST", app+"/msg", `{"eventType":"call ended","payload":{}}`)
		s.do(422, "POST", app+"/msg", `{"eventType":"call_ended","payload":{},"deliverAt":"2030-01-01T00:00:00Z"}`)
		s.do(413, "POST", app+"/msg", `{"eventType":"call_ended","payload":{"x":"`+strings.Repeat("x", 2<<20)+`"}}`)
	})
}

func TestEventTypes(t *testing.T) {
	each(t, func(s *server) {
		made := s.do(201, "POST", "/event-type", object{"name": "user.created", "description": "a user", "schemas": object{"1": object{"type": "object"}}})
		if made["name"] != "user.created" {
			s.Errorf("made %v", made)
		}
		if again := s.do(409, "POST", "/event-type", object{"name": "user.created"}); again["code"] != "event_type_exists" {
			s.Errorf("again: %v", again)
		}
		s.do(204, "DELETE", "/event-type/user.created", nil)
		names := fmt.Sprint(s.do(200, "GET", "/event-type", nil)["data"])
		if strings.Contains(names, "user.created") || !strings.Contains(names, "call_ended") {
			s.Errorf("listed %s", names)
		}
		if all := fmt.Sprint(s.do(200, "GET", "/event-type?include_archived=true&with_content=true", nil)["data"]); !strings.Contains(all, "user.created") || !strings.Contains(all, "schemas:map[1:map[type:object]]") {
			s.Errorf("listed with archived ones %s", all)
		}
		s.do(201, "POST", "/event-type", object{"name": "user.created"}) // brought back
		s.do(204, "DELETE", "/event-type/user.created?expunge=true", nil)
		s.do(404, "GET", "/event-type/user.created", nil)
		s.do(201, "PUT", "/event-type/user.created", object{"description": "put"})
		s.do(200, "PATCH", "/event-type/user.created", object{"deprecated": true})
	})
}

// Every list pages the same way, in both directions.
func TestLists(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("lists")
		crm := receive(s.T)
		endpoint := s.do(201, "POST", app+"/endpoint", object{"url": crm.URL})["id"].(string)
		for i := range 9 {
			s.app(fmt.Sprint("app ", i))
			s.do(201, "POST", app+"/endpoint", object{"url": crm.URL, "eventTypes": []string{"other.type"}})
			s.do(201, "POST", "/event-type", object{"name": fmt.Sprint("type.", i)})
		}
		for range 10 {
			s.do(202, "POST", app+"/msg", object{"eventType": "call_ended", "payload": object{}})
		}
		everywhere := s.do(202, "POST", app+"/msg", object{"eventType": "other.type", "payload": object{}})["id"].(string)
		s.until("all were sent", func() bool {
			return len(s.do(200, "GET", app+"/attempt/endpoint/"+endpoint, nil).list("data")) == 11
		})
		for i := range 10 {
			s.do(202, "POST", app+"/msg/"+everywhere+"/endpoint/"+endpoint+"/resend", nil)
			s.until("the resend was made", func() bool {
				return len(s.do(200, "GET", app+"/attempt/msg/"+everywhere+"?endpoint_id="+endpoint, nil).list("data")) == 2+i
			})
			s.finished(s.do(202, "POST", app+"/endpoint/"+endpoint+"/recover", object{"since": since(time.Hour)}))
			s.do(201, "POST", "/operational-webhook/endpoint", object{"url": crm.URL, "disabled": true})
			s.do(201, "POST", app+"/integration", object{"name": fmt.Sprint("integration ", i)})
		}
		ids := map[string]string{"{app}": app[len("/app/"):], "{endpoint}": endpoint, "{msg}": everywhere}
		for _, c := range readDocument(s).calls {
			text := jsonText(s, c.operation["parameters"])
			if c.method != "GET" || !strings.Contains(text, `"iterator"`) {
				continue
			}
			path := strings.TrimPrefix(c.path, "/api/v1")
			for name, id := range ids {
				path = strings.ReplaceAll(path, name, id)
			}
			key := "id"
			if c.path == "/api/v1/event-type" {
				key = "name"
			}
			s.checkList(path, key)
		}
	})
}

func (s *server) checkList(path, key string) {
	s.Helper()
	ids := func(o object) (list []string) {
		for _, item := range o.list("data") {
			list = append(list, item[key].(string))
		}
		return list
	}
	for _, order := range []string{"", "&order=ascending", "&order=descending"} {
		all := ids(s.do(200, "GET", path+"?limit=250"+order, nil))
		var walked, before []string
		for iterator := ""; ; {
			page := s.do(200, "GET", path+"?limit=6&iterator="+iterator+order, nil)
			walked = append(walked, ids(page)...)
			if len(before) > 0 {
				back := s.do(200, "GET", path+"?limit=6&iterator="+page["prevIterator"].(string)+order, nil)
				if fmt.Sprint(ids(back)) != fmt.Sprint(before) {
					s.Errorf("%s%s: back from %v is %v, want %v", path, order, ids(page), ids(back), before)
				}
			}
			if page["done"] == true {
				break
			}
			before, iterator = ids(page), page["iterator"].(string)
		}
		if fmt.Sprint(walked) != fmt.Sprint(all) || len(all) < 10 {
			s.Errorf("%s%s: walked are %v of %v", path, order, walked, all)
		}
	}
	for query, status := range map[string]int{"limit=251": 422, "limit=0": 422, "iterator=%20": 422, "iterator=-*": 422, "order=up": 422, "limit=x": 400, "unknown=1": 200} {
		s.do(status, "GET", path+"?"+query, nil)
	}
}

// An account's key opens its own application and nothing else, by whichever route. So
// does a token of the portal that may do everything.
func TestTenants(t *testing.T) {
	each(t, func(s *server) {
		own, other := s.app("own"), s.app("other")
		ids := map[string]string{"name": "call_ended", "attempt": "atmpt_1"}
		ids["endpoint"] = s.do(201, "POST", other+"/endpoint", object{"url": "http://127.0.0.1:1/"})["id"].(string)
		ids["msg"] = s.do(202, "POST", other+"/msg", object{"eventType": "call_ended", "payload": object{}})["id"].(string)
		ids["integration"] = s.do(201, "POST", other+"/integration", object{"name": "theirs"})["id"].(string)
		ids["task"] = s.do(202, "POST", other+"/endpoint/"+ids["endpoint"]+"/recover", object{"since": since(time.Hour)})["id"].(string)
		s.until("there is an attempt", func() bool {
			attempts := s.do(200, "GET", other+"/attempt/msg/"+ids["msg"], nil).list("data")
			if len(attempts) == 0 {
				return false
			}
			ids["attempt"] = attempts[0]["id"].(string)
			return true
		})
		// What everybody may ask for, and what answers with one's own.
		everybody := []string{"eventType.list", "eventType.get", "backgroundTask.list", "authentication.logout"}
		body := object{
			"url": "https://example.com", "name": "x", "eventType": "call_ended", "payload": object{}, "since": since(time.Hour), "headers": object{},
			"spec": object{"webhooks": object{"a": object{"post": object{}}}}, "ids": []string{ids["msg"]},
		}
		calls := readDocument(s).calls
		token := s.do(200, "POST", "/auth/app-portal-access/"+own[len("/app/"):], nil)["token"].(string)
		for _, key := range []string{s.accountKey(own), token} {
			s.key = key
			s.do(200, "GET", own, nil)
			for _, c := range calls {
				id := c.operation["operationId"].(string)
				if slices.Contains(everybody, id) {
					continue
				}
				path := strings.TrimPrefix(c.path, "/api/v1")
				for name, value := range ids {
					path = strings.ReplaceAll(path, "{"+name+"}", value)
				}
				paths := []string{strings.ReplaceAll(path, "{app}", other[len("/app/"):])}
				if strings.Contains(c.path, "{endpoint}") || strings.Contains(c.path, "{msg}") { // another's things below one's own path
					paths = append(paths, strings.ReplaceAll(path, "{app}", own[len("/app/"):]))
				}
				for _, path := range paths {
					if status, answer := s.send(c.method, path, body); status != 403 && status != 404 {
						s.Errorf("%s: %s %s: %d %s", id, c.method, path, status, answer)
					}
				}
			}
			if tasks := s.do(200, "GET", "/background-task", nil).list("data"); len(tasks) != 0 {
				s.Errorf("another's tasks are listed: %v", tasks)
			}
		}
		s.key = "nobody"
		if refused := s.do(401, "GET", own, nil); refused["code"] != "authentication_failed" {
			s.Errorf("refused with %v", refused)
		}
	})
}

// Whatever is wrong is answered in JSON.
func TestErrors(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("errors")
		for _, test := range []struct {
			method, path string
			body         any
			status       int
		}{
			{"GET", "/nothing/here", nil, 404}, {"DELETE", "/app", nil, 405}, {"GET", app + "/endpoint/ep_unknown", nil, 404},
			{"POST", app + "/msg", `{"eventType":`, 422}, {"POST", app + "/msg", `{"eventType": 7, "payload": {}}`, 422},
			{"POST", app + "/msg", `[]`, 422}, {"POST", app + "/msg", "\xff\xfe", 422}, {"POST", "/app/nobody/msg", object{"eventType": "call_ended", "payload": object{}}, 404},
			{"GET", app + "/msg?before=yesterday", nil, 400},
		} {
			s.do(test.status, test.method, test.path, test.body)
		}
		s.do(200, "GET", app+"/", nil) // a trailing slash is tolerated
		if _, answer := s.send("POST", app+"/msg", `{"eventType": 7, "payload": {}}`); !strings.Contains(string(answer), `"loc":["body","eventType"]`) {
			s.Errorf("a wrong type is answered %s", answer)
		}
		if status, _ := s.send(http.MethodGet, "/health", nil); status != 204 {
			s.Errorf("health is %d", status)
		}
	})
}
