package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// ContactCall is a call with its contact, which is zero once it was erased.
type ContactCall struct {
	aftercall.Call
	Contact aftercall.Contact
	State   aftercall.CallState // of one that goes on, the call says what there is so far
}

// Call finds a call, also one that goes on.
func (d *Dialer) Call(ctx context.Context, accountID, id string) (ContactCall, error) {
	id, ok := uuidOf(id)
	if !ok {
		return ContactCall{}, noCall()
	}
	var list []ContactCall
	err := d.store.View(ctx, func(tx *store.Tx) error {
		live, err := tx.LiveCall(accountID, id) // first: it may end meanwhile, but does not begin anew
		call, state := live.SoFar(), live.Stage()
		if aftercall.KindOf(err) == aftercall.NotFound {
			state = aftercall.CallIsOver
			call, err = tx.Call(accountID, id)
		}
		if err != nil {
			return err
		}
		list, err = withContacts(tx, accountID, []aftercall.Call{call})
		list[0].State = state
		return err
	})
	if err != nil {
		return ContactCall{}, err
	}
	return list[0], nil
}

// Calls lists calls that have ended from newest to oldest.
func (d *Dialer) Calls(ctx context.Context, accountID string, p store.CallPage) (list []ContactCall, err error) {
	if id := &p.Filter.ContactID; *id != "" {
		var ok bool
		if *id, ok = uuidOf(*id); !ok {
			return nil, aftercall.InvalidField("contact_id", "is not the id of a contact")
		}
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		calls, err := tx.Calls(accountID, p)
		if err != nil {
			return err
		}
		list, err = withContacts(tx, accountID, calls)
		return err
	})
	return list, err
}

func withContacts(tx *store.Tx, accountID string, calls []aftercall.Call) ([]ContactCall, error) {
	ids := make([]string, len(calls))
	for i, call := range calls {
		ids[i] = call.ContactID
	}
	contacts, err := tx.Contacts(accountID, ids)
	list := make([]ContactCall, len(calls))
	for i, call := range calls {
		list[i] = ContactCall{call, contacts[call.ContactID], aftercall.CallIsOver}
	}
	return list, err
}
