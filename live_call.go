package aftercall

import (
	"encoding/json"
	"slices"
	"time"
)

// LiveState is how far a call has come that has not ended for us.
type LiveState int

// The states of a live call.
const (
	Placing LiveState = iota // decided; the voice engine may or may not have it
	Placed                   // the voice engine has it
	Over                     // it has ended; its transcript may still come
)

// LiveCall is a call from the decision to make it until its end was taken.
type LiveCall struct {
	AccountID   string
	ID          string // the call's; the voice engine starts no second call for it
	RunID       string // empty for inbound calls
	ContactID   string
	AgentID     string
	Line        string // see EngineSettings.Line
	Ref         string // the voice engine's own id; empty until it is known
	Direction   Direction
	Attempt     int
	FromNumber  string // empty: the voice engine's own
	ToNumber    string
	State       LiveState
	Lookups     int       // how often in a row the voice engine could not say what became of it
	TriggeredAt time.Time // when it was decided
	// DueAt is when to ask what became of it, if nothing is heard until then.
	DueAt    time.Time
	Progress Progress
}

// Progress is what a voice engine has told of a call, in whatever order.
type Progress struct {
	RangAt        time.Time       `json:"rang_at,omitzero"`
	AnsweredAt    time.Time       `json:"answered_at,omitzero"`
	EndedAt       time.Time       `json:"ended_at,omitzero"`
	Reason        EndReason       `json:"reason,omitempty"`
	AnsweredBy    string          `json:"answered_by,omitempty"` // human, machine, fax, ivr or unknown
	SIPCode       int             `json:"sip_code,omitempty"`
	FromNumber    string          `json:"from,omitempty"`
	Turns         []Turn          `json:"turns,omitempty"`
	RecordingURL  string          `json:"recording_url,omitempty"`
	BookedSlotFor time.Time       `json:"booked_slot_for,omitzero"`
	FollowUpAt    time.Time       `json:"follow_up_at,omitzero"`
	DoNotCall     bool            `json:"do_not_call,omitempty"`
	Summary       string          `json:"summary,omitempty"`
	Fields        json.RawMessage `json:"fields,omitempty"` // the engine's own analysis: name -> value
	Final         bool            `json:"final,omitempty"`  // nothing more will come

	// What only a report of the finished call says.
	Status   CallStatus      `json:"status,omitempty"`
	Analysis json.RawMessage `json:"analysis,omitempty"`
	Outcome  json.RawMessage `json:"outcome,omitempty"`
}

// Validate checks what a voice engine told.
func (p *Progress) Validate() error {
	var f fieldErrors
	c := Call{Turns: p.Turns}
	c.validateTurns(&f)
	if p.Reason != "" && !endReasonPattern.MatchString(string(p.Reason)) {
		f.add("reason", "must be a word such as contact_hangup: up to 128 letters, digits, or one of _ . -")
	}
	validateText(&f, "answered_by", p.AnsweredBy, maxGender)
	validateText(&f, "recording_url", p.RecordingURL, maxRecordingURL)
	validateSpoken(&f, "summary", p.Summary)
	if p.FromNumber != "" {
		p.FromNumber = validatePhone(&f, "from", p.FromNumber)
	}
	p.Fields = validateObject(&f, "fields", p.Fields, maxAnalysis)
	for _, t := range []struct {
		path string
		at   time.Time
	}{{"at", p.RangAt}, {"answered_at", p.AnsweredAt}, {"ended_at", p.EndedAt}, {"booked_slot_for", p.BookedSlotFor}, {"follow_up_at", p.FollowUpAt}} {
		if year := t.at.Year(); !t.at.IsZero() && (year < earliestYear || year > latestYear) {
			f.add(t.path, "is in the year %d", year)
		}
	}
	return f.err()
}

// earliestYear and latestYear bound what can be meant by a time.
const (
	earliestYear = 2000
	latestYear   = 2200
)

