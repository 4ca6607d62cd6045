package aftercall

import "time"

// OperationalAccountID is the reserved account whose endpoints hear of what becomes
// of those of all others. It is in no list; only the operator reaches it.
const OperationalAccountID = "app_000000000000000000000000000"

// The events that endpoints of the reserved account may want, with Svix's names and
// payloads.
const (
	EndpointCreated  = "endpoint.created"
	EndpointUpdated  = "endpoint.updated"
	EndpointDeleted  = "endpoint.deleted"
	EndpointDisabled = "endpoint.disabled"
	EndpointEnabled  = "endpoint.enabled"

	AttemptExhausted = "message.attempt.exhausted" // the last attempt of the schedule failed
	AttemptFailing   = "message.attempt.failing"   // so many failed that somebody should look
	AttemptRecovered = "message.attempt.recovered" // one succeeded after that

	TaskFinished = "background_task.finished"
)

// OperationalTypes are all of them.
func OperationalTypes() []string {
	return []string{
		EndpointCreated, EndpointUpdated, EndpointDeleted, EndpointDisabled, EndpointEnabled,
		AttemptExhausted, AttemptFailing, AttemptRecovered, TaskFinished,
	}
}

// OperationalEvent makes an event of the form that all of them have.
func OperationalEvent(eventType string, data any) Event {
	return Event{Type: eventType, Payload: encode(struct {
		Type string `json:"type"`
		Data any    `json:"data"`
	}{eventType, data})}
}

// EndpointEvent tells that an endpoint of an account was created, updated, deleted,
// disabled or enabled.
func EndpointEvent(eventType string, a Account, e Endpoint) Event {
	data := struct {
		AppID       string     `json:"appId"`
		AppUID      string     `json:"appUid,omitempty"`
		EndpointID  string     `json:"endpointId"`
		EndpointUID string     `json:"endpointUid,omitempty"`
		FailSince   *time.Time `json:"failSince,omitempty"`
		Trigger     string     `json:"trigger,omitempty"`
	}{AppID: a.ID, AppUID: a.UID, EndpointID: e.ID, EndpointUID: e.UID}
	switch eventType {
	case EndpointEnabled:
		data.Trigger = "manual"
	case EndpointDisabled:
		data.Trigger = "manual"
		if e.Reason != DisabledByOwner {
			data.Trigger = "automatic"
		}
		if since := e.Health.FirstFailureAt; !since.IsZero() {
			data.FailSince = &since
		}
	}
	return OperationalEvent(eventType, data)
}

// failingAfter is how many failures of a message its owner is told of (Svix's value).
const failingAfter = 4

// Told is the event that an attempt is worth, which led from one state of a delivery
// to the next; empty for nearly all. Attempts that a person asked for, beside the
// schedule, are not told of.
func (d Delivery) Told(next Delivery, a Attempt) string {
	switch {
	case a.Verdict == Accepted && d.Step >= failingAfter:
		return AttemptRecovered
	case d.Detour != nil || a.Verdict == Accepted:
		return ""
	case next.State == Failed && next.Reason == FailedExhausted:
		return AttemptExhausted
	case next.State == Pending && next.Step == failingAfter:
		return AttemptFailing
	}
	return ""
}

// AttemptEvent tells of an attempt of a message of an account.
func AttemptEvent(eventType string, account Account, m Message, a Attempt) Event {
	type attempt struct {
		ID                 string    `json:"id"`
		ResponseStatusCode int       `json:"responseStatusCode"`
		Timestamp          time.Time `json:"timestamp"`
	}
	return OperationalEvent(eventType, struct {
		AppID       string  `json:"appId"`
		AppUID      string  `json:"appUid,omitempty"`
		EndpointID  string  `json:"endpointId"`
		MsgID       string  `json:"msgId"`
		MsgEventID  string  `json:"msgEventId,omitempty"`
		LastAttempt attempt `json:"lastAttempt"`
	}{account.ID, account.UID, a.EndpointID, m.ID, m.EventID, attempt{a.ID, a.StatusCode, a.StartedAt.UTC()}})
}
