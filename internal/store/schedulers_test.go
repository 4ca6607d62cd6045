package store_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestSchedulers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		first := aftercall.CallScheduler{
			AccountID: a.ID, ID: aftercall.NewUUID(), Title: "Leads", AgentID: "agent-1", Enabled: true, Delay: 90 * time.Second,
			Filter: aftercall.Filter{All: []aftercall.Filter{
				{Field: aftercall.FilterEmail, Operator: aftercall.IsSet}, {Property: "plan", Operator: aftercall.Is, Value: json.RawMessage(`"pro"`)},
			}},
			Enrolment: aftercall.Enrolment{Running: true, StartedAt: a.CreatedAt}, CreatedAt: a.CreatedAt, UpdatedAt: a.CreatedAt,
		}
		second := first
		second.ID, second.AgentID, second.Enabled, second.Enrolment = aftercall.NewUUID(), "agent-2", false, aftercall.Enrolment{}
		theirs := second
		theirs.AccountID, theirs.Enabled = other.ID, true
		storetest.Update(t, s, func(tx *store.Tx) error {
			for _, c := range []aftercall.CallScheduler{first, second, theirs} {
				if err := tx.InsertScheduler(c); err != nil {
					return err
				}
			}
			return nil
		})
		storetest.Update(t, s, func(tx *store.Tx) error {
			running, err := tx.Enrolling()
			if want := []store.SchedulerRef{{AccountID: a.ID, SchedulerID: first.ID}}; err != nil || !reflect.DeepEqual(running, want) {
				t.Errorf("enrolling are %v, %v", running, err)
			}
			enabled, err := tx.EnabledSchedulers(a.ID)
			if err != nil || !reflect.DeepEqual(enabled, []aftercall.CallScheduler{first}) {
				t.Errorf("enabled are %+v, %v", enabled, err)
			}
			taken, err := tx.TakeScheduler(a.ID, first.ID)
			if err != nil || !reflect.DeepEqual(taken, first) {
				t.Errorf("took %+v, %v\nwant %+v", taken, err, first)
			}
			first.Enrolment = aftercall.Enrolment{After: "contact-1", Enrolled: 7, StartedAt: a.CreatedAt, EndedAt: tx.Now()}
			first.Title, first.Filter, first.Delay, first.UpdatedAt = "More leads", aftercall.Filter{}, 0, tx.Now()
			return tx.UpdateScheduler(first)
		})
		first.Enrolment.After = "" // of a pass that has ended nobody asks
		storetest.View(t, s, func(tx *store.Tx) error {
			got, err := tx.Scheduler(a.ID, first.ID)
			if err != nil || !reflect.DeepEqual(got, first) {
				t.Errorf("it is %+v, %v\nwant %+v", got, err, first)
			}
			list, err := tx.Schedulers(a.ID, store.Page{Limit: 10, Descending: true})
			if err != nil || !reflect.DeepEqual(list, []aftercall.CallScheduler{second, first}) {
				t.Errorf("listed %+v, %v", list, err)
			}
			if _, err := tx.Scheduler(a.ID, theirs.AgentID); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("what is not there: %v", err)
			}
			return nil
		})
		storetest.Update(t, s, func(tx *store.Tx) error {
			of, err := tx.TakeSchedulersOf(store.AgentRef{AccountID: a.ID, AgentID: "agent-1"})
			if err != nil || len(of) != 1 || of[0].ID != first.ID {
				t.Errorf("of the agent are %+v, %v", of, err)
			}
			if none, err := tx.TakeSchedulersOf(store.AgentRef{AccountID: a.ID, AgentID: "agent-2"}); err != nil || len(none) != 0 {
				t.Errorf("of an agent whose scheduler is off are %+v, %v", none, err)
			}
			if err := tx.DeleteScheduler(other.ID, first.ID); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("another account's was removed: %v", err)
			}
			if err := tx.DeleteScheduler(a.ID, first.ID); err != nil {
				return err
			}
			return tx.DeleteAccount(a.ID)
		})
		storetest.View(t, s, func(tx *store.Tx) error {
			gone, err := tx.Schedulers(a.ID, store.Page{Limit: 10})
			kept, keptErr := tx.Schedulers(other.ID, store.Page{Limit: 10})
			if err != nil || keptErr != nil || len(gone) != 0 || len(kept) != 1 {
				t.Errorf("with the account gone: %v, %v and %v, %v", gone, err, kept, keptErr)
			}
			return nil
		})
	})
}

// A number may stand twice in what is blocked at once, as when two people of one number
// ask for it.
func TestBlockNumbersTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		block := func(number, reason string) aftercall.BlockedNumber {
			return aftercall.BlockedNumber{AccountID: a.ID, Hash: aftercall.NumberHash(a.ID, number), Number: number, Reason: reason}
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			return tx.BlockNumbers([]aftercall.BlockedNumber{block("+14155552671", "first"), block("+14155552671", "second"), block("+12025550100", "other")})
		})
		storetest.View(t, s, func(tx *store.Tx) error {
			hash := aftercall.NumberHash(a.ID, "+14155552671")
			found, err := tx.BlockedByHash(a.ID, []string{hash, "nobody"})
			if err != nil || len(found) != 1 || found[hash].Reason != "first" || found[hash].CreatedAt.IsZero() {
				t.Errorf("found %+v, %v", found, err)
			}
			return nil
		})
	})
}
