// Package wire is the contract between this server and voice engines that speak it, as
// docs/voice-engine.md tells it: what is posted to start a call, and what is posted back.
// Both directions are signed as webhooks are.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/signature"
)

// Call is the body of POST {url}/calls: a call to be placed.
type Call struct {
	CallID      string            `json:"call_id"`
	To          string            `json:"to"`
	From        string            `json:"from,omitempty"`
	Agent       string            `json:"agent,omitempty"`
	Language    string            `json:"language"`
	Timezone    string            `json:"timezone"`
	Variables   map[string]string `json:"variables"`
	Metadata    Metadata          `json:"metadata"`
	RingTimeout int               `json:"ring_timeout_s"`
	MaxDuration int               `json:"max_duration_s"`
	NotAfter    time.Time         `json:"not_after"`
	CallbackURL string            `json:"callback_url"`
}

// Metadata names what the call belongs to.
type Metadata struct {
	AgentID   string `json:"agent_id"`
	ContactID string `json:"contact_id"`
	LoopID    string `json:"loop_id,omitempty"`
	Attempt   int    `json:"attempt"`
}

// CallOf is the request in the words of the contract.
func CallOf(agent aftercall.Agent, r dialer.StartRequest) Call {
	return Call{
		CallID: r.Call.ID, To: r.Call.ToNumber, From: r.Call.FromNumber, Agent: agent.Engine.Agent, Language: r.Language,
		Timezone: r.Zone.String(), Variables: r.Variables,
		Metadata:    Metadata{r.Call.AgentID, r.Call.ContactID, r.Call.RunID, r.Call.Attempt},
		RingTimeout: int(agent.Engine.RingTimeout.Seconds()), MaxDuration: int(agent.Engine.MaxDuration.Seconds()),
		NotAfter: r.NotAfter, CallbackURL: r.CallbackURL,
	}
}

// The types of events.
const (
	Queued   = "queued" // only in answers to GET
	Ringing  = "ringing"
	Answered = "answered"
	Ended    = "ended"
	Enriched = "enriched" // the transcript, or whatever came after the end
)

// Event is the body of a callback, and of the answer to GET {url}/calls/{ref}.
type Event struct {
	ID            string              `json:"id"` // the same again is the same event
	Type          string              `json:"type"`
	CallID        string              `json:"call_id"`
	Ref           string              `json:"ref,omitempty"`
	At            time.Time           `json:"at,omitzero"`
	From          string              `json:"from,omitempty"`
	Reason        aftercall.EndReason `json:"reason,omitempty"`
	SIPCode       int                 `json:"sip_code,omitempty"`
	AnsweredBy    string              `json:"answered_by,omitempty"`
	AnsweredAt    time.Time           `json:"answered_at,omitzero"`
	EndedAt       time.Time           `json:"ended_at,omitzero"`
	Turns         []Turn              `json:"turns,omitempty"`
	RecordingURL  string              `json:"recording_url,omitempty"`
	BookedSlotFor time.Time           `json:"booked_slot_for,omitzero"`
	FollowUpAt    time.Time           `json:"follow_up_at,omitzero"`
	DoNotCall     bool                `json:"do_not_call,omitempty"`
	Summary       string              `json:"summary,omitempty"`
	Fields        json.RawMessage     `json:"fields,omitempty"`
	Final         bool                `json:"final,omitempty"`
}

// Turn is what one speaker says, in seconds from the pick-up.
type Turn struct {
	Role  string  `json:"role"` // agent or contact; others are left out
	Text  string  `json:"text"`
	Start float64 `json:"start,omitempty"`
	End   float64 `json:"end,omitempty"`
}

// Progress is what the event tells of its call.
func (e Event) Progress(now time.Time) aftercall.Progress {
	at := e.At
	if at.IsZero() {
		at = now
	}
	p := aftercall.Progress{
		AnsweredAt: e.AnsweredAt, EndedAt: e.EndedAt, Reason: e.Reason, AnsweredBy: e.AnsweredBy, SIPCode: e.SIPCode, FromNumber: e.From,
		RecordingURL: e.RecordingURL, BookedSlotFor: e.BookedSlotFor, FollowUpAt: e.FollowUpAt, DoNotCall: e.DoNotCall, Summary: e.Summary,
		Fields: e.Fields, Final: e.Final,
	}
	switch e.Type {
	case Ringing:
		p.RangAt = at
	case Answered:
		if p.AnsweredAt.IsZero() {
			p.AnsweredAt = at
		}
	case Ended:
		if p.EndedAt.IsZero() {
			p.EndedAt = at
		}
	}
	for _, turn := range e.Turns {
		switch turn.Role {
		case "agent", "assistant", "bot":
			p.Turns = append(p.Turns, aftercall.Turn{Role: aftercall.RoleAgent, Content: turn.Text})
		case "contact", "user":
			p.Turns = append(p.Turns, aftercall.Turn{Role: aftercall.RoleUser, Content: turn.Text})
		}
	}
	for _, t := range []*time.Time{&p.RangAt, &p.AnsweredAt, &p.EndedAt, &p.BookedSlotFor, &p.FollowUpAt} {
		*t = t.UTC().Truncate(time.Microsecond)
	}
	return p
}

