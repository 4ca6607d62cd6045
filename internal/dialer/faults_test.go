package dialer_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// Whatever a voice engine does with its callbacks, each call is taken once, with the
// right end.
func TestCallbacksOfAllKinds(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		type end struct {
			status  aftercall.CallStatus
			contact aftercall.ContactStatus
		}
		pending, reached, closed := aftercall.ContactPending, aftercall.ContactReached, aftercall.ContactClosed
		ids := map[string]end{}
		for outcome, want := range map[int]end{
			0: {aftercall.CallCompleted, reached}, 1: {aftercall.CallCompleted, reached}, 2: {aftercall.CallCompleted, reached},
			3: {aftercall.CallAnswered, pending}, 4: {aftercall.CallCompleted, closed}, 5: {aftercall.CallAnswered, pending},
			6: {aftercall.CallAnswered, pending}, 10: {aftercall.CallNotReached, pending}, 11: {aftercall.CallNotReached, pending},
			12: {aftercall.CallNotReached, pending}, 20: {aftercall.CallVoicemail, pending}, 21: {aftercall.CallVoicemail, pending},
			22: {aftercall.CallVoicemail, pending}, 30: {aftercall.CallError, closed}, 31: {aftercall.CallError, pending},
			32: {aftercall.CallCompleted, reached}, 33: {aftercall.CallCompleted, reached}, 34: {aftercall.CallCompleted, reached},
			35: {aftercall.CallCompleted, reached}, 36: {aftercall.CallCompleted, reached},
		} {
			id := w.contact(number(outcome))
			w.schedule(id)
			ids[id] = want
		}
		w.settle(14 * time.Minute) // before any retry, and before what is never or late heard of is looked at
		w.settle(6 * time.Minute)
		for id, want := range ids {
			calls, contact := w.calls(id), w.find(id)
			if len(calls) == 0 {
				w.Errorf("%s: no call was taken", contact.PhoneNumber)
				continue
			}
			if got := (end{calls[0].Status, contact.Status}); got != want {
				w.Errorf("%s: %v, want %v (%s)", contact.PhoneNumber, got, want, calls[0].EndReason)
			}
			if got := w.events(id); got["call_ended"] != len(calls) {
				w.Errorf("%s: %d calls, events %v", contact.PhoneNumber, len(calls), got)
			}
			if want.status == aftercall.CallCompleted && len(calls[0].Turns) == 0 {
				w.Errorf("%s: a conversation without words", contact.PhoneNumber)
			}
			if contact.Status == pending && contact.NextCallAt.IsZero() {
				w.Errorf("%s: pending, and no next call", contact.PhoneNumber)
			}
		}
		blocked, err := w.dialer.BlockedNumbers(w.Context(), w.account.ID, store.Page{Limit: 10})
		if err != nil || len(blocked) != 1 || blocked[0].Number != number(4) || blocked[0].Reason != aftercall.AskedInCall {
			w.Errorf("blocked %v, %v", blocked, err)
		}
	})
}

// flaky stands between the dialer and the simulator, and does to starts what networks
// and processes do.
type flaky struct {
	dialer.VoiceEngine
	mu     sync.Mutex
	asked  map[string]int // starts of each call that reached the engine
	start  func(r dialer.StartRequest) fault
	deaf   bool // does not answer Fetch
	starts []dialer.StartRequest
}

type fault int

const (
	none        fault = iota
	lostRequest       // it never came to the engine, but nobody can tell
	lostAnswer        // it did, but the answer did not come
	throttled
	badAccount
	down
)

func (f *flaky) Start(ctx context.Context, a aftercall.Agent, r dialer.StartRequest) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts = append(f.starts, r)
	what := none
	if f.start != nil {
		what = f.start(r)
	}
	switch what {
	case lostRequest:
		return "", errors.New("connection reset")
	case throttled:
		return "", &dialer.StartError{Refusal: dialer.Throttled, Err: errors.New("too many calls"), RetryAfter: 20 * time.Second}
	case badAccount:
		return "", &dialer.StartError{Refusal: dialer.BadAccount, Err: errors.New("no funds")}
	case down:
		return "", &dialer.StartError{Refusal: dialer.Down, Err: errors.New("connection refused")}
	case none, lostAnswer:
	}
	if f.asked == nil {
		f.asked = map[string]int{}
	}
	f.asked[r.Call.ID]++
	ref, err := f.VoiceEngine.Start(ctx, a, r)
	if what == lostAnswer {
		return "", context.DeadlineExceeded
	}
	return ref, err
}

