package store

import (
	"context"
	"fmt"
	"time"

	"github.com/aftercall/aftercall"
)

const secretColumns = `account_id, endpoint_id, kind, created_at, key, master_key, expires_at`

// sealedSecret is a secret as it lies in the database.
type sealedSecret struct {
	ref       EndpointRef
	secret    aftercall.Secret // its Key is sealed
	masterKey string
}

func readSecret(s scan) (r sealedSecret, err error) {
	err = s(&r.ref.AccountID, &r.ref.EndpointID, &r.secret.Kind, timeAt(&r.secret.CreatedAt), &r.secret.Key, &r.masterKey, timeAt(&r.secret.ExpiresAt))
	return r, err
}

// names are what a secret is sealed under.
func (r sealedSecret) names() []string {
	return []string{"secret", r.ref.AccountID, r.ref.EndpointID, string(r.secret.Kind)}
}

func (r sealedSecret) open(keys *masterKeys) (aftercall.Secret, error) {
	key, err := keys.open(r.masterKey, r.secret.Key, r.names()...)
	if err != nil {
		return r.secret, fmt.Errorf("secret of endpoint %s: %w", r.ref.EndpointID, err)
	}
	r.secret.Key = key
	return r.secret, nil
}

// Secrets returns the secrets of an endpoint that sign now: the current one or, of
// each kind, ones first, then older ones from newest to oldest. The error wraps
// [ErrSealed] when the master key is missing.
func (tx *Tx) Secrets(ref EndpointRef) (aftercall.Secrets, error) {
	rows, err := all(tx, readSecret, `SELECT `+secretColumns+` FROM secret
		WHERE account_id = $1 AND endpoint_id = $2 AND (expires_at IS NULL OR expires_at > $3)
		ORDER BY expires_at IS NOT NULL, kind DESC, created_at DESC`, ref.AccountID, ref.EndpointID, micros(tx.now))
	if err != nil {
		return nil, err
	}
	secrets := make(aftercall.Secrets, len(rows))
	for i, r := range rows {
		if secrets[i], err = r.open(tx.store.keys); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

// RotateSecrets makes secrets current in the place of those of some kinds. Theirs go
// on signing until expires; those already expired are removed.
func (tx *Tx) RotateSecrets(ref EndpointRef, kinds []aftercall.SecretKind, expires time.Time, secrets ...aftercall.Secret) error {
	where := newFilter()
	where.eq("account_id", ref.AccountID)
	where.eq("endpoint_id", ref.EndpointID)
	if _, err := tx.exec(`DELETE FROM secret`+where.sql()+` AND expires_at <= `+where.arg(micros(tx.now)), where.args...); err != nil {
		return err
	}
	for _, kind := range kinds {
		_, err := tx.exec(`UPDATE secret SET expires_at = $4
			WHERE account_id = $1 AND endpoint_id = $2 AND kind = $3 AND expires_at IS NULL`,
			ref.AccountID, ref.EndpointID, string(kind), micros(expires))
		if err != nil {
			return err
		}
	}
	tx.endpointChanged(ref)
	return tx.insertSecrets(ref, secrets)
}

func (tx *Tx) insertSecrets(ref EndpointRef, secrets []aftercall.Secret) error {
	for _, secret := range secrets {
		r := sealedSecret{ref: ref, secret: secret}
		id, key, err := tx.store.keys.seal(secret.Key, r.names()...)
		if err != nil {
			return err
		}
		_, err = tx.exec(`INSERT INTO secret (`+secretColumns+`) VALUES `+tuples(1, 1, bare(7)...),
			ref.AccountID, ref.EndpointID, string(secret.Kind), micros(secret.CreatedAt), key, id, maybe(secret.ExpiresAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// Seals reports whether secrets and passwords are sealed with a master key.
func (s *Store) Seals() bool { return s.keys.seals() }

// CheckMasterKeys reports, as a Conflict, that there are secrets or passwords whose master key is
// not here.
func (s *Store) CheckMasterKeys(ctx context.Context) error {
	used, err := s.masterKeysUsed(ctx)
	if err != nil {
		return err
	}
	for _, id := range used {
		if _, err := s.keys.find(id); id != "" && err != nil {
			return &aftercall.Error{Kind: aftercall.Conflict, Err: err, Message: fmt.Sprintf(
				"the secrets in the database are sealed with master key %s, which is not here: bring it, by --master-key or the file %s.key", id, s.url)}
		}
	}
	return nil
}

func (s *Store) masterKeysUsed(ctx context.Context) (ids []string, err error) {
	err = s.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.masterKeysUsed()
		return err
	})
	return ids, err
}

func (tx *Tx) masterKeysUsed() ([]string, error) {
	return all(tx, value[string], `SELECT master_key FROM secret UNION SELECT master_key FROM phone_number`)
}

// resealBatch is how many rows are sealed again in one transaction.
const resealBatch = 256

// RotateMasterKey seals every secret and password with the newest master key and reports how many
// were not. Of keys that were given it is the first; in a file it is a new one.
func (s *Store) RotateMasterKey(ctx context.Context) (int, error) {
	if !s.keys.seals() {
		return 0, aftercall.Errorf(aftercall.Invalid, "there is no master key: give one by --master-key")
	}
	if s.keys.file != "" {
		alone, err := Occupy(ctx, s.keys.file)
		if err != nil {
			return 0, err
		}
		defer func() { _ = alone.Release() }()
	}
	if err := s.keys.renew(); err != nil {
		return 0, err
	}
	resealed, err := s.reseal(ctx)
	if err != nil {
		return resealed, err
	}
	used, err := s.masterKeysUsed(ctx)
	if err != nil {
		return resealed, err
	}
	return resealed, s.keys.prune(used)
}

func (s *Store) reseal(ctx context.Context) (int, error) {
	current, err := s.keys.current()
	if err != nil {
		return 0, err
	}
	used, err := s.masterKeysUsed(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, id := range used {
		if id == current.id {
			continue
		}
		for _, reseal := range []func(*Tx, string, int) (int, error){(*Tx).resealSecrets, (*Tx).resealTrunks} {
			for n := resealBatch; n == resealBatch; {
				err := s.Update(ctx, func(tx *Tx) (err error) {
					n, err = reseal(tx, id, resealBatch)
					return err
				})
				if err != nil {
					return total, err
				}
				total += n
			}
		}
	}
	return total, nil
}

// resealSecrets seals up to limit secrets of an old master key with the current one.
func (tx *Tx) resealSecrets(old string, limit int) (int, error) {
	rows, err := all(tx, readSecret, `SELECT `+secretColumns+` FROM secret WHERE master_key = $1 LIMIT $2`+tx.store.dialect.skipLocked, old, limit)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		secret, err := r.open(tx.store.keys)
		if err != nil {
			return 0, err
		}
		id, key, err := tx.store.keys.seal(secret.Key, r.names()...)
		if err != nil {
			return 0, err
		}
		_, err = tx.exec(`UPDATE secret SET key = $5, master_key = $6
			WHERE account_id = $1 AND endpoint_id = $2 AND kind = $3 AND created_at = $4`,
			r.ref.AccountID, r.ref.EndpointID, string(secret.Kind), micros(secret.CreatedAt), key, id)
		if err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
