package store_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// newImport stores an import with a file of three parts and an error.
func newImport(t *testing.T, s *store.Store, accountID string, status aftercall.ImportStatus) (i aftercall.Import) {
	t.Helper()
	storetest.Update(t, s, func(tx *store.Tx) error {
		i = aftercall.Import{
			AccountID: accountID, ID: aftercall.NewUUID(), Status: status, Separator: '\t', Total: 3, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
			ImportOptions: aftercall.ImportOptions{Mapping: aftercall.Mapping{"phone_number", ""}, DefaultCountry: "DE"},
		}
		if err := tx.PutImport(i); err != nil {
			return err
		}
		parts := []store.ImportPart{{Number: 0, Line: 1, Content: []byte("a")}, {Number: 1, Line: 2, Content: []byte("b")}, {Number: 2, Line: 9, Content: []byte{0xc3, 0xa4}}}
		if err := tx.InsertImportParts(accountID, i.ID, parts); err != nil {
			return err
		}
		return tx.InsertImportErrors(accountID, i.ID, 0, []aftercall.ImportError{{Line: 2, Field: "email", Message: "is not one"}})
	})
	return i
}

func TestImports(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		draft, running := newImport(t, s, a.ID, aftercall.ImportDraft), newImport(t, s, a.ID, aftercall.ImportRunning)
		storetest.Update(t, s, func(tx *store.Tx) error {
			if got, err := tx.Import(a.ID, draft.ID); err != nil || !reflect.DeepEqual(got, draft) {
				t.Errorf("stored %+v, got %+v, %v", draft, got, err)
			}
			if _, err := tx.Import(other.ID, draft.ID); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("another account's: %v", err)
			}
			if _, err := tx.LockImport(a.ID, draft.ID, aftercall.ImportRunning); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("a draft that runs: %v", err)
			}
			if list, err := tx.RunningImports(); err != nil || len(list) != 1 || list[0].ID != running.ID {
				t.Errorf("running: %+v, %v", list, err)
			}
			if list, err := tx.Imports(a.ID, store.Page{Limit: 9, Descending: true}); err != nil || len(list) != 2 || list[0].ID != running.ID {
				t.Errorf("listed: %+v, %v", list, err)
			}
			if p, err := tx.ImportPart(a.ID, running.ID, 2); err != nil || p.Line != 9 || string(p.Content) != "ä" {
				t.Errorf("part 2: %+v, %v", p, err)
			}
			for _, there := range []bool{true, false} { // whoever comes second learns that it was applied
				if ok, err := tx.DeleteImportPart(a.ID, running.ID, 1); err != nil || ok != there {
					t.Errorf("deleted: %t, %v", ok, err)
				}
			}
			if p, err := tx.ImportPart(a.ID, running.ID, 1); err != nil || p.Number != 2 {
				t.Errorf("after part 1: %+v, %v", p, err)
			}
			return tx.DeleteImport(a.ID, running.ID)
		})
		storetest.View(t, s, func(tx *store.Tx) error {
			if _, err := tx.ImportPart(a.ID, running.ID, 0); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("the file of a deleted import: %v", err)
			}
			if n, err := tx.CountImportErrors(a.ID, running.ID); err != nil || n != 0 {
				t.Errorf("%d errors of a deleted import, %v", n, err)
			}
			if list, err := tx.ImportErrors(a.ID, draft.ID); err != nil || len(list) != 1 || list[0].Line != 2 {
				t.Errorf("errors of the other: %+v, %v", list, err)
			}
			return nil
		})
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteAccount(a.ID) })
		storetest.View(t, s, func(tx *store.Tx) error {
			if _, err := tx.ImportPart(a.ID, draft.ID, 0); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("the file of a deleted account: %v", err)
			}
			return nil
		})
	})
}

// Of two who go on with an import at once, one is told that it is busy.
func TestImportIsLocked(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t)) // SQLite has one writer
	i := newImport(t, s, storetest.Account(t, s).ID, aftercall.ImportRunning)
	storetest.Update(t, s, func(tx *store.Tx) error {
		if _, err := tx.LockImport(i.AccountID, i.ID, i.Status); err != nil {
			return err
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			if _, err := tx.LockImport(i.AccountID, i.ID, i.Status); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("locked twice: %v", err)
			}
			return nil
		})
		return nil
	})
}

// A file that nobody imports goes after a day, and what became of one after a month.
func TestOldImportsGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		kept := map[string]bool{}
		for _, old := range []struct {
			status aftercall.ImportStatus
			days   int
			kept   bool
		}{
			{aftercall.ImportDraft, 0, true}, {aftercall.ImportDraft, 2, false}, {aftercall.ImportRunning, 40, true},
			{aftercall.ImportFinished, 2, true}, {aftercall.ImportFinished, 31, false}, {aftercall.ImportFailed, 31, false},
		} {
			i := newImport(t, s, a.ID, old.status)
			i.UpdatedAt = i.UpdatedAt.Add(-time.Duration(old.days) * 24 * time.Hour)
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.PutImport(i) })
			if old.kept {
				kept[i.ID] = true
			}
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			if n, err := tx.DeleteOldImports(100); err != nil || n != 3 {
				t.Errorf("%d went, %v", n, err)
			}
			list, err := tx.Imports(a.ID, store.Page{Limit: 100})
			for _, i := range list {
				if !kept[i.ID] {
					t.Errorf("%s of %s is still there", i.Status, i.UpdatedAt)
				}
			}
			if len(list) != len(kept) {
				t.Errorf("%d are left, not %d", len(list), len(kept))
			}
			return err
		})
	})
}

func TestContactsByKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		storetest.Update(t, s, func(tx *store.Tx) error {
			var list []aftercall.Contact
			for _, account := range []string{a.ID, other.ID} {
				for _, id := range []string{"1", "2", ""} {
					list = append(list, aftercall.Contact{AccountID: account, ID: aftercall.NewUUID(), ExternalID: id, PhoneNumber: "+14155552671",
						Status: aftercall.ContactNew, CreatedAt: tx.Now(), UpdatedAt: tx.Now(), StatusUpdatedAt: tx.Now()})
				}
			}
			_, err := tx.InsertContacts(list)
			return err
		})
		storetest.View(t, s, func(tx *store.Tx) error {
			list, err := tx.ContactsByExternalID(a.ID, []string{"2", "3", "1"})
			if err != nil || len(list) != 2 || list[0].AccountID != a.ID || list[1].AccountID != a.ID {
				t.Errorf("by id: %+v, %v", list, err)
			}
			for limit, want := range map[int]int{10: 3, 2: 2} {
				if list, err = tx.ContactsByPhone(a.ID, []string{"+14155552671"}, limit); err != nil || len(list) != want {
					t.Errorf("%d by number, %v", len(list), err)
				}
			}
			return nil
		})
	})
}
