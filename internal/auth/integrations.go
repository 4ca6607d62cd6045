package auth

import (
	"context"
	"crypto/sha256"
	"strings"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// integrationPrefix begins the ids of integrations, as in Svix.
const integrationPrefix = "integ_"

// maxIntegrationName is in characters.
const maxIntegrationName = 256

// PutIntegration stores an integration of an account, a new one if it has no id. The
// errors are Invalid and NotFound.
func (k *Keys) PutIntegration(ctx context.Context, i store.Integration) (store.Integration, error) {
	if n := utf8.RuneCountInString(strings.TrimSpace(i.Name)); n < 1 || n > maxIntegrationName {
		return i, aftercall.InvalidField("name", "must be 1 to %d characters", maxIntegrationName)
	}
	err := k.store.Update(ctx, func(tx *store.Tx) error {
		i.CreatedAt, i.UpdatedAt = tx.Now(), tx.Now()
		if i.ID == "" {
			i.ID = aftercall.NewID(integrationPrefix, tx.Now())
		} else {
			before, err := tx.Integration(i.AccountID, i.ID)
			if err != nil {
				return err
			}
			i.CreatedAt = before.CreatedAt
		}
		return tx.PutIntegration(i)
	})
	k.forget()
	return i, err
}

// RotateIntegrationKey gives an integration a new key, which is shown this once. The one
// before ends at once.
func (k *Keys) RotateIntegrationKey(ctx context.Context, accountID, id string) (string, error) {
	key := newKey(integrationKeyPrefix)
	hash := sha256.Sum256([]byte(key))
	err := k.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(accountID, id); err != nil {
			return err
		}
		return tx.SetIntegrationKey(accountID, id, hash[:])
	})
	k.forget()
	return key, err
}

// DeleteIntegration removes an integration, whose key ends at once.
func (k *Keys) DeleteIntegration(ctx context.Context, accountID, id string) error {
	err := k.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(accountID, id); err != nil {
			return err
		}
		return tx.DeleteIntegration(accountID, id)
	})
	k.forget()
	return err
}

// ValidIntegrationID reports whether a text has the form of an integration's id.
func ValidIntegrationID(text string) bool { return aftercall.ValidID(integrationPrefix, text) }
