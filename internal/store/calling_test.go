package store_test

import (
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// What pages show of agents, runs and calls in progress changes the account's state, and
// nothing of another account does.
func TestAccountStateOfCalling(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, other := storetest.Account(t, s), storetest.Account(t, s)
		state := func(id string) (state string) {
			storetest.View(t, s, func(tx *store.Tx) (err error) {
				state, err = tx.AccountState(id)
				return err
			})
			return state
		}
		agent := aftercall.NewAgent(account.ID, time.Now())
		agent.Title = "a"
		run := aftercall.Run{AccountID: account.ID, ID: aftercall.NewUUID(), ContactID: "c", AgentID: agent.ID, DueAt: time.Now().Add(time.Hour)}
		live := aftercall.LiveCall{
			AccountID: account.ID, ID: aftercall.NewUUID(), ContactID: "c", AgentID: agent.ID, Direction: aftercall.Outbound, TriggeredAt: time.Now(), DueAt: time.Now().Add(time.Hour),
		}
		theirs := state(other.ID)
		last := state(account.ID)
		for _, step := range []struct {
			what string
			do   func(tx *store.Tx) error
		}{
			{"agent", func(tx *store.Tx) error { return tx.InsertAgent(agent) }},
			{"title", func(tx *store.Tx) error { agent.UpdatedAt = tx.Now(); return tx.UpdateAgent(agent) }},
			{"run", func(tx *store.Tx) error { return tx.PutRuns([]aftercall.Run{run}) }},
			{"due", func(tx *store.Tx) error {
				run.DueAt = run.DueAt.Add(time.Hour)
				return tx.PutRuns([]aftercall.Run{run})
			}},
			{"live", func(tx *store.Tx) error { return tx.PutLiveCalls([]aftercall.LiveCall{live}) }},
			{"placed", func(tx *store.Tx) error {
				live.State = aftercall.Placed
				return tx.PutLiveCalls([]aftercall.LiveCall{live})
			}},
			{"ringing", func(tx *store.Tx) error {
				live.Progress.RangAt = tx.Now()
				return tx.PutLiveCalls([]aftercall.LiveCall{live})
			}},
			{"answered", func(tx *store.Tx) error {
				live.Progress.AnsweredAt = tx.Now()
				return tx.PutLiveCalls([]aftercall.LiveCall{live})
			}},
			{"over", func(tx *store.Tx) error { return tx.DeleteLiveCalls(account.ID, []aftercall.LiveCall{live}) }},
			{"deleted", func(tx *store.Tx) error {
				return tx.DeleteAgent(store.AgentRef{AccountID: account.ID, AgentID: agent.ID})
			}},
		} {
			storetest.Update(t, s, step.do)
			if next := state(account.ID); next == last {
				t.Errorf("%s leaves the state %s", step.what, next)
			} else {
				last = next
			}
		}
		if state(other.ID) != theirs {
			t.Error("another account's state changed")
		}
	})
}

// Waiting runs and calls in progress are counted by agent, those that wait up to a time
// and a limit.
func TestCallingCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, other := storetest.Account(t, s), storetest.Account(t, s)
		ref := store.AgentRef{AccountID: account.ID, AgentID: "a"}
		var runs []aftercall.Run
		var live []aftercall.LiveCall
		for n := range 5 {
			due := time.Now().Add(time.Duration(n)*time.Hour + time.Minute)
			runs = append(runs, aftercall.Run{AccountID: account.ID, ID: aftercall.NewUUID(), ContactID: aftercall.NewUUID(), AgentID: "a", DueAt: due})
			live = append(live, aftercall.LiveCall{AccountID: account.ID, ID: aftercall.NewUUID(), ContactID: "c", AgentID: "a", Direction: aftercall.Outbound, DueAt: due})
		}
		live[1].State, live[4].AgentID = aftercall.Over, "b"
		storetest.Update(t, s, func(tx *store.Tx) error {
			if err := tx.PutRuns(runs); err != nil {
				return err
			}
			return tx.PutLiveCalls(live)
		})
		storetest.View(t, s, func(tx *store.Tx) error {
			for _, test := range []struct {
				ref   store.AgentRef
				until time.Time
				limit int
				want  int
			}{
				{ref, time.Time{}, 100, 5}, {ref, time.Time{}, 3, 3}, {ref, time.Now().Add(2 * time.Hour), 100, 2},
				{store.AgentRef{AccountID: other.ID, AgentID: "a"}, time.Time{}, 100, 0}, {store.AgentRef{AccountID: account.ID, AgentID: "b"}, time.Time{}, 100, 0},
			} {
				if got, err := tx.CountWaiting(test.ref, test.until, test.limit); err != nil || got != test.want {
					t.Errorf("%+v: %d, %v", test, got, err)
				}
			}
			counted, err := tx.CountLive(account.ID)
			if counted["a"] != 3 || counted["b"] != 1 || len(counted) != 2 {
				t.Errorf("counted %v", counted)
			}
			if list, err := tx.LiveCalls(account.ID, 2); err != nil || len(list) != 2 || list[0].ID != live[4].ID {
				t.Errorf("listed %+v, %v", list, err)
			}
			if list, err := tx.LiveCalls(other.ID, 2); err != nil || len(list) != 0 {
				t.Errorf("another account's are %+v, %v", list, err)
			}
			return err
		})
	})
}
