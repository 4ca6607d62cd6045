package svix

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// Statuses of messages and attempts in Svix's numbers.
const (
	statusSuccess  = 0
	statusPending  = 1 // not attempted yet
	statusFail     = 2
	statusSending  = 3 // attempted, and will be again
	statusCanceled = 4 // never, with us
)

// AttemptOut is what is shown of an attempt.
type AttemptOut struct {
	ID                 string      `json:"id"`
	MsgID              string      `json:"msgId"`
	EndpointID         string      `json:"endpointId"`
	URL                string      `json:"url"`
	Status             int         `json:"status"`
	StatusText         string      `json:"statusText"`
	Response           string      `json:"response"`
	ResponseStatusCode int         `json:"responseStatusCode"` // 0 when there was no answer
	ResponseDurationMs int64       `json:"responseDurationMs"`
	Timestamp          time.Time   `json:"timestamp"`
	TriggerType        int         `json:"triggerType"`
	Msg                *MessageOut `json:"msg,omitempty"` // when asked for
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
	content
	messageQuery
	Status          *int `query:"status"`
	StatusCodeClass *int `query:"status_code_class"`
	WithMsg         bool `query:"with_msg"`
}

func validStatusClass(field string, class *int) error {
	if class != nil && (*class < 0 || *class > 500 || *class%100 != 0) {
		return aftercall.InvalidField(field, "must be one of 0, 100, 200, 300, 400, 500")
	}
	return nil
}

// filter reports false when no attempt can match: attempts either succeeded or
// failed, while the query knows states of messages too.
func (q attemptQuery) filter() (f store.AttemptFilter, possible bool, err error) {
	f = store.AttemptFilter{StatusClass: q.StatusCodeClass, Message: q.messageQuery.filter()}
	if err := validStatusClass("query.status_code_class", q.StatusCodeClass); err != nil {
		return f, false, err
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
		if q.WithMsg {
			return addMessages(tx, account.ID, list.Data, messageOut(q.wanted()))
		}
		return nil
	})
	return list, err
}

func addMessages(tx *store.Tx, accountID string, list []AttemptOut, out func(aftercall.Message) MessageOut) error {
	ids := map[string]bool{}
	for _, attempt := range list {
		ids[attempt.MsgID] = true
	}
	messages, err := tx.MessagesByID(accountID, slices.Collect(maps.Keys(ids)))
	for i := range list {
		if m, ok := messages[list[i].MsgID]; ok {
			shown := out(*m)
			list[i].Msg = &shown
		}
	}
	return err
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
	return a.messageAttempts(ctx, c, in.messagePath, in.EndpointID, in.attemptQuery)
}

func (a *API) listAttemptsByBoth(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	attemptQuery
	Endpoint string `path:"endpoint"`
}) (List[AttemptOut], error) {
	return a.messageAttempts(ctx, c, in.messagePath, in.Endpoint, in.attemptQuery)
}

// messageAttempts lists the attempts of a message, at one endpoint or at all.
func (a *API) messageAttempts(ctx context.Context, c auth.Caller, of messagePath, endpoint string, q attemptQuery) (List[AttemptOut], error) {
	return a.attempts(ctx, c, of.App, q, func(tx *store.Tx, accountID string, f *store.AttemptFilter) error {
		m, err := tx.Message(accountID, of.Message)
		if err != nil {
			return err
		}
		f.MessageID = m.ID
		if endpoint != "" {
			e, err := tx.Endpoint(accountID, endpoint)
			f.EndpointID = e.ID
			return err
		}
		return nil
	})
}

type attemptPath struct {
	messagePath
	Attempt string `path:"attempt"`
}

func (a *API) getAttempt(ctx context.Context, c auth.Caller, in *attemptPath) (AttemptOut, error) {
	var out AttemptOut
	err := a.message(ctx, c, in.messagePath, func(tx *store.Tx, m aftercall.Message) error {
		attempt, err := tx.Attempt(m.AccountID, m.ID, in.Attempt)
		out = attemptOut(true)(attempt)
		return err
	})
	return out, err
}

// expungeAttempt removes what a receiver answered.
func (a *API) expungeAttempt(ctx context.Context, c auth.Caller, in *attemptPath) (web.Empty, error) {
	return web.Empty{}, a.change(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		m, err := tx.Message(account.ID, in.Message)
		if err != nil {
			return err
		}
		return tx.EraseAttempt(account.ID, m.ID, in.Attempt)
	})
}

func (a *API) resend(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	Endpoint string `path:"endpoint"`
}) (struct{}, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, a.engine.Resend(ctx, accountID, in.Message, in.Endpoint)
}
