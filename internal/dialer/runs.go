package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// RunByID finds a run.
func (d *Dialer) RunByID(ctx context.Context, accountID, id string) (r aftercall.Run, err error) {
	id, ok := uuidOf(id)
	if !ok {
		return r, noRun()
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		if r, err = tx.Run(accountID, id); aftercall.KindOf(err) == aftercall.NotFound {
			err = noRun()
		}
		return err
	})
	return r, err
}

// Runs lists runs by id, which is by when they were opened: those of a contact, or, with
// an empty id, all. Error: Invalid for what is no contact's id.
func (d *Dialer) Runs(ctx context.Context, accountID, contactID string, p store.Page) (list []aftercall.Run, err error) {
	if contactID != "" {
		var ok bool
		if contactID, ok = uuidOf(contactID); !ok {
			return nil, aftercall.InvalidField("contact_id", "is not the id of a contact")
		}
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Runs(accountID, contactID, p)
		return err
	})
	return list, err
}

// noRun speaks of a loop, as those do who ask.
func noRun() error { return aftercall.Errorf(aftercall.NotFound, "loop not found") }
