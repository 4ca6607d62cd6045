package signature_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall/signature"
)

// Whatever is signed verifies, and nothing else does.
func FuzzSignAndVerify(f *testing.F) {
	f.Add(sampleID, []byte(sampleBody), uint8(0))
	f.Add("a.b", []byte{}, uint8(7))
	f.Add(strings.Repeat("i", 300), []byte("x"), uint8(255))
	f.Fuzz(func(t *testing.T, id string, body []byte, at uint8) {
		if id == "" {
			return
		}
		now := time.Unix(sampleTime, 0)
		text := signature.Sign(key(t, sampleSecret), id, now, body)
		h := headers("svix-", id, strconv.Itoa(sampleTime), text)
		v := verifier(t, sampleSecret)
		if err := v.Verify(h, body, now); err != nil {
			t.Fatalf("what we signed: %v", err)
		}
		if v.Verify(h, append([]byte("x"), body...), now) == nil {
			t.Error("a longer body is accepted")
		}
		if len(body) > 0 {
			changed := append([]byte(nil), body...)
			changed[int(at)%len(changed)] ^= 1
			if v.Verify(h, changed, now) == nil {
				t.Error("a changed body is accepted")
			}
		}
		bad := []byte(text)
		bad[len("v1,")+int(at)%40] ^= 1
		if v.Verify(headers("svix-", id, strconv.Itoa(sampleTime), string(bad)), body, now) == nil {
			t.Error("a changed signature is accepted")
		}
	})
}

// No header can make Verify panic or, without the key, succeed.
func FuzzVerifyHeaders(f *testing.F) {
	f.Add(sampleID, strconv.Itoa(sampleTime), sampleSignature)
	f.Add("", "", "")
	f.Add("x", "-9223372036854775808", "v1, v1,, ,")
	f.Fuzz(func(t *testing.T, id, timestamp, signatures string) {
		h := http.Header{"Svix-Id": {id}, "Svix-Timestamp": {timestamp}, "Svix-Signature": {signatures}}
		if verifier(t, otherSecret).Verify(h, []byte(sampleBody), time.Unix(sampleTime, 0)) == nil {
			t.Errorf("accepted: %v", h)
		}
	})
}
