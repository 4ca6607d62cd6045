package auth

import (
	"context"
	"crypto/sha256"
	"net/url"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// loginLife is how long a login link can be used.
	loginLife = 24 * time.Hour
	// SessionLife is how long a person stays signed in.
	SessionLife = 30 * 24 * time.Hour
	// touchEvery is how exact the last use of a session is kept.
	touchEvery = 5 * time.Minute
	// maxAgent is how much of a browser's name is kept.
	maxAgent = 256
)

// CreateLogin makes the token of a link that opens the portal once, for an account or,
// if it is empty, for the operator.
func CreateLogin(tx *store.Tx, accountID string) (string, error) {
	token := newKey(loginPrefix)
	hash := sha256.Sum256([]byte(token))
	return token, tx.InsertLogin(accountID, hash[:], tx.Now().Add(loginLife))
}

// LoginPath is where the portal takes the token of a login link.
func LoginPath(token string) string {
	return "/portal/login?" + url.Values{"token": {token}}.Encode()
}

// SignIn begins a session of whoever has a key: the operator's, or an account's. A
// token of the portal is its own session, and is returned as it is. The error is
// Unauthenticated for anything else.
func (k *Keys) SignIn(ctx context.Context, key, agent string) (session string, err error) {
	c, err := k.Identify(ctx, key)
	if err != nil {
		return "", err
	}
	if c.Portal != nil {
		if c.Portal.hash == [sha256.Size]byte{} {
			return "", denied()
		}
		return strings.TrimSpace(key), nil
	}
	err = k.store.Update(ctx, func(tx *store.Tx) error {
		session, err = createSession(tx, c.AccountID, c.KeyID, agent)
		return err
	})
	return session, err
}

// IsPortalToken reports whether this has the form of a token of the webhook portal.
func IsPortalToken(key string) bool { return strings.HasPrefix(key, portalPrefix) }

// Redeem uses a login link up and begins a session. The error is Unauthenticated when
// the link was used before or has expired.
func (k *Keys) Redeem(ctx context.Context, token, agent string) (session string, err error) {
	hash := sha256.Sum256([]byte(token))
	err = k.store.Update(ctx, func(tx *store.Tx) error {
		accountID, err := tx.TakeLogin(hash[:])
		if aftercall.KindOf(err) == aftercall.NotFound {
			return aftercall.Errorf(aftercall.Unauthenticated, "this link was used already, or is older than a day")
		}
		if err != nil {
			return err
		}
		session, err = createSession(tx, accountID, "", agent)
		return err
	})
	return session, err
}

func createSession(tx *store.Tx, accountID, keyID, agent string) (string, error) {
	token := newKey(sessionPrefix)
	hash := sha256.Sum256([]byte(token))
	agent = strings.ToValidUTF8(strings.ReplaceAll(agent, "\x00", ""), "")
	return token, tx.InsertSession(store.Session{
		AccountID: accountID, ID: aftercall.NewID(aftercall.SessionPrefix, tx.Now()), KeyID: keyID, Agent: agent[:min(len(agent), maxAgent)],
		CreatedAt: tx.Now(), LastUsedAt: tx.Now(), ExpiresAt: tx.Now().Add(SessionLife),
	}, hash[:])
}

// Session tells who a browser's session belongs to. It takes tokens of the portal, too,
// but no keys: what opens the API is not to lie in browsers, nor the other way round.
func (k *Keys) Session(ctx context.Context, token string) (Caller, error) {
	if IsPortalToken(token) {
		return k.Identify(ctx, token)
	}
	if !strings.HasPrefix(token, sessionPrefix) {
		return Caller{}, signedOut()
	}
	hash := sha256.Sum256([]byte(token))
	var s store.Session
	var stale bool
	err := k.store.View(ctx, func(tx *store.Tx) (err error) {
		s, err = tx.SessionByHash(hash[:])
		stale = tx.Now().Sub(s.LastUsedAt) > touchEvery
		return err
	})
	if aftercall.KindOf(err) == aftercall.NotFound {
		return Caller{}, signedOut()
	}
	if err != nil {
		return Caller{}, err
	}
	if stale { // worth nothing to anybody if it fails: the next use tells it again
		_ = k.store.Update(ctx, func(tx *store.Tx) error { return tx.TouchSession(s.AccountID, s.ID, tx.Now()) })
	}
	return Caller{AccountID: s.AccountID, Operator: s.AccountID == "", SessionID: s.ID}, nil
}

func signedOut() error {
	return aftercall.Errorf(aftercall.Unauthenticated, "sign in first")
}

// SignOut ends the session that the caller came with.
func (k *Keys) SignOut(ctx context.Context, c Caller) error {
	if c.Portal != nil {
		return k.Logout(ctx, c)
	}
	return k.EndSession(ctx, c.AccountID, c.SessionID)
}

// EndSession ends a session of an account, or of the operator.
func (k *Keys) EndSession(ctx context.Context, accountID, id string) error {
	return k.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteSession(accountID, id) })
}
