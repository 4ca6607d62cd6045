package aftercall

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

const (
	secretPrefix  = "whsec_"
	privatePrefix = "whsk_" // of an Ed25519 key, as Svix takes it
	publicPrefix  = "whpk_" // of the half that its receiver needs
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

// SecretKind is how a secret signs.
type SecretKind string

const (
	HMAC    SecretKind = "hmac"    // HMAC-SHA256, the scheme "v1" of Svix and Standard Webhooks
	Ed25519 SecretKind = "ed25519" // their scheme "v1a": its receiver knows only the public half
)

// Signature is how an endpoint's messages are signed: by one kind of secret, or by
// both at once, so that receivers can move from one to the other.
type Signature string

const (
	SignHMAC              = Signature(HMAC)
	SignEd25519           = Signature(Ed25519)
	SignBoth    Signature = "both"
)

// Kinds are the secrets that it needs.
func (s Signature) Kinds() []SecretKind {
	if s == SignBoth {
		return []SecretKind{HMAC, Ed25519}
	}
	return []SecretKind{SecretKind(s)}
}

// To returns the kinds of secrets that end and that begin when an endpoint is to be
// signed otherwise.
func (s Signature) To(next Signature) (ended, begun []SecretKind) {
	for _, kind := range SignBoth.Kinds() {
		before, after := slices.Contains(s.Kinds(), kind), slices.Contains(next.Kinds(), kind)
		switch {
		case before && !after:
			ended = append(ended, kind)
		case after && !before:
			begun = append(begun, kind)
		}
	}
	return ended, begun
}

// Rotate returns the kinds of secrets that a rotation replaces, and what the endpoint
// is signed by afterwards. A secret that is given replaces the one of its kind where
// there are both, else it decides the kind.
func (s Signature) Rotate(given *Secret) (replaced []SecretKind, next Signature) {
	switch {
	case given == nil:
		return s.Kinds(), s
	case s == SignBoth:
		return []SecretKind{given.Kind}, s
	}
	return s.Kinds(), Signature(given.Kind)
}

// NewSecrets makes a secret of each kind, with one that is given in the place of its.
func NewSecrets(kinds []SecretKind, given *Secret, now time.Time) []Secret {
	secrets := make([]Secret, len(kinds))
	for i, kind := range kinds {
		secrets[i] = NewSecret(kind, now)
		if given != nil && given.Kind == kind {
			secrets[i].Key = given.Key
		}
	}
	return secrets
}

func validateSignature(f *fieldErrors, s Signature) {
	if !slices.Contains([]Signature{SignHMAC, SignEd25519, SignBoth}, s) {
		f.add("signature", "must be %s, %s or %s", SignHMAC, SignEd25519, SignBoth)
	}
}

// Secret is a signing key of an endpoint.
type Secret struct {
	Kind      SecretKind
	Key       []byte // of an Ed25519 secret the private key as [ed25519.PrivateKey] has it
	CreatedAt time.Time
	ExpiresAt time.Time // zero for a current secret; a rotated one signs until then
}

// NewSecret makes a random secret.
func NewSecret(kind SecretKind, now time.Time) Secret {
	if kind == Ed25519 {
		_, private, _ := ed25519.GenerateKey(nil) // fails only where its source of randomness does, and this one does not
		return Secret{Kind: kind, Key: private, CreatedAt: now}
	}
	key := make([]byte, newSecretSize)
	rand.Read(key)
	return Secret{Kind: HMAC, Key: key, CreatedAt: now}
}

// ParseSecret reads "whsec_" and base64 of 24 to 75 bytes, or "whsk_" and base64 of
// an Ed25519 private key with its public half, 64 bytes.
func ParseSecret(text string) (Secret, error) {
	prefix, encoded, _ := strings.Cut(text, "_")
	prefix += "_"
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case prefix != secretPrefix && prefix != privatePrefix:
		return Secret{}, InvalidField("secret", "must begin with %s or %s", secretPrefix, privatePrefix)
	case err != nil:
		return Secret{}, InvalidField("secret", "must be base64 after %s", prefix)
	case prefix == secretPrefix && (len(key) < minSecretSize || len(key) > maxSecretSize):
		return Secret{}, InvalidField("secret", "must hold %d to %d bytes, not %d", minSecretSize, maxSecretSize, len(key))
	case prefix == secretPrefix:
		return Secret{Kind: HMAC, Key: key}, nil
	case len(key) != ed25519.PrivateKeySize:
		return Secret{}, InvalidField("secret", "must hold %d bytes, not %d", ed25519.PrivateKeySize, len(key))
	case !bytes.Equal(ed25519.NewKeyFromSeed(key[:ed25519.SeedSize]), key):
		return Secret{}, InvalidField("secret", "its public half does not belong to its private one")
	}
	return Secret{Kind: Ed25519, Key: key}, nil
}

// Reveal returns the secret as its receiver needs it: "whsec_…", or "whpk_…" and the
// public half. Secret has no String method on purpose: a secret must not reach a log
// by %v.
func (s Secret) Reveal() string {
	if s.Kind == Ed25519 {
		return publicPrefix + base64.StdEncoding.EncodeToString(s.Key[ed25519.SeedSize:])
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(s.Key)
}

// Signs reports whether the secret is valid at a time.
func (s Secret) Signs(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// Secrets are those of an endpoint, the current ones first.
type Secrets []Secret

// Current returns the secret of a kind that was not rotated.
func (s Secrets) Current(kind SecretKind) (Secret, bool) {
	i := slices.IndexFunc(s, func(s Secret) bool { return s.Kind == kind && s.ExpiresAt.IsZero() })
	if i < 0 {
		return Secret{}, false
	}
	return s[i], true
}

// Old counts those that were rotated and sign still.
func (s Secrets) Old() int {
	n := 0
	for _, secret := range s {
		if !secret.ExpiresAt.IsZero() {
			n++
		}
	}
	return n
}
