package generic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
)

// answer is what an engine answered. Its body may hold what was said in a call, so it
// reaches no log.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // why the body is not whole
}

// unsentError says that a request never left.
type unsentError struct{ reason string }

func (e *unsentError) Error() string { return "the voice engine cannot be reached: " + e.reason }

// failure is why there is no answer, in words that hold nothing of it. The URL is left
// out, whose user and password may be a secret.
func failure(err error, sent bool) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	timedOut := errors.Is(err, context.DeadlineExceeded)
	if e, ok := errors.AsType[net.Error](err); ok {
		timedOut = timedOut || e.Timeout()
	}
	broken, isBroken := errors.AsType[*net.OpError](err)
	switch {
	case !sent && timedOut:
		return &unsentError{"no connection in time"}
	case !sent:
		return &unsentError{err.Error()}
	case timedOut:
		return errors.New("the voice engine gave no complete answer in time")
	case errors.Is(err, context.Canceled):
		return err
	case isBroken:
		return fmt.Errorf("the connection to the voice engine broke: %w", broken.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the voice engine closed the connection before its answer was complete")
	}
	return errors.New("the voice engine's answer is no HTTP")
}

// refusal reads an answer that did not accept a call. It is a *dialer.StartError where
// the contract says that nothing was placed; anything else may come from a proxy that has
// passed the call on.
func (a answer) refusal(now time.Time) error {
	e := &dialer.StartError{Refusal: dialer.BadAccount, Err: a.unexpected(), Told: a.told()}
	switch a.status {
	case http.StatusTooManyRequests:
		e.Refusal, e.RetryAfter = dialer.Throttled, retryAfter(a.header, now)
	case http.StatusServiceUnavailable:
		e.Refusal, e.RetryAfter = dialer.Down, retryAfter(a.header, now)
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		e.Err = fmt.Errorf("%w: redirects are not followed, the agent's URL must be the engine's own", e.Err)
	case http.StatusRequestTimeout, http.StatusTooEarly, clientClosed:
		return e.Err
	case http.StatusUnprocessableEntity:
		if a.problem().Error == invalidNumber {
			e.Refusal = dialer.InvalidNumber
		}
	default:
		if a.status/100 != 4 {
			return e.Err
		}
	}
	return e
}

const (
	// clientClosed is what nginx says when it gave up waiting.
	clientClosed = 499
	// invalidNumber is the word for a number that does not exist.
	invalidNumber = "invalid_number"
)

// problem is the body of an answer that refuses.
type problem struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func (a answer) problem() (p problem) {
	if a.err != nil || json.Unmarshal(a.body, &p) != nil {
		return problem{}
	}
	return p
}

// isObject reports whether the body is a JSON object, which tells an engine's answer from
// that of a proxy before it.
func (a answer) isObject() bool {
	var object map[string]json.RawMessage
	return a.err == nil && json.Unmarshal(a.body, &object) == nil && object != nil
}

// unexpected names a status that is no success.
func (a answer) unexpected() error {
	return fmt.Errorf("the voice engine answered %s", strings.TrimSpace(strconv.Itoa(a.status)+" "+http.StatusText(a.status)))
}

// maxTold is how much is shown of what an engine said, in characters.
const maxTold = 200

// longNumber is what may be a person's.
var longNumber = regexp.MustCompile(`\+?\d[\d ()./-]{4,}\d`)

// told is what the engine said of its refusal, in one line without numbers of people.
func (a answer) told() string {
	p := a.problem()
	text := strings.Trim(p.Error+": "+p.Message, ": ")
	text = longNumber.ReplaceAllString(text, "…")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxTold {
		return string(runes[:maxTold]) + "…"
	}
	return text
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, aftercall.MaxWait.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
