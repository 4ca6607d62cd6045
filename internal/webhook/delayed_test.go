package webhook_test

import (
	"testing"
	"time"

	"github.com/aftercall/aftercall"
)

// A message that asks for it is sent at its time, also by a process that started
// after it was published, and one with another body sends that.
func TestDeliverAt(t *testing.T) {
	inBubble(t, nil, func(w *world) {
		w.endpoint()
		start := time.Now()
		w.publish(func(m *aftercall.Message) { m.DeliverAt = start.Add(time.Hour) })
		w.publish(func(m *aftercall.Message) {
			m.DeliverAt, m.Raw = start.Add(2*time.Hour), &aftercall.Raw{Body: []byte("a,b"), ContentType: "text/csv"}
		})
		<-time.After(90 * time.Minute)
		w.stop()
		w.start()
		<-time.After(90 * time.Minute)
		all := w.receiver.all()
		if len(all) != 2 || all[0].at.Sub(start) != time.Hour || all[1].at.Sub(start).Round(time.Second) != 2*time.Hour {
			t.Fatalf("received %v", all)
		}
		if all[1].body != "a,b" || all[1].header.Get("Content-Type") != "text/csv" || all[0].header.Get("Content-Type") != "application/json" {
			t.Errorf("received %v", all)
		}
		for _, wrong := range []time.Duration{59 * time.Second, 24*time.Hour + time.Second} {
			m := &aftercall.Message{AccountID: w.account.ID, EventType: "x", Payload: []byte("{}"), DeliverAt: time.Now().Add(wrong)}
			if err := w.engine.Publish(t.Context(), m); aftercall.KindOf(err) != aftercall.Invalid {
				t.Errorf("%v ahead: %v", wrong, err)
			}
		}
	})
}
