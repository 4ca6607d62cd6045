package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

const trunkPassword = "a password of a trunk"

func addNumber(t *testing.T, s *store.Store, accountID, number string) aftercall.PhoneNumber {
	t.Helper()
	n := aftercall.PhoneNumber{
		AccountID: accountID, ID: aftercall.NewUUID(), Number: number, Outbound: true,
		Trunk: aftercall.Trunk{URI: "sip:trunk.example.com", Username: "user", Password: trunkPassword},
	}
	storetest.Update(t, s, func(tx *store.Tx) error {
		n.CreatedAt = tx.Now()
		return tx.InsertPhoneNumber(n)
	})
	return n
}

func passwordOf(t *testing.T, s *store.Store, n aftercall.PhoneNumber) (password string, err error) {
	t.Helper()
	err = s.View(t.Context(), func(tx *store.Tx) error {
		password, err = tx.TrunkPassword(n.AccountID, n.ID)
		return err
	})
	return password, err
}

func TestPhoneNumbers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		first := addNumber(t, s, a.ID, "+493012345678")
		second := addNumber(t, s, a.ID, "+4915112345678")
		addNumber(t, s, other.ID, first.Number)
		again := first
		again.ID = aftercall.NewUUID()
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertPhoneNumber(again) }); aftercall.KindOf(err) != aftercall.Conflict {
			t.Errorf("the same number again: %v", err)
		}
		first.Trunk.Password, second.Trunk.Password = "", ""
		storetest.View(t, s, func(tx *store.Tx) error {
			list, err := tx.PhoneNumbers(a.ID)
			if want := []aftercall.PhoneNumber{first, second}; err == nil && !reflect.DeepEqual(list, want) {
				t.Errorf("listed %+v\nwant %+v", list, want)
			}
			if _, err := tx.TrunkPassword(other.ID, first.ID); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("another account's password: %v", err)
			}
			return err
		})
		remove := func(accountID string) error {
			return s.Update(t.Context(), func(tx *store.Tx) error { return tx.DeletePhoneNumber(accountID, first.ID) })
		}
		if err := remove(other.ID); aftercall.KindOf(err) != aftercall.NotFound {
			t.Errorf("removed by another account: %v", err)
		}
		if err := remove(a.ID); err != nil {
			t.Error(err)
		}
		if err := remove(a.ID); aftercall.KindOf(err) != aftercall.NotFound {
			t.Errorf("removed again: %v", err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteAccount(a.ID) })
		storetest.View(t, s, func(tx *store.Tx) error {
			gone, err := tx.PhoneNumbers(a.ID)
			kept, keptErr := tx.PhoneNumbers(other.ID)
			if err != nil || keptErr != nil || len(gone) != 0 || len(kept) != 1 {
				t.Errorf("with the account gone: %v, %v and %v, %v", gone, err, kept, keptErr)
			}
			return nil
		})
	})
}

// The passwords of trunks are sealed as secrets are: bound to their number, missed with
// their key, and sealed again when it is rotated, however many there are.
func TestTrunkPasswordsAreSealed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const numbers = 300 // more than are sealed again at once
		account := storetest.Account(t, s)
		s = reopen(t, s.URL(), masterKey(1))
		first := addNumber(t, s, account.ID, "+4930000000")
		var list []aftercall.PhoneNumber
		storetest.Update(t, s, func(tx *store.Tx) error {
			list = []aftercall.PhoneNumber{first}
			for len(list) < numbers {
				n := first
				n.ID, n.Number = aftercall.NewUUID(), fmt.Sprintf("+4930%07d", len(list))
				list = append(list, n)
				if err := tx.InsertPhoneNumber(n); err != nil {
					return err
				}
			}
			return nil
		})
		if strings.Contains(storetest.Dump(t, s.URL()), trunkPassword) {
			t.Error("the database shows a password")
		}
		other := reopen(t, s.URL(), masterKey(2))
		if _, err := passwordOf(t, other, first); !errors.Is(err, store.ErrSealed) {
			t.Errorf("with another key: %v", err)
		}
		if err := other.CheckMasterKeys(t.Context()); aftercall.KindOf(err) != aftercall.Conflict {
			t.Errorf("with another key the check says %v", err)
		}
		ref := addEndpoint(t, s, account.ID)
		both := reopen(t, s.URL(), masterKey(2), masterKey(1))
		for _, want := range []int{numbers + 1, 0} {
			if n, err := both.RotateMasterKey(t.Context()); n != want || err != nil {
				t.Errorf("%d were sealed again, %v; want %d", n, err, want)
			}
		}
		for _, n := range list {
			if got, err := passwordOf(t, other, n); got != trunkPassword || err != nil {
				t.Fatalf("after the rotation it is %q, %v", got, err)
			}
		}
		if _, err := reveal(t, other, ref); err != nil {
			t.Errorf("after the rotation the secret: %v", err)
		}
		if _, err := passwordOf(t, s, first); !errors.Is(err, store.ErrSealed) {
			t.Errorf("the old key still opens it: %v", err)
		}
		storetest.Update(t, other, func(tx *store.Tx) error { return tx.CopyTrunk(list[0], list[1]) })
		if got, err := passwordOf(t, other, list[1]); err == nil {
			t.Errorf("another number's password opens: %s", got)
		}
	})
}
