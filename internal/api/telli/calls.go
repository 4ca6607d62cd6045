package telli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

// earliest and latest bound the years that can be meant; seconds taken for
// milliseconds would fall into January 1970.
const (
	earliest = 2000
	latest   = 2200
)

// parseMoment reads a time as clients send it: epoch milliseconds, as a number or as
// text, or ISO 8601. Absent and null are no time.
func parseMoment(path string, raw json.RawMessage) (at time.Time, err error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil { // a number, or nothing
		text = string(raw)
	}
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		return time.Time{}, nil
	}
	if millis, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(millis) < 1e15 {
		at = time.UnixMilli(int64(millis))
	} else {
		at, _ = aftercall.ParseISO(text)
	}
	switch at = at.UTC().Truncate(time.Microsecond); {
	case at.IsZero():
		return time.Time{}, aftercall.InvalidField(path, "must be epoch milliseconds, or ISO 8601 with a zone such as 2025-02-18T15:30:00Z")
	case at.Year() < earliest || at.Year() > latest:
		return time.Time{}, aftercall.InvalidField(path, "is in the year %d: times are epoch milliseconds, or ISO 8601", at.Year())
	}
	return at, nil
}

// ReportIn is a finished call as it is reported: the fields of the event itself.
type ReportIn struct {
	CallID            string               `json:"call_id"`
	ExternalCallID    string               `json:"external_call_id"`
	ContactID         string               `json:"contact_id"`
	ExternalContactID string               `json:"external_contact_id"`
	PhoneNumber       string               `json:"phone_number"`
	AgentID           string               `json:"agent_id"`
	Direction         aftercall.Direction  `json:"direction"`
	FromNumber        string               `json:"from_number"`
	ToNumber          string               `json:"to_number"`
	TriggeredAt       json.RawMessage      `json:"triggered_at"`
	StartedAt         json.RawMessage      `json:"started_at"`
	EndedAt           json.RawMessage      `json:"ended_at"`
	CallStatus        aftercall.CallStatus `json:"call_status"`
	EndReason         aftercall.EndReason  `json:"end_reason"`
	Transcript        string               `json:"transcript"`
	TranscriptObject  []aftercall.Turn     `json:"transcriptObject"`
	RecordingURL      string               `json:"recording_url"`
	BookedSlotFor     json.RawMessage      `json:"booked_slot_for"`
	FollowUp          *struct {
		ScheduledAt json.RawMessage `json:"scheduled_at"`
	} `json:"follow_up"`
	CallAnalysis json.RawMessage `json:"call_analysis"`
	CallOutcome  json.RawMessage `json:"call_outcome"`
}

func (in ReportIn) call() (aftercall.Call, error) {
	call := aftercall.Call{
		ID: in.CallID, ExternalID: in.ExternalCallID, ContactID: in.ContactID, AgentID: in.AgentID, Direction: in.Direction,
		FromNumber: in.FromNumber, ToNumber: in.ToNumber, Status: in.CallStatus, EndReason: in.EndReason,
		Transcript: in.Transcript, Turns: in.TranscriptObject, RecordingURL: in.RecordingURL,
		Analysis: in.CallAnalysis, Outcome: in.CallOutcome,
	}
	var followUp json.RawMessage
	if in.FollowUp != nil {
		followUp = in.FollowUp.ScheduledAt
	}
	for _, field := range []struct {
		path string
		raw  json.RawMessage
		dest *time.Time
	}{
		{"triggered_at", in.TriggeredAt, &call.TriggeredAt},
		{"started_at", in.StartedAt, &call.StartedAt},
		{"ended_at", in.EndedAt, &call.EndedAt},
		{"booked_slot_for", in.BookedSlotFor, &call.BookedSlotFor},
		{"follow_up.scheduled_at", followUp, &call.FollowUpAt},
	} {
		at, err := parseMoment(field.path, field.raw)
		if err != nil {
			return call, err
		}
		*field.dest = at
	}
	return call, nil
}

// finishedOut names a call and its contact.
type finishedOut struct {
	CallID    string `json:"call_id"`
	ContactID string `json:"contact_id"`
}

func (a *API) reportCall(ctx context.Context, c auth.Caller, in *struct{ Body ReportIn }) (finishedOut, error) {
	call, err := in.Body.call()
	if err != nil {
		return finishedOut{}, err
	}
	done, err := a.dialer.Finish(ctx, c.AccountID, dialer.Report{
		Call: call, ExternalContactID: in.Body.ExternalContactID, PhoneNumber: in.Body.PhoneNumber,
	})
	return finishedOut{done.CallID, done.ContactID}, err
}

func (a *API) getCall(ctx context.Context, c auth.Caller, in *struct {
	CallID string `path:"call_id"`
}) (CallOut, error) {
	call, err := a.dialer.Call(ctx, c.AccountID, in.CallID)
	return callOut(call), err
}

// callsOut is a page of calls.
type callsOut struct {
	Calls      []CallOut `json:"calls"`
	NextCursor *string   `json:"next_cursor"`
}

func (a *API) listCalls(ctx context.Context, c auth.Caller, in *struct {
	Paging
	ContactID string `query:"contact_id"`
}) (callsOut, error) {
	limit, err := in.limit()
	if err != nil {
		return callsOut{}, err
	}
	page := store.CallPage{Limit: limit + 1, Filter: store.CallFilter{ContactID: in.ContactID}}
	if in.Cursor != "" {
		var ok bool
		if page.TriggeredAt, page.ID, ok = parseCursor(in.Cursor); !ok {
			return callsOut{}, wrongCursor()
		}
	}
	calls, err := a.dialer.Calls(ctx, c.AccountID, page)
	if err != nil {
		return callsOut{}, err
	}
	out := callsOut{Calls: []CallOut{}}
	if len(calls) > limit {
		calls = calls[:limit]
		next := cursorAfter(calls[limit-1].Call)
		out.NextCursor = &next
	}
	for _, call := range calls {
		out.Calls = append(out.Calls, callOut(call))
	}
	return out, nil
}

// cursorAfter is where a list goes on after a call.
func cursorAfter(call aftercall.Call) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(call.TriggeredAt.UnixMicro(), 10) + " " + call.ID))
}

func parseCursor(cursor string) (triggeredAt time.Time, id string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	micros, id, found := strings.Cut(string(text), " ")
	n, numberErr := strconv.ParseInt(micros, 10, 64)
	if err != nil || numberErr != nil || !found || !aftercall.ValidUUID(id) {
		return time.Time{}, "", false
	}
	return time.UnixMicro(n).UTC(), id, true
}
