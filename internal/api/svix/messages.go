package svix

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// MessageIn is what is sent of a message.
type MessageIn struct {
	EventType string          `json:"eventType"`
	EventID   string          `json:"eventId"`
	Channels  []string        `json:"channels"`
	Payload   json.RawMessage `json:"payload"`

	// What these ask for is not done yet; to send something else instead would be
	// worse than to refuse.
	DeliverAt             *json.RawMessage `json:"deliverAt"`
	TransformationsParams *struct {
		RawPayload *json.RawMessage `json:"rawPayload"`
	} `json:"transformationsParams"`
}

func (in MessageIn) supported() error {
	if in.DeliverAt != nil {
		return aftercall.InvalidField("deliverAt", "is not supported")
	}
	if in.TransformationsParams != nil && in.TransformationsParams.RawPayload != nil {
		return aftercall.InvalidField("transformationsParams.rawPayload", "is not supported")
	}
	return nil
}

// MessageOut is what is shown of a message.
type MessageOut struct {
	ID        string          `json:"id"`
	EventID   *string         `json:"eventId"`
	EventType string          `json:"eventType"`
	Channels  []string        `json:"channels"`
	Payload   json.RawMessage `json:"payload"`
	Timestamp time.Time       `json:"timestamp"`
}

// What stands for a payload that is not shown, and for one that is gone.
const (
	hiddenPayload = `{}`
	erasedPayload = `{"expired":true}`
)

func messageOut(withContent bool) func(aftercall.Message) MessageOut {
	return func(m aftercall.Message) MessageOut {
		out := MessageOut{
			ID: m.ID, EventID: orNil(m.EventID), EventType: m.EventType, Channels: m.Channels, Payload: m.Payload, Timestamp: m.CreatedAt,
		}
		switch {
		case !withContent:
			out.Payload = json.RawMessage(hiddenPayload)
		case m.Payload == nil:
			out.Payload = json.RawMessage(erasedPayload)
		}
		return out
	}
}

// content is the query of everything that may show payloads. They are shown unless
// the caller says otherwise.
type content struct {
	WithContent *bool `query:"with_content"`
}

func (c content) wanted() bool { return c.WithContent == nil || *c.WithContent }

func (a *API) createMessage(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	content
	Body MessageIn
}) (MessageOut, error) {
	if err := in.Body.supported(); err != nil {
		return MessageOut{}, err
	}
	account := in.App
	if !c.Operator { // the operator's is found when it is stored
		id, err := a.accountID(ctx, c, in.App)
		if err != nil {
			return MessageOut{}, err
		}
		account = id
	}
	m := aftercall.Message{
		AccountID: account, EventType: in.Body.EventType, EventID: in.Body.EventID, Channels: in.Body.Channels, Payload: in.Body.Payload,
	}
	if err := a.engine.Publish(ctx, &m); err != nil {
		return MessageOut{}, err
	}
	return messageOut(in.wanted())(m), nil
}

func (a *API) listMessages(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Paging
	Window
	content
	Channel    string   `query:"channel"`
	EventTypes []string `query:"event_types"`
}) (List[MessageOut], error) {
	var list List[MessageOut]
	page, err := in.page(true, iteratorOf(aftercall.MessagePrefix))
	if err != nil {
		return list, err
	}
	err = a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		rows, err := tx.Messages(account.ID, store.MessageFilter{
			EventTypes: in.EventTypes, Channel: in.Channel, Since: in.since(), Before: in.Before,
		}, page)
		list = listOf(rows, page, func(m aftercall.Message) string { return m.ID }, messageOut(in.wanted()))
		return err
	})
	return list, err
}

type messagePath struct {
	applicationPath
	Message string `path:"msg"`
}

func (a *API) getMessage(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	content
}) (MessageOut, error) {
	var out MessageOut
	err := a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		m, err := tx.Message(account.ID, in.Message)
		out = messageOut(in.wanted())(m)
		return err
	})
	return out, err
}
