package dialer

import (
	"context"
	"encoding/csv"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// exportPage is how many contacts are read at once.
const exportPage = 500

// ExportContacts writes all contacts of an account as CSV in UTF-8, each detail in a
// column of its own; with the mark that spreadsheets tell UTF-8 by, if so asked. What is
// written holds no formula, and can be imported again as it is.
//
// An Invalid error, before anything is written, means that contacts have more details
// than a table has room for. Contacts that are added meanwhile may be missing.
func (d *Dialer) ExportContacts(ctx context.Context, accountID string, w io.Writer, mark bool) error {
	known := map[string]bool{}
	for list, err := range d.allContacts(ctx, accountID) {
		if err != nil {
			return err
		}
		for _, c := range list {
			for _, key := range c.DetailKeys() {
				known[key] = true
			}
		}
		if most := aftercall.MaxColumns - len(aftercall.ExportColumns(nil)); len(known) > most {
			return aftercall.Errorf(aftercall.Invalid, "contacts have more than %d different details: they do not fit into a table", most)
		}
	}
	if mark {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
	}
	keys := slices.Sorted(maps.Keys(known))
	out := csv.NewWriter(w)
	if err := out.Write(aftercall.ExportColumns(keys)); err != nil {
		return err
	}
	for list, err := range d.allContacts(ctx, accountID) {
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := out.Write(c.ExportRow(keys)); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// allContacts reads the contacts of an account a page at a time, each in a transaction
// of its own: a slow reader keeps none open.
func (d *Dialer) allContacts(ctx context.Context, accountID string) iter.Seq2[[]aftercall.Contact, error] {
	return func(yield func([]aftercall.Contact, error) bool) {
		for after := ""; ; {
			var list []aftercall.Contact
			err := d.store.View(ctx, func(tx *store.Tx) (err error) {
				list, err = tx.ContactList(accountID, store.ContactFilter{}, store.Page{Limit: exportPage, After: after})
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(list, nil) || len(list) < exportPage {
				return
			}
			after = list[len(list)-1].ID
		}
	}
}
