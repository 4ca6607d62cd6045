package store_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func TestAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		a.UID, a.Metadata = "customer-1", map[string]string{"plan": "pro"}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.UpdateAccount(a) })
		storetest.View(t, s, func(tx *store.Tx) error {
			for _, name := range []string{a.ID, "customer-1"} {
				got, err := tx.Account(name)
				if err != nil {
					return err
				}
				if fmt.Sprint(got) != fmt.Sprint(a) {
					t.Errorf("Account(%q) = %v, want %v", name, got, a)
				}
			}
			if _, err := tx.Account("app_nobody"); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("unknown account: %v", err)
			}
			return nil
		})
		b := a
		b.ID = aftercall.NewID(aftercall.AccountPrefix, a.CreatedAt)
		err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertAccount(b) })
		if aftercall.KindOf(err) != aftercall.Conflict {
			t.Errorf("second account with a uid: %v", err)
		}
	})
}

// An update that fails undoes itself alone, whoever shares its commit.
func TestUpdatesFailAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const writers = 64
		failure := errors.New("no")
		var wait sync.WaitGroup
		for i := range writers {
			wait.Go(func() {
				err := s.Update(t.Context(), func(tx *store.Tx) error {
					name := fmt.Sprintf("n%02d", i)
					if _, err := tx.SetSetting(name, []byte{1}); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return failure
					case 2:
						panic("a bug")
					}
					return nil
				})
				if ok := i%4 != 1 && i%4 != 2; ok != (err == nil) {
					t.Errorf("update %d: %v", i, err)
				}
			})
		}
		wait.Wait()
		storetest.View(t, s, func(tx *store.Tx) error {
			for i := range writers {
				v, err := tx.Setting(fmt.Sprintf("n%02d", i))
				if err != nil {
					return err
				}
				if ok := i%4 != 1 && i%4 != 2; ok != (v != nil) {
					t.Errorf("setting %d is %v", i, v)
				}
			}
			return nil
		})
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	for name, url := range map[string]string{"sqlite": storetest.SQLite(t)} {
		t.Run(name, func(t *testing.T) {
			s := storetest.Open(t, url)
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.PretendVersion(9999) })
			if _, err := store.Migrate(t.Context(), url); aftercall.KindOf(err) != aftercall.Conflict {
				t.Errorf("Migrate: %v", err)
			}
		})
	}
}