// Merge adds what came later, or came first and was heard of later. The end is taken
// once: what another one says of when and why does not count.
func (p Progress) Merge(heard Progress) Progress {
	p.RangAt = earlier(p.RangAt, heard.RangAt)
	p.AnsweredAt = earlier(p.AnsweredAt, heard.AnsweredAt)
	if p.EndedAt.IsZero() && !heard.EndedAt.IsZero() {
		p.EndedAt, p.Reason, p.SIPCode = heard.EndedAt, heard.Reason, heard.SIPCode
	}
	p.AnsweredBy = or(heard.AnsweredBy, p.AnsweredBy)
	p.FromNumber = or(heard.FromNumber, p.FromNumber)
	p.RecordingURL = or(heard.RecordingURL, p.RecordingURL)
	p.Summary = or(heard.Summary, p.Summary)
	if len(heard.Turns) >= len(p.Turns) && len(heard.Turns) > 0 {
		p.Turns = heard.Turns
	}
	if !heard.BookedSlotFor.IsZero() {
		p.BookedSlotFor = heard.BookedSlotFor
	}
	if !heard.FollowUpAt.IsZero() {
		p.FollowUpAt = heard.FollowUpAt
	}
	if len(heard.Fields) > 0 {
		p.Fields = heard.Fields
	}
	p.DoNotCall = p.DoNotCall || heard.DoNotCall
	p.Final = p.Final || heard.Final
	return p
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// earlier returns the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

const (
	// settle is how long the transcript may come after the end of a call.
	settle = 20 * time.Second
	// overdue is how much longer than it may last a call is waited for.
	overdue = 2 * time.Minute
	// lookAgain is the wait between questions what became of a call.
	lookAgain = time.Minute
	// endless is how much longer than it may last a call is believed to go on.
	endless = 30 * time.Minute
	// maxLookups is how many of them may go without an answer before it is lost.
	maxLookups = 3
)

// Hear returns the call after the voice engine told of it.
func (l LiveCall) Hear(heard Progress, now time.Time) LiveCall {
	l.Progress = l.Progress.Merge(heard)
	if l.State == Placing {
		l.State = Placed
	}
	if l.State == Placed && !l.Progress.EndedAt.IsZero() {
		l.State, l.DueAt = Over, now.Add(settle)
	}
	l.Lookups = 0
	return l
}

// Begun returns the call once the voice engine has accepted it.
func (l LiveCall) Begun(ref string, s EngineSettings, now time.Time) LiveCall {
	l.Ref = or(ref, l.Ref)
	if l.State != Over { // it may have told of the call before it said that it has it
		l.State = Placed
		l.DueAt = now.Add(s.RingTimeout + s.MaxDuration + overdue)
	}
	return l
}

// Called is a call that a contact makes to the agent, from whichever number.
func (a Agent) Called(by Contact, from, to string, now time.Time) LiveCall {
	return LiveCall{
		AccountID: a.AccountID, ID: NewUUID(), ContactID: by.ID, AgentID: a.ID, Line: a.Engine.Line(), Direction: Inbound, Attempt: 1,
		FromNumber: from, ToNumber: to, State: Placed, TriggeredAt: now,
		DueAt: now.Add(a.Engine.RingTimeout + a.Engine.MaxDuration + overdue),
	}
}

// Alive returns the call after the voice engine said, asked, that it goes on. What goes
// on for much longer than it may is lost: else it would hold its line for ever.
func (l LiveCall) Alive(heard Progress, s EngineSettings, now time.Time) LiveCall {
	l = l.Hear(heard, now)
	switch {
	case l.State != Placed:
	case now.Sub(l.TriggeredAt) > s.RingTimeout+s.MaxDuration+endless:
		return l.Lost(now)
	default:
		l.DueAt = now.Add(lookAgain)
	}
	return l
}

// Unheard returns the call after the voice engine could not say, asked, what became of
// it. After too many times it is lost.
func (l LiveCall) Unheard(now time.Time) LiveCall {
	l.Lookups++
	if l.Lookups >= maxLookups {
		return l.Lost(now)
	}
	l.DueAt = now.Add(lookAgain)
	return l
}

// Reported returns the call as it was reported to have ended.
func (l LiveCall) Reported(c Call, now time.Time) LiveCall {
	l = l.Hear(Progress{
		AnsweredAt: c.StartedAt, EndedAt: c.over(now), Reason: c.EndReason, FromNumber: c.FromNumber, Turns: c.Turns,
		RecordingURL: c.RecordingURL, BookedSlotFor: c.BookedSlotFor, FollowUpAt: c.FollowUpAt, Final: true,
	}, now)
	l.Progress.Status, l.Progress.Analysis, l.Progress.Outcome = c.Status, c.Analysis, c.Outcome
	if len(l.Progress.Turns) == 0 {
		l.Progress.Turns = turnsOf(c.Transcript)
	}
	return l
}

// Elsewhere returns a call whose agent has moved to another line since: that one cannot
// say what became of it, so it is waited for as long as it may last.
func (l LiveCall) Elsewhere(s EngineSettings, now time.Time) LiveCall {
	if over := l.TriggeredAt.Add(s.RingTimeout + s.MaxDuration + overdue); now.Before(over) {
		l.DueAt = over
		return l
	}
	return l.Lost(now)
}

// Lost returns the call as one whose end nobody knows.
func (l LiveCall) Lost(now time.Time) LiveCall {
	return l.Hear(Progress{EndedAt: now, Reason: EndLost, Final: true}, now)
}

// Done reports whether the call can be taken as it is: nothing more will come, or was
// waited for long enough.
func (l LiveCall) Done(now time.Time) bool {
	return l.State == Over && (l.Progress.Final || !now.Before(l.DueAt))
}

// Answered reports whether somebody, or something, has picked up.
func (l LiveCall) Answered() bool { return l.State == Placed && !l.Progress.AnsweredAt.IsZero() }

// CallState is how far a call has come, for who watches it.
type CallState string

// The states of the reference's newest calls.
const (
	CallQueued  CallState = "queued" // decided; nobody has told that it rings
	CallRinging CallState = "ringing"
	CallLive    CallState = "live" // somebody, or something, is on the line
	CallIsOver  CallState = "ended"
)

// Stage is how far the call has come, as far as was heard.
func (l LiveCall) Stage() CallState {
	switch {
	case l.State == Over:
		return CallIsOver
	case l.Answered():
		return CallLive
	case l.State == Placed && !l.Progress.RangAt.IsZero():
		return CallRinging
	}
	return CallQueued
}

// SoFar is the call as far as it has come: without its status, and without what is read
// from what was said.
func (l LiveCall) SoFar() Call {
	p := l.Progress
	return Call{
		AccountID: l.AccountID, ID: l.ID, ContactID: l.ContactID, AgentID: l.AgentID, RunID: l.RunID, Attempt: l.Attempt,
		Direction: l.Direction, FromNumber: or(l.FromNumber, p.FromNumber), ToNumber: l.ToNumber,
		TriggeredAt: l.TriggeredAt, StartedAt: p.AnsweredAt, EndedAt: p.EndedAt, EndReason: p.Reason,
		Turns: p.Turns, Transcript: transcriptOf(p.Turns), RecordingURL: p.RecordingURL,
		BookedSlotFor: p.BookedSlotFor, FollowUpAt: p.FollowUpAt, DoNotCall: p.DoNotCall,
	}
}

// Call is the finished call, without its status unless that was told.
func (l LiveCall) Call(fields []OutcomeField) Call {
	p := l.Progress
	c := l.SoFar()
	c.Status, c.Analysis, c.Outcome = p.Status, p.analysis(), p.outcome(fields)
	if c.EndReason == "" && c.Status == "" {
		c.EndReason = EndEngineError
	}
	if p.Analysis != nil {
		c.Analysis = p.Analysis
	}
	if p.Outcome != nil {
		c.Outcome = p.Outcome
	}
	switch rang := !p.RangAt.IsZero() || !p.AnsweredAt.IsZero(); {
	case c.EndReason == EndCanceled && rang: // in the words of SIP also: nobody answered in time
		c.EndReason = EndNoAnswer
	case c.EndReason == EndThrottled && rang:
		c.EndReason = EndEngineError
	}
	c.StartedAt, c.EndedAt = inOrder(c.TriggeredAt, c.StartedAt, c.EndedAt)
	switch p.AnsweredBy { // whoever hung up then
	case "machine":
		c.EndReason = EndVoicemail
	case "fax":
		c.EndReason = EndFax
	case "ivr":
		c.EndReason = EndIVR
	}
	return c
}

// Enrich fills in what a call that was taken lacks. It reports false when that is
// nothing.
func (c Call) Enrich(p Progress) (Call, bool) {
	more := false
	if len(c.Turns) == 0 && len(p.Turns) > 0 {
		c.Turns, c.Transcript, more = p.Turns, transcriptOf(p.Turns), true
	}
	if c.RecordingURL == "" && p.RecordingURL != "" {
		c.RecordingURL, more = p.RecordingURL, true
	}
	return c, more
}

// inOrder brings the times of an engine whose clock is off into an order that can be:
// dialled, answered, ended.
func inOrder(triggered, started, ended time.Time) (time.Time, time.Time) {
	if !started.IsZero() {
		started = later(started, triggered)
	}
	return started, later(ended, later(started, triggered))
}

// analysis is the engine's summary in the form of the reference.
func (p Progress) analysis() json.RawMessage {
	if p.Summary == "" {
		return nil
	}
	return encode(map[string]any{"summary": map[string]any{"value": true, "details": p.Summary}})
}

// outcome is the engine's fields, of those that the agent has, in the form of the
// reference.
func (p Progress) outcome(fields []OutcomeField) json.RawMessage {
	var told map[string]json.RawMessage
	if len(p.Fields) == 0 || json.Unmarshal(p.Fields, &told) != nil {
		return nil
	}
	outcome := map[string]any{}
	for name, value := range told {
		i := slices.IndexFunc(fields, func(o OutcomeField) bool { return o.Name == name })
		if i >= 0 {
			outcome[name] = map[string]any{"value": value, "fieldSchema": fields[i].Schema()}
		}
	}
	if len(outcome) == 0 {
		return nil
	}
	return encode(outcome)
}
