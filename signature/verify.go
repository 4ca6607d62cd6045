package signature

import (
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
	ErrVersion       = errors.New("signature: no signature of version v1")
	ErrMismatch      = errors.New("signature: no signature matches: the secret is another one, or the body is not as it was sent")
)

// Verifier tells whether a webhook comes from who holds the secret. It may be
// used by several goroutines.
type Verifier struct {
	keys [][]byte
}

// NewVerifier makes a Verifier of one secret, "whsec_…", or of several while one
// replaces another: it is enough that one of them matches.
func NewVerifier(secrets ...string) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: none is given", ErrSecret)
	}
	v := &Verifier{}
	for _, secret := range secrets {
		encoded, ok := strings.CutPrefix(secret, secretPrefix)
		if !ok {
			return nil, fmt.Errorf("%w: it must begin with %s", ErrSecret, secretPrefix)
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) == 0 {
			return nil, fmt.Errorf("%w: after %s it must be base64", ErrSecret, secretPrefix)
		}
		v.keys = append(v.keys, key)
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
	known := slices.DeleteFunc(strings.Split(signatures, " "), func(text string) bool {
		return !strings.HasPrefix(text, version)
	})
	if len(known) == 0 {
		return ErrVersion
	}
	for _, key := range v.keys {
		want := []byte(Sign(key, id, time.Unix(seconds, 0), body))
		for _, text := range known {
			// Of unequal lengths nothing is compared, so a prefix never matches.
			if subtle.ConstantTimeCompare(want, []byte(text)) == 1 {
				return nil
			}
		}
	}
	return ErrMismatch
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
