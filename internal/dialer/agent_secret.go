package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Dials reports whether a voice engine runs here. The calls of agents whose engine does
// not, wait.
func (d *Dialer) Dials(kind aftercall.EngineKind) bool { return d.engines[kind] != nil }

// RotateAgentSecret gives an agent a new secret; the old one ends at once. What its
// voice engine still signs with it is refused, and asked for later. Error: NotFound.
func (d *Dialer) RotateAgentSecret(ctx context.Context, accountID, id string) error {
	id, err := agentID(id)
	if err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Agent(accountID, id)
		if err != nil {
			return err
		}
		secret := aftercall.NewSecret(aftercall.HMAC, tx.Now())
		ref := store.EndpointRef{AccountID: accountID, EndpointID: a.ID}
		if err := tx.RotateSecrets(ref, []aftercall.SecretKind{aftercall.HMAC}, tx.Now(), secret); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		return tx.UpdateAgent(a) // has other processes forget the old one
	})
}
