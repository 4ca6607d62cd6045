package aftercall

import (
	"bytes"
	"mime"
	"time"
	"unicode/utf8"
)

// Message is one published fact. It never changes once stored: its payload is
// signed and sent as these very bytes.
type Message struct {
	AccountID string
	ID        string
	EventType string
	EventID   string // the caller's own id, unique in the account; may be empty
	Channels  []string
	Tags      []string  // for finding it again; endpoints do not choose by them
	Payload   []byte    // a JSON object in UTF-8, as its bytes are; nil once erased
	Raw       *Raw      // sent instead of the payload; nil for nearly all
	ContactID string    // whose personal data the payload holds; empty when unknown
	DeliverAt time.Time // its first attempts are not made before; zero means at once
	ExpiresAt time.Time // its payload is erased then; zero means never
	CreatedAt time.Time
}

// Raw is a body for receivers that expect something else than the JSON payload.
type Raw struct {
	Body        []byte
	ContentType string
}

// Body returns the bytes that are signed and sent, and their type.
func (m Message) Body() (body []byte, contentType string) {
	if m.Raw != nil {
		return m.Raw.Body, m.Raw.ContentType
	}
	return m.Payload, ContentTypeJSON
}

// ContentTypeJSON is the type of every body that is not raw. Svix sends no charset.
const ContentTypeJSON = "application/json"

// Size is how many bytes of memory the message needs while it waits.
func (m Message) Size() int {
	if m.Raw != nil {
		return len(m.Payload) + len(m.Raw.Body)
	}
	return len(m.Payload)
}

// Svix's limits on messages.
const (
	maxMessageChannels = 10
	maxMessageTags     = 5
	// MinDelay and MaxDelay bound how far ahead DeliverAt lies.
	MinDelay = time.Minute
	MaxDelay = 24 * time.Hour
	// MaxPayloadRetention bounds how long a message may say that its payload is kept.
	MaxPayloadRetention = 90 * 24 * time.Hour
)

// Validate checks what a caller may set, at the time of publishing. The payload must be a JSON object in valid
// UTF-8, because the official verifiers parse it as one. That it is JSON at all was
// found by whatever decoded or encoded it, and is not looked for again.
func (m Message) Validate(now time.Time) error {
	var f fieldErrors
	validateEventTypeName(&f, "eventType", m.EventType)
	validateUID(&f, "eventId", m.EventID, MessagePrefix)
	if len(m.Channels) > maxMessageChannels {
		f.add("channels", "must not hold more than %d", maxMessageChannels)
	}
	for _, channel := range m.Channels {
		if !namePattern.MatchString(channel) {
			f.add("channels", "each must be 1 to 128 letters, digits, or one of - _ . : +")
			break
		}
	}
	validateTags(&f, m.Tags)
	if delay := m.DeliverAt.Sub(now); !m.DeliverAt.IsZero() && (delay < MinDelay || delay > MaxDelay) {
		f.add("deliverAt", "must be 1 minute to 24 hours ahead")
	}
	if m.Raw != nil && !validContentType(m.Raw.ContentType) {
		f.add("transformationsParams.headers", "content-type must be a media type such as text/plain")
	}
	payload := bytes.TrimLeft(m.Payload, " \t\r\n")
	if len(payload) == 0 || payload[0] != '{' || !utf8.Valid(payload) {
		f.add("payload", "must be a JSON object")
	}
	return f.err()
}

func validateTags(f *fieldErrors, tags []string) {
	if len(tags) > maxMessageTags {
		f.add("tags", "must not hold more than %d", maxMessageTags)
	}
	for _, tag := range tags {
		if !namePattern.MatchString(tag) {
			f.add("tags", "each must be 1 to 128 letters, digits, or one of - _ . : +")
			break
		}
	}
}

func validContentType(text string) bool {
	_, _, err := mime.ParseMediaType(text)
	return err == nil && len(text) <= maxHeaderValue
}

// DeliveryState is how far a delivery has come.
type DeliveryState int

const (
	Pending   DeliveryState = 0 // an attempt is due, now or later
	Succeeded DeliveryState = 1 // an attempt was answered 2xx
	Failed    DeliveryState = 2 // no further attempt will be made by itself
)

// Trigger says what caused an attempt.
type Trigger int

