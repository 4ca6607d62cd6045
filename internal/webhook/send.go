package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/signature"
)

const (
	// maxRead is how much of an answer is read, after decompression.
	maxRead = 64 << 10
	// maxKept is how much of it is stored.
	maxKept = 20_000

	userAgent = "Aftercall-Webhooks/1.0"
)

// sender makes attempts.
type sender struct {
	transport http.RoundTripper
	timeout   time.Duration
}

// attempt sends a parcel and waits for the whole answer. The signature and its time
// are new for every attempt, the id never changes.
func (s sender) attempt(to *settings, p parcel) aftercall.Attempt {
	start := time.Now()
	a := aftercall.Attempt{
		AccountID: p.delivery.AccountID, MessageID: p.delivery.MessageID, EndpointID: p.delivery.EndpointID,
		ID: aftercall.NewID(aftercall.AttemptPrefix, start), URL: to.endpoint.URL, Trigger: p.delivery.Trigger,
		Verdict: aftercall.Refused, StartedAt: start.UTC().Truncate(time.Microsecond),
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	response, err := s.transport.RoundTrip(request(ctx, to, p, start))
	if err == nil {
		err = answer(&a, response, start)
	}
	if err != nil {
		a.Verdict, a.StatusCode = aftercall.Refused, 0
		a.Response = s.reason(err)
	}
	a.Duration = time.Since(start)
	return a
}

// request builds the HTTP request of an attempt. It carries Svix's three headers and
// Standard Webhooks' names for the same, so that receivers of either family verify.
func request(ctx context.Context, to *settings, p parcel, now time.Time) *http.Request {
	body, contentType := p.message.Body()
	var signatures strings.Builder
	for _, secret := range to.secrets {
		if secret.Signs(now) {
			if signatures.Len() > 0 {
				signatures.WriteByte(' ')
			}
			if secret.Kind == aftercall.Ed25519 {
				signatures.WriteString(signature.SignPrivate(secret.Key, p.message.ID, now, body))
			} else {
				signatures.WriteString(signature.Sign(secret.Key, p.message.ID, now, body))
			}
		}
	}
	id, timestamp, signed := []string{p.message.ID}, []string{strconv.FormatInt(now.Unix(), 10)}, []string{signatures.String()}
	header := http.Header{
		"Content-Type":      {contentType},
		"Accept":            {"*/*"},
		"User-Agent":        {userAgent},
		"Svix-Id":           id,
		"Svix-Timestamp":    timestamp,
		"Svix-Signature":    signed,
		"Webhook-Id":        id,
		"Webhook-Timestamp": timestamp,
		"Webhook-Signature": signed,
	}
	if to.auth != "" {
		header["Authorization"] = []string{to.auth}
	}
	for name, value := range to.endpoint.Headers {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			delete(header, "Authorization")
		}
		header[name] = []string{value} // not by Set: the case is kept as its owner typed it
	}
	r := &http.Request{
		Method: http.MethodPost, URL: to.url, Host: to.url.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		// A connection that the receiver closed while it was idle may be tried again.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
	return r.WithContext(ctx)
}

// answer reads a response into an attempt.
func answer(a *aftercall.Attempt, r *http.Response, now time.Time) error {
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRead))
	if err != nil {
		return err
	}
	a.StatusCode = r.StatusCode
	a.Response, a.Headers = kept(body), keptHeaders(r.Header)
	a.Verdict = verdict(r)
	if a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusServiceUnavailable {
		a.RetryAfter = retryAfter(r.Header.Get("Retry-After"), now)
	}
	return nil
}

// verdict reads what the receiver wants. A redirect is a failure: a webhook goes
// where its owner pointed it and nowhere else.
func verdict(r *http.Response) aftercall.Verdict {
	wish := r.Header.Get("Webhook-Delivery")
	switch {
	case r.StatusCode >= 200 && r.StatusCode <= 299:
		return aftercall.Accepted
	case r.StatusCode == http.StatusGone, strings.EqualFold(wish, "disable"):
		return aftercall.Disable
	case strings.EqualFold(wish, "abort-message"):
		return aftercall.Abort
	}
	return aftercall.Refused
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, aftercall.MaxWait.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// What is kept of an answer's headers: enough to tell which server answered and why.
const (
	maxKeptHeaders = 40
	maxKeptHeader  = 512
)

// keptHeaders cuts headers to what is stored. Cookies are a secret between the receiver
// and nobody.
func keptHeaders(header http.Header) map[string]string {
	headers := make(map[string]string, min(len(header), maxKeptHeaders))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if name == "Set-Cookie" || len(name) > maxKeptHeader || len(headers) == maxKeptHeaders {
			continue
		}
		value := strings.Join(header[name], ", ")
		value = strings.ToValidUTF8(strings.ReplaceAll(value[:min(len(value), maxKeptHeader)], "\x00", ""), "")
		headers[name] = value
	}
	return headers
}

// kept cuts a body to what is stored. What is no text is stored as base64.
func kept(body []byte) string {
	cut := body[:min(len(body), maxKept)]
	for len(cut) < len(body) && len(cut) > 0 && !utf8.RuneStart(body[len(cut)]) { // not through a character
		cut = cut[:len(cut)-1]
	}
	if !utf8.Valid(cut) || bytes.IndexByte(cut, 0) >= 0 {
		return base64.StdEncoding.EncodeToString(body[:min(len(body), maxKept*3/4)])
	}
	return string(cut)
}

// reason says in a sentence why there was no answer. It names no secret: the URL,
// whose user and password may be one, is left out.
func (s sender) reason(err error) string {
	if _, ok := errors.AsType[*blockedError](err); ok {
		return err.Error()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no complete answer within " + s.timeout.String()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host's name could not be resolved: " + e.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the receiver closed the connection before its answer was complete"
	}
	return err.Error()
}

func basicAuth(user *url.Userinfo) string {
	password, _ := user.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
}
