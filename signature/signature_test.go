package signature_test

import (
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/aftercall/aftercall/signature"
)

// The published example of the scheme.
const (
	sampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	sampleID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	sampleTime      = 1614265330
	sampleBody      = `{"test": 2432232314}`
	sampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	otherSecret     = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	// The same request signed by the asymmetric scheme, which a verifier skips that
	// knows no public key.
	samplePrivate = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	samplePublic  = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	asymmetric    = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

func key(t testing.TB, secret string) []byte {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func verifier(t testing.TB, secrets ...string) *signature.Verifier {
	t.Helper()
	v, err := signature.NewVerifier(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func headers(family, id, timestamp, signatures string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"id": id, "timestamp": timestamp, "signature": signatures} {
		if value != "" {
			h.Set(family+name, value)
		}
	}
	return h
}

func TestSign(t *testing.T) {
	got := signature.Sign(key(t, sampleSecret), sampleID, time.Unix(sampleTime, 999_999_999), []byte(sampleBody))
	if got != sampleSignature {
		t.Errorf("Sign = %s, want %s", got, sampleSignature)
	}
}

// What is signed with the private key verifies with the public one, and nothing else.
func TestAsymmetric(t *testing.T) {
	private, err := base64.StdEncoding.DecodeString(samplePrivate)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(sampleTime, 0)
	if got := signature.SignPrivate(private, sampleID, now, []byte(sampleBody)); got != asymmetric {
		t.Errorf("SignPrivate = %s, want %s", got, asymmetric)
	}
	bad := []byte(asymmetric)
	bad[10] ^= 1
	for name, test := range map[string]struct {
		signatures, body string
		secrets          []string
		want             error
	}{
		"alone":                {asymmetric, sampleBody, []string{samplePublic}, nil},
		"after a symmetric":    {sampleSignature + " " + asymmetric, sampleBody, []string{samplePublic}, nil},
		"either is enough":     {asymmetric, sampleBody, []string{otherSecret, samplePublic}, nil},
		"another body":         {asymmetric, sampleBody + " ", []string{samplePublic}, signature.ErrMismatch},
		"another signature":    {string(bad), sampleBody, []string{samplePublic}, signature.ErrMismatch},
		"no base64":            {"v1a,***", sampleBody, []string{samplePublic}, signature.ErrMismatch},
		"an empty one":         {"v1a,", sampleBody, []string{samplePublic}, signature.ErrMismatch},
		"the symmetric only":   {sampleSignature, sampleBody, []string{samplePublic}, signature.ErrVersion},
		"a prefix of it":       {asymmetric[:60], sampleBody, []string{samplePublic}, signature.ErrMismatch},
		"of no version at all": {asymmetric[4:], sampleBody, []string{samplePublic}, signature.ErrVersion},
	} {
		h := headers("svix-", sampleID, strconv.Itoa(sampleTime), test.signatures)
		if err := verifier(t, test.secrets...).Verify(h, []byte(test.body), now); !errors.Is(err, test.want) {
			t.Errorf("%s: Verify = %v, want %v", name, err, test.want)
		}
	}
}

func TestVerify(t *testing.T) {
	at := strconv.Itoa(sampleTime)
	other := signature.Sign(key(t, otherSecret), sampleID, time.Unix(sampleTime, 0), []byte(sampleBody))
	both := headers("webhook-", sampleID, at, sampleSignature)
	both.Set("svix-id", "msg_of_something_else")
	short := sampleSignature[:len(sampleSignature)-8]
	for name, test := range map[string]struct {
		header http.Header
		body   string
		after  time.Duration
		want   error
	}{
		"svix headers":              {header: headers("svix-", sampleID, at, sampleSignature)},
		"webhook headers":           {header: headers("webhook-", sampleID, at, sampleSignature)},
		"incomplete svix headers":   {header: both},
		"second of two":             {header: headers("svix-", sampleID, at, other+" "+sampleSignature)},
		"first of two":              {header: headers("svix-", sampleID, at, sampleSignature+" "+other)},
		"unknown version first":     {header: headers("svix-", sampleID, at, asymmetric+" v9,xyz "+sampleSignature)},
		"double space":              {header: headers("svix-", sampleID, at, asymmetric+"  "+sampleSignature)},
		"almost too old":            {header: headers("svix-", sampleID, at, sampleSignature), after: 5 * time.Minute},
		"almost too new":            {header: headers("svix-", sampleID, at, sampleSignature), after: -5 * time.Minute},
		"too old":                   {header: headers("svix-", sampleID, at, sampleSignature), after: 5*time.Minute + time.Second, want: signature.ErrTooOld},
		"too new":                   {header: headers("svix-", sampleID, at, sampleSignature), after: -5*time.Minute - time.Second, want: signature.ErrTooNew},
		"absurdly old":              {header: headers("svix-", sampleID, strconv.Itoa(math.MinInt64), sampleSignature), want: signature.ErrTooOld},
		"absurdly new":              {header: headers("svix-", sampleID, strconv.Itoa(math.MaxInt64), sampleSignature), want: signature.ErrTooNew},
		"other time":                {header: headers("svix-", sampleID, strconv.Itoa(sampleTime+1), sampleSignature), want: signature.ErrMismatch},
		"no number":                 {header: headers("svix-", sampleID, "today", sampleSignature), want: signature.ErrTimestamp},
		"a fraction":                {header: headers("svix-", sampleID, at+".5", sampleSignature), want: signature.ErrTimestamp},
		"changed byte of the body":  {header: headers("svix-", sampleID, at, sampleSignature), body: `{"test": 2432232315}`, want: signature.ErrMismatch},
		"longer body":               {header: headers("svix-", sampleID, at, sampleSignature), body: sampleBody + "\n", want: signature.ErrMismatch},
		"other id":                  {header: headers("svix-", sampleID+"x", at, sampleSignature), want: signature.ErrMismatch},
		"other key":                 {header: headers("svix-", sampleID, at, other), want: signature.ErrMismatch},
		"a prefix of the signature": {header: headers("svix-", sampleID, at, short), want: signature.ErrMismatch},
		"an empty signature":        {header: headers("svix-", sampleID, at, "v1,"), want: signature.ErrMismatch},
		"a longer signature":        {header: headers("svix-", sampleID, at, sampleSignature+"AAAA"), want: signature.ErrMismatch},
		"only an unknown version":   {header: headers("svix-", sampleID, at, asymmetric), want: signature.ErrVersion},
		"no version":                {header: headers("svix-", sampleID, at, sampleSignature[3:]), want: signature.ErrVersion},
		"version of another length": {header: headers("svix-", sampleID, at, "v10"+sampleSignature[2:]), want: signature.ErrVersion},
		"no headers":                {header: http.Header{}, want: signature.ErrMissingHeader},
		"no id":                     {header: headers("svix-", "", at, sampleSignature), want: signature.ErrMissingHeader},
		"no timestamp":              {header: headers("webhook-", sampleID, "", sampleSignature), want: signature.ErrMissingHeader},
		"no signature":              {header: headers("webhook-", sampleID, at, ""), want: signature.ErrMissingHeader},
	} {
		t.Run(name, func(t *testing.T) {
			body := test.body
			if body == "" {
				body = sampleBody
			}
			err := verifier(t, sampleSecret).Verify(test.header, []byte(body), time.Unix(sampleTime, 0).Add(test.after))
			if !errors.Is(err, test.want) {
				t.Errorf("Verify = %v, want %v", err, test.want)
			}
		})
	}
}

// Each prefix of a signature is refused, not only the one in the table.
func TestPrefixOfSignatureIsRefused(t *testing.T) {
	v := verifier(t, sampleSecret)
	for i := range len(sampleSignature) {
		h := headers("svix-", sampleID, strconv.Itoa(sampleTime), sampleSignature[:i])
		if v.Verify(h, []byte(sampleBody), time.Unix(sampleTime, 0)) == nil {
			t.Errorf("the first %d characters are accepted", i)
		}
	}
}

func TestMissingHeaderIsNamed(t *testing.T) {
	err := verifier(t, sampleSecret).Verify(headers("webhook-", "msg_1", "1", ""), nil, time.Unix(1, 0))
	if err == nil || !strings.Contains(err.Error(), "webhook-signature") {
		t.Errorf("Verify = %v", err)
	}
	err = verifier(t, sampleSecret).Verify(http.Header{}, nil, time.Unix(1, 0))
	if err == nil || !strings.Contains(err.Error(), "svix-id") {
		t.Errorf("Verify = %v", err)
	}
}

// While a secret is rotated the receiver may know both, and so may the sender.
func TestVerifyWhileRotating(t *testing.T) {
	h := headers("svix-", sampleID, strconv.Itoa(sampleTime), sampleSignature)
	if err := verifier(t, otherSecret, sampleSecret).Verify(h, []byte(sampleBody), time.Unix(sampleTime, 0)); err != nil {
		t.Errorf("with the old and the new secret: %v", err)
	}
	if err := verifier(t, otherSecret).Verify(h, []byte(sampleBody), time.Unix(sampleTime, 0)); !errors.Is(err, signature.ErrMismatch) {
		t.Errorf("with another secret: %v", err)
	}
}

func TestNewVerifier(t *testing.T) {
	for name, secrets := range map[string][]string{
		"none":          nil,
		"empty":         {""},
		"no prefix":     {strings.TrimPrefix(sampleSecret, "whsec_")},
		"only a prefix": {"whsec_"},
		"not base64":    {"whsec_***"},
		"second bad":    {sampleSecret, "whsec_"},
		"private key":   {"whsk_" + samplePrivate},
		"short public":  {"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqf"},
	} {
		if _, err := signature.NewVerifier(secrets...); !errors.Is(err, signature.ErrSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What we sign, Svix's and Standard Webhooks' own libraries accept, and what they
// sign, we accept.
func TestOfficialLibrariesAgree(t *testing.T) {
	now := time.Now() // the libraries read the clock themselves
	theirs, err := svix.NewWebhook(sampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	standards, err := standard.NewWebhook(sampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	at := strconv.FormatInt(now.Unix(), 10)
	ours := verifier(t, sampleSecret)
	for _, body := range []string{sampleBody, "", "{}", `{"text":"Grüße, 世界"}`, strings.Repeat("x", 100_000), "\x00\xff\n"} {
		ourText := signature.Sign(key(t, sampleSecret), sampleID, now, []byte(body))
		for _, text := range []string{ourText, asymmetric + " " + ourText} {
			for _, family := range []string{"svix-", "webhook-"} {
				if err := theirs.Verify([]byte(body), headers(family, sampleID, at, text)); err != nil {
					t.Errorf("Svix refuses our signature: %v", err)
				}
			}
			if err := standards.Verify([]byte(body), headers("webhook-", sampleID, at, text)); err != nil {
				t.Errorf("Standard Webhooks refuses our signature: %v", err)
			}
		}
		changed := []byte(body + " ")
		if theirs.Verify(changed, headers("svix-", sampleID, at, ourText)) == nil {
			t.Error("Svix accepts a changed body: this test proves nothing")
		}
		for name, sign := range map[string]func(string, time.Time, []byte) (string, error){
			"Svix": theirs.Sign, "Standard Webhooks": standards.Sign,
		} {
			text, err := sign(sampleID, now, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if text != ourText {
				t.Errorf("%s signs %s, we %s", name, text, ourText)
			}
			h := headers("webhook-", sampleID, at, text)
			if err := ours.Verify(h, []byte(body), now); err != nil {
				t.Errorf("we refuse the signature of %s: %v", name, err)
			}
			if err := ours.Verify(h, changed, now); !errors.Is(err, signature.ErrMismatch) {
				t.Errorf("changed body signed by %s: %v", name, err)
			}
		}
	}
}

// Signing is on the path of every attempt.
func TestSignAllocatesLittle(t *testing.T) {
	k, body, at := key(t, sampleSecret), []byte(strings.Repeat("x", 2048)), time.Unix(sampleTime, 0)
	if n := testing.AllocsPerRun(100, func() { signature.Sign(k, sampleID, at, body) }); n > maxAllocs {
		t.Errorf("Sign allocates %v times, want at most %d", n, maxAllocs)
	}
}

const maxAllocs = 8

func BenchmarkSign(b *testing.B) {
	k, body, at := key(b, sampleSecret), []byte(strings.Repeat("x", 2048)), time.Unix(sampleTime, 0)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		signature.Sign(k, sampleID, at, body)
	}
}

func BenchmarkVerify(b *testing.B) {
	v, body, at := verifier(b, sampleSecret), []byte(strings.Repeat("x", 2048)), time.Unix(sampleTime, 0)
	h := headers("svix-", sampleID, strconv.Itoa(sampleTime), signature.Sign(key(b, sampleSecret), sampleID, at, body))
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Verify(h, body, at); err != nil {
			b.Fatal(err)
		}
	}
}
