package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// BlockNumber puts a number on the block list, for a reason in people's words. It is
// not dialled any more, whatever was planned. Errors: Invalid.
func (d *Dialer) BlockNumber(ctx context.Context, accountID, number, reason string) (aftercall.BlockedNumber, error) {
	b, err := aftercall.NewBlockedNumber(accountID, number, reason)
	if err != nil {
		return b, err
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		b.CreatedAt = tx.Now()
		return tx.BlockNumbers([]aftercall.BlockedNumber{b})
	})
	return b, err
}

// UnblockNumber takes a number off the block list, by itself or by its hash. Errors:
// NotFound.
func (d *Dialer) UnblockNumber(ctx context.Context, accountID, numberOrHash string) error {
	hash := numberOrHash
	if number, ok := aftercall.ParsePhone(numberOrHash); ok {
		hash = aftercall.NumberHash(accountID, number)
	}
	return d.store.Update(ctx, func(tx *store.Tx) error { return tx.UnblockNumber(accountID, hash) })
}

// BlockedNumbers lists the block list, by hash.
func (d *Dialer) BlockedNumbers(ctx context.Context, accountID string, p store.Page) (list []aftercall.BlockedNumber, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.BlockedNumbers(accountID, p)
		return err
	})
	return list, err
}

// maxDialRecords is how much of a number's record is shown.
const maxDialRecords = 1000

// DialRecords returns why calls to a number were allowed, oldest first.
func (d *Dialer) DialRecords(ctx context.Context, accountID, number string) (list []aftercall.DialRecord, err error) {
	number, ok := aftercall.ParsePhone(number)
	if !ok {
		return nil, aftercall.InvalidField("number", "is not an international phone number such as +14155552671")
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.DialRecords(accountID, aftercall.NumberHash(accountID, number), maxDialRecords)
		return err
	})
	return list, err
}