func (f *flaky) Fetch(ctx context.Context, a aftercall.Agent, l aftercall.LiveCall) (aftercall.Progress, error) {
	f.mu.Lock()
	deaf := f.deaf
	f.mu.Unlock()
	if deaf {
		return aftercall.Progress{}, errors.New("no route to host")
	}
	return f.VoiceEngine.Fetch(ctx, a, l)
}

// through puts a flaky engine before the simulator, and starts anew.
func (w *world) through(start func(r dialer.StartRequest) fault) *flaky {
	w.stop()
	f := &flaky{start: start}
	w.engine = f
	w.start()
	return f
}

func (f *flaky) deafen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = true
}

func (f *flaky) faultless() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.start = nil
}

// Of a start that failed in between nobody can tell: the engine is asked, and nobody is
// called twice.
func TestAmbiguousStarts(t *testing.T) {
	for name, what := range map[string]fault{"the request was lost": lostRequest, "the answer was lost": lostAnswer} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				<-time.After(6 * time.Hour)
				first := true
				f := w.through(func(dialer.StartRequest) fault {
					if first {
						first = false
						return what
					}
					return none
				})
				id := w.contact(number(1))
				run := w.schedule(id)[0]
				w.settle(10 * time.Minute)
				calls := w.calls(id)
				if len(calls) != 1 || calls[0].Status != aftercall.CallCompleted || calls[0].Attempt != 1 || w.run(run.ID).Attempts != 1 {
					w.Errorf("calls %+v", calls)
				}
				want := map[fault]int{lostRequest: 2, lostAnswer: 1}[what]
				if len(f.asked) != 1 || len(f.starts) != want {
					w.Errorf("%d calls in %d starts, want one in %d", len(f.asked), len(f.starts), want)
				}
				if what == lostRequest && f.starts[1].Call.TriggeredAt.Sub(f.starts[0].Call.TriggeredAt) < aftercall.StartWithin {
					w.Error("it was tried again while the first try might still have begun")
				}
			})
		})
	}
}

// A voice engine that refuses calls costs no attempts, and is left alone for a while.
func TestRefusedStartsAreNoAttempts(t *testing.T) {
	for name, test := range map[string]struct {
		what  fault
		wait  time.Duration
		until time.Duration
	}{
		"throttled": {throttled, 20 * time.Second, 5 * time.Minute}, "down": {down, 15 * time.Second, 5 * time.Minute},
		"bad account": {badAccount, 15 * time.Minute, 40 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				<-time.After(6 * time.Hour)
				refusals := 2
				f := w.through(func(dialer.StartRequest) fault {
					if refusals--; refusals >= 0 {
						return test.what
					}
					return none
				})
				id, other := w.contact(number(1)), w.contact(number(1))
				w.schedule(id, other)
				w.settle(test.until)
				for _, id := range []string{id, other} {
					if calls := w.calls(id); len(calls) != 1 || calls[0].Attempt != 1 {
						w.Errorf("calls %+v", calls)
					}
				}
				if wait := f.starts[len(f.starts)-1].Call.TriggeredAt.Sub(f.starts[0].Call.TriggeredAt); wait < test.wait {
					w.Errorf("tried again after %s", wait)
				}
				records, err := w.dialer.DialRecords(w.Context(), w.account.ID, number(1), store.DialRecordPage{Limit: 1000})
				if err != nil || len(records) != 6 { // four allowed, of which two were not placed
					w.Errorf("%d records, %v", len(records), err)
				}
			})
		})
	}
}

// A call whose end nobody tells frees its line, and is an error in the end.
func TestLostCalls(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		f := w.through(nil)
		w.cut.Store(true)
		f.deafen()
		id := w.contact(number(1))
		run := w.schedule(id)[0]
		w.settle(13 * time.Minute)
		if n := len(w.calls(id)); n != 0 {
			w.Fatalf("%d calls before it was given up", n)
		}
		w.settle(5 * time.Minute)
		calls := w.calls(id)
		if len(calls) != 1 || calls[0].Status != aftercall.CallError || calls[0].EndReason != aftercall.EndLost || !w.run(run.ID).Open() {
			w.Errorf("calls %+v", calls)
		}
		if n := w.live(); n != 0 {
			w.Errorf("%d calls are still live", n)
		}
	})
}

