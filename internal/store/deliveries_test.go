package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// addEndpoint stores an endpoint of an account.
func addEndpoint(t *testing.T, s *store.Store, accountID string, change ...func(*aftercall.Endpoint)) store.EndpointRef {
	t.Helper()
	var e aftercall.Endpoint
	storetest.Update(t, s, func(tx *store.Tx) error {
		e = aftercall.Endpoint{
			AccountID: accountID, ID: aftercall.NewID(aftercall.EndpointPrefix, tx.Now()), URL: "https://crm.example/", Signature: aftercall.SignHMAC, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		for _, c := range change {
			c(&e)
		}
		return tx.InsertEndpoint(e, aftercall.NewSecret(aftercall.HMAC, tx.Now()))
	})
	return store.EndpointRef{AccountID: accountID, EndpointID: e.ID}
}

// publish stores messages and returns them.
func publish(t *testing.T, s *store.Store, accountID string, count int) (list []*aftercall.Message) {
	t.Helper()
	storetest.Update(t, s, func(tx *store.Tx) error {
		list = nil
		for range count {
			list = append(list, &aftercall.Message{
				AccountID: accountID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: "call_ended", Payload: []byte(`{"a":1}`), CreatedAt: tx.Now(),
			})
		}
		return tx.Publish(list...)
	})
	return list
}

func claim(t *testing.T, s *store.Store, ref store.EndpointRef, limit int, lease time.Duration) (claimed []store.Claimed) {
	t.Helper()
	storetest.Update(t, s, func(tx *store.Tx) (err error) {
		claimed, err = tx.Claim(ref, limit, tx.Now().Add(lease))
		return err
	})
	return claimed
}

func delivery(t *testing.T, s *store.Store, ref store.EndpointRef, messageID string) (d aftercall.Delivery) {
	t.Helper()
	storetest.View(t, s, func(tx *store.Tx) (err error) {
		d, err = tx.Delivery(ref, messageID)
		return err
	})
	return d
}

// outcome is what became of a claimed delivery by an attempt.
func outcome(d aftercall.Delivery, verdict aftercall.Verdict) store.Outcome {
	now := time.Now().UTC().Truncate(time.Microsecond)
	a := aftercall.Attempt{
		AccountID: d.AccountID, MessageID: d.MessageID, EndpointID: d.EndpointID, ID: aftercall.NewID(aftercall.AttemptPrefix, now),
		URL: "https://crm.example/", Verdict: verdict, StatusCode: 200, Response: "thanks", StartedAt: now, Duration: time.Millisecond,
	}
	return store.Outcome{Attempt: a, Claimed: d, Next: d.After(a, aftercall.DefaultSchedule(), 0)}
}

// Whoever claims at the same time, each delivery is leased to one.
func TestConcurrentClaims(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		ref := addEndpoint(t, s, a.ID)
		const count = 500
		publish(t, s, a.ID, count)
		var mu sync.Mutex
		claims := map[string]int{}
		var claimers sync.WaitGroup
		for range 8 {
			claimers.Go(func() {
				for {
					list := claim(t, s, ref, 20, time.Hour)
					mu.Lock()
					for _, c := range list {
						claims[c.Message.ID]++
					}
					done := len(claims) == count
					mu.Unlock()
					if len(list) == 0 && done {
						return
					}
				}
			})
		}
		claimers.Wait()
		for id, n := range claims {
			if n != 1 {
				t.Errorf("%s was claimed %d times", id, n)
			}
		}
	})
}

