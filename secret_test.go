package aftercall_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
)

const (
	privateSecret = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	publicSecret  = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	hmacSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

func TestParseSecret(t *testing.T) {
	for text, want := range map[string]string{hmacSecret: hmacSecret, privateSecret: publicSecret} {
		s, err := aftercall.ParseSecret(text)
		if err != nil || s.Reveal() != want {
			t.Errorf("%s is revealed as %s, %v", text, s.Reveal(), err)
		}
	}
	swapped := "whsk_" + strings.TrimPrefix(privateSecret, "whsk_")[:80] + "AAAAAA=="
	for name, text := range map[string]string{
		"no prefix": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "unknown prefix": "whxyz_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "public key": publicSecret,
		"no base64": "whsec_***", "too short": "whsec_MfKQ9r8G", "too long": "whsec_" + strings.Repeat("AAAA", 26),
		"private key cut off": privateSecret[:60], "another's public half": swapped, "empty": "", "only a prefix": "whsk_",
	} {
		if s, err := aftercall.ParseSecret(text); aftercall.KindOf(err) != aftercall.Invalid {
			t.Errorf("%s: %v, %v", name, s.Kind, err)
		}
	}
	for _, kind := range aftercall.SignBoth.Kinds() {
		a, b := aftercall.NewSecret(kind, time.Time{}), aftercall.NewSecret(kind, time.Time{})
		if a.Kind != kind || a.Reveal() == b.Reveal() {
			t.Errorf("two new secrets of kind %s are alike", kind)
		}
	}
}

func TestSignature(t *testing.T) {
	none, symmetric, asymmetric := []aftercall.SecretKind(nil), []aftercall.SecretKind{aftercall.HMAC}, []aftercall.SecretKind{aftercall.Ed25519}
	for _, test := range []struct {
		from, to     aftercall.Signature
		ended, begun []aftercall.SecretKind
	}{
		{aftercall.SignHMAC, aftercall.SignHMAC, none, none},
		{aftercall.SignHMAC, aftercall.SignBoth, none, asymmetric},
		{aftercall.SignBoth, aftercall.SignEd25519, symmetric, none},
		{aftercall.SignHMAC, aftercall.SignEd25519, symmetric, asymmetric},
	} {
		if ended, begun := test.from.To(test.to); !slices.Equal(ended, test.ended) || !slices.Equal(begun, test.begun) {
			t.Errorf("from %s to %s: %v ends, %v begins", test.from, test.to, ended, begun)
		}
	}
	private, err := aftercall.ParseSecret(privateSecret)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		before   aftercall.Signature
		given    *aftercall.Secret
		replaced []aftercall.SecretKind
		after    aftercall.Signature
	}{
		{aftercall.SignHMAC, nil, symmetric, aftercall.SignHMAC},
		{aftercall.SignBoth, nil, aftercall.SignBoth.Kinds(), aftercall.SignBoth},
		{aftercall.SignHMAC, &private, symmetric, aftercall.SignEd25519},
		{aftercall.SignBoth, &private, asymmetric, aftercall.SignBoth},
	} {
		if replaced, after := test.before.Rotate(test.given); !slices.Equal(replaced, test.replaced) || after != test.after {
			t.Errorf("rotating %s: %v are replaced, %s afterwards", test.before, replaced, after)
		}
	}
}
