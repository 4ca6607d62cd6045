package dialer

import (
	"context"
	"iter"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// maxChecks is how many files are checked at once: a large one keeps a processor busy
// for seconds, which others need, too.
const maxChecks = 2

// check tells what an import would do with a file, by the same decisions as one that does
// it. What rows leave behind is kept only for those that a later row is about, too.
func (d *Dialer) check(ctx context.Context, i aftercall.Import, parts iter.Seq2[piece, error]) (aftercall.ImportCounts, []aftercall.ImportError, error) {
	var counts aftercall.ImportCounts
	select {
	case d.checks <- struct{}{}:
		defer func() { <-d.checks }()
	case <-ctx.Done():
		return counts, nil, aftercall.Errorf(aftercall.Unavailable, "too many files are being checked, try again later")
	}
	var failed []aftercall.ImportError
	repeated, err := repeatedKeys(i, parts)
	if err != nil {
		return counts, nil, err
	}
	left := map[string][]aftercall.Contact{} // by keys
	for p, err := range parts {
		if err != nil {
			return counts, nil, err
		}
		if p.Number == 0 {
			continue
		}
		b := readRows(p.ImportPart, i.Separator, i.ImportOptions)
		var contacts []aftercall.Contact
		err := d.store.View(ctx, func(tx *store.Tx) (err error) {
			contacts, err = b.stored(tx, i.AccountID)
			return err
		})
		if err != nil {
			return counts, nil, err
		}
		for _, row := range b.rows {
			for _, key := range keysOf(row.ExternalID(), row.PhoneNumber()) {
				contacts = append(contacts, left[key]...) // after those that are stored, which they replace
			}
		}
		k := decide(i.AccountID, contacts, b)
		for _, id := range unique(k.touched) {
			c := k.contacts[id]
			for _, key := range keysOf(c.ExternalID, c.PhoneNumber) {
				if repeated[key] {
					left[key] = leave(left[key], c)
				}
			}
		}
		counts.Create += k.Create
		counts.Update += k.Update
		counts.Skip += k.Skip
		counts.Failed += k.Failed
		failed = append(failed, k.failed...)
		failed = failed[:min(len(failed), aftercall.MaxImportNotes)]
	}
	return counts, failed, nil
}

// leave replaces a contact in a list, or adds it while there is room.
func leave(list []aftercall.Contact, c aftercall.Contact) []aftercall.Contact {
	for n := range list {
		if list[n].ID == c.ID {
			list[n] = c
			return list
		}
	}
	if len(list) < sameNumber {
		list = append(list, c)
	}
	return list
}

// keysOf is what a row and a contact may be found by.
func keysOf(externalID, number string) []string {
	keys := make([]string, 0, 2)
	if externalID != "" {
		keys = append(keys, "id "+externalID)
	}
	if number != "" {
		keys = append(keys, "number "+number)
	}
	return keys
}

// repeatedKeys are those that more than one row has.
func repeatedKeys(i aftercall.Import, parts iter.Seq2[piece, error]) (map[string]bool, error) {
	keys := map[string]bool{}
	for p, err := range parts {
		if err != nil {
			return nil, err
		}
		if p.Number == 0 {
			continue
		}
		for _, row := range readRows(p.ImportPart, i.Separator, i.ImportOptions).rows {
			for _, key := range keysOf(row.ExternalID(), row.PhoneNumber()) {
				_, again := keys[key]
				keys[key] = again
			}
		}
	}
	return keys, nil
}

// storedParts reads the file of an import from the store.
func (d *Dialer) storedParts(ctx context.Context, accountID, id string) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		for number := 0; ; number++ {
			var p store.ImportPart
			err := d.store.View(ctx, func(tx *store.Tx) (err error) {
				p, err = tx.ImportPart(accountID, id, number)
				return err
			})
			if aftercall.KindOf(err) == aftercall.NotFound {
				return
			}
			number = p.Number
			if !yield(piece{ImportPart: p}, err) || err != nil {
				return
			}
		}
	}
}