func (w *world) live() (n int) {
	storetest.View(w, w.store, func(tx *store.Tx) error {
		line, err := tx.LiveCounts(w.account.ID, w.agent.Engine.Line())
		for _, calls := range line {
			n += calls
		}
		return err
	})
	return n
}

// Processes die at any moment, callbacks and answers are lost: nobody is called twice
// for one attempt, every call ends once, and nobody is left in a call.
func TestDyingAtAnyMoment(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		random := rand.New(rand.NewPCG(1, 2))
		starts := rand.New(rand.NewPCG(3, 4)) // asked by the engine alone, one start at a time
		f := w.through(func(dialer.StartRequest) fault {
			return []fault{none, none, none, lostRequest, lostAnswer, throttled}[starts.IntN(6)]
		})
		var ids []string
		for i := range 60 {
			ids = append(ids, w.contact("+1202555"+number(i % 100)[8:]))
		}
		runs := w.schedule(ids...)
		for range 40 {
			w.cut.Store(random.IntN(3) == 0)
			<-time.After(time.Duration(random.Int64N(int64(40 * time.Second))))
			w.stop()
			f = &flaky{start: f.start, asked: f.asked}
			w.engine = f
			w.start()
		}
		w.cut.Store(false)
		f.faultless()
		w.settle(20 * time.Minute)
		for i, id := range ids {
			calls := w.calls(id)
			if got := w.events(id)["call_ended"]; got != len(calls) || len(calls) == 0 {
				w.Errorf("%d calls, %d call_ended", len(calls), got)
			}
			attempts := map[int]bool{}
			for _, c := range calls {
				if attempts[c.Attempt] {
					w.Errorf("attempt %d was made twice", c.Attempt)
				}
				attempts[c.Attempt] = true
			}
			if r := w.run(runs[i].ID); r.Attempts != len(calls) {
				w.Errorf("%d attempts, %d calls", r.Attempts, len(calls))
			}
		}
		for id, n := range f.asked {
			if n != 1 {
				w.Errorf("call %s was started %d times", id, n)
			}
		}
	})
}

// An event that cannot be taken, whatever the fault, keeps no other from being taken.
func TestPoisonedEvent(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		ids := []string{w.contact(number(1)), w.contact(number(1)), w.contact(number(1))}
		runs := w.schedule(ids...)
		w.settle(time.Second)
		poison := w.liveOf(ids[1])[0]
		storetest.Update(w, w.store, func(tx *store.Tx) error { // no face lets a null character in
			return tx.InsertVoiceEvents([]store.VoiceEvent{{
				Agent: store.AgentRef{AccountID: w.account.ID, AgentID: poison.AgentID}, ID: "poison", CallID: poison.ID,
				Progress: aftercall.Progress{EndedAt: time.Now(), Reason: aftercall.EndBusy, RecordingURL: "\x00", Final: true},
			}})
		})
		w.settle(5 * time.Minute)
		for i, id := range ids {
			if n := len(w.calls(id)); n != 1 || w.run(runs[i].ID).Open() {
				w.Errorf("%d calls of contact %d", n, i)
			}
		}
	})
}

// Two calls of one contact may end in the same batch: each is taken once, and reached
// stays reached.
func TestTwoEndsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account := aftercall.Account{Name: "Sunny Solar"}
		storetest.Update(t, s, func(tx *store.Tx) error { return auth.CreateAccount(tx, &account) })
		d := dialer.New(s, dialer.Config{})
		c := aftercall.Contact{AccountID: account.ID, FirstName: "Frida", LastName: "Kahlo", PhoneNumber: number(1)}
		if err := d.AddContact(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		runs, _, err := d.Schedule(t.Context(), account.ID, []dialer.Wanted{{ContactID: c.ID}})
		if err != nil {
			t.Fatal(err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			var events []store.VoiceEvent
			for i, reason := range []aftercall.EndReason{aftercall.EndTransferred, aftercall.EndNoAnswer} { // reached, and not
				l := aftercall.LiveCall{
					AccountID: account.ID, ID: aftercall.NewUUID(), ContactID: c.ID, AgentID: runs[0].AgentID, Line: "simulator",
					Direction: aftercall.Inbound, Attempt: 1, FromNumber: number(1), State: aftercall.Over, TriggeredAt: tx.Now(), DueAt: tx.Now().Add(time.Hour),
				}
				if err := tx.PutLiveCalls([]aftercall.LiveCall{l}); err != nil {
					return err
				}
				events = append(events, store.VoiceEvent{
					Agent: store.AgentRef{AccountID: account.ID, AgentID: l.AgentID}, ID: strconv.Itoa(i), CallID: l.ID,
					Progress: aftercall.Progress{EndedAt: tx.Now(), Reason: reason, Final: true},
				})
			}
			return tx.InsertVoiceEvents(events)
		})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		defer running.Wait()
		defer stop()
		for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
			calls, err := d.Calls(t.Context(), account.ID, store.CallPage{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if len(calls) == 2 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d of two calls were taken", len(calls))
			}
		}
		got, err := d.Contact(t.Context(), account.ID, c.ID)
		if err != nil || got.Status != aftercall.ContactReached || !got.NextCallAt.IsZero() {
			t.Errorf("the contact is %s, next called at %s, %v", got.Status, got.NextCallAt, err)
		}
	})
}