// Read reads an event. The error names what is wrong without repeating it.
func Read(body []byte) (e Event, err error) { return e, read(body, &e) }

// read decodes JSON. What json.Unmarshal says of numbers and times holds them, which may
// be somebody's.
func read(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return fmt.Errorf("%s is of another type than it must be", wrong.Field)
	}
	if _, ok := errors.AsType[*time.ParseError](err); ok {
		return errors.New("a time is not as RFC 3339 has it, such as 2025-02-18T15:30:00Z")
	}
	return errors.New("it is not the JSON object that it must be")
}

// maxID is the longest id of an event, or of a call, in bytes.
const maxID = 256

// validEventID reports whether an event can be remembered by an id.
func validEventID(id string) bool {
	return id != "" && len(id) <= maxID && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl)
}

func verify(agent aftercall.Agent, header http.Header, body []byte, now time.Time) error {
	verifier, err := signature.NewVerifier(agent.Engine.Secret.Reveal())
	if err != nil {
		return fmt.Errorf("secret of agent %s: %w", agent.ID, err)
	}
	if err := verifier.Verify(header, body, now); err != nil {
		return &aftercall.Error{Kind: aftercall.Unauthenticated, Message: "the signature is wrong: " + err.Error(), Err: err}
	}
	return nil
}

// Events verifies a callback by the agent's secret, and reads it.
func Events(agent aftercall.Agent, header http.Header, body []byte) ([]dialer.Event, error) {
	now := time.Now()
	if err := verify(agent, header, body, now); err != nil {
		return nil, err
	}
	e, err := Read(body)
	if err != nil {
		return nil, &aftercall.Error{Kind: aftercall.Invalid, Message: "the body is not an event: " + err.Error()}
	}
	switch {
	case !validEventID(e.ID):
		return nil, aftercall.InvalidField("id", "must be 1 to %d bytes of text, the same when the event is sent again", maxID)
	case e.CallID == "":
		return nil, aftercall.InvalidField("call_id", "is required")
	case e.Type != Ringing && e.Type != Answered && e.Type != Ended && e.Type != Enriched:
		return nil, aftercall.InvalidField("type", "must be ringing, answered, ended or enriched")
	}
	return []dialer.Event{{ID: e.ID, CallID: e.CallID, Progress: e.Progress(now)}}, nil
}

// inbound is the body of POST {callback_url}/inbound: somebody calls the agent.
type inbound struct {
	CallID string `json:"call_id"` // the engine's own, may be empty
	From   string `json:"from"`
	To     string `json:"to"`
}

// Inbound verifies a question who is calling by the agent's secret, and reads it.
func Inbound(agent aftercall.Agent, header http.Header, body []byte) (dialer.Inbound, error) {
	if err := verify(agent, header, body, time.Now()); err != nil {
		return dialer.Inbound{}, err
	}
	var sent inbound
	if err := read(body, &sent); err != nil {
		return dialer.Inbound{}, &aftercall.Error{Kind: aftercall.Invalid, Message: "the body is not a call: " + err.Error()}
	}
	in := dialer.Inbound{Ref: sent.CallID, Asks: sent.CallID}
	if in.Asks == "" {
		in.Asks = header.Get("webhook-id") + header.Get("svix-id")
	}
	if !ValidRef(sent.CallID) || !validEventID(in.Asks) {
		return dialer.Inbound{}, aftercall.InvalidField("call_id", "must be at most %d printable ASCII characters without spaces", maxID)
	}
	var ok bool
	if in.From, ok = aftercall.ParsePhone(sent.From); !ok && strings.ContainsAny(sent.From, "0123456789") {
		return dialer.Inbound{}, aftercall.InvalidField("from", "is not an international phone number such as +14155552671: leave it empty when it is withheld")
	}
	in.To, _ = aftercall.ParsePhone(sent.To) // a SIP trunk may name no number
	return in, nil
}

// ValidRef reports whether a text can be an engine's id of a call, or none: it is stored,
// and becomes part of a path.
func ValidRef(text string) bool {
	strange := strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	return len(text) <= maxID && !strange && text != "." && text != ".."
}

// Sign makes a request with a JSON body, signed with the agent's secret.
func Sign(r *http.Request, secret aftercall.Secret, id string, body []byte, now time.Time) {
	sum := signature.Sign(secret.Key, id, now, body)
	r.Header.Set("Content-Type", "application/json")
	for _, family := range []string{"webhook-", "svix-"} {
		r.Header.Set(family+"id", id)
		r.Header.Set(family+"timestamp", fmt.Sprint(now.Unix()))
		r.Header.Set(family+"signature", sum)
	}
}

// Encode writes compact JSON.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
