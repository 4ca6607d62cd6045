// Package signature signs webhooks and verifies them, by the scheme that Svix
// and Standard Webhooks share: HMAC-SHA256 over "id.timestamp.body".
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
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// version is the only one that is made and understood here. Receivers skip
// signatures of others.
const version = "v1,"

// Sign returns the signature of a body that is sent under an id at a time, which
// counts in whole seconds: "v1," and base64. While a secret is being rotated,
// join the signatures of all its keys with spaces.
func Sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	var buffer [128]byte // room for an id, a timestamp and, after them, the result
	head := append(buffer[:0], id...)
	head = append(head, '.')
	head = strconv.AppendInt(head, at.Unix(), 10)
	head = append(head, '.')
	mac.Write(head)
	mac.Write(body)
	sum := mac.Sum(head[:0])
	text := make([]byte, 0, len(version)+44)
	text = append(text, version...)
	return string(base64.StdEncoding.AppendEncode(text, sum))
}
