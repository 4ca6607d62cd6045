package app

import (
	"context"
	"net/url"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/takeover"
)

// Migrate brings the schema of a database up to this program's.
func Migrate(ctx context.Context, database string) (version int64, err error) {
	return store.Migrate(ctx, database)
}

// Access is what the owner of a new account needs, each shown once.
type Access struct {
	Key      string // an API key
	LoginURL string // opens the portal, once
}

// CreateAccount makes an account in a database that a server may be using. Master keys
// seal the secret of its agent.
func CreateAccount(ctx context.Context, database, baseURL string, account *aftercall.Account, masterKeys ...string) (Access, error) {
	var access Access
	err := withStore(ctx, database, func(s *store.Store) error {
		return s.Update(ctx, func(tx *store.Tx) error {
			if err := auth.CreateAccount(tx, account); err != nil {
				return err
			}
			var err error
			if access.Key, err = auth.Create(tx, account.ID, "first key"); err != nil {
				return err
			}
			access.LoginURL, err = loginLink(tx, baseURL, account.ID)
			return err
		})
	}, masterKeys...)
	return access, err
}

// LoginLink makes a link that opens the portal once: of an account, found by id or uid,
// or, if it is empty, the operator's.
func LoginLink(ctx context.Context, database, baseURL, account string) (link string, err error) {
	err = withStore(ctx, database, func(s *store.Store) error {
		return s.Update(ctx, func(tx *store.Tx) error {
			var a aftercall.Account
			if account != "" {
				if a, err = tx.Account(account); err != nil {
					return err
				}
			}
			link, err = loginLink(tx, baseURL, a.ID)
			return err
		})
	})
	return link, err
}

func loginLink(tx *store.Tx, baseURL, accountID string) (string, error) {
	token, err := auth.CreateLogin(tx, accountID)
	return strings.TrimRight(baseURL, "/") + auth.LoginPath(token), err
}

// KeyChange says what to do with the keys of an account. Empty means nothing.
type KeyChange struct {
	Create string // the name of a new key
	Revoke string // the id of a key
}

// Keys changes the keys of an account and returns them all, and the key made, which
// is shown this once. A running server follows within a second.
func Keys(ctx context.Context, database, account string, change KeyChange) (keys []store.Key, made string, err error) {
	err = withStore(ctx, database, func(s *store.Store) error {
		return s.Update(ctx, func(tx *store.Tx) error {
			a, err := tx.Account(account)
			if err != nil {
				return err
			}
			if change.Create != "" {
				if made, err = auth.Create(tx, a.ID, change.Create); err != nil {
					return err
				}
			}
			if change.Revoke != "" {
				if err := tx.RevokeKey(a.ID, change.Revoke); err != nil {
					return err
				}
			}
			keys, err = tx.Keys(a.ID)
			return err
		})
	})
	return keys, made, err
}

// RotateMasterKey seals the secrets of all endpoints and trunks with the newest master key, see
// [store.Store.RotateMasterKey], and reports how many were not.
func RotateMasterKey(ctx context.Context, database string, masterKeys []string) (resealed int, err error) {
	err = withStore(ctx, database, func(s *store.Store) error {
		resealed, err = s.RotateMasterKey(ctx)
		return err
	}, masterKeys...)
	return resealed, err
}

// ImportSvix takes over what a Svix server has, see [takeover.Svix]. No server may be
// using an SQLite file meanwhile: it would not hear of new endpoints.
func ImportSvix(ctx context.Context, database string, masterKeys []string, address *url.URL, token string) (takeover.Result, error) {
	occupied, err := store.Occupy(ctx, database)
	if err != nil {
		return takeover.Result{}, err
	}
	defer func() { _ = occupied.Release() }()
	var result takeover.Result
	err = withStore(ctx, database, func(s *store.Store) (err error) {
		result, err = takeover.Svix(ctx, s, address, token)
		return err
	}, masterKeys...)
	return result, err
}

// withStore opens a database, migrated, for a command that is soon done.
func withStore(ctx context.Context, database string, fn func(*store.Store) error, masterKeys ...string) error {
	if _, err := store.Migrate(ctx, database); err != nil {
		return err
	}
	s, err := store.Open(ctx, database, masterKeys...)
	if err != nil {
		return err
	}
	defer s.Close()
	return fn(s)
}
