package store_test

import (
	"reflect"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestProperties(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		color := aftercall.Property{
			AccountID: a.ID, Key: "color", Type: aftercall.PropertySelect, Label: "Color", Description: "of the door",
			Options: []aftercall.Option{{Value: "red", Label: "Red", Description: "<like fire>"}}, CreatedAt: a.CreatedAt, UpdatedAt: a.CreatedAt,
		}
		age := aftercall.Property{AccountID: a.ID, Key: "Age", Type: aftercall.PropertyNumber, Label: "Age", CreatedAt: a.CreatedAt, UpdatedAt: a.CreatedAt}
		theirs := age
		theirs.AccountID = other.ID
		storetest.Update(t, s, func(tx *store.Tx) error {
			for _, p := range []aftercall.Property{color, age, theirs} {
				if err := tx.InsertProperty(p); err != nil {
					return err
				}
			}
			return nil
		})
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertProperty(age) }); aftercall.KindOf(err) != aftercall.Conflict {
			t.Errorf("the same key again: %v", err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			taken, err := tx.TakeProperty(a.ID, "color")
			if err != nil {
				return err
			}
			taken.Label, taken.Options = "Colour", append(taken.Options, aftercall.Option{Value: "blue", Label: "Blue"})
			color = taken
			return tx.UpdateProperty(taken)
		})
		if !color.UpdatedAt.After(color.CreatedAt) {
			t.Errorf("changed at %v, made at %v", color.UpdatedAt, color.CreatedAt)
		}
		storetest.View(t, s, func(tx *store.Tx) error {
			list, err := tx.Properties(a.ID)
			if want := (aftercall.Properties{age, color}); err == nil && !reflect.DeepEqual(list, want) {
				t.Errorf("listed %+v\nwant %+v", list, want)
			}
			if _, err := tx.Property(other.ID, "color"); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("another account's: %v", err)
			}
			return err
		})
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.TakeProperty(other.ID, "color")
			return err
		}); aftercall.KindOf(err) != aftercall.NotFound {
			t.Errorf("another account's, to be changed: %v", err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteAccount(a.ID) })
		storetest.View(t, s, func(tx *store.Tx) error {
			gone, err := tx.Properties(a.ID)
			kept, keptErr := tx.Properties(other.ID)
			if err != nil || keptErr != nil || len(gone) != 0 || len(kept) != 1 {
				t.Errorf("with the account gone: %v, %v and %v, %v", gone, err, kept, keptErr)
			}
			return nil
		})
	})
}
