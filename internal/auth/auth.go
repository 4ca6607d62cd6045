// Package auth knows who calls: accounts by their API keys, and the operator.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Prefixes make a key recognisable, to people and to scanners for leaked secrets.
const (
	accountKeyPrefix  = "aftercall_key_"
	operatorKeyPrefix = "aftercall_op_"
	loginPrefix       = "aftercall_login_"
	portalPrefix      = "aftercall_portal_"
	sessionPrefix     = "aftercall_session_"

	integrationKeyPrefix = "aftercall_integration_"
)

// operatorSetting is where the hash of a made operator key is stored.
const operatorSetting = "operator_key_hash"

// Caller is who sends a request.
type Caller struct {
	AccountID string // empty for the operator
	KeyID     string
	Operator  bool    // may do everything
	Portal    *Portal // set for a token of the portal, which may do less
	SessionID string  // set for a person signed in at the portal
}

// Scope names who the caller acts for: callers with the same scope are the same.
func (c Caller) Scope() string {
	if c.Operator {
		return "operator"
	}
	return c.AccountID
}

// trust is how long a key's lookup is believed. It bounds how long a key goes on
// working after another process has revoked it.
const trust = time.Second

// Keys makes, checks and revokes API keys. Only their hashes are stored: a key has
// 256 random bits, so a plain SHA-256 is enough.
type Keys struct {
	store     *store.Store
	operator  [sha256.Size]byte
	jwtSecret []byte // empty: no JWTs are accepted

	mu    sync.Mutex
	known map[[sha256.Size]byte]lookup
	used  map[store.Key]time.Time // last uses to be stored, by key without its times
}

type lookup struct {
	caller Caller
	at     time.Time
}

// Options are the secrets that an installation is given.
type Options struct {
	OperatorKey string // empty: one is made when the store has none yet
	JWTSecret   string // what JWTs of a Svix server are signed with; empty accepts none
}

// Open readies the keys of a store. Made is the operator's key if one was made, to be
// shown once, or empty.
func Open(ctx context.Context, s *store.Store, o Options) (keys *Keys, made string, err error) {
	k := &Keys{store: s, jwtSecret: []byte(o.JWTSecret), known: map[[sha256.Size]byte]lookup{}, used: map[store.Key]time.Time{}}
	if o.OperatorKey != "" {
		k.operator = sha256.Sum256([]byte(o.OperatorKey))
		return k, "", nil
	}
	made = newKey(operatorKeyPrefix)
	err = s.Update(ctx, func(tx *store.Tx) error {
		hash := sha256.Sum256([]byte(made))
		fresh, err := tx.SetSetting(operatorSetting, hash[:])
		if err != nil {
			return err
		}
		stored, err := tx.Setting(operatorSetting)
		if err != nil {
			return err
		}
		copy(k.operator[:], stored)
		if !fresh {
			made = ""
		}
		return nil
	})
	return k, made, err
}

func newKey(prefix string) string {
	secret := make([]byte, 32)
	rand.Read(secret)
	// Neither a dot, which Svix's SDKs take for the start of a region, nor anything
	// that a shell or URL would need quoted.
	return prefix + base64.RawURLEncoding.EncodeToString(secret)
}

// Guessable reports whether a key may be short enough to be found by trying: one that
// was not made here, such as an operator's own.
func Guessable(key string) bool {
	return !strings.HasPrefix(key, "aftercall_") || len(key) < len(operatorKeyPrefix)+base64.RawURLEncoding.EncodedLen(32)
}

// hintLength is how many characters of a key are kept to recognise it by.
const hintLength = 4

// Create makes a key for an account. The key is shown to its owner now and never again.
func Create(tx *store.Tx, accountID, name string) (string, error) {
	key := newKey(accountKeyPrefix)
	hash := sha256.Sum256([]byte(key))
	return key, tx.InsertKey(store.Key{
		AccountID: accountID, ID: aftercall.NewID(aftercall.KeyPrefix, tx.Now()), Name: name,
		Hint: key[len(key)-hintLength:], CreatedAt: tx.Now(),
	}, hash[:])
}

