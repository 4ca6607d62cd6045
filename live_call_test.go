package aftercall

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// In whatever order callbacks come, and however often, the call ends the same.
func TestProgressInAnyOrder(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	heard := []Progress{
		{RangAt: at},
		{AnsweredAt: at.Add(8 * time.Second), AnsweredBy: "human"},
		{EndedAt: at.Add(70 * time.Second), Reason: EndContactHangup, AnsweredAt: at.Add(8 * time.Second)},
		{Turns: []Turn{{"Hello", RoleAgent}, {"Yes", RoleUser}}, Summary: "said yes", Fields: []byte(`{"interest":true}`), Final: true},
	}
	fields := []OutcomeField{{Name: "interest", Type: OutcomeBoolean}}
	inOrder := LiveCall{ID: "c", TriggeredAt: at}
	for _, p := range heard {
		inOrder = inOrder.Hear(p, at)
	}
	want := string(callEndedEvent(inOrder.Call(fields), Contact{}).Payload)
	rapid.Check(t, func(t *rapid.T) {
		l := LiveCall{ID: "c", TriggeredAt: at}
		for _, p := range append(rapid.Permutation(heard).Draw(t, "order"), rapid.SampledFrom(heard).Draw(t, "again")) {
			l = l.Hear(p, at)
		}
		if !l.Done(at) || string(callEndedEvent(l.Call(fields), Contact{}).Payload) != want {
			t.Fatalf("%s\nwant %s", callEndedEvent(l.Call(fields), Contact{}).Payload, want)
		}
	})
}

// The end is taken once: what is told of another one later does not count.
func TestEndIsTakenOnce(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	l := LiveCall{TriggeredAt: at}.Hear(Progress{EndedAt: at, Reason: EndBusy}, at).Hear(Progress{EndedAt: at.Add(time.Hour), Reason: EndContactHangup}, at)
	if call := l.Call(nil); call.EndReason != EndBusy || call.EndedAt != at {
		t.Errorf("ended %s at %s", call.EndReason, call.EndedAt)
	}
	if l.Done(at) || !l.Done(at.Add(settle)) {
		t.Error("the transcript is not waited for, or for ever")
	}
}

// What a machine answers is a mailbox, whoever hung up; an engine's clock may be off.
func TestLiveCallBecomesCall(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	l := LiveCall{TriggeredAt: at}.Hear(Progress{AnsweredAt: at.Add(-time.Hour), AnsweredBy: "machine", EndedAt: at.Add(-2 * time.Hour), Reason: EndAgentHangup}, at)
	call := l.Call(nil)
	if call.EndReason != EndVoicemail || call.StartedAt.Before(at) || call.EndedAt.Before(call.StartedAt) {
		t.Errorf("%+v", call)
	}
	if call := (LiveCall{TriggeredAt: at}).Hear(Progress{EndedAt: at}, at).Call(nil); call.EndReason != EndEngineError {
		t.Errorf("an end without a reason is %s", call.EndReason)
	}
}

// An engine that says for ever that a call goes on is not believed for ever.
func TestEndlessCall(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	s := EngineSettings{RingTimeout: 30 * time.Second, MaxDuration: 10 * time.Minute}
	l := LiveCall{TriggeredAt: at}.Begun("ref", s, at)
	for now := at; l.State == Placed; now = now.Add(time.Minute) {
		if now.Sub(at) > 2*time.Hour {
			t.Fatal("it is still believed")
		}
		l = l.Alive(Progress{AnsweredAt: at}, s, now)
	}
	if call := l.Call(nil); call.EndReason != EndLost {
		t.Errorf("ended %s", call.EndReason)
	}
	for range maxLookups {
		l = LiveCall{TriggeredAt: at, State: Placing, Lookups: l.Lookups}.Unheard(at)
	}
	if l.State != Over || l.Progress.Reason != EndLost {
		t.Errorf("nobody knows of it, and it is %v", l.State)
	}
}
