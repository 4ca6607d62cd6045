package svix

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// DeliveryOut is what is shown of how far a message has come at an endpoint.
type DeliveryOut struct {
	Status      int        `json:"status"`
	StatusText  string     `json:"statusText"`
	NextAttempt *time.Time `json:"nextAttempt"`
}

// Svix's words for a delivery's status, at their numbers.
var statusTexts = [...]string{
	statusSuccess: "success", statusPending: "pending", statusFail: "fail", statusSending: "sending", statusCanceled: "canceled",
}

func deliveryOut(d aftercall.Delivery) DeliveryOut {
	status := statusSuccess
	var next *time.Time
	switch {
	case d.State == aftercall.Failed:
		status = statusFail
	case d.State == aftercall.Pending && d.Attempts > 0:
		status, next = statusSending, &d.DueAt
	case d.State == aftercall.Pending:
		status, next = statusPending, &d.DueAt
	}
	return DeliveryOut{status, statusTexts[status], next}
}

// deliveryFilter reports false when no delivery can have the status.
func deliveryFilter(status *int) (f store.DeliveryFilter, possible bool, err error) {
	if status == nil {
		return f, true, nil
	}
	var state aftercall.DeliveryState
	attempted := *status == statusSending
	switch *status {
	case statusSuccess:
		state = aftercall.Succeeded
	case statusFail:
		state = aftercall.Failed
	case statusPending, statusSending:
		state, f.Attempted = aftercall.Pending, &attempted
	case statusCanceled:
		return f, false, nil
	default:
		return f, false, aftercall.InvalidField("query.status", "must be 0 to 4")
	}
	f.State = &state
	return f, true, nil
}

// EndpointMessageOut is a message in the list of an endpoint.
type EndpointMessageOut struct {
	MessageOut
	DeliveryOut
}

func (a *API) listEndpointMessages(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Paging
	content
	messageQuery
	Status *int `query:"status"`
}) (List[EndpointMessageOut], error) {
	var list List[EndpointMessageOut]
	page, err := in.page(true, iteratorOf(aftercall.MessagePrefix))
	if err != nil {
		return list, err
	}
	filter, possible, err := deliveryFilter(in.Status)
	if err != nil {
		return list, err
	}
	filter.Message = in.messageQuery.filter()
	err = a.endpoint(ctx, c, in.endpointPath, func(tx *store.Tx, e aftercall.Endpoint) error {
		var rows []store.MessageDelivery
		if possible {
			var err error
			if rows, err = tx.EndpointMessages(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}, filter, page); err != nil {
				return err
			}
		}
		list = listOf(rows, page, func(r store.MessageDelivery) string { return r.Message.ID }, func(r store.MessageDelivery) EndpointMessageOut {
			return EndpointMessageOut{messageOut(in.wanted())(r.Message), deliveryOut(r.Delivery)}
		})
		return nil
	})
	return list, err
}

// MessageEndpointOut is an endpoint in the list of where a message went.
type MessageEndpointOut struct {
	EndpointOut
	DeliveryOut
}

// listDestinations lists where a message went, removed endpoints included.
func (a *API) listDestinations(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	Paging
}) (List[MessageEndpointOut], error) {
	var list List[MessageEndpointOut]
	page, err := in.page(true, iteratorOf(aftercall.EndpointPrefix))
	if err != nil {
		return list, err
	}
	err = a.message(ctx, c, in.messagePath, func(tx *store.Tx, m aftercall.Message) error {
		rows, err := tx.MessageEndpoints(m.AccountID, m.ID, page)
		list = listOf(rows, page, func(r store.EndpointDelivery) string { return r.Endpoint.ID }, func(r store.EndpointDelivery) MessageEndpointOut {
			return MessageEndpointOut{endpointOut(r.Endpoint), deliveryOut(r.Delivery)}
		})
		return err
	})
	return list, err
}
