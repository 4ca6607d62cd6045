package webhook_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/webhook"
)

// What a receiver answers decides when it hears of the message again.
func TestRetryAfter(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when synctest's time begins
	for name, test := range map[string]struct {
		status   int
		header   string
		min, max time.Duration // until the second attempt
	}{
		"seconds, longer than the schedule":  {429, "60", time.Minute, time.Minute},
		"seconds, shorter than the schedule": {503, "1", 5 * time.Second, 5500 * time.Millisecond},
		"date":                               {503, start.Add(time.Hour).Format(http.TimeFormat), time.Hour, time.Hour},
		"in the past":                        {503, start.Add(-time.Hour).Format(http.TimeFormat), 5 * time.Second, 5500 * time.Millisecond},
		"absurd":                             {429, "1e18", aftercall.MaxWait, aftercall.MaxWait},
		"nonsense":                           {429, "soon", 5 * time.Second, 5500 * time.Millisecond},
		"not with this status":               {500, "60", 5 * time.Second, 5500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(w *world) {
				if !time.Now().Equal(start) {
					w.Fatalf("it is %v", time.Now())
				}
				w.receiver.answer(answers(test.status, 200), "Retry-After", test.header)
				w.endpoint()
				w.publish()
				<-time.After(aftercall.MaxWait + time.Hour)
				got := w.receiver.all()
				if len(got) != 2 {
					w.Fatalf("%d attempts", len(got))
				}
				if gap := got[1].at.Sub(got[0].at); gap < test.min || gap > test.max {
					w.Errorf("tried again after %v, want %v to %v", gap, test.min, test.max)
				}
			})
		})
	}
}

// A receiver may end a message, or everything, by how it answers.
func TestReceiverEndsIt(t *testing.T) {
	for name, test := range map[string]struct {
		status   int
		wish     string
		reason   aftercall.FailReason
		disabled aftercall.DisableReason
	}{
		"gone":                 {410, "", aftercall.FailedDisabled, aftercall.DisabledGone},
		"asks to be disabled":  {500, "disable", aftercall.FailedDisabled, aftercall.DisabledAsked},
		"wants no more of one": {400, "Abort-Message", aftercall.FailedAborted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(w *world) {
				w.receiver.answer(answers(test.status), "Webhook-Delivery", test.wish)
				e := w.endpoint()
				m := w.publish()
				if d := w.delivery(e, m); d.State != aftercall.Failed || d.Reason != test.reason || d.Attempts != 1 {
					w.Errorf("delivery is %+v", d)
				}
				if e = w.stored(e); e.Disabled != (test.disabled != "") || e.Reason != test.disabled {
					w.Errorf("endpoint is disabled %v, %q", e.Disabled, e.Reason)
				}
				w.receiver.answer(answers(200))
				w.publish()
				<-time.After(100 * time.Hour)
				want := 2
				if test.disabled != "" {
					want = 1
				}
				if got := len(w.receiver.all()); got != want {
					w.Errorf("%d attempts in all, want %d", got, want)
				}
			})
		})
	}
}

// A redirect is not followed: a webhook goes where its owner pointed it.
func TestAnswersThatAreFailures(t *testing.T) {
	for _, status := range []int{301, 307, 304, 400, 401, 404, 418, 500, 599} {
		inBubble(t, nil, func(w *world) {
			w.receiver.answer(answers(status, 204), "Location", "https://other.example/")
			e := w.endpoint()
			m := w.publish()
			<-time.After(time.Minute)
			if d := w.delivery(e, m); d.State != aftercall.Succeeded || d.Attempts != 2 {
				w.Errorf("%d: delivery is %+v", status, d)
			}
			for _, r := range w.receiver.all() {
				if r.url != e.URL {
					w.Errorf("%d: sent to %s", status, r.url)
				}
			}
		})
	}
}

// Five days of nothing but failures disable an endpoint; one success in between
// starts the clock again.
func TestFailingEndpointIsDisabledAfterFiveDays(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.receiver.answer(answers(500))
		e := w.endpoint()
		for day := range 10 {
			if day == 3 {
				w.receiver.answer(answers(200))
			}
			w.publish()
			synctest.Wait()
			w.receiver.answer(answers(500))
			<-time.After(time.Hour)
			w.publish()
			<-time.After(23 * time.Hour)
			if e = w.stored(e); e.Disabled {
				if day < 7 || day > 9 || e.Reason != aftercall.DisabledFailing {
					w.Errorf("disabled on day %d: %q", day, e.Reason)
				}
				return
			}
		}
		w.Error("it was never disabled")
	})
}

// Failures further than a day apart are not seen as one.
func TestFewFailuresDoNotDisable(t *testing.T) {
	inBubble(t, func(c *webhook.Config) { c.Schedule = aftercall.Schedule{} }, func(w *world) {
		w.receiver.answer(answers(500))
		e := w.endpoint()
		for range 7 {
			w.publish()
			<-time.After(25 * time.Hour)
		}
		if e = w.stored(e); e.Disabled {
			w.Errorf("disabled by less than one failure a day: %q", e.Reason)
		}
	})
}

// Each endpoint hears of what it asked for, in its own words of secret and headers.
func TestEndpointsAreFiltered(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		for _, name := range []string{"call_ended", "contact_status_changed"} {
			if _, err := w.engine.PutEventType(w.Context(), &aftercall.EventType{Name: name}, true); err != nil {
				w.Fatal(err)
			}
		}
		at := func(url string, change func(*aftercall.Endpoint)) {
			w.endpoint(func(e *aftercall.Endpoint) {
				e.URL = url
				change(e)
			})
		}
		at("https://all.example", func(*aftercall.Endpoint) {})
		at("https://ended.example", func(e *aftercall.Endpoint) { e.EventTypes = []string{"call_ended"} })
		at("https://moved.example", func(e *aftercall.Endpoint) { e.EventTypes = []string{"contact_status_changed"} })
		at("https://berlin.example", func(e *aftercall.Endpoint) { e.Channels = []string{"berlin"} })
		at("https://off.example", func(e *aftercall.Endpoint) { e.Disabled = true })
		at("https://key.example", func(e *aftercall.Endpoint) {
			e.Channels, e.Headers = []string{"key"}, map[string]string{"X-Api-Key": "k"}
		})
		heard := func(change func(*aftercall.Message)) (urls []string) {
			before := len(w.receiver.all())
			w.publish(change)
			synctest.Wait()
			for _, r := range w.receiver.all()[before:] {
				urls = append(urls, r.url)
			}
			slices.Sort(urls)
			return urls
		}
		for _, test := range []struct {
			change func(*aftercall.Message)
			want   []string
		}{
			{func(*aftercall.Message) {}, []string{"https://all.example", "https://ended.example"}},
			{func(m *aftercall.Message) { m.EventType = "contact_status_changed" }, []string{"https://all.example", "https://moved.example"}},
			{func(m *aftercall.Message) { m.Channels = []string{"berlin", "x"} }, []string{"https://all.example", "https://berlin.example", "https://ended.example"}},
			{func(m *aftercall.Message) { m.EventType = "unheard.of" }, []string{"https://all.example"}},
			{func(m *aftercall.Message) { m.Channels = []string{"key"} }, []string{"https://all.example", "https://ended.example", "https://key.example"}},
		} {
			if got := heard(test.change); !slices.Equal(got, test.want) {
				w.Errorf("heard by %v, want %v", got, test.want)
			}
		}
		for _, r := range w.receiver.all() {
			if own := r.url == "https://key.example"; own != (r.header.Get("X-Api-Key") == "k") {
				w.Errorf("%s got %v", r.url, r.header)
			}
		}
	})
}