func TestLeases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		ref, other := addEndpoint(t, s, a.ID), addEndpoint(t, s, a.ID)
		m := append(publish(t, s, a.ID, 1), publish(t, s, a.ID, 1)...)
		first := claim(t, s, ref, 1, time.Hour)
		if len(first) != 1 || first[0].Message.ID != m[0].ID || !reflect.DeepEqual(first[0].Message, m[0]) {
			t.Fatalf("claimed %+v, want the oldest, %+v", first, m[0])
		}
		if again := claim(t, s, ref, 10, 0); len(again) != 1 || again[0].Message.ID != m[1].ID {
			t.Errorf("claimed %+v, want the other", again)
		}
		// A lease that has ended is nobody's.
		if again := claim(t, s, ref, 10, time.Hour); len(again) != 1 || again[0].Message.ID != m[1].ID {
			t.Errorf("claimed %+v after its lease", again)
		}
		storetest.View(t, s, func(tx *store.Tx) error {
			due, err := tx.NextDue(ref)
			if err == nil && !due.After(tx.Now()) {
				t.Errorf("next due is %v", due)
			}
			return err
		})
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.Release(ref, []string{m[0].ID}) })
		if again := claim(t, s, ref, 10, time.Hour); len(again) != 1 || again[0].Message.ID != m[0].ID {
			t.Errorf("claimed %+v after its release", again)
		}
		if theirs := claim(t, s, other, 10, time.Hour); len(theirs) != 2 {
			t.Errorf("claimed %d at the other endpoint", len(theirs))
		}
	})
}

// An outcome that comes after something else was decided changes nothing but the log.
func TestRecordIsFenced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		ref := addEndpoint(t, s, a.ID)
		m := publish(t, s, a.ID, 4)
		claimed := make([]store.Claimed, len(m))
		for _, c := range claim(t, s, ref, 10, time.Hour) {
			claimed[slices.IndexFunc(m, func(m *aftercall.Message) bool { return m.ID == c.Message.ID })] = c
		}
		ok := func(i int) store.Outcome { return outcome(claimed[i].Delivery, aftercall.Accepted) }
		bad := func(i int) store.Outcome { return outcome(claimed[i].Delivery, aftercall.Refused) }
		record := func(list ...store.Outcome) {
			t.Helper()
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.Record(list) })
		}
		record(ok(0), bad(1))
		record(bad(0)) // the same claim a second time, by a process that was thought dead
		if d := delivery(t, s, ref, m[0].ID); d.State != aftercall.Succeeded || d.Attempts != 1 {
			t.Errorf("the success became %+v", d)
		}
		if d := delivery(t, s, ref, m[1].ID); d.State != aftercall.Pending || d.Attempts != 1 || d.Step != 1 || !d.DueAt.After(time.Now().Add(4*time.Second)) {
			t.Errorf("the failure became %+v", d)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			return tx.PutDeliveries([]aftercall.Delivery{claimed[2].Delivery.Resend(tx.Now())})
		})
		record(bad(2)) // of before the resend
		if d := delivery(t, s, ref, m[2].ID); d.State != aftercall.Pending || d.Trigger != aftercall.Manual || d.Detour == nil || d.Attempts != 1 {
			t.Errorf("the resend became %+v", d)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			_, err := tx.StopDeliveries(ref, aftercall.FailedDisabled, 100)
			return err
		})
		record(bad(3))
		if d := delivery(t, s, ref, m[3].ID); d.State != aftercall.Failed || d.Reason != aftercall.FailedDisabled {
			t.Errorf("the stopped one became %+v", d)
		}
		record(ok(3)) // it did arrive, though nobody wanted it any more
		if d := delivery(t, s, ref, m[3].ID); d.State != aftercall.Succeeded {
			t.Errorf("what arrived is %+v", d)
		}
		storetest.View(t, s, func(tx *store.Tx) error {
			list, err := tx.Attempts(a.ID, store.AttemptFilter{EndpointID: ref.EndpointID}, store.Page{Limit: 100})
			if len(list) != 6 {
				t.Errorf("%d attempts are kept, want all 6", len(list))
			}
			return err
		})
	})
}

// Every number of outcomes is recorded, whatever statements it takes.
func TestRecordAnyNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		ref := addEndpoint(t, s, a.ID)
		for _, n := range []int{1, 2, 3, 7, 15, 63, 255, 256, 300, 512} {
			publish(t, s, a.ID, n)
			claimed := claim(t, s, ref, 1000, time.Hour)
			if len(claimed) != n {
				t.Fatalf("claimed %d, want %d", len(claimed), n)
			}
			storetest.Update(t, s, func(tx *store.Tx) error {
				var list []store.Outcome
				for i, c := range claimed {
					list = append(list, outcome(c.Delivery, []aftercall.Verdict{aftercall.Accepted, aftercall.Abort}[i%2]))
				}
				return tx.Record(list)
			})
			for i, c := range claimed {
				want := []aftercall.DeliveryState{aftercall.Succeeded, aftercall.Failed}[i%2]
				if d := delivery(t, s, ref, c.Message.ID); d.State != want || d.Attempts != 1 {
					t.Fatalf("%d of %d became %+v", i, n, d)
				}
			}
		}
	})
}

