package aftercall

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
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
	EndInvalidNumber EndReason = "invalid_number" // ERROR, and for good
	EndTrunk         EndReason = "trunk"
	EndMedia         EndReason = "media"
	EndAccount       EndReason = "account"
	EndEngineError   EndReason = "engine_error"
	EndLost          EndReason = "lost"
	EndThrottled     EndReason = "throttled" // never placed
	EndCanceled      EndReason = "canceled"  // never placed, unless it rang
)

// endReasonPattern keeps free text, which could name people, out of end reasons.
var endReasonPattern = regexp.MustCompile(`^[a-zA-Z0-9_.\-]{1,128}$`)

// Status is what a reason means as long as another attempt will be made. Whether
// somebody on the line was a conversation shows in what was said.
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
	case EndBusy, EndNoAnswer, EndRejected, EndCanceled:
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
	DoNotCall     bool            // the contact asked not to be called any more
	Analysis      json.RawMessage // the system's fields: name -> {value, details}
	Outcome       json.RawMessage // the customer's own: name -> {value, fieldSchema}
	CreatedAt     time.Time
}

// Placed reports whether there was a call at all. What never rang is no attempt: it
// counts for nothing, and nobody is told of it.
func (c Call) Placed() bool {
	return c.EndReason != EndThrottled && (c.EndReason != EndCanceled || !c.StartedAt.IsZero())
}

// conversationTime is how long a call has to be for a conversation.
const conversationTime = 10 * time.Second

// over is when the call ended, as far as it was told.
func (c Call) over(now time.Time) time.Time {
	if c.EndedAt.IsZero() {
		return now
	}
	return c.EndedAt
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

// Validate checks a call as it is reported. It brings its numbers into E.164, and
// makes the transcript's text from its turns when there is none.
func (c *Call) Validate() error {
	var f fieldErrors
	c.validateEnd(&f)
	if c.Direction != Outbound && c.Direction != Inbound {
		f.add("direction", "must be outbound or inbound")
	}
	if c.TriggeredAt.IsZero() {
		f.add("triggered_at", "is required")
	}
	if !c.StartedAt.IsZero() && !c.EndedAt.IsZero() && c.EndedAt.Before(c.StartedAt) {
		f.add("ended_at", "must not be before started_at")
	}
	c.FromNumber = validatePhone(&f, "from_number", c.FromNumber)
	c.ToNumber = validatePhone(&f, "to_number", c.ToNumber)
	validateText(&f, "external_call_id", c.ExternalID, maxCallFields)
	validateText(&f, "agent_id", c.AgentID, maxCallFields)
	validateText(&f, "recording_url", c.RecordingURL, maxRecordingURL)
	validateSpoken(&f, "transcript", c.Transcript)
	c.validateTurns(&f)
	c.Analysis = validateObject(&f, "call_analysis", c.Analysis, maxAnalysis)
	c.Outcome = validateObject(&f, "call_outcome", c.Outcome, maxAnalysis)
	if c.Transcript == "" {
		c.Transcript = transcriptOf(c.Turns)
	}
	return f.err()
}

func (c *Call) validateEnd(f *fieldErrors) {
	statuses := []CallStatus{CallCompleted, CallAnswered, CallNotReached, CallVoicemail, CallError}
	switch {
	case c.Status == "" && c.EndReason == "":
		f.add("call_status", "is required, or end_reason")
	case c.Status != "" && !slices.Contains(statuses, c.Status):
		f.add("call_status", "must be COMPLETED, ANSWERED, NOT_REACHED, VOICEMAIL or ERROR")
	}
	switch {
	case c.EndReason != "" && !endReasonPattern.MatchString(string(c.EndReason)):
		f.add("end_reason", "must be a word such as contact_hangup: up to 128 letters, digits, or one of _ . -")
	case !c.Placed():
		f.add("end_reason", "is that of a call which was never placed: there is nothing to report")
	}
}

func (c *Call) validateTurns(f *fieldErrors) {
	if len(c.Turns) > maxTurns {
		f.add("transcriptObject", "must not hold more than %d turns", maxTurns)
		return
	}
	size := 0
	for i, turn := range c.Turns {
		if turn.Role != RoleAgent && turn.Role != RoleUser {
			f.add(fmt.Sprintf("transcriptObject.%d.role", i), "must be agent or user")
			return
		}
		if strings.ContainsRune(turn.Content, 0) {
			f.add(fmt.Sprintf("transcriptObject.%d.content", i), "must not hold null characters")
			return
		}
		size += len(turn.Content)
	}
	if size > maxTranscript {
		f.add("transcriptObject", "must not exceed %d bytes", maxTranscript)
	}
}

// validateSpoken accepts text of many lines.
func validateSpoken(f *fieldErrors, path, text string) {
	switch {
	case len(text) > maxTranscript:
		f.add(path, "must not exceed %d bytes", maxTranscript)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		f.add(path, "must be UTF-8 without null characters")
	}
}

func validatePhone(f *fieldErrors, path, text string) string {
	number, ok := ParsePhone(text)
	switch {
	case text == "":
		f.add(path, "is required")
	case !ok:
		f.add(path, notPhone)
	}
	return number
}

// Conclude fills in what follows from the contact that a call made elsewhere was with:
// the status, unless it was told, and the number of the attempt. Another attempt
// follows an outbound call as long as its contact is being tried, and any call when the
// contact asked for it.
func (c Call) Conclude(contact Contact) Call {
	c.AccountID, c.ContactID = contact.AccountID, contact.ID
	c.Attempt = 1
	if c.Direction == Outbound {
		c.Attempt = contact.CallAttempts + 1
	}
	return c.conclude(!c.FollowUpAt.IsZero() || c.Direction == Outbound && contact.Tried())
}

// conclude fills in the status, unless it was told, by whether another attempt will be
// made: without one, somebody on the line was just not reached.
func (c Call) conclude(another bool) Call {
	c.DoNotCall = c.AsksNotToBeCalled()
	if c.Status == "" {
		c.Status = c.EndReason.Status(c.Conversation())
		switch {
		case c.Status == CallAnswered && c.DoNotCall:
			c.Status = CallCompleted
		case c.Status == CallAnswered && !another:
			c.Status = CallNotReached
		}
	}
	return c
}

// Speakers in the text of a transcript.
const (
	agentSpeaker   = "Agent"
	contactSpeaker = "Contact"
)

// transcriptOf writes turns as text, one a line.
func transcriptOf(turns []Turn) string {
	lines := make([]string, len(turns))
	for i, turn := range turns {
		speaker := agentSpeaker
		if turn.Role == RoleUser {
			speaker = contactSpeaker
		}
		lines[i] = speaker + ": " + turn.Content
	}
	return strings.Join(lines, "\n")
}

// turnsOf reads turns back from text. Whoever is not called agent is the contact; a
// line without a speaker goes on with the turn before.
func turnsOf(transcript string) []Turn {
	var turns []Turn
	for line := range strings.Lines(transcript) {
		speaker, content, found := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case found && !strings.ContainsAny(speaker, " \t"):
			role := RoleUser
			if strings.EqualFold(speaker, agentSpeaker) {
				role = RoleAgent
			}
			turns = append(turns, Turn{content, role})
		case len(turns) > 0:
			turns[len(turns)-1].Content += "\n" + line
		}
	}
	return turns
}
