package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// maxPhoneNumbers is how many an account may have: they are listed at once.
const maxPhoneNumbers = 1000

// AddPhoneNumber stores a number with its trunk; its ID and time are set, and calls may
// be made from it. Errors: Invalid, Conflict for a number that the account has.
func (d *Dialer) AddPhoneNumber(ctx context.Context, n *aftercall.PhoneNumber) error {
	if err := n.Validate(); err != nil {
		return err
	}
	n.ID, n.Outbound = aftercall.NewUUID(), true
	return d.store.Update(ctx, func(tx *store.Tx) error {
		list, err := tx.PhoneNumbers(n.AccountID)
		if err != nil {
			return err
		}
		if len(list) >= maxPhoneNumbers {
			return aftercall.InvalidField("phoneNumber", "would be one too many: an account has at most %d", maxPhoneNumbers)
		}
		n.CreatedAt = tx.Now()
		return tx.InsertPhoneNumber(*n)
	})
}

// PhoneNumbers lists all numbers of an account from oldest to newest, without the
// passwords of their trunks.
func (d *Dialer) PhoneNumbers(ctx context.Context, accountID string) (list []aftercall.PhoneNumber, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.PhoneNumbers(accountID)
		return err
	})
	return list, err
}

// DeletePhoneNumber removes a number and its trunk.
func (d *Dialer) DeletePhoneNumber(ctx context.Context, accountID, id string) error {
	id, ok := uuidOf(id)
	if !ok {
		return aftercall.Errorf(aftercall.NotFound, "phone number not found")
	}
	return d.store.Update(ctx, func(tx *store.Tx) error { return tx.DeletePhoneNumber(accountID, id) })
}
