package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/webhook"
)

// Disabling stops everything at once, also what waits for its retry; enabling
// begins with nothing, and recover brings back what failed.
func TestDisableThenRecover(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(answers(500))
		e := w.endpoint()
		var messages []*aftercall.Message
		for range 300 { // more than a batch of recover
			messages = append(messages, w.publish())
		}
		synctest.Wait()
		w.update(e, func(e *aftercall.Endpoint) { e.Disabled = true })
		tried := len(w.receiver.all())
		missed := w.publish()
		<-time.After(48 * time.Hour)
		if got := len(w.receiver.all()); got != tried {
			w.Errorf("%d attempts after it was disabled", got-tried)
		}
		for _, m := range messages {
			if d := w.delivery(e, m); d.State != aftercall.Failed || d.Reason != aftercall.FailedDisabled {
				w.Fatalf("delivery is %+v", d)
			}
		}
		w.receiver.answer(answers(200))
		if _, err := w.engine.Recover(w.Context(), e.AccountID, e.ID, time.Now().Add(-72*time.Hour), time.Time{}); aftercall.KindOf(err) != aftercall.Invalid {
			w.Errorf("a disabled endpoint is recovered: %v", err)
		}
		w.update(e, func(e *aftercall.Endpoint) { e.Disabled = false })
		<-time.After(time.Hour)
		if got := len(w.receiver.all()); got != tried {
			w.Errorf("%d attempts by enabling it", got-tried)
		}
		w.recover(e, 300)
		for _, m := range messages {
			if d := w.delivery(e, m); d.State != aftercall.Succeeded || d.Attempts != 2 {
				w.Fatalf("delivery is %+v", d)
			}
		}
		// What was published while it was disabled was not meant for it. It can be sent all the same.
		if err := w.engine.Resend(w.Context(), e.AccountID, missed.ID, e.ID); err != nil {
			w.Fatal(err)
		}
		if d := w.delivery(e, missed); d.State != aftercall.Succeeded {
			w.Errorf("delivery is %+v", d)
		}
	})
}

// recover starts what failed in the last days again, and waits until it is done.
func (w *world) recover(e aftercall.Endpoint, want int) {
	w.Helper()
	task, err := w.engine.Recover(w.Context(), e.AccountID, e.ID, time.Now().Add(-72*time.Hour), time.Time{})
	if err != nil || task.Total != want {
		w.Fatalf("recover found %d, want %d; %v", task.Total, want, err)
	}
	<-time.After(time.Minute)
	storetest.View(w, w.store, func(tx *store.Tx) error {
		task, err := tx.Task(task.AccountID, task.ID)
		if task.Status != store.TaskFinished || task.Done != want {
			w.Errorf("task is %+v", task)
		}
		return err
	})
}

// A recovery that a restart cut off goes on where it stood.
func TestRecoverGoesOnAfterRestart(t *testing.T) {
	inBubble(t, func(c *webhook.Config) { c.Schedule = aftercall.Schedule{} }, func(w *world) {
		w.receiver.answer(answers(500))
		e := w.endpoint()
		for range 700 {
			w.publish()
		}
		synctest.Wait()
		w.receiver.answer(answers(200))
		before := len(w.receiver.all())
		if _, err := w.engine.Recover(w.Context(), e.AccountID, e.ID, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)); err != nil {
			w.Fatal(err)
		}
		<-time.After(30 * time.Millisecond) // two batches
		w.stop()
		if got := len(w.receiver.all()) - before; got == 0 || got == 700 {
			w.Errorf("%d were sent before the restart", got)
		}
		w.start()
		<-time.After(time.Minute)
		seen := map[string]int{}
		for _, r := range w.receiver.all()[before:] {
			seen[r.header.Get("svix-id")]++
		}
		for id, n := range seen {
			if n != 1 {
				w.Errorf("%s was sent %d times", id, n)
			}
		}
		if len(seen) != 700 {
			w.Errorf("%d arrived", len(seen))
		}
	})
}

// A resend is one attempt beside the schedule: it changes nothing when it fails.
func TestResend(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(answers(500))
		e := w.endpoint()
		m := w.publish()
		<-time.After(time.Minute) // two attempts; the third is due in minutes
		due := w.delivery(e, m).DueAt
		if err := w.engine.Resend(w.Context(), e.AccountID, m.ID, e.ID); err != nil {
			w.Fatal(err)
		}
		d := w.delivery(e, m)
		if got := len(w.receiver.all()); got != 3 || d.State != aftercall.Pending || !d.DueAt.Equal(due) {
			w.Errorf("after %d attempts the delivery is %+v, was due at %v", got, d, due)
		}
		w.receiver.answer(answers(200))
		<-time.After(time.Hour)
		if d := w.delivery(e, m); d.State != aftercall.Succeeded {
			w.Errorf("delivery is %+v", d)
		}
		w.receiver.answer(answers(500))
		if err := w.engine.Resend(w.Context(), e.AccountID, m.ID, e.ID); err != nil {
			w.Fatal(err)
		}
		if d := w.delivery(e, m); d.State != aftercall.Succeeded {
			w.Errorf("a failed resend undid the success: %+v", d)
		}
		<-time.After(48 * time.Hour)
		if got := len(w.receiver.all()); got != 5 {
			w.Errorf("%d attempts, want 5", got)
		}
	})
}

