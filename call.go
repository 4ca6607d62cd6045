package aftercall

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// CallStatus is how a call ended for the contact.
type CallStatus string

// The statuses of the reference ("Call Status").
const (
	CallCompleted  CallStatus = "COMPLETED"   // a conversation took place
	CallAnswered   CallStatus = "ANSWERED"    // somebody was on the line, and will be tried again
	CallNotReached CallStatus = "NOT_REACHED" // nobody was
	CallVoicemail  CallStatus = "VOICEMAIL"   // a machine was
	CallError      CallStatus = "ERROR"       // the call failed technically
)

// Direction of a call.
type Direction string

const (
	Outbound Direction = "outbound"
	Inbound  Direction = "inbound"
)

// EndReason is why a call ended, in words that no voice engine owns. Reasons that
// are not listed are kept as they are and mean ERROR.
type EndReason string

const (
	EndContactHangup EndReason = "contact_hangup"
	EndAgentHangup   EndReason = "agent_hangup"
	EndTransferred   EndReason = "transferred"
	EndSilence       EndReason = "silence"
	EndMaxDuration   EndReason = "max_duration"
	EndVoicemail     EndReason = "voicemail"
	EndFax           EndReason = "fax"
	EndIVR           EndReason = "ivr"
	EndBusy          EndReason = "busy"
	EndNoAnswer      EndReason = "no_answer"
	EndRejected      EndReason = "rejected"
	EndInvalidNumber EndReason = "invalid_number"
	EndThrottled     EndReason = "throttled"
	EndCanceled      EndReason = "canceled"
)

// Placed reports whether the call was placed at all: what never rang is no call.
func (r EndReason) Placed() bool { return r != EndThrottled && r != EndCanceled }

// Status is what a reason means. Whether somebody on the line is a conversation
// shows in what was said; if not, the contact is tried again.
func (r EndReason) Status(conversation bool) CallStatus {
	switch r {
	case EndContactHangup, EndAgentHangup, EndSilence, EndMaxDuration:
		if conversation {
			return CallCompleted
		}
		return CallAnswered
	case EndTransferred:
		return CallCompleted
	case EndVoicemail, EndFax, EndIVR:
		return CallVoicemail
	case EndBusy, EndNoAnswer, EndRejected:
		return CallNotReached
	}
	return CallError
}

// Role of who speaks.
type Role string

const (
	RoleAgent Role = "agent"
	RoleUser  Role = "user" // the contact
)

// Turn is what one speaker says.
type Turn struct {
	Content string `json:"content"`
	Role    Role   `json:"role"`
}

// Call is one phone call that has ended.
type Call struct {
	AccountID     string
	ID            string
	ExternalID    string // of who made it, unique in the account; may be empty
	ContactID     string
	AgentID       string
	RunID         string // empty for calls made elsewhere, and inbound ones
	Attempt       int    // counted from 1
	Direction     Direction
	FromNumber    string
	ToNumber      string
	TriggeredAt   time.Time // when it was dialled
	StartedAt     time.Time // when it was answered; zero when it was not
	EndedAt       time.Time
	Status        CallStatus
	EndReason     EndReason
	Transcript    string
	Turns         []Turn
	RecordingURL  string
	BookedSlotFor time.Time
	FollowUpAt    time.Time       // when the contact asked to be called again
	Analysis      json.RawMessage // the system's fields: name -> {value, details}
	Outcome       json.RawMessage // the customer's own: name -> {value, fieldSchema}
	CreatedAt     time.Time
}

// What counts as a conversation; a hang-up after "hello" does not.
const (
	conversationTurns   = 2
	conversationWords   = 5
	conversationSeconds = 10
)

// Conversation reports whether the contact took part in one.
func (c Call) Conversation() bool {
	if !c.StartedAt.IsZero() && !c.EndedAt.IsZero() && c.EndedAt.Sub(c.StartedAt) < conversationSeconds*time.Second {
		return false
	}
	turns, words := 0, 0
	for _, turn := range c.Turns {
		if turn.Role == RoleUser {
			turns++
			words += len(strings.Fields(turn.Content))
		}
	}
	return turns >= conversationTurns || words >= conversationWords
}

