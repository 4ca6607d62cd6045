// Package signature signs webhooks and verifies them, by the scheme that Svix
// and Standard Webhooks share: HMAC-SHA256 ("v1") or Ed25519 ("v1a") over
// "id.timestamp.body".
//
// A receiver makes one [Verifier] and gives it the body as it came, before
// anything parses it:
//
//	verifier, err := signature.NewVerifier(os.Getenv("WEBHOOK_SECRET")) // "whsec_…"
//	if err != nil {
//		log.Fatal(err)
//	}
//	http.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
//		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))
//		if err != nil {
//			http.Error(w, "cannot read the body", http.StatusBadRequest)
//			return
//		}
//		if err := verifier.Verify(r.Header, body, time.Now()); err != nil {
//			http.Error(w, err.Error(), http.StatusUnauthorized)
//			return
//		}
//		// The id in the header svix-id is the same for every attempt: use it to
//		// do the work once. Answer 2xx when it is done.
//		w.WriteHeader(http.StatusNoContent)
//	})
package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// The versions that are made and understood here. Receivers skip signatures of
// others.
const (
	symmetric  = "v1,"
	asymmetric = "v1a,"
)

// Sign returns the signature of a body that is sent under an id at a time, which
// counts in whole seconds: "v1," and base64. While a secret is being rotated,
// join the signatures of all its keys with spaces.
func Sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	var buffer [128]byte // room for an id, a timestamp and, after them, the result
	head := appendHead(buffer[:0], id, at)
	mac.Write(head)
	mac.Write(body)
	return text(symmetric, mac.Sum(head[:0]))
}

// SignPrivate is [Sign] with an Ed25519 key, of which receivers know only the public
// half: "v1a," and base64.
func SignPrivate(key ed25519.PrivateKey, id string, at time.Time, body []byte) string {
	signed := appendHead(make([]byte, 0, 128+len(body)), id, at)
	return text(asymmetric, ed25519.Sign(key, append(signed, body...)))
}

// appendHead writes what is signed before the body.
func appendHead(b []byte, id string, at time.Time) []byte {
	b = append(append(b, id...), '.')
	return append(strconv.AppendInt(b, at.Unix(), 10), '.')
}

func text(version string, sum []byte) string {
	b := make([]byte, 0, len(version)+base64.StdEncoding.EncodedLen(len(sum)))
	return string(base64.StdEncoding.AppendEncode(append(b, version...), sum))
}