// Revoke ends a key of an account at once, and the sessions that were opened with it.
func (k *Keys) Revoke(ctx context.Context, accountID, id string) error {
	err := k.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.RevokeKey(accountID, id); err != nil {
			return err
		}
		return tx.DeleteSessionsOfKey(accountID, id)
	})
	k.forget()
	return err
}

// forget has all keys looked up again.
func (k *Keys) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.known)
}

// Identify tells whose key this is. The header may be "Bearer KEY" or the bare
// key, as telli's own clients send it.
func (k *Keys) Identify(ctx context.Context, header string) (Caller, error) {
	key := strings.TrimSpace(header)
	if scheme, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(scheme, "Bearer") {
		key = strings.TrimSpace(rest)
	}
	if key == "" {
		return Caller{}, denied()
	}
	hash := sha256.Sum256([]byte(key))
	if subtle.ConstantTimeCompare(hash[:], k.operator[:]) == 1 {
		return Caller{Operator: true}, nil
	}
	if len(k.jwtSecret) > 0 && strings.Count(key, ".") == 2 {
		return k.identifyJWT(key)
	}
	c, err := k.find(ctx, key, hash)
	if aftercall.KindOf(err) == aftercall.NotFound || c.Portal != nil && c.Portal.expired(time.Now()) {
		return Caller{}, denied()
	}
	return c, err
}

func denied() error {
	return aftercall.Errorf(aftercall.Unauthenticated, "no valid API key in the Authorization header").WithCode("authentication_failed")
}

func (k *Keys) find(ctx context.Context, key string, hash [sha256.Size]byte) (Caller, error) {
	now := time.Now()
	k.mu.Lock()
	cached, ok := k.known[hash]
	k.mu.Unlock()
	if ok && now.Sub(cached.at) < trust {
		return cached.caller, nil
	}
	var c Caller
	err := k.store.View(ctx, func(tx *store.Tx) error {
		if strings.HasPrefix(key, portalPrefix) {
			t, err := tx.PortalTokenByHash(hash[:])
			c = Caller{AccountID: t.AccountID, Portal: &Portal{t.Capabilities, t.FeatureFlags, t.Origins, t.ExpiresAt, hash}}
			return err
		}
		if strings.HasPrefix(key, integrationKeyPrefix) {
			i, err := tx.IntegrationByHash(hash[:])
			c = Caller{AccountID: i.AccountID, Portal: &Portal{Capabilities: capabilities(), FeatureFlags: i.FeatureFlags}}
			return err
		}
		found, err := tx.KeyByHash(hash[:])
		c = Caller{AccountID: found.AccountID, KeyID: found.ID}
		return err
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		delete(k.known, hash) // unknown keys are not cached: they could be endless
		return Caller{}, err
	}
	k.known[hash] = lookup{c, now}
	if c.KeyID != "" {
		k.used[store.Key{AccountID: c.AccountID, ID: c.KeyID}] = now
	}
	return c, nil
}

// flushEvery is how exact the last use of a key is kept.
const flushEvery = time.Minute

// Run stores when keys were last used, until the context ends.
func (k *Keys) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.flush(ctx)
		case <-ctx.Done():
			k.flush(context.WithoutCancel(ctx))
			return
		}
	}
}

func (k *Keys) flush(ctx context.Context) {
	k.mu.Lock()
	used := k.used
	k.used = map[store.Key]time.Time{}
	k.mu.Unlock()
	if len(used) == 0 {
		return
	}
	// Worth nothing to anybody if it fails: the next use tells it again.
	_ = k.store.Update(ctx, func(tx *store.Tx) error {
		for key, at := range used {
			if err := tx.TouchKey(key.AccountID, key.ID, at); err != nil {
				return err
			}
		}
		return nil
	})
}
