package svix

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// Statuses of messages and attempts in Svix's numbers.
const (
	statusSuccess = 0
	statusFail    = 2
)

// AttemptOut is what is shown of an attempt.
type AttemptOut struct {
	ID                 string    `json:"id"`
	MsgID              string    `json:"msgId"`
	EndpointID         string    `json:"endpointId"`
	URL                string    `json:"url"`
	Status             int       `json:"status"`
	StatusText         string    `json:"statusText"`
	Response           string    `json:"response"`
	ResponseStatusCode int       `json:"responseStatusCode"` // 0 when there was no answer
	ResponseDurationMs int64     `json:"responseDurationMs"`
	Timestamp          time.Time `json:"timestamp"`
	TriggerType        int       `json:"triggerType"`
}

func attemptOut(withContent bool) func(aftercall.Attempt) AttemptOut {
	return func(a aftercall.Attempt) AttemptOut {
		out := AttemptOut{
			ID: a.ID, MsgID: a.MessageID, EndpointID: a.EndpointID, URL: a.URL, Status: statusFail, StatusText: "fail",
			Response: a.Response, ResponseStatusCode: a.StatusCode, ResponseDurationMs: a.Duration.Milliseconds(),
			Timestamp: a.StartedAt, TriggerType: int(a.Trigger),
		}
		if a.Verdict == aftercall.Accepted {
			out.Status, out.StatusText = statusSuccess, "success"
		}
		if !withContent {
			out.Response = hiddenPayload
		}
		return out
	}
}

// attemptQuery narrows lists of attempts.
type attemptQuery struct {
	Paging
	Window
	content
	Status          *int     `query:"status"`
	StatusCodeClass *int     `query:"status_code_class"`
	Channel         string   `query:"channel"`
	EventTypes      []string `query:"event_types"`
}

// filter reports false when no attempt can match: attempts either succeeded or
// failed, while the query knows states of messages too.
func (q attemptQuery) filter() (f store.AttemptFilter, possible bool, err error) {
	f = store.AttemptFilter{StatusClass: q.StatusCodeClass, Channel: q.Channel, EventTypes: q.EventTypes, Since: q.since(), Before: q.Before}
	if class := q.StatusCodeClass; class != nil && (*class < 0 || *class > 500 || *class%100 != 0) {
		return f, false, aftercall.InvalidField("query.status_code_class", "must be one of 0, 100, 200, 300, 400, 500")
	}
	if q.Status == nil {
		return f, true, nil
	}
	if *q.Status < 0 || *q.Status > 4 {
		return f, false, aftercall.InvalidField("query.status", "must be 0 to 4")
	}
	succeeded := *q.Status == statusSuccess
	f.Succeeded = &succeeded
	return f, succeeded || *q.Status == statusFail, nil
}

// attempts lists what of resolves to a message or an endpoint.
func (a *API) attempts(ctx context.Context, c auth.Caller, app string, q attemptQuery, of func(*store.Tx, string, *store.AttemptFilter) error) (List[AttemptOut], error) {
	var list List[AttemptOut]
	page, err := q.page(true, iteratorOf(aftercall.AttemptPrefix))
	if err != nil {
		return list, err
	}
	filter, possible, err := q.filter()
	if err != nil {
		return list, err
	}
	err = a.read(ctx, c, app, func(tx *store.Tx, account aftercall.Account) error {
		if err := of(tx, account.ID, &filter); err != nil {
			return err
		}
		var rows []aftercall.Attempt
		if possible {
			var err error
			if rows, err = tx.Attempts(account.ID, filter, page); err != nil {
				return err
			}
		}
		list = listOf(rows, page, func(a aftercall.Attempt) string { return a.ID }, attemptOut(q.wanted()))
		return nil
	})
	return list, err
}

func (a *API) listAttemptsByEndpoint(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	attemptQuery
}) (List[AttemptOut], error) {
	return a.attempts(ctx, c, in.App, in.attemptQuery, func(tx *store.Tx, accountID string, f *store.AttemptFilter) error {
		e, err := tx.Endpoint(accountID, in.Endpoint)
		f.EndpointID = e.ID
		return err
	})
}

func (a *API) listAttemptsByMessage(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	attemptQuery
	EndpointID string `query:"endpoint_id"`
}) (List[AttemptOut], error) {
	return a.attempts(ctx, c, in.App, in.attemptQuery, func(tx *store.Tx, accountID string, f *store.AttemptFilter) error {
		m, err := tx.Message(accountID, in.Message)
		if err != nil {
			return err
		}
		f.MessageID = m.ID
		if in.EndpointID != "" {
			e, err := tx.Endpoint(accountID, in.EndpointID)
			f.EndpointID = e.ID
			return err
		}
		return nil
	})
}

func (a *API) getAttempt(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	Attempt string `path:"attempt"`
}) (AttemptOut, error) {
	var out AttemptOut
	err := a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		m, err := tx.Message(account.ID, in.Message)
		if err != nil {
			return err
		}
		attempt, err := tx.Attempt(account.ID, m.ID, in.Attempt)
		out = attemptOut(true)(attempt)
		return err
	})
	return out, err
}

func (a *API) resend(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	Endpoint string `path:"endpoint"`
}) (web.Raw, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return nil, err
	}
	return web.Raw(`{}`), a.engine.Resend(ctx, accountID, in.Message, in.Endpoint)
}

func (a *API) listTasks(ctx context.Context, c auth.Caller, in *struct {
	Paging
	Status string `query:"status"`
	Task   string `query:"task"`
}) (List[TaskOut], error) {
	var list List[TaskOut]
	page, err := in.page(true, iteratorOf(aftercall.TaskPrefix))
	if err != nil {
		return list, err
	}
	err = a.store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Tasks(store.TaskFilter{AccountID: c.AccountID, Status: in.Status, Kind: in.Task}, page)
		list = listOf(rows, page, func(t store.Task) string { return t.ID }, taskOut)
		return err
	})
	return list, err
}

func (a *API) getTask(ctx context.Context, c auth.Caller, in *struct {
	Task string `path:"task"`
}) (TaskOut, error) {
	var out TaskOut
	err := a.store.View(ctx, func(tx *store.Tx) error {
		t, err := tx.Task(c.AccountID, in.Task)
		out = taskOut(t)
		return err
	})
	return out, err
}
