package aftercall

import (
	"bytes"
	"encoding/json"
	"time"
)

// The events of the reference ("Events").
const (
	CallEnded            = "call_ended"
	ContactStatusChanged = "contact_status_changed"
)

// Event is a fact on its way to being a message.
type Event struct {
	Type      string
	ContactID string // whose data the payload holds
	Payload   []byte
}

// Forms of time in payloads. The reference mixes them: epoch milliseconds in a call,
// ISO with milliseconds in its contact, ISO with seconds everywhere else.
const (
	isoMillis  = "2006-01-02T15:04:05.000Z"
	isoSeconds = "2006-01-02T15:04:05Z"
)

// ISOMillis shows a time as contacts show it, or null.
func ISOMillis(t time.Time) *string { return formatted(t, isoMillis) }

// ISOSeconds shows a time as booked slots show it, or null.
func ISOSeconds(t time.Time) *string { return formatted(t, isoSeconds) }

func formatted(t time.Time, layout string) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(layout)
	return &text
}

// moments are the forms of ISO 8601 that are understood, fractions of a second and
// all. A time without its zone could be off by hours, so it is none.
var moments = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05Z07:00"}

// ParseISO reads a time as clients write it, in ISO 8601 with its zone, which is kept.
func ParseISO(text string) (time.Time, bool) {
	for _, layout := range moments {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// EpochMillis shows a time as calls show it, or null.
func EpochMillis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.UnixMilli()
	return &n
}

// CallView is a call as the reference shows it. The order of the fields is that of
// its example; those that it does not have are left out when they say nothing.
type CallView struct {
	AgentID           string          `json:"agent_id"`
	Attempt           int             `json:"attempt"`
	BookedSlotFor     *string         `json:"booked_slot_for"`
	Analysis          json.RawMessage `json:"call_analysis"`
	ID                string          `json:"call_id"`
	LengthMin         *int            `json:"call_length_min"`
	Outcome           json.RawMessage `json:"call_outcome"`
	Status            CallStatus      `json:"call_status"`
	ContactID         string          `json:"contact_id"`
	Direction         Direction       `json:"direction"`
	EndedAt           *int64          `json:"ended_at"`
	EndedReason       EndReason       `json:"ended_reason,omitempty"`
	ExternalContactID *string         `json:"external_contact_id"`
	FollowUp          *FollowUpView   `json:"follow_up,omitempty"`
	FromNumber        string          `json:"from_number"`
	RunID             *string         `json:"loop_id"`
	RecordingURL      *string         `json:"recording_url"`
	StartedAt         *int64          `json:"started_at"`
	ToNumber          string          `json:"to_number"`
	Transcript        string          `json:"transcript"`
	Turns             []Turn          `json:"transcriptObject"`
	TriggeredAt       *int64          `json:"triggered_at"`
}

// FollowUpView is the wish to be called again.
type FollowUpView struct {
	ScheduledAt *string `json:"scheduled_at"`
}

// ContactView is a contact as the reference shows it in a call_ended, and telli's
// API everywhere.
type ContactView struct {
	CallAttempts int             `json:"call_attempts"`
	Details      json.RawMessage `json:"contact_details"`
	ID           string          `json:"contact_id"`
	CreatedAt    *string         `json:"created_at"`
	Email        *string         `json:"email"`
	ExternalID   *string         `json:"external_contact_id"`
	ExternalURL  *string         `json:"external_url,omitempty"`
	FirstName    string          `json:"first_name"`
	Gender       *string         `json:"gender"`
	InCallSince  *string         `json:"in_call_since"`
	LastName     string          `json:"last_name"`
	NextCallAt   *string         `json:"next_call_at"`
	PhoneNumber  string          `json:"phone_number"`
	ReachedAt    *string         `json:"reached_at"`
	Salutation   *string         `json:"salutation"`
	Status       ContactStatus   `json:"status"`
	Timezone     *string         `json:"timezone"`
}

// StatusView is a contact as the reference shows it in a contact_status_changed.
type StatusView struct {
	ID              string        `json:"contact_id"`
	ExternalID      *string       `json:"external_contact_id"`
	Status          ContactStatus `json:"status"`
	StatusUpdatedAt *string       `json:"status_updated_at"`
	ReachedAt       *string       `json:"reached_at"`
	FirstName       string        `json:"first_name"`
	LastName        string        `json:"last_name"`
	PhoneNumber     string        `json:"phone_number"`
	Email           *string       `json:"email"`
}

// CallEndedPayload is the body of a call_ended.
type CallEndedPayload struct {
	Event   string      `json:"event"`
	Call    CallView    `json:"call"`
	Contact ContactView `json:"contact"`
}

// StatusChangedPayload is the body of a contact_status_changed.
type StatusChangedPayload struct {
	Event   string     `json:"event"`
	Contact StatusView `json:"contact"`
}

// View shows the call of a contact.
func (c Call) View(externalContactID string) CallView {
	view := CallView{
		AgentID: c.AgentID, Attempt: c.Attempt, BookedSlotFor: ISOSeconds(c.BookedSlotFor), Analysis: objectOr(c.Analysis),
		ID: c.ID, Outcome: objectOr(c.Outcome), Status: c.Status, ContactID: c.ContactID, Direction: c.Direction,
		EndedAt: EpochMillis(c.EndedAt), EndedReason: c.EndReason, ExternalContactID: orNull(externalContactID),
		FromNumber: c.FromNumber, RunID: orNull(c.RunID), RecordingURL: orNull(c.RecordingURL),
		StartedAt: EpochMillis(c.StartedAt), ToNumber: c.ToNumber, Transcript: c.Transcript, Turns: c.Turns,
		TriggeredAt: EpochMillis(c.TriggeredAt),
	}
	if minutes, answered := c.LengthMinutes(); answered {
		view.LengthMin = &minutes
	}
	if !c.FollowUpAt.IsZero() {
		view.FollowUp = &FollowUpView{ISOSeconds(c.FollowUpAt)}
	}
	if view.Turns == nil {
		view.Turns = []Turn{}
	}
	return view
}

// View shows the contact.
func (c Contact) View() ContactView {
	return ContactView{
		CallAttempts: c.CallAttempts, Details: objectOr(c.Details), ID: c.ID, CreatedAt: ISOMillis(c.CreatedAt), Email: orNull(c.Email),
		ExternalID: orNull(c.ExternalID), ExternalURL: orNull(c.ExternalURL), FirstName: c.FirstName, Gender: orNull(c.Gender),
		InCallSince: ISOMillis(c.InCallSince), LastName: c.LastName, NextCallAt: ISOMillis(c.NextCallAt), PhoneNumber: c.PhoneNumber,
		ReachedAt: ISOMillis(c.ReachedAt), Salutation: orNull(c.Salutation), Status: c.Status, Timezone: orNull(c.Timezone),
	}
}

func callEndedEvent(call Call, contact Contact) Event {
	return Event{CallEnded, contact.ID, encode(CallEndedPayload{CallEnded, call.View(contact.ExternalID), contact.View()})}
}

func statusChangedEvent(c Contact) Event {
	view := StatusView{
		ID: c.ID, ExternalID: orNull(c.ExternalID), Status: c.Status, StatusUpdatedAt: ISOSeconds(c.StatusUpdatedAt),
		FirstName: c.FirstName, LastName: c.LastName, PhoneNumber: c.PhoneNumber, Email: orNull(c.Email),
	}
	if c.Status == ContactReached {
		view.ReachedAt = ISOSeconds(c.ReachedAt)
	}
	return Event{ContactStatusChanged, c.ID, encode(StatusChangedPayload{ContactStatusChanged, view})}
}

// encode writes compact JSON and leaves <, > and & as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // only for raw parts that are no JSON, which Validate refuses
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func objectOr(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
