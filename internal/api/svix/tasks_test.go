package svix_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// finished waits until a task is over and returns it.
func (s *server) finished(task object) object {
	s.Helper()
	s.until("the task is over", func() bool {
		task = s.do(200, "GET", "/background-task/"+task["id"].(string), nil)
		return task["status"] != "running"
	})
	return task
}

func since(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

// What failed is recovered, what was never tried is replayed, and anything again by
// what it is.
func TestReplays(t *testing.T) {
	each(t, func(s *server) {
		app, crm := s.app("replays"), receive(s.T)
		path := app + "/endpoint/" + s.do(201, "POST", app+"/endpoint", object{"url": crm.URL, "eventTypes": []string{"call_ended"}})["id"].(string)
		publish := func(eventType, tag string, n int) {
			for i := range n {
				s.do(202, "POST", app+"/msg", object{"eventType": eventType, "tags": []string{tag}, "payload": object{"n": i}})
			}
		}
		arrived := func(n int) {
			s.Helper()
			s.until(fmt.Sprintf("%d have arrived", n), func() bool { seen, _, _ := crm.seen(); return seen == n })
			s.until("that is recorded", func() bool {
				stats := s.do(200, "GET", path+"/stats", nil)
				return stats["pending"] == 0.0 && stats["sending"] == 0.0
			})
		}
		replay := func(kind string, body object, started float64) {
			s.Helper()
			body["since"] = since(time.Hour)
			task := s.finished(s.do(202, "POST", path+"/"+kind, body))
			data := task["data"].(map[string]any)
			if task["status"] != "finished" || data["started"] != started {
				s.Fatalf("%s %v ended as %v, want %v started", kind, body, task, started)
			}
		}
		publish("call_ended", "a", 3)
		arrived(3)
		s.do(200, "PATCH", path, object{"disabled": true})
		publish("call_ended", "b", 4)
		publish("contact_status_changed", "b", 2) // not for this endpoint
		s.do(200, "PATCH", path, object{"disabled": false})

		replay("recover", object{}, 0)
		replay("replay-missing", object{}, 4)
		arrived(7)
		replay("replay-missing", object{}, 0)
		replay("bulk-replay", object{"tag": "a"}, 3)
		arrived(10)
		replay("bulk-replay", object{"eventTypes": []string{"call_ended"}, "status": 0}, 7)
		arrived(17)
		replay("bulk-replay", object{"status": 2}, 0)
		replay("bulk-replay", object{"status": 1}, 0)
		replay("bulk-replay", object{"channel": "none"}, 0)
		replay("bulk-replay", object{"statusCodeClass": 200, "tag": "b"}, 4)
		replay("bulk-replay", object{"statusCodeClass": 500}, 0)
		arrived(21)

		for path, body := range map[string]object{
			"/recover":        {"since": since(15 * 24 * time.Hour)},
			"/replay-missing": {"since": since(91 * 24 * time.Hour)},
			"/bulk-replay":    {"since": since(time.Hour), "status": 5},
		} {
			s.do(422, "POST", app+"/endpoint/"+s.endpointID(app)+path, body)
		}
		s.do(422, "POST", path+"/bulk-replay", object{"since": since(time.Hour), "statusCodeClass": 250})
		s.do(422, "POST", path+"/replay-missing", object{})
		s.do(422, "POST", path+"/replay-missing", object{"since": since(-time.Hour)})
		s.do(404, "POST", app+"/endpoint/ep_unknown/replay-missing", object{"since": since(time.Hour)})
	})
}

// endpointID is the id of the only endpoint of an application.
func (s *server) endpointID(app string) string {
	return s.do(200, "GET", app+"/endpoint", nil).list("data")[0]["id"].(string)
}

// A task is stopped where it stands, or by what becomes of its endpoint.
func TestTasksAreCanceled(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("canceled")
		s.do(201, "POST", app+"/endpoint", object{"url": "http://127.0.0.1:1/"})
		path := app + "/endpoint/" + s.endpointID(app)
		for range 3 {
			s.do(202, "POST", app+"/msg", object{"eventType": "call_ended", "payload": object{}})
		}
		task := s.do(202, "POST", path+"/bulk-replay", object{"since": since(time.Hour)})
		canceled := s.do(200, "POST", "/background-task/"+task["id"].(string)+"/cancel", nil)
		if status := canceled["status"]; status != "failed" && status != "finished" { // it may have been faster
			s.Errorf("canceled it is %v", canceled)
		}
		again := s.do(200, "POST", "/background-task/"+task["id"].(string)+"/cancel", nil)
		if again["status"] != canceled["status"] {
			s.Errorf("canceled again it is %v", again)
		}
		s.do(404, "POST", "/background-task/qtask_unknown/cancel", nil)
		list := s.do(200, "GET", "/background-task?task=endpoint.bulk-replay&status="+url.QueryEscape(canceled["status"].(string)), nil).list("data")
		if len(list) != 1 || list[0]["id"] != task["id"] {
			s.Errorf("listed are %v", list)
		}
		s.key = s.accountKey(s.app("another"))
		s.do(404, "POST", "/background-task/"+task["id"].(string)+"/cancel", nil)
	})
}

// Payloads are removed, one by one and all at once; what they were of stays.
func TestExpunge(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("expunge")
		var ids []string
		for i := range 5 {
			body := object{"eventType": "call_ended", "eventId": fmt.Sprint("e-", i), "payload": object{"secret": "x"}}
			ids = append(ids, s.do(202, "POST", app+"/msg", body)["id"].(string))
		}
		out := s.do(200, "POST", app+"/msg/bulk-expunge", object{"ids": []string{ids[0], "e-1", "e-9", "msg_none"}})
		results := out["results"].(map[string]any)
		if results[ids[0]] != "expunged" || results["e-1"] != "expunged" || results["e-9"] != "not-found" || results["msg_none"] != "not-found" {
			s.Errorf("results are %v", results)
		}
		left := func() (n int) {
			for _, m := range s.do(200, "GET", app+"/msg", nil).list("data") {
				if m["payload"].(map[string]any)["expired"] == nil {
					n++
				}
			}
			return n
		}
		if n := left(); n != 3 {
			s.Errorf("%d payloads are left", n)
		}
		if task := s.finished(s.do(202, "POST", app+"/msg/expunge-all-contents", nil)); task["task"] != "application.purge_content" || task["status"] != "finished" {
			s.Errorf("the task is %v", task)
		}
		if n := left(); n != 0 {
			s.Errorf("%d payloads are left after all were removed", n)
		}
	})
}

func TestPrecheck(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("precheck")
		active := func(body object) bool {
			s.Helper()
			return s.do(200, "POST", app+"/msg/precheck/active", body)["active"].(bool)
		}
		if active(object{"eventType": "call_ended"}) {
			s.Error("it would go somewhere without an endpoint")
		}
		s.do(201, "POST", app+"/endpoint", object{"url": "http://127.0.0.1:1/", "eventTypes": []string{"call_ended"}, "channels": []string{"a"}})
		for want, body := range map[bool]object{
			true:  {"eventType": "call_ended", "channels": []string{"b", "a"}},
			false: {"eventType": "other.type", "channels": []string{"a"}},
		} {
			if active(body) != want {
				s.Errorf("%v: active is %v", body, !want)
			}
		}
		if active(object{"eventType": "call_ended", "channels": []string{"b"}}) {
			s.Error("it would go to another channel")
		}
		s.do(422, "POST", app+"/msg/precheck/active", object{})
	})
}
