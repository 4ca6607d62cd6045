package aftercall

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"
)

const (
	secretPrefix  = "whsec_"
	newSecretSize = 24
	minSecretSize = 24
	maxSecretSize = 75

	// DefaultGrace is how long a rotated secret goes on signing beside its successor.
	DefaultGrace = 24 * time.Hour
	// MaxGrace is the longest such time.
	MaxGrace = 7 * 24 * time.Hour
	// MaxOldSecrets is how many rotated secrets may be valid at once.
	MaxOldSecrets = 10
)

// Secret is a signing key of an endpoint: HMAC-SHA256, the scheme "v1" of Svix
// and Standard Webhooks.
type Secret struct {
	Key       []byte
	CreatedAt time.Time
	ExpiresAt time.Time // zero for the current secret; a rotated one signs until then
}

// NewSecret makes a random secret.
func NewSecret(now time.Time) Secret {
	key := make([]byte, newSecretSize)
	rand.Read(key)
	return Secret{Key: key, CreatedAt: now}
}

// ParseSecret reads "whsec_" and base64 of 24 to 75 bytes.
func ParseSecret(text string, now time.Time) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return Secret{}, InvalidField("secret", "must begin with whsec_")
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Secret{}, InvalidField("secret", "must be base64 after whsec_")
	}
	if len(key) < minSecretSize || len(key) > maxSecretSize {
		return Secret{}, InvalidField("secret", "must hold %d to %d bytes, not %d", minSecretSize, maxSecretSize, len(key))
	}
	return Secret{Key: key, CreatedAt: now}, nil
}

// Reveal returns the secret as its receiver needs it, "whsec_…". Secret has no
// String method on purpose: a secret must not reach a log by %v.
func (s Secret) Reveal() string {
	return secretPrefix + base64.StdEncoding.EncodeToString(s.Key)
}

// Signs reports whether the secret is valid at a time.
func (s Secret) Signs(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}
