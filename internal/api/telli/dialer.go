package telli

import (
	"context"
	"errors"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
)

// maxScheduled is how many contacts a batch of the auto-dialer may hold.
const maxScheduled = 50

// ScheduleIn is a contact to be called.
type ScheduleIn struct {
	ContactID          string `json:"contact_id"`
	AgentID            string `json:"agent_id"` // or "default"
	MaxRetryDays       *int   `json:"max_retry_days"`
	OverrideFromNumber string `json:"override_from_number"`
}

func (in ScheduleIn) wanted() (dialer.Wanted, error) {
	if in.ContactID == "" {
		return dialer.Wanted{}, aftercall.InvalidField("contact_id", "is required")
	}
	return dialer.Wanted{
		ContactID: in.ContactID, AgentID: in.AgentID, MaxRetryDays: in.MaxRetryDays, FromNumber: in.OverrideFromNumber,
	}, nil
}

// scheduledOut is a run that was opened.
type scheduledOut struct {
	Status    string `json:"status"`
	ContactID string `json:"contact_id"`
	RunID     string `json:"loop_id"`
}

func (a *API) scheduleCall(ctx context.Context, c auth.Caller, in *struct{ Body ScheduleIn }) (scheduledOut, error) {
	wanted, err := in.Body.wanted()
	if err != nil {
		return scheduledOut{}, err
	}
	if in.Body.AgentID == "" {
		return scheduledOut{}, aftercall.InvalidField("agent_id", `is required: an agent's id, or "default"`)
	}
	runs, failed, err := a.dialer.Schedule(ctx, c.AccountID, []dialer.Wanted{wanted})
	if err != nil {
		return scheduledOut{}, err
	}
	return scheduledOut{statusSuccess, runs[0].ContactID, runs[0].ID}, failed[0]
}

// scheduledItem is an item of schedule-calls-batch.
type scheduledItem struct {
	ContactID    string `json:"contact_id"`
	Status       string `json:"status"`
	RunID        string `json:"loop_id,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
	ErrorCode    int    `json:"error_code,omitempty"` // the status that the request would have had by itself
	Code         string `json:"code,omitempty"`
}

func (a *API) scheduleCalls(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		Contacts []ScheduleIn `json:"contacts"`
	}
}) ([]scheduledItem, error) {
	if n := len(in.Body.Contacts); n < 1 || n > maxScheduled {
		return nil, aftercall.InvalidField("contacts", "must hold 1 to %d contacts", maxScheduled)
	}
	wanted := make([]dialer.Wanted, len(in.Body.Contacts))
	for i, item := range in.Body.Contacts {
		wanted[i], _ = item.wanted() // one without an id is not found
	}
	runs, failed, err := a.dialer.Schedule(ctx, c.AccountID, wanted)
	if err != nil {
		return nil, err
	}
	out := make([]scheduledItem, len(wanted))
	for i, item := range in.Body.Contacts {
		out[i] = scheduledItem{ContactID: item.ContactID, Status: statusSuccess, RunID: runs[i].ID}
		if failed[i] != nil {
			out[i] = scheduledItem{ContactID: item.ContactID, Status: statusError, ErrorCode: statusOf(failed[i])}
			out[i].ErrorMessage, out[i].Code = described(failed[i])
		}
	}
	return out, nil
}

// initiatedOut is a call that is being placed.
type initiatedOut struct {
	Status    string `json:"status"`
	ContactID string `json:"contact_id"`
	CallID    string `json:"call_id"`
	RunID     string `json:"loop_id"`
}

func (a *API) initiateCall(ctx context.Context, c auth.Caller, in *struct{ Body ScheduleIn }) (initiatedOut, error) {
	wanted, err := in.Body.wanted()
	if err != nil {
		return initiatedOut{}, err
	}
	done, err := a.dialer.Initiate(ctx, c.AccountID, wanted)
	return initiatedOut{statusSuccess, done.Run.ContactID, done.Call.ID, done.Run.ID}, err
}

func (a *API) removeFromDialer(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		ContactID string `json:"contact_id"`
	}
}) (gaveUpOut, error) {
	failed, err := a.dialer.Remove(ctx, c.AccountID, []string{in.Body.ContactID})
	if err != nil {
		return gaveUpOut{}, err
	}
	return gaveUpOut{Status: statusSuccess, ContactID: in.Body.ContactID}, failed[0]
}

// gaveUpOut is a contact that was taken out of the auto-dialer, or why not.
type gaveUpOut struct {
	ContactID string `json:"contact_id"`
	Status    string `json:"status"`
	Error     string `json:"error,omitempty"`
	Code      string `json:"code,omitempty"`
}

func (a *API) removeManyFromDialer(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		ContactIDs []string `json:"contact_ids"`
	}
}) ([]gaveUpOut, error) {
	if n := len(in.Body.ContactIDs); n < 1 || n > maxScheduled {
		return nil, aftercall.InvalidField("contact_ids", "must hold 1 to %d ids", maxScheduled)
	}
	failed, err := a.dialer.Remove(ctx, c.AccountID, in.Body.ContactIDs)
	if err != nil {
		return nil, err
	}
	out := make([]gaveUpOut, len(failed))
	for i, reason := range failed {
		out[i] = gaveUpOut{ContactID: in.Body.ContactIDs[i], Status: statusSuccess}
		if reason != nil {
			out[i].Status = statusError
			out[i].Error, out[i].Code = described(reason)
		}
	}
	return out, nil
}

// statusOf is the status with which an error is answered.
func statusOf(err error) int {
	e, ok := errors.AsType[*aftercall.Error](err)
	if !ok {
		e = &aftercall.Error{Kind: aftercall.Internal}
	}
	status, _ := bodyOf(e)
	return status
}
