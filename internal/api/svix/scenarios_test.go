package svix_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Each answer of a receiver is told by its status and class, and which spelling of a
// list is used makes no difference.
func TestAttemptsByStatus(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("statuses")
		statuses := map[float64]string{200: "200", 403: "400", 500: "500", 308: "300", 0: "0"}
		for status := range statuses {
			address := "http://127.0.0.1:1/" // refused
			if status != 0 {
				receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Location", "http://127.0.0.1:1/")
					w.WriteHeader(int(status))
				}))
				defer receiver.Close()
				address = receiver.URL
			}
			s.do(201, "POST", app+"/endpoint", object{"url": address, "uid": fmt.Sprint(status), "retrySchedule": []int{}})
		}
		msg := s.do(202, "POST", app+"/msg", object{"eventType": "call_ended", "payload": object{"a": 1}})["id"].(string)
		s.until("every endpoint was tried", func() bool {
			return len(s.do(200, "GET", app+"/attempt/msg/"+msg, nil).list("data")) == len(statuses)
		})
		for status, class := range statuses {
			path := app + "/attempt/endpoint/" + fmt.Sprint(status)
			for _, query := range []string{"event_types=call_ended&event_types=x", "event_types=x,call_ended", "event_types[]=call_ended", "event_types[0]=call_ended", "status_code_class=" + class} {
				attempts := s.do(200, "GET", path+"?"+query, nil).list("data")
				if len(attempts) != 1 || attempts[0]["responseStatusCode"] != status || (attempts[0]["status"] == 0.0) != (status == 200) {
					s.Errorf("%v, %s: %v", status, query, attempts)
				}
			}
			for _, query := range []string{"event_types=other.type", "status_code_class=100", "status=3"} {
				if attempts := s.do(200, "GET", path+"?"+query, nil).list("data"); len(attempts) != 0 {
					s.Errorf("%v, %s: %v", status, query, attempts)
				}
			}
		}
		// One that is removed is still seen among those it went to.
		s.do(204, "DELETE", app+"/endpoint/403", nil)
		destinations := s.do(200, "GET", app+"/msg/"+msg+"/endpoint", nil).list("data")
		if len(destinations) != len(statuses) {
			s.Errorf("destinations are %v", destinations)
		}
		s.do(201, "POST", app+"/endpoint", object{"url": "http://127.0.0.1:1/", "uid": "403"}) // its uid is free again
	})
}

// Headers of an endpoint's own are sent in the case they were typed; credentials in an
// address become a header, unless there is one.
func TestHeadersAreSent(t *testing.T) {
	each(t, func(s *server) {
		app, crm := s.app("headers"), receive(s.T)
		withUser := strings.Replace(crm.URL, "http://", "http://us%40er:pass@", 1)
		endpoint := app + "/endpoint/" + s.do(201, "POST", app+"/endpoint", object{"url": withUser, "headers": object{"X-oWn": "a b"}})["id"].(string)
		send := func() http.Header {
			s.Helper()
			before, _, _ := crm.seen()
			s.do(202, "POST", app+"/msg", object{"eventType": "call_ended", "payload": object{}})
			s.until("it arrived", func() bool { n, _, _ := crm.seen(); return n > before })
			_, header, _ := crm.seen()
			return header
		}
		header := send()
		if header.Get("X-Own") != "a b" || header.Get("Authorization") != "Basic dXNAZXI6cGFzcw==" || header.Get("Content-Type") != "application/json" {
			s.Errorf("sent with %v", header)
		}
		for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			if header.Get(name) == "" {
				s.Errorf("sent without %s", name)
			}
		}
		s.do(204, "PUT", endpoint+"/headers", object{"headers": object{"authorization": "Bearer mine"}})
		if header := send(); header.Get("Authorization") != "Bearer mine" || header.Get("X-Own") != "" {
			s.Errorf("after a change sent with %v", header)
		}
		for _, name := range []string{"User-Agent", "content-length", "Svix-Id", "webhook-id", "x-amz-date", "bad name", ""} {
			s.do(422, "PUT", endpoint+"/headers", object{"headers": object{name: "x"}})
		}
		s.do(422, "PUT", endpoint+"/headers", object{"headers": object{"X-A": strings.Repeat("x", 4097)}})
		s.do(422, "PUT", endpoint+"/headers", object{"headers": object{"X-A": "a\r\nX-B: c"}})
	})
}

// Of an event type's schemas only an object is taken, and health is told with and
// without a slash.
func TestSmallThings(t *testing.T) {
	each(t, func(s *server) {
		for _, schemas := range []any{"text", 1, []int{1}, true} {
			s.do(422, "POST", "/event-type", object{"name": "bad", "description": "", "schemas": schemas})
		}
		s.do(201, "POST", "/event-type", object{"name": "good", "description": "", "schemas": nil})
		for _, path := range []string{"/health", "/health/", "/health/ping", "/health/ping/"} {
			s.do(204, "GET", path, nil)
		}
		app := s.app("small")
		for _, path := range []string{app + "/", app + "/endpoint/", app + "/msg/"} {
			s.do(200, "GET", path, nil)
		}
		s.do(413, "POST", app+"/msg", object{"eventType": "call_ended", "payload": object{"x": strings.Repeat("x", 2<<20)}})
	})
}