// During the grace both secrets sign; afterwards only the new one.
func TestRotation(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		e := w.endpoint()
		first := w.secret(e)
		<-time.After(time.Second)
		if err := w.engine.RotateSecret(w.Context(), e.AccountID, e.ID, "", time.Hour); err != nil {
			w.Fatal(err)
		}
		second := w.secret(e)
		w.publish()
		<-time.After(time.Hour + time.Second)
		w.publish()
		synctest.Wait()
		got := w.receiver.all()
		for i, want := range []map[string]bool{{first: true, second: true}, {first: false, second: true}} {
			for secret, valid := range want {
				verifier, err := svix.NewWebhook(secret)
				if err != nil {
					w.Fatal(err)
				}
				if err := verifier.VerifyIgnoringTimestamp([]byte(got[i].body), got[i].header); (err == nil) != valid {
					w.Errorf("webhook %d with secret %v: %v", i, secret == second, err)
				}
			}
		}
		if n := len(strings.Fields(got[1].header.Get("svix-signature"))); n != 1 {
			w.Errorf("%d signatures after the grace", n)
		}
	})
}

func (w *world) secret(e aftercall.Endpoint) (secret string) {
	w.Helper()
	storetest.View(w, w.store, func(tx *store.Tx) error {
		secrets, err := tx.Secrets(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID})
		secret = secrets[0].Reveal()
		return err
	})
	return secret
}

// A rate holds over any second, and delays only whoever has it.
func TestThrottle(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		slow := w.endpoint(func(e *aftercall.Endpoint) { e.ThrottleRate = 10; e.URL = "https://slow.example" })
		w.endpoint(func(e *aftercall.Endpoint) { e.URL = "https://fast.example" })
		start := time.Now()
		for range 100 {
			w.publish()
		}
		<-time.After(time.Minute)
		var times []time.Time
		for _, r := range w.receiver.all() {
			if r.url == slow.URL {
				times = append(times, r.at)
			} else if r.at != start {
				w.Errorf("the other waited %v", r.at.Sub(start))
			}
		}
		if len(times) != 100 {
			w.Fatalf("%d arrived", len(times))
		}
		for i := range times[20:] { // a burst of one second's worth is allowed
			if gap := times[i+20].Sub(times[i]); gap < time.Second-time.Millisecond {
				w.Errorf("20 within %v", gap)
			}
		}
		if took := times[99].Sub(start); took > 10*time.Second {
			w.Errorf("took %v", took)
		}
	})
}

// An endpoint whose secret cannot be opened gets nothing, least of all unsigned, and
// delays nobody. When the master key is there again, everything arrives.
func TestMissingMasterKey(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		const key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
		elsewhere, err := store.Open(w.Context(), w.path, key)
		if err != nil {
			w.Fatal(err)
		}
		locked := aftercall.Endpoint{AccountID: w.account.ID, URL: "https://locked.example/", Version: 1}
		if err := webhook.New(elsewhere, w.cfg).CreateEndpoint(w.Context(), &locked, ""); err != nil {
			w.Fatal(err)
		}
		elsewhere.Close()
		well := w.endpoint()
		var messages []*aftercall.Message
		for range 20 {
			messages = append(messages, w.publish())
		}
		<-time.After(5 * time.Minute)
		for _, m := range messages {
			if d := w.delivery(well, m); d.State != aftercall.Succeeded {
				w.Errorf("another endpoint's delivery is %+v", d)
			}
			if d := w.delivery(locked, m); d.State != aftercall.Pending || d.Attempts != 0 {
				w.Errorf("the delivery is %+v", d)
			}
		}
		file, err := os.OpenFile(w.path+".key", os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			w.Fatal(err)
		}
		_, err = file.WriteString(key + "\n")
		if err := errors.Join(err, file.Close()); err != nil {
			w.Fatal(err)
		}
		<-time.After(5 * time.Minute)
		for _, m := range messages {
			if d := w.delivery(locked, m); d.State != aftercall.Succeeded {
				w.Errorf("with the key the delivery is %+v", d)
			}
		}
	})
}

