package signature

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	publicPrefix = "whpk_"
	// tolerance bounds how long a recorded request can be played again.
	tolerance = 5 * time.Minute
)

// What can be wrong with a request or a secret. The errors that [NewVerifier] and
// [Verifier.Verify] return wrap one of these.
var (
	ErrSecret        = errors.New("signature: unusable secret")
	ErrMissingHeader = errors.New("signature: missing header")
	ErrTimestamp     = errors.New("signature: the timestamp is not a number of seconds")
	ErrTooOld        = errors.New("signature: the timestamp is too old")
	ErrTooNew        = errors.New("signature: the timestamp is in the future")
	ErrVersion       = errors.New("signature: no signature of a version that the secret is for")
	ErrMismatch      = errors.New("signature: no signature matches: the secret is another one, or the body is not as it was sent")
)

// Verifier tells whether a webhook comes from who holds the secret. It may be
// used by several goroutines.
type Verifier struct {
	secrets [][]byte
	publics []ed25519.PublicKey
}

// NewVerifier makes a Verifier of one secret, "whsec_…" or the public key "whpk_…", or
// of several while one replaces another: it is enough that one of them matches.
func NewVerifier(secrets ...string) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: none is given", ErrSecret)
	}
	v := &Verifier{}
	for _, secret := range secrets {
		prefix, encoded, _ := strings.Cut(secret, "_")
		prefix += "_"
		key, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case prefix != secretPrefix && prefix != publicPrefix:
			return nil, fmt.Errorf("%w: it must begin with %s or %s", ErrSecret, secretPrefix, publicPrefix)
		case err != nil || len(key) == 0:
			return nil, fmt.Errorf("%w: after %s it must be base64", ErrSecret, prefix)
		case prefix == secretPrefix:
			v.secrets = append(v.secrets, key)
		case len(key) != ed25519.PublicKeySize:
			return nil, fmt.Errorf("%w: a public key has %d bytes, not %d", ErrSecret, ed25519.PublicKeySize, len(key))
		default:
			v.publics = append(v.publics, key)
		}
	}
	return v, nil
}

// Verify checks the signature of a request and that it was made within five
// minutes of now. The body must be the very bytes that came. It reads the headers
// svix-id, svix-timestamp and svix-signature or, unless all three are there,
// webhook-id, webhook-timestamp and webhook-signature.
func (v *Verifier) Verify(header http.Header, body []byte, now time.Time) error {
	id, timestamp, signatures, err := fields(header)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrTimestamp
	}
	// Compared as numbers, because a time.Time overflows on absurd ones.
	if seconds < now.Add(-tolerance).Unix() {
		return ErrTooOld
	}
	if seconds > now.Add(tolerance).Unix() {
		return ErrTooNew
	}
	err = ErrVersion
	at := time.Unix(seconds, 0)
	for text := range strings.SplitSeq(signatures, " ") {
		known, matches := v.matches(text, id, at, body)
		if matches {
			return nil
		}
		if known {
			err = ErrMismatch
		}
	}
	return err
}

// matches checks one signature; known reports whether there is a key of its version.
func (v *Verifier) matches(text, id string, at time.Time, body []byte) (known, matches bool) {
	if strings.HasPrefix(text, symmetric) {
		return len(v.secrets) > 0, slices.ContainsFunc(v.secrets, func(key []byte) bool {
			// Of unequal lengths nothing is compared, so a prefix never matches.
			return subtle.ConstantTimeCompare([]byte(Sign(key, id, at, body)), []byte(text)) == 1
		})
	}
	encoded, ok := strings.CutPrefix(text, asymmetric)
	if !ok || len(v.publics) == 0 {
		return false, false
	}
	sum, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return true, false
	}
	signed := append(appendHead(nil, id, at), body...)
	return true, slices.ContainsFunc(v.publics, func(key ed25519.PublicKey) bool { return ed25519.Verify(key, signed, sum) })
}

// fields reads the three headers of one family; families are not mixed.
func fields(header http.Header) (id, timestamp, signatures string, err error) {
	for _, family := range []string{"svix-", "webhook-"} {
		id = header.Get(family + "id")
		timestamp = header.Get(family + "timestamp")
		signatures = header.Get(family + "signature")
		if id != "" && timestamp != "" && signatures != "" {
			return id, timestamp, signatures, nil
		}
	}
	return "", "", "", missing(header)
}

// missing names the first header that is not there, of the family that the
// request seems to use.
func missing(header http.Header) error {
	parts := []string{"id", "timestamp", "signature"}
	family := "svix-"
	if header.Get("svix-id") == "" && slices.ContainsFunc(parts, func(part string) bool { return header.Get("webhook-"+part) != "" }) {
		family = "webhook-"
	}
	for _, part := range parts {
		if header.Get(family+part) == "" {
			return fmt.Errorf("%w %s%s", ErrMissingHeader, family, part)
		}
	}
	return ErrMissingHeader
}