// Who is taken out during a call and scheduled anew is called by the new run.
func TestScheduledAnewInACall(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		id := w.contact(number(10))
		before := w.schedule(id)[0]
		w.settle(5 * time.Second)
		if failed, err := w.dialer.Remove(w.Context(), w.account.ID, []string{id}); err != nil || failed[0] != nil {
			w.Fatal(err, failed)
		}
		anew := w.schedule(id)[0]
		w.settle(2 * time.Minute)
		calls := w.calls(id)
		c, run := w.find(id), w.run(anew.ID)
		if len(calls) == 0 || calls[0].RunID != before.ID || !run.Open() || c.Status != aftercall.ContactPending || c.NextCallAt != run.DueAt && !run.DueAt.IsZero() {
			w.Errorf("%s, next at %s; the run is due %s, ended %q", c.Status, c.NextCallAt, run.DueAt, run.End)
		}
	})
}

// A wish outlives a start that was refused.
func TestWishIsKept(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		var refuse atomic.Bool
		f := w.through(func(dialer.StartRequest) fault {
			if refuse.CompareAndSwap(true, false) {
				return throttled
			}
			return none
		})
		id := w.contact(number(3))
		w.schedule(id)
		w.settle(5 * time.Minute)
		wish := w.find(id).NextCallAt
		if wish.IsZero() || len(w.calls(id)) != 1 {
			w.Fatalf("called next at %s", wish)
		}
		_, err := w.dialer.UpdateAgent(w.Context(), w.account.ID, "default", func(a *aftercall.Agent) {
			a.Dialing.Hours = aftercall.Hours{} // closed when the wish comes
			a.Dialing.Hours.Week[(wish.Weekday()+3)%7] = []aftercall.Range{{From: 0, To: 60}}
		})
		if err != nil {
			w.Fatal(err)
		}
		<-time.After(time.Until(wish) - time.Minute)
		refuse.Store(true)
		w.settle(5 * time.Minute)
		if len(w.calls(id)) != 2 || len(f.starts) != 3 {
			w.Errorf("%d calls in %d starts", len(w.calls(id)), len(f.starts))
		}
	})
}

// An agent whose calls go on is not deleted: their ends would be lost.
func TestAgentInACallStays(t *testing.T) {
	inBubble(t, func(w *world) {
		<-time.After(6 * time.Hour)
		a := aftercall.NewAgent(w.account.ID, time.Now())
		a.Title = "Ada"
		if err := w.dialer.AddAgent(w.Context(), &a); err != nil {
			w.Fatal(err)
		}
		id := w.contact(number(1))
		if _, err := w.dialer.Initiate(w.Context(), w.account.ID, dialer.Wanted{ContactID: id, AgentID: a.ID}); err != nil {
			w.Fatal(err)
		}
		w.settle(5 * time.Second)
		if err := w.dialer.DeleteAgent(w.Context(), w.account.ID, a.ID); aftercall.KindOf(err) != aftercall.Conflict {
			w.Errorf("deleted in a call: %v", err)
		}
		w.settle(5 * time.Minute)
		if n := len(w.calls(id)); n != 1 {
			w.Errorf("%d calls", n)
		}
		if err := w.dialer.DeleteAgent(w.Context(), w.account.ID, a.ID); err != nil {
			w.Error(err)
		}
	})
}
