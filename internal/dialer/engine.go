package dialer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aftercall/aftercall"
)

// VoiceEngine is what really places calls. Its settings come with the agent of each
// call, so that one value serves all agents.
type VoiceEngine interface {
	// Accepts refuses numbers that the engine never calls, before they are scheduled.
	Accepts(agent aftercall.Agent, number string) error
	// Start has a call placed and returns the engine's own id of it as soon as the engine
	// has accepted it. The same call started again is the same call. The error is a
	// *StartError, or means that nobody can tell whether the call is placed.
	Start(ctx context.Context, agent aftercall.Agent, r StartRequest) (ref string, err error)
	// Fetch says what has become of a call, known by the engine's id or, without one, by
	// ours. The error is ErrUnknownCall when the engine has no such call.
	Fetch(ctx context.Context, agent aftercall.Agent, call aftercall.LiveCall) (aftercall.Progress, error)
	// Cancel hangs up, or drops the call before it was placed. It may be repeated.
	Cancel(ctx context.Context, agent aftercall.Agent, call aftercall.LiveCall) error
	// Events verifies and reads a callback. Errors: Unauthenticated for a signature that
	// is wrong, Invalid.
	Events(agent aftercall.Agent, header http.Header, body []byte) ([]Event, error)
	// Inbound verifies and reads a question who is calling. Errors: Unauthenticated,
	// Invalid.
	Inbound(agent aftercall.Agent, header http.Header, body []byte) (Inbound, error)
}

// StartRequest is a call to be placed.
type StartRequest struct {
	Call        aftercall.LiveCall
	Language    string
	Zone        *time.Location    // in which the contact is, for words such as "tomorrow"
	Variables   map[string]string // what the agent knows of the contact, for its prompt
	NotAfter    time.Time         // the call must not begin later
	CallbackURL string
}

// Event is what an engine tells of a call.
type Event struct {
	ID       string // the engine's own; the same again is the same event
	CallID   string
	Progress aftercall.Progress
}

// ErrUnknownCall says that an engine has no such call.
var ErrUnknownCall = errors.New("the voice engine does not know this call")

// Refusal is why an engine did not place a call.
type Refusal int

// The refusals. None of them counts as an attempt, but that of a number, which is an
// answer.
const (
	Throttled     Refusal = iota // too many calls, now
	InvalidNumber                // this number, ever
	BadAccount                   // settings or payment: a person has to look
	Down                         // it is out of order, and placed nothing
)

// StartError says that a call was certainly not placed.
type StartError struct {
	Refusal    Refusal
	RetryAfter time.Duration // as the engine asked; zero when it did not
	Err        error
	Told       string // what the engine said of it: for people, not for logs
}

func (e *StartError) Error() string { return "the call was not placed: " + e.Err.Error() }

func (e *StartError) Unwrap() error { return e.Err }
