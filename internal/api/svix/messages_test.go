package svix_test

import (
	"strings"
	"testing"
	"time"
)

func TestMessageOptions(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("options")
		crm := receive(s.T)
		endpoint := s.do(201, "POST", app+"/endpoint", object{"url": crm.URL})["id"].(string)
		m := object{"eventType": "call_ended", "payload": object{}}
		with := func(changes object) object {
			all := object{}
			for _, o := range []object{m, changes} {
				for k, v := range o {
					all[k] = v
				}
			}
			return all
		}
		raw := object{"rawPayload": "<xml/>", "headers": object{"Content-Type": "application/xml"}}
		sent := s.do(202, "POST", app+"/msg", with(object{"tags": []string{"night", "de"}, "payloadRetentionHours": 5, "transformationsParams": raw}))
		s.until("the raw body arrived", func() bool {
			crm.mu.Lock()
			defer crm.mu.Unlock()
			return len(crm.bodies) == 1 && crm.bodies[0] == "<xml/>" && crm.header.Get("Content-Type") == "application/xml"
		})
		later := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
		delayed := s.do(202, "POST", app+"/msg", with(object{"deliverAt": later, "payloadRetentionPeriod": 5}))
		if delayed["deliverAt"] != later.Format(time.RFC3339) {
			s.Errorf("delivered at %v", delayed["deliverAt"])
		}
		for query, want := range map[string]int{"tag=night": 1, "tag=nigh": 0, "tag=de&event_types=call_ended": 1, "": 2, "event_types=other": 0} {
			for _, list := range []string{"/msg", "/endpoint/" + endpoint + "/msg"} {
				if got := len(s.do(200, "GET", app+list+"?"+query, nil).list("data")); got != want {
					s.Errorf("%s?%s has %d", list, query, got)
				}
			}
		}
		for status, id := range map[string]any{"0": sent["id"], "1": delayed["id"]} {
			s.until("the status is told", func() bool {
				list := s.do(200, "GET", app+"/endpoint/"+endpoint+"/msg?status="+status, nil).list("data")
				return len(list) == 1 && list[0]["id"] == id
			})
		}
		waiting := s.do(200, "GET", app+"/msg/"+delayed["id"].(string)+"/endpoint", nil).list("data")
		if len(waiting) != 1 || waiting[0]["statusText"] != "pending" || waiting[0]["id"] != endpoint || !strings.HasPrefix(waiting[0]["nextAttempt"].(string), later.Format(time.RFC3339)[:19]) {
			s.Errorf("destinations are %v", waiting)
		}
		attempts := s.do(200, "GET", app+"/attempt/endpoint/"+endpoint+"?with_msg=true&tag=night", nil).list("data")
		if len(attempts) != 1 || attempts[0]["msg"].(map[string]any)["id"] != sent["id"] {
			s.Errorf("attempts are %v", attempts)
		}
		msg := app + "/msg/" + sent["id"].(string)
		for _, path := range []string{msg + "/attempt", msg + "/endpoint/" + endpoint + "/attempt"} {
			if n := len(s.do(200, "GET", path, nil).list("data")); n != 1 {
				s.Errorf("%s has %d", path, n)
			}
		}
		// What was answered goes, then what was sent; what became of it stays.
		attempt := msg + "/attempt/" + attempts[0]["id"].(string)
		s.do(204, "DELETE", attempt+"/content", nil)
		if got := s.do(200, "GET", attempt, nil); got["response"] != "EXPUNGED" || got["statusText"] != "success" {
			s.Errorf("attempt is %v", got)
		}
		s.do(204, "DELETE", msg+"/content", nil)
		if got := s.do(200, "GET", msg, nil); got["payload"].(map[string]any)["expired"] != true {
			s.Errorf("message is %v", got)
		}
		if refused := s.do(400, "POST", msg+"/endpoint/"+endpoint+"/resend", nil); refused["code"] != "missing_payload" {
			s.Errorf("refused with %v", refused)
		}
		s.do(204, "DELETE", app+"/endpoint/"+endpoint, nil)
		if gone := s.do(200, "GET", msg+"/endpoint", nil).list("data"); len(gone) != 1 || gone[0]["statusText"] != "success" {
			s.Errorf("destinations are %v", gone)
		}
	})
}

func TestMessagesRefused(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("refused")
		for _, wrong := range []object{
			{"tags": []string{"1", "2", "3", "4", "5", "6"}}, {"tags": []string{"a b"}}, {"deliverAt": time.Now()}, {"payloadRetentionHours": 0},
			{"payloadRetentionHours": 2161}, {"payloadRetentionPeriod": 91}, {"application": object{"name": "x"}}, {"application": object{"name": "x", "uid": "y"}},
			{"transformationsParams": object{"rawPayload": "x", "headers": object{"authorization": "x"}}},
			{"transformationsParams": object{"rawPayload": "x", "headers": object{"content-type": "\n"}}},
		} {
			wrong["eventType"], wrong["payload"] = "call_ended", object{}
			s.do(422, "POST", app+"/msg", wrong)
		}
	})
}

func TestApplicationOnTheFly(t *testing.T) {
	each(t, func(s *server) {
		m := object{"eventType": "call_ended", "payload": object{}, "application": object{"name": "New", "uid": "new"}}
		for range 2 {
			s.do(202, "POST", "/app/new/msg", m)
		}
		if n := len(s.do(200, "GET", "/app/new/msg", nil).list("data")); n != 2 {
			s.Errorf("%d messages", n)
		}
		s.key = s.accountKey(s.app("other"))
		m["application"] = object{"name": "Newer", "uid": "newer"}
		s.do(404, "POST", "/app/newer/msg", m)
	})
}

func TestSendExample(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("example")
		crm := receive(s.T)
		path := app + "/endpoint/" + s.do(201, "POST", app+"/endpoint", object{"url": crm.URL, "eventTypes": []string{"other.type"}})["id"].(string)
		s.do(201, "POST", "/event-type", object{"name": "seen", "description": "x", "schemas": object{
			"2": object{"examples": []object{{"old": true}}}, "10": object{"examples": []object{{"n": 1}, {"n": 2}}},
		}})
		s.do(200, "POST", path+"/send-example", object{"eventType": "svix.ping"})
		s.do(200, "POST", path+"/send-example", object{"eventType": "seen", "exampleIndex": 1})
		s.until("both arrived", func() bool {
			crm.mu.Lock()
			defer crm.mu.Unlock()
			all := strings.Join(crm.bodies, " ")
			return strings.Contains(all, `{"success":true}`) && strings.Contains(all, `{"n":2}`)
		})
		for _, wrong := range []object{{"eventType": "other.type"}, {"eventType": "seen", "exampleIndex": 2}, {"eventType": "seen", "exampleIndex": -1}} {
			if refused := s.do(400, "POST", path+"/send-example", wrong); refused["code"] != "invalid_scheme" {
				s.Errorf("refused with %v", refused)
			}
		}
		s.do(404, "POST", path+"/send-example", object{"eventType": "unknown"})
	})
}
