package aftercall

import (
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Endpoint is where an account wants messages.
type Endpoint struct {
	AccountID    string
	ID           string
	UID          string // the caller's own id, unique in the account; may be empty
	URL          string
	Description  string
	EventTypes   []string // which types it wants; none means all
	Channels     []string // none means every message, else only those sharing one
	ThrottleRate int      // messages a second; 0 means the account's
	Metadata     map[string]string
	Version      int               // of the payloads, in Svix's older SDKs; kept and shown
	Headers      map[string]string // sent with every attempt, in the case they were given
	Schedule     *Schedule         // nil means the server's
	Signature    Signature         // what its current secrets are
	Disabled     bool
	Reason       DisableReason // why, when disabled
	Health       Health
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// DisableReason says why an endpoint is disabled.
type DisableReason string

const (
	DisabledByOwner DisableReason = "disabled by its owner"
	DisabledGone    DisableReason = "its receiver answered 410 Gone"
	DisabledAsked   DisableReason = "its receiver asked for it by the header webhook-delivery: disable"
	DisabledFailing DisableReason = "every attempt failed for too long"
)

// Wants reports whether a message of a type and with these channels goes to the
// endpoint. An endpoint with channels gets only messages that share one.
func (e Endpoint) Wants(eventType string, channels []string) bool {
	if e.Disabled {
		return false
	}
	if len(e.EventTypes) > 0 && !slices.Contains(e.EventTypes, eventType) {
		return false
	}
	return len(e.Channels) == 0 || slices.ContainsFunc(channels, func(c string) bool {
		return slices.Contains(e.Channels, c)
	})
}

// Svix's limits on what an endpoint may hold.
const (
	maxURL         = 65536
	maxChannels    = 10
	maxHeaderValue = 4096
	maxHeaders     = 50
	maxVersion     = 65535
)

// Validate checks what a caller may set. Whether the URL's address may be
// reached is checked when it is dialled, since names change their addresses.
func (e Endpoint) Validate() error {
	var f fieldErrors
	validateURL(&f, e.URL)
	validateUID(&f, "uid", e.UID, EndpointPrefix)
	if utf8.RuneCountInString(e.Description) > 1024 {
		f.add("description", "must not exceed 1024 characters")
	}
	if len(e.Channels) > maxChannels {
		f.add("channels", "must not hold more than %d", maxChannels)
	}
	for _, channel := range e.Channels {
		if !namePattern.MatchString(channel) {
			f.add("channels", "each must be 1 to 128 letters, digits, or one of - _ . : +")
			break
		}
	}
	validateThrottleRate(&f, e.ThrottleRate)
	validateMetadata(&f, e.Metadata)
	validateHeaders(&f, e.Headers)
	validateSignature(&f, e.Signature)
	if e.Version < 1 || e.Version > maxVersion {
		f.add("version", "must be 1 to %d", maxVersion)
	}
	if e.Schedule != nil {
		if problem := e.Schedule.problem(); problem != "" {
			f.add("retrySchedule", "%s", problem)
		}
	}
	return f.err()
}

func validateURL(f *fieldErrors, text string) {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL:
		f.add("url", "must not exceed %d characters", maxURL)
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		f.add("url", "is not a URL with a host, such as https://example.com/webhook")
	case u.Scheme != "https" && u.Scheme != "http":
		f.add("url", "must begin with https:// or http://")
	case u.Fragment != "":
		f.add("url", "must not have a fragment, which is never sent")
	}
}

// Headers that a caller may not set: those the transport owns, and those that
// clouds in front of receivers trust (Svix, core/types: 19 names, 9 prefixes).
var (
	refusedHeaders = []string{
		"Host", "User-Agent", "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Location",
		"Transfer-Encoding", "Te", "Trailers", "Trailer", "Upgrade", "Connection", "Keep-Alive", "Proxy-Authenticate",
		"Proxy-Authorization", "Proxy-Connection", "Cache-Control", "Age", "Expires", "Pragma", "Warning", "Clear-Site-Data",
	}
	refusedHeaderPrefixes = []string{
		"svix-", "webhook-", "x-svix-", "x-amz-", "x-amzn-", "x-google", "x-goog-", "x-gfe", "x-azure-", "x-fd-",
	}
	sensitiveHeaders = []string{"Authorization", "X-Api-Key", "X-Auth-Token", "Www-Authenticate"}
)

func validateHeaders(f *fieldErrors, headers map[string]string) {
	if len(headers) > maxHeaders {
		f.add("headers", "must not hold more than %d", maxHeaders)
	}
	for name, value := range headers {
		lower := strings.ToLower(name)
		refused := slices.Contains(refusedHeaders, textproto.CanonicalMIMEHeaderKey(name)) ||
			slices.ContainsFunc(refusedHeaderPrefixes, func(p string) bool { return strings.HasPrefix(lower, p) })
		switch {
		case !validHeaderName(name):
			f.add("headers", "%q is not a header name", name)
		case refused:
			f.add("headers", "%s may not be set", name)
		case len(value) > maxHeaderValue:
			f.add("headers", "%s must not exceed %d characters", name, maxHeaderValue)
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			f.add("headers", "%s must not hold control characters", name)
		}
	}
}

// validHeaderName holds a name to the token rule of RFC 9110, section 5.6.2.
func validHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return false
		}
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// SensitiveHeader reports whether a header's value is shown to nobody once set.
func SensitiveHeader(name string) bool {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	return slices.Contains(sensitiveHeaders, canonical) || strings.HasPrefix(canonical, "Proxy-")
}

// Health is what an endpoint remembers of its failures, so that one that has
// failed for days is disabled. The clock starts only when two failures lie at
// least 12 hours apart within a day: a receiver that is down for an hour, or
// fails once a week, is no dead one.
type Health struct {
	FirstFailureAt time.Time // a failure that no success has followed; zero when well
	FailingSince   time.Time // FirstFailureAt, once a second failure has confirmed it
}

const (
	failuresApart  = 12 * time.Hour
	failuresWithin = 24 * time.Hour
)

// After returns the health after an attempt that ended at a time, and whether
// the endpoint has now failed for longer than disableAfter; 0 never disables.
func (h Health) After(succeeded bool, at time.Time, disableAfter time.Duration) (next Health, dead bool) {
	switch {
	case succeeded:
		return Health{}, false
	case !h.FailingSince.IsZero():
		return h, disableAfter > 0 && at.Sub(h.FailingSince) >= disableAfter
	case h.FirstFailureAt.IsZero() || at.Sub(h.FirstFailureAt) > failuresWithin:
		return Health{FirstFailureAt: at}, false
	case at.Sub(h.FirstFailureAt) >= failuresApart:
		h.FailingSince = h.FirstFailureAt
		return h, disableAfter > 0 && at.Sub(h.FailingSince) >= disableAfter
	}
	return h, false
}
