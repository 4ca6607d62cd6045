package auth

import (
	"context"
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Capability is what a token of the portal may do, in Svix's words.
type Capability string

const (
	ViewBase              Capability = "ViewBase"
	ViewEndpointSecret    Capability = "ViewEndpointSecret"
	ManageEndpointSecret  Capability = "ManageEndpointSecret"
	ManageTransformations Capability = "ManageTransformations"
	CreateAttempts        Capability = "CreateAttempts"
	ManageEndpoint        Capability = "ManageEndpoint"

	// Full is what keys may do and no token of the portal.
	Full Capability = "an API key"
)

// capabilities are all that a token may have, and has unless it is given less.
func capabilities() []string {
	return []string{
		string(ViewBase), string(ViewEndpointSecret), string(ManageEndpointSecret), string(ManageTransformations),
		string(CreateAttempts), string(ManageEndpoint),
	}
}

// Portal is what a token of the portal opens.
type Portal struct {
	Capabilities []string
	FeatureFlags []string          // which gated event types it sees
	Origins      []string          // whose pages may show the portal inside them
	ExpiresAt    time.Time         // zero for a JWT, which was checked, and the key of an integration
	hash         [sha256.Size]byte // zero for the same two, which a logout does not end
}

func (p *Portal) expired(now time.Time) bool { return !p.ExpiresAt.IsZero() && p.ExpiresAt.Before(now) }

// Can reports whether the caller may do what needs a capability.
func (c Caller) Can(need Capability) bool {
	return c.Portal == nil || slices.Contains(c.Portal.Capabilities, string(need))
}

// Need refuses a caller without a capability.
func (c Caller) Need(need Capability) error {
	if !c.Can(need) {
		return aftercall.Errorf(aftercall.Forbidden, "this token may not do that: it needs %s", need).WithCode("insufficient access")
	}
	return nil
}

// Allow identifies callers who have a capability, and refuses others.
func (k *Keys) Allow(need Capability) func(ctx context.Context, header string) (Caller, error) {
	return func(ctx context.Context, header string) (Caller, error) {
		c, err := k.Identify(ctx, header)
		if err == nil {
			err = c.Need(need)
		}
		return c, err
	}
}

const (
	// DefaultPortalLife is how long a token is valid unless it is said; the others
	// bound what may be said (Svix's values).
	DefaultPortalLife = 7 * 24 * time.Hour
	minPortalLife     = time.Hour
	maxPortalLife     = 7 * 24 * time.Hour
)

// CreatePortalToken makes a token that opens the portal of an account for a while; a
// zero life means the default, no capabilities mean all. It is shown now and never
// again. The error is Invalid.
func CreatePortalToken(tx *store.Tx, t store.PortalToken, life time.Duration) (string, error) {
	if life == 0 {
		life = DefaultPortalLife
	}
	if life < minPortalLife || life > maxPortalLife {
		return "", aftercall.InvalidField("expiry", "must be %d to %d seconds", int(minPortalLife.Seconds()), int(maxPortalLife.Seconds()))
	}
	for _, c := range t.Capabilities {
		if !slices.Contains(capabilities(), c) {
			return "", aftercall.InvalidField("capabilities", "must be among %s", strings.Join(capabilities(), ", "))
		}
	}
	for _, origin := range t.Origins {
		if !validOrigin(origin) {
			return "", aftercall.InvalidField("origins", "each must be an origin such as https://app.example.com")
		}
	}
	if len(t.Capabilities) == 0 {
		t.Capabilities = capabilities()
	}
	token := newKey(portalPrefix)
	hash := sha256.Sum256([]byte(token))
	t.CreatedAt, t.ExpiresAt = tx.Now(), tx.Now().Add(life)
	return token, tx.InsertPortalToken(t, hash[:])
}

// validOrigin reports whether text names a scheme and a host and nothing more: it
// becomes part of a header.
func validOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.Scheme+"://"+u.Host == text &&
		!strings.ContainsAny(text, " ;,*'\"")
}

// ExpirePortalTokens has the tokens of an account expire, at once or in a while:
// those of some sessions or, with none, all.
func (k *Keys) ExpirePortalTokens(ctx context.Context, accountID string, sessions []string, in time.Duration) error {
	err := k.store.Update(ctx, func(tx *store.Tx) error { return tx.ExpirePortalTokens(accountID, sessions, tx.Now().Add(in)) })
	k.forget()
	return err
}

// Logout ends the token that the caller came with. A key is not ended by that.
func (k *Keys) Logout(ctx context.Context, c Caller) error {
	if c.Portal == nil || c.Portal.hash == [sha256.Size]byte{} {
		return nil
	}
	err := k.store.Update(ctx, func(tx *store.Tx) error { return tx.DeletePortalToken(c.AccountID, c.Portal.hash[:]) })
	k.forget()
	return err
}

// claims is what Svix's server puts into its tokens.
type claims struct {
	jwt.RegisteredClaims
	FeatureFlags []string `json:"feature_flags"`
}

// Prefixes of whom a JWT is for, as Svix writes them.
const (
	organisationPrefix = "org_"
	applicationPrefix  = aftercall.AccountPrefix
)

// identifyJWT reads a token as Svix's server makes them: for an organisation, which
// may do everything, or for one application.
func (k *Keys) identifyJWT(token string) (Caller, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return k.jwtSecret, nil },
		jwt.WithValidMethods([]string{"HS256", "HS384", "HS512"}))
	if err != nil {
		return Caller{}, denied()
	}
	switch {
	case strings.HasPrefix(c.Subject, organisationPrefix):
		return Caller{Operator: true}, nil
	case aftercall.ValidID(applicationPrefix, c.Subject):
		p := &Portal{Capabilities: capabilities(), FeatureFlags: c.FeatureFlags}
		return Caller{AccountID: c.Subject, Portal: p}, nil
	}
	return Caller{}, denied()
}
