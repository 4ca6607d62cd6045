package auth

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// CreateAccount stores a new account with its default agent; its ID and times are set. Errors: Invalid,
// Conflict for a uid that is taken.
func CreateAccount(tx *store.Tx, a *aftercall.Account) error {
	if a.Timezone == "" {
		a.Timezone = "UTC"
	}
	if err := a.Validate(); err != nil {
		return err
	}
	a.ID = aftercall.NewID(aftercall.AccountPrefix, tx.Now())
	a.CreatedAt, a.UpdatedAt = tx.Now(), tx.Now()
	if err := tx.InsertAccount(*a); err != nil {
		return err
	}
	return tx.InsertAgent(aftercall.NewDefaultAgent(a.ID, tx.Now()))
}

// UpdateAccount changes an account, found by id or uid, and returns it as it is then.
func (k *Keys) UpdateAccount(ctx context.Context, idOrUID string, change func(*aftercall.Account)) (aftercall.Account, error) {
	var a aftercall.Account
	err := k.store.Update(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.Account(idOrUID); err != nil {
			return err
		}
		if a.ID == aftercall.OperationalAccountID {
			return reserved()
		}
		change(&a)
		if err := a.Validate(); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		return tx.UpdateAccount(a)
	})
	return a, err
}

func reserved() error {
	return aftercall.Errorf(aftercall.Forbidden, "the application of operational webhooks is part of the server")
}

// DeleteAccount removes an account with everything it has, its keys too.
func (k *Keys) DeleteAccount(ctx context.Context, idOrUID string) error {
	err := k.store.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(idOrUID)
		if err != nil {
			return err
		}
		if a.ID == aftercall.OperationalAccountID {
			return reserved()
		}
		return tx.DeleteAccount(a.ID)
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.known)
	return err
}
