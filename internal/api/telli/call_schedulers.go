package telli

import (
	"context"
	"encoding/json"
	"reflect"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/web"
)

// CallSchedulerIn is what is sent of a call scheduler. What is not sent stays as it is; the
// filter is sent whole.
type CallSchedulerIn struct {
	Title         web.Optional[string] `json:"title" doc:"required in a POST"`
	AgentID       web.Optional[string] `json:"agentId" doc:"or default; required in a POST"`
	Enabled       web.Optional[bool]   `json:"enabled" doc:"true unless it is said; false ends enrolling, too"`
	Filter        sentFilter           `json:"filter" doc:"which contacts are enrolled; {} or null for all"`
	DelaySeconds  web.Optional[int]    `json:"delaySeconds" doc:"from when a contact is added to the first call, to which the agent's hours apply"`
	EnrolExisting bool                 `json:"enrolExisting" doc:"whether to enrol the contacts that are new already, too, once"`
}

// sentFilter is a filter as it was sent, which is read later: its keys are checked.
type sentFilter struct {
	web.Optional[json.RawMessage]
}

// OptionalOf is the type of the value, for the API's description.
func (sentFilter) OptionalOf() reflect.Type { return reflect.TypeFor[aftercall.Filter]() }

// changes returns what is to become of a call scheduler.
func (in CallSchedulerIn) changes() (func(*aftercall.CallScheduler), error) {
	filter, err := aftercall.ParseFilter("filter", in.Filter.Value)
	return func(s *aftercall.CallScheduler) {
		in.Title.Into(&s.Title)
		in.AgentID.Into(&s.AgentID)
		in.Enabled.Into(&s.Enabled)
		if in.Filter.Set {
			s.Filter = filter
		}
		secondsInto(in.DelaySeconds, &s.Delay)
	}, err
}

// CallSchedulerOut is a call scheduler as v2 shows it.
type CallSchedulerOut struct {
	ID           string           `json:"id"`
	Type         string           `json:"type" enum:"call_scheduler"`
	Title        string           `json:"title"`
	AgentID      string           `json:"agentId"`
	Enabled      bool             `json:"enabled"`
	Trigger      string           `json:"trigger" enum:"new_contact"`
	Filter       aftercall.Filter `json:"filter"`
	DelaySeconds int              `json:"delaySeconds"`
	Enrolment    EnrolmentOut     `json:"enrolment" doc:"of contacts that were new already"`
	CreatedAt    *string          `json:"createdAt"`
	UpdatedAt    *string          `json:"updatedAt"`
}

// EnrolmentOut is how far the enrolment of existing contacts is.
type EnrolmentOut struct {
	Status    string  `json:"status" enum:"none,running,ended"`
	Enrolled  int     `json:"enrolled" doc:"contacts that are to be called since"`
	StartedAt *string `json:"startedAt"`
	EndedAt   *string `json:"endedAt"`
}

func schedulerOut(s aftercall.CallScheduler) CallSchedulerOut {
	e := s.Enrolment
	status := "none"
	switch {
	case e.Running:
		status = "running"
	case !e.EndedAt.IsZero():
		status = "ended"
	}
	return CallSchedulerOut{
		ID: s.ID, Type: "call_scheduler", Title: s.Title, AgentID: s.AgentID, Enabled: s.Enabled, Trigger: "new_contact",
		Filter: s.Filter, DelaySeconds: wholeSeconds(s.Delay),
		Enrolment: EnrolmentOut{status, e.Enrolled, aftercall.ISOMillis(e.StartedAt), aftercall.ISOMillis(e.EndedAt)},
		CreatedAt: aftercall.ISOMillis(s.CreatedAt), UpdatedAt: aftercall.ISOMillis(s.UpdatedAt),
	}
}

func (a *API) listSchedulers(ctx context.Context, c auth.Caller, in *struct{ Paging }) (Paged[CallSchedulerOut], error) {
	page, err := in.page()
	if err != nil {
		return Paged[CallSchedulerOut]{}, err
	}
	list, err := a.dialer.Schedulers(ctx, c.AccountID, page)
	return pagedOf(list, page, func(s aftercall.CallScheduler) string { return s.ID }, schedulerOut), err
}

func (a *API) createScheduler(ctx context.Context, c auth.Caller, in *struct{ Body CallSchedulerIn }) (CallSchedulerOut, error) {
	change, err := in.Body.changes()
	if err != nil {
		return CallSchedulerOut{}, err
	}
	s := aftercall.CallScheduler{AccountID: c.AccountID, Enabled: true}
	change(&s)
	err = a.dialer.AddScheduler(ctx, &s, in.Body.EnrolExisting)
	return schedulerOut(s), err
}

// CallSchedulerPath names a call scheduler.
type CallSchedulerPath struct {
	ID string `path:"id"`
}

func (a *API) getScheduler(ctx context.Context, c auth.Caller, in *CallSchedulerPath) (CallSchedulerOut, error) {
	s, err := a.dialer.Scheduler(ctx, c.AccountID, in.ID)
	return schedulerOut(s), err
}

func (a *API) updateScheduler(ctx context.Context, c auth.Caller, in *struct {
	CallSchedulerPath
	Body CallSchedulerIn
}) (CallSchedulerOut, error) {
	change, err := in.Body.changes()
	if err != nil {
		return CallSchedulerOut{}, err
	}
	s, err := a.dialer.UpdateScheduler(ctx, c.AccountID, in.ID, change, in.Body.EnrolExisting)
	return schedulerOut(s), err
}

func (a *API) deleteScheduler(ctx context.Context, c auth.Caller, in *CallSchedulerPath) (web.Empty, error) {
	return web.Empty{}, a.dialer.DeleteScheduler(ctx, c.AccountID, in.ID)
}

func (a *API) enrolExisting(ctx context.Context, c auth.Caller, in *CallSchedulerPath) (CallSchedulerOut, error) {
	s, err := a.dialer.EnrolExisting(ctx, c.AccountID, in.ID)
	return schedulerOut(s), err
}
