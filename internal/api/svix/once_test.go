package svix_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// post sends a request with an idempotency key.
func (s *server) post(path, key, body string) (int, string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), "POST", s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// same sends a request twice and wants one effect and one answer.
func (s *server) same(status int, path, key, body string) string {
	s.Helper()
	first, answer := s.post(path, key, body)
	second, again := s.post(path, key, body)
	if first != status || second != status || answer != again {
		s.Errorf("POST %s: %d %s, then %d %s", path, first, answer, second, again)
	}
	return answer
}

func TestIdempotency(t *testing.T) {
	each(t, func(s *server) {
		created := s.same(201, "/app", "key-1", `{"name":"once"}`)
		if _, other := s.post("/app", "key-2", `{"name":"once"}`); other == created {
			s.Error("another key made the same application")
		}
		app := s.app("messages")
		crm := receive(s.T)
		endpoint := s.do(201, "POST", app+"/endpoint", object{"url": crm.URL})["id"].(string)
		s.same(202, app+"/msg", "key-1", `{"eventType":"call_ended","payload":{ "n":1.50 }}`)
		s.same(204, app+"/endpoint/"+endpoint+"/secret/rotate", "key-1", `{}`)
		if n := len(s.do(200, "GET", app+"/msg", nil).list("data")); n != 1 {
			s.Errorf("%d messages", n)
		}
		// The key stands for what was sent with it, by whom, to where.
		for _, path := range []string{"/app", app + "/msg"} {
			if status, answer := s.post(path, "key-1", `{"name":"other","eventType":"x","payload":{}}`); status != 409 || !strings.Contains(answer, "idempotency_key_reused") {
				s.Errorf("another body is answered %d %s", status, answer)
			}
		}
		s.key = s.accountKey(app)
		if status, _ := s.post(app+"/msg", "key-1", `{"eventType":"x","payload":{}}`); status != 202 {
			s.Errorf("another caller's key is answered %d", status)
		}
		// What was refused may be tried again.
		s.key = operatorKey
		for range 2 {
			if status, _ := s.post("/app", "key-3", `{"name":""}`); status != 422 {
				s.Errorf("answered %d", status)
			}
		}
		if status, _ := s.post("/app", "key-3", `{"name":"right"}`); status != 201 {
			s.Errorf("answered %d", status)
		}
		s.post(app+"/msg", "key-4", `{"eventType":"x","eventId":"e","payload":{}}`)
		for range 2 {
			if status, answer := s.post(app+"/msg", "key-5", `{"eventType":"x","eventId":"e","payload":{}}`); status != 409 || !strings.Contains(answer, `"conflict"`) {
				s.Errorf("answered %d %s", status, answer)
			}
		}
		s.same(202, app+"/msg", "key-4", `{"eventType":"x","eventId":"e","payload":{}}`)
	})
}

// Requests that are sent at the same time have one effect, and all learn of it.
func TestIdempotencyOfManyAtOnce(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("many")
		for path, body := range map[string]string{"/app": `{"name":"once"}`, app + "/msg": `{"eventType":"x","payload":{}}`} {
			var mu sync.Mutex
			answers := map[string]int{}
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					_, answer := s.post(path, "key", body)
					mu.Lock()
					defer mu.Unlock()
					answers[answer]++
				})
			}
			all.Wait()
			if len(answers) != 1 {
				s.Errorf("%s: %v", path, answers)
			}
		}
		if n := len(s.do(200, "GET", app+"/msg", nil).list("data")); n != 1 {
			s.Errorf("%d messages", n)
		}
	})
}

// A process that died between what it did and its answer has it done once.
func TestIdempotencyAfterCrash(t *testing.T) {
	each(t, func(s *server) {
		once := &store.Once{}
		ctx := store.WithOnce(t.Context(), once)
		if err := s.store.Update(ctx, func(*store.Tx) error { return nil }); err != nil || !once.Claimed {
			t.Fatal(err, once.Claimed)
		}
		done := false
		again := &store.Once{}
		err := s.store.Update(store.WithOnce(t.Context(), again), func(*store.Tx) error { done = true; return nil })
		if err == nil || done || again.Claimed {
			t.Errorf("it was done twice: %v", err)
		}
		storetest.Update(t, s.store, func(tx *store.Tx) error { return tx.KeepAnswer(once, 200, []byte("{}")) })
		// The answer is there for a server that starts later.
		later := serve(t, s.store)
		first, answer := s.post("/app", "before", `{"name":"x"}`)
		second, same := later.post("/app", "before", `{"name":"x"}`)
		if first != second || answer != same {
			t.Errorf("answered %d %s, then %d %s", first, answer, second, same)
		}
	})
}