const (
	Scheduled Trigger = 0
	Manual    Trigger = 1 // a person or program asked for it: resend, recover
)

// FailReason says why a delivery has failed for good.
type FailReason string

const (
	FailedExhausted FailReason = "every attempt of the retry schedule failed"
	FailedAborted   FailReason = "the receiver asked to stop by the header webhook-delivery: abort-message"
	FailedDisabled  FailReason = "the endpoint is disabled"
	FailedDeleted   FailReason = "the endpoint was removed"
	FailedErased    FailReason = "the payload was erased"
)

// Delivery is one message on its way to one endpoint.
type Delivery struct {
	AccountID  string
	EndpointID string
	MessageID  string
	State      DeliveryState
	Reason     FailReason // when failed
	Attempts   int        // the fencing token of a claim: attempts made so far, and resends asked for
	Step       int        // how many waits of the schedule are used up
	Trigger    Trigger    // what the next attempt is caused by
	DueAt      time.Time  // when the next attempt is due, while pending
	Detour     *Detour    // set while a manual attempt is pending that leaves the schedule as it was
}

// Detour remembers where a delivery stood when one manual attempt was asked for.
// If that attempt fails, the delivery goes back there.
type Detour struct {
	State  DeliveryState
	Reason FailReason
	DueAt  time.Time
}

// Verdict is what the answer to an attempt means.
type Verdict int

const (
	Accepted Verdict = iota // 2xx within the time
	Refused                 // anything else; trying again may help
	Abort                   // the receiver wants no more attempts of this message
	Disable                 // the receiver wants nothing more at this endpoint
)

// Attempt is one HTTP try.
type Attempt struct {
	AccountID  string
	MessageID  string
	EndpointID string
	ID         string
	URL        string
	Trigger    Trigger
	Verdict    Verdict
	StatusCode int               // 0 when there was no answer
	Response   string            // the start of the answer's body, or why there was none
	Headers    map[string]string // of the answer, as far as they are kept
	RetryAfter time.Duration     // how long the receiver asked to be left alone; 0 when it did not
	StartedAt  time.Time
	Duration   time.Duration
}

// EndedAt is when the attempt was over.
func (a Attempt) EndedAt() time.Time { return a.StartedAt.Add(a.Duration) }

// After returns the delivery after an attempt: succeeded, or pending with a later
// due time, or failed. Jitter, from 0 up to 1, lengthens the wait. It is the only
// place that decides what follows an attempt.
func (d Delivery) After(a Attempt, schedule Schedule, jitter float64) Delivery {
	detour := d.Detour
	d.Attempts++
	d.Detour = nil
	switch {
	case a.Verdict == Accepted:
		d.State, d.Reason = Succeeded, ""
		return d
	case detour != nil:
		d.State, d.Reason, d.DueAt, d.Trigger = detour.State, detour.Reason, detour.DueAt, Scheduled
		return d
	case a.Verdict == Abort:
		d.State, d.Reason = Failed, FailedAborted
		return d
	case a.Verdict == Disable:
		d.State, d.Reason = Failed, FailedDisabled
		return d
	}
	wait, more := schedule.Wait(d.Step, jitter)
	if !more {
		d.State, d.Reason = Failed, FailedExhausted
		return d
	}
	wait = max(wait, min(a.RetryAfter, MaxWait))
	d.Step++
	d.DueAt = a.EndedAt().Add(wait)
	return d
}

// Resend asks for one manual attempt at a time, whatever the state. If it fails,
// the delivery goes back to where it stood.
func (d Delivery) Resend(now time.Time) Delivery {
	if d.Detour == nil {
		d.Detour = &Detour{State: d.State, Reason: d.Reason, DueAt: d.DueAt}
	}
	d.Attempts++ // an attempt in flight was claimed before, and must not undo this when it is recorded
	d.State, d.Reason, d.Trigger, d.DueAt = Pending, "", Manual, now
	return d
}

// Recover starts a failed delivery again from the schedule's beginning.
func (d Delivery) Recover(now time.Time) Delivery {
	return Delivery{
		AccountID: d.AccountID, EndpointID: d.EndpointID, MessageID: d.MessageID,
		Attempts: d.Attempts, Trigger: Manual, DueAt: now,
	}
}

// MessageRef names a message.
type MessageRef struct{ AccountID, MessageID string }
