package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// BlockNumber is BlockNumbers for one. Errors: Invalid.
func (d *Dialer) BlockNumber(ctx context.Context, accountID, number, reason string) (aftercall.BlockedNumber, error) {
	list, failed, err := d.BlockNumbers(ctx, accountID, []string{number}, reason)
	if err != nil {
		return aftercall.BlockedNumber{}, err
	}
	return list[0], failed[0]
}

// BlockNumbers puts numbers on the block list, for a reason in people's words, and
// returns them as they stand there: one that was blocked before keeps its reason. What is
// wrong with one of them is told at its place in failed. None of them is dialled any
// more: open runs of contacts with such a number end, and their contacts are closed.
func (d *Dialer) BlockNumbers(ctx context.Context, accountID string, numbers []string, reason string) (list []aftercall.BlockedNumber, failed []error, err error) {
	list, failed = make([]aftercall.BlockedNumber, len(numbers)), make([]error, len(numbers))
	var valid []aftercall.BlockedNumber
	var hashes, dialled []string
	for i, number := range numbers {
		if list[i], failed[i] = aftercall.NewBlockedNumber(accountID, number, reason); failed[i] == nil {
			valid = append(valid, list[i])
			hashes = append(hashes, list[i].Hash)
			dialled = append(dialled, list[i].Number)
		}
	}
	hashes, dialled = unique(hashes), unique(dialled)
	var stored map[string]aftercall.BlockedNumber
	for more := len(valid) > 0; more; { // not all at once: there may be many contacts with one number
		err = d.store.Update(ctx, func(tx *store.Tx) (err error) {
			waiting, err := tx.OpenRunsTo(accountID, dialled, maxPlan)
			if err != nil {
				return err
			}
			more = len(waiting) == maxPlan
			if err := removeRuns(tx, accountID, waiting, aftercall.RunBlocked); err != nil {
				return err
			}
			if err := tx.BlockNumbers(valid); err != nil {
				return err
			}
			stored, err = tx.BlockedByHash(accountID, hashes)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	for i := range list {
		if failed[i] == nil {
			list[i] = stored[list[i].Hash]
		}
	}
	return list, failed, nil
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

// DialRecords returns why calls to a number were allowed, oldest first. Error: Invalid.
func (d *Dialer) DialRecords(ctx context.Context, accountID, number string, p store.DialRecordPage) (list []aftercall.DialRecord, err error) {
	number, ok := aftercall.ParsePhone(number)
	if !ok {
		return nil, aftercall.InvalidField("number", "is not an international phone number such as +14155552671")
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.DialRecords(accountID, aftercall.NumberHash(accountID, number), p)
		return err
	})
	return list, err
}