func TestStats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		ref := addEndpoint(t, s, a.ID)
		since := time.Now().Add(-time.Minute)
		publish(t, s, a.ID, 10)
		claimed := claim(t, s, ref, 6, time.Hour)
		storetest.Update(t, s, func(tx *store.Tx) error {
			var list []store.Outcome
			for i, verdict := range []aftercall.Verdict{aftercall.Accepted, aftercall.Accepted, aftercall.Accepted, aftercall.Refused, aftercall.Refused, aftercall.Abort} {
				list = append(list, outcome(claimed[i].Delivery, verdict))
			}
			return tx.Record(list)
		})
		storetest.View(t, s, func(tx *store.Tx) error {
			stats, err := tx.EndpointStats(ref, since, time.Now().Add(time.Minute))
			if err == nil && stats != (store.Stats{Succeeded: 3, Waiting: 4, Retrying: 2, Failed: 1}) {
				t.Errorf("stats are %+v", stats)
			}
			oldest, pending, err := tx.Backlog(5)
			if err == nil && (oldest.IsZero() || pending != 5) {
				t.Errorf("backlog is %v, %d", oldest, pending)
			}
			failed, err := tx.FailedDeliveries(ref, "", "z", 10)
			if err == nil && (len(failed) != 1 || failed[0].Reason != aftercall.FailedAborted) {
				t.Errorf("failed are %+v", failed)
			}
			return err
		})
	})
}

// A disabled endpoint gets nothing, and has nothing due.
func TestDisabledEndpoints(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		ref := addEndpoint(t, s, a.ID)
		off := addEndpoint(t, s, a.ID, func(e *aftercall.Endpoint) { e.Disabled = true })
		m := publish(t, s, a.ID, 3)
		storetest.Update(t, s, func(tx *store.Tx) error {
			if d, err := tx.Deliveries(a.ID, m[0].ID); err != nil || len(d) != 1 || d[0].EndpointID != ref.EndpointID {
				t.Errorf("deliveries are %+v, %v; none is for %s", d, err, off.EndpointID)
			}
			e, err := tx.Endpoint(a.ID, ref.EndpointID)
			if err != nil {
				return err
			}
			e.Disabled = true
			return tx.UpdateEndpoint(e)
		})
		storetest.Update(t, s, func(tx *store.Tx) error {
			due, err := tx.DueEndpoints()
			if len(due) != 0 || err != nil {
				t.Errorf("due are %v, %v", due, err)
			}
			stopped, err := tx.StoppedEndpoints()
			if err != nil || len(stopped) != 1 || stopped[0] != ref {
				t.Errorf("stopped are %v, %v", stopped, err)
			}
			for _, want := range []int{2, 1, 0} {
				if n, err := tx.StopDeliveries(ref, aftercall.FailedDisabled, 2); err != nil || n != want {
					t.Errorf("stopped %d, %v; want %d", n, err, want)
				}
			}
			return nil
		})
		// What is published in the transaction that disables is not for it either.
		storetest.Update(t, s, func(tx *store.Tx) error {
			e, err := tx.Endpoint(a.ID, ref.EndpointID)
			if err != nil {
				return err
			}
			e.Disabled = false
			if err := tx.UpdateEndpoint(e); err != nil {
				return err
			}
			var ids []string
			for i := range 2 {
				m := &aftercall.Message{AccountID: a.ID, ID: fmt.Sprint("msg_", i), EventType: "x", Payload: []byte("{}"), CreatedAt: tx.Now()}
				if err := tx.Publish(m); err != nil {
					return err
				}
				list, err := tx.Deliveries(a.ID, m.ID)
				if err != nil {
					return err
				}
				ids = append(ids, fmt.Sprint(len(list)))
				e.Disabled = true
				if err := tx.UpdateEndpoint(e); err != nil {
					return err
				}
			}
			if fmt.Sprint(ids) != "[1 0]" {
				t.Errorf("deliveries before and after it was disabled: %v", ids)
			}
			return nil
		})
	})
}