// A server may refuse what would be sent in the clear.
func TestHTTPSOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		cfg := webhook.DefaultConfig()
		cfg.HTTPSOnly = true
		engine := webhook.New(s, cfg)
		e := aftercall.Endpoint{AccountID: storetest.Account(t, s).ID, URL: "http://crm.example/", Version: 1}
		if err := engine.CreateEndpoint(t.Context(), &e, ""); aftercall.KindOf(err) != aftercall.Invalid {
			t.Errorf("http: %v", err)
		}
		e.URL = "HTTPS://crm.example/"
		if err := engine.CreateEndpoint(t.Context(), &e, ""); err != nil {
			t.Fatal(err)
		}
		_, err := engine.UpdateEndpoint(t.Context(), e.AccountID, e.ID, "", func(e *aftercall.Endpoint) error { e.URL = "http://crm.example/"; return nil })
		if aftercall.KindOf(err) != aftercall.Invalid {
			t.Errorf("changed to http: %v", err)
		}
	})
}

// What is deleted gets nothing more, and an erased payload is sent nowhere.
func TestDeletedAndErased(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(answers(500))
		deleted := w.endpoint(func(e *aftercall.Endpoint) { e.URL = "https://deleted.example" })
		kept := w.endpoint()
		m := w.publish(func(m *aftercall.Message) { m.ContactID = "11111111-1111-1111-1111-111111111111" })
		synctest.Wait()
		if err := w.engine.DeleteEndpoint(w.Context(), deleted.AccountID, deleted.ID); err != nil {
			w.Fatal(err)
		}
		if d := w.delivery(deleted, m); d.State != aftercall.Failed || d.Reason != aftercall.FailedDeleted {
			w.Errorf("delivery is %+v", d)
		}
		storetest.Update(w, w.store, func(tx *store.Tx) error { return tx.EraseMessages(m.AccountID, m.ID) })
		<-time.After(48 * time.Hour)
		if got := len(w.receiver.all()); got != 2 {
			w.Errorf("%d attempts, want the first two only", got)
		}
		if d := w.delivery(kept, m); d.State != aftercall.Failed || d.Reason != aftercall.FailedErased {
			w.Errorf("delivery is %+v", d)
		}
		if err := w.engine.Resend(w.Context(), m.AccountID, m.ID, kept.ID); aftercall.KindOf(err) != aftercall.Invalid {
			w.Errorf("an erased message is sent again: %v", err)
		}
	})
}

// A change of address is followed by what is queued already.
func TestChangedURLTakesEffectAtOnce(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(answers(500, 200))
		e := w.endpoint()
		w.publish()
		synctest.Wait()
		w.update(e, func(e *aftercall.Endpoint) { e.URL = "https://new.example/hook" })
		<-time.After(time.Minute)
		if got := w.receiver.all(); len(got) != 2 || got[1].url != "https://new.example/hook" {
			w.Errorf("received %v", got)
		}
	})
}

// hangs answers 0, which is no answer, to whoever has this host, and 200 to others.
func hangs(host string) func(*http.Request) int {
	return func(r *http.Request) int {
		if r.URL.Host == host {
			return 0
		}
		return 200
	}
}

// One endpoint that hangs, with as much waiting as there may be, delays nobody.
func TestHangingEndpointDelaysNobody(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(hangs("hung.example"))
		w.endpoint(func(e *aftercall.Endpoint) { e.URL = "https://hung.example" })
		fast := w.endpoint()
		for range 1100 { // more than its queue
			w.publish()
		}
		for range 30 {
			<-time.After(time.Second)
			at := time.Now()
			m := w.publish()
			if d := w.delivery(fast, m); d.State != aftercall.Succeeded || time.Now() != at {
				w.Fatalf("delivery is %+v, %v later", d, time.Since(at))
			}
		}
	})
}

// More than memory holds waits in the store, and all of it arrives once.
func TestSpill(t *testing.T) {
	inBubble(t, func(c *webhook.Config) {
		c.QueueBytes, c.Concurrency, c.EndpointConcurrency = 10_000, 8, 2
		c.Timeout = time.Hour
	}, func(w *world) {
		var open = make(chan struct{})
		w.receiver.answer(func(*http.Request) int { <-open; return 200 })
		w.endpoint()
		w.endpoint()
		payload := fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", 500))
		for range 300 {
			w.publish(func(m *aftercall.Message) { m.Payload = payload })
		}
		close(open)
		<-time.After(time.Minute)
		seen := map[string]int{}
		for _, r := range w.receiver.all() {
			seen[r.header.Get("svix-id")]++
		}
		for id, n := range seen {
			if n != 2 {
				w.Errorf("%s was sent %d times", id, n)
			}
		}
		if len(seen) != 300 {
			w.Errorf("%d of 300 arrived", len(seen))
		}
	})
}