// LengthMinutes is the length in whole minutes, rounded up, as it is billed. It
// reports false for a call that was not answered.
func (c Call) LengthMinutes() (int, bool) {
	if c.StartedAt.IsZero() || c.EndedAt.IsZero() {
		return 0, false
	}
	return int((max(0, c.EndedAt.Sub(c.StartedAt)) + time.Minute - 1) / time.Minute), true
}

// Limits on the fields of a call.
const (
	maxTranscript   = 1 << 20 // bytes, of the text and of all turns
	maxTurns        = 10_000
	maxAnalysis     = 256 << 10 // bytes
	maxCallFields   = 256       // characters
	maxRecordingURL = 8192
)

// Complete checks a reported call and fills in what follows from the rest: the
// status from the reason, and the transcript's text from its turns.
func (c *Call) Complete() error {
	var f fieldErrors
	statuses := []CallStatus{CallCompleted, CallAnswered, CallNotReached, CallVoicemail, CallError}
	switch {
	case c.Status == "" && c.EndReason == "":
		f.add("call_status", "is required, or end_reason")
	case c.Status != "" && !slices.Contains(statuses, c.Status):
		f.add("call_status", "must be COMPLETED, ANSWERED, NOT_REACHED, VOICEMAIL or ERROR")
	case !c.EndReason.Placed():
		f.add("end_reason", "is that of a call which was never placed: there is nothing to report")
	}
	if c.Direction != Outbound && c.Direction != Inbound {
		f.add("direction", "must be outbound or inbound")
	}
	if c.TriggeredAt.IsZero() {
		f.add("triggered_at", "is required")
	}
	if !c.StartedAt.IsZero() && !c.EndedAt.IsZero() && c.EndedAt.Before(c.StartedAt) {
		f.add("ended_at", "must not be before started_at")
	}
	c.FromNumber = phoneOr(&f, "from_number", c.FromNumber)
	c.ToNumber = phoneOr(&f, "to_number", c.ToNumber)
	atMost(&f, "external_call_id", c.ExternalID, maxCallFields)
	atMost(&f, "agent_id", c.AgentID, maxCallFields)
	atMost(&f, "end_reason", string(c.EndReason), maxCallFields)
	atMost(&f, "recording_url", c.RecordingURL, maxRecordingURL)
	atMost(&f, "transcript", c.Transcript, maxTranscript)
	c.validateTurns(&f)
	validateObject(&f, "call_analysis", c.Analysis, maxAnalysis)
	validateObject(&f, "call_outcome", c.Outcome, maxAnalysis)
	if err := f.err(); err != nil {
		return err
	}
	if c.Status == "" {
		c.Status = c.EndReason.Status(c.Conversation())
	}
	if c.Transcript == "" {
		c.Transcript = transcriptOf(c.Turns)
	}
	return nil
}

func (c *Call) validateTurns(f *fieldErrors) {
	if len(c.Turns) > maxTurns {
		f.add("transcriptObject", "must not hold more than %d turns", maxTurns)
		return
	}
	size := 0
	for _, turn := range c.Turns {
		if turn.Role != RoleAgent && turn.Role != RoleUser {
			f.add("transcriptObject", "the role of each turn must be agent or user")
			return
		}
		size += len(turn.Content)
	}
	if size > maxTranscript {
		f.add("transcriptObject", "must not exceed %d bytes", maxTranscript)
	}
}

func phoneOr(f *fieldErrors, path, text string) string {
	number, ok := ParsePhone(text)
	switch {
	case text == "":
		f.add(path, "is required")
	case !ok:
		f.add(path, "is not an international phone number such as +14155552671")
	}
	return number
}

// transcriptOf writes turns as text, one a line.
func transcriptOf(turns []Turn) string {
	lines := make([]string, len(turns))
	for i, turn := range turns {
		speaker := "Agent"
		if turn.Role == RoleUser {
			speaker = "Contact"
		}
		lines[i] = speaker + ": " + turn.Content
	}
	return strings.Join(lines, "\n")
}
