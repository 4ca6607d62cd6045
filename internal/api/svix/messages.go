package svix

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// MessageIn is what is sent of a message.
type MessageIn struct {
	EventType              string             `json:"eventType" required:"true"`
	EventID                string             `json:"eventId"`
	Channels               []string           `json:"channels"`
	Tags                   []string           `json:"tags"`
	Payload                json.RawMessage    `json:"payload" required:"true" schema:"object" doc:"Signed and sent as these very bytes."`
	DeliverAt              *time.Time         `json:"deliverAt" doc:"The first attempts are made then: 1 minute to 24 hours ahead."`
	PayloadRetentionPeriod *int               `json:"payloadRetentionPeriod" doc:"Days until the payload is erased."` // days
	PayloadRetentionHours  *int               `json:"payloadRetentionHours" doc:"Hours until the payload is erased."`
	Application            *ApplicationIn     `json:"application" doc:"Made if there is none."` // made if there is none
	TransformationsParams  *TransformationsIn `json:"transformationsParams"`
}

// TransformationsIn is how SDKs ask for a body that is not the payload (in Go,
// NewMessageInRaw).
type TransformationsIn struct {
	RawPayload *string           `json:"rawPayload"`
	Headers    map[string]string `json:"headers"`
}

// message reads what was sent. What it asks for and cannot have is refused: to send
// something else instead would be worse.
func (in MessageIn) message(accountID string, now time.Time) (aftercall.Message, error) {
	m := aftercall.Message{
		AccountID: accountID, EventType: in.EventType, EventID: in.EventID, Channels: in.Channels, Tags: in.Tags, Payload: in.Payload,
	}
	if in.DeliverAt != nil {
		m.DeliverAt = in.DeliverAt.UTC()
	}
	retention, err := in.retention()
	if err != nil {
		return m, err
	}
	if retention > 0 {
		m.ExpiresAt = now.Add(retention)
	}
	m.Raw, err = in.TransformationsParams.raw()
	return m, err
}

func (in MessageIn) retention() (time.Duration, error) {
	const day = 24 * time.Hour
	most := int(aftercall.MaxPayloadRetention / time.Hour)
	switch days, hours := in.PayloadRetentionPeriod, in.PayloadRetentionHours; {
	case hours != nil && (*hours < 1 || *hours > most):
		return 0, aftercall.InvalidField("payloadRetentionHours", "must be 1 to %d", most)
	case days != nil && (*days < 1 || *days > most/24):
		return 0, aftercall.InvalidField("payloadRetentionPeriod", "must be 1 to %d days", most/24)
	case hours != nil:
		return time.Duration(*hours) * time.Hour, nil
	case days != nil:
		return time.Duration(*days) * day, nil
	}
	return 0, nil
}

func (in *TransformationsIn) raw() (*aftercall.Raw, error) {
	if in == nil || in.RawPayload == nil {
		return nil, nil
	}
	raw := &aftercall.Raw{Body: []byte(*in.RawPayload), ContentType: aftercall.ContentTypeJSON}
	for name, value := range in.Headers {
		if !strings.EqualFold(name, "content-type") {
			return nil, aftercall.InvalidField("transformationsParams.headers", "%q may not be set here, only content-type", name)
		}
		raw.ContentType = value
	}
	return raw, nil
}

// MessageOut is what is shown of a message.
type MessageOut struct {
	ID        string          `json:"id"`
	EventID   *string         `json:"eventId"`
	EventType string          `json:"eventType"`
	Channels  []string        `json:"channels"`
	Tags      []string        `json:"tags"`
	Payload   json.RawMessage `json:"payload"`
	Timestamp time.Time       `json:"timestamp"`
	DeliverAt *time.Time      `json:"deliverAt"`
}

// What stands for a payload that is not shown, and for one that is gone.
const (
	hiddenPayload = `{}`
	erasedPayload = `{"expired":true}`
)

func messageOut(withContent bool) func(aftercall.Message) MessageOut {
	return func(m aftercall.Message) MessageOut {
		out := MessageOut{
			ID: m.ID, EventID: orNil(m.EventID), EventType: m.EventType, Channels: m.Channels, Tags: m.Tags, Payload: m.Payload,
			Timestamp: m.CreatedAt, DeliverAt: timeOrNil(m.DeliverAt),
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
	WithContent *bool `query:"with_content" doc:"false leaves payloads out."`
}

func (c content) wanted() bool { return c.WithContent == nil || *c.WithContent }

func (a *API) createMessage(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	content
	Body MessageIn
}) (MessageOut, error) {
	account := in.App
	if in.Body.Application != nil {
		if err := a.provide(ctx, c, in.App, *in.Body.Application); err != nil {
			return MessageOut{}, err
		}
	}
	if !c.Operator { // the operator's is found when it is stored
		id, err := a.accountID(ctx, c, in.App)
		if err != nil {
			return MessageOut{}, err
		}
		account = id
	}
	m, err := in.Body.message(account, time.Now())
	if err != nil {
		return MessageOut{}, err
	}
	if err := a.engine.Publish(ctx, &m); err != nil {
		return MessageOut{}, err
	}
	return messageOut(in.wanted())(m), nil
}

// messageQuery narrows lists by what is known of messages.
type messageQuery struct {
	Window
	Channel    string   `query:"channel"`
	Tag        string   `query:"tag"`
	EventTypes []string `query:"event_types"`
}

func (q messageQuery) filter() store.MessageFilter {
	return store.MessageFilter{EventTypes: q.EventTypes, Channel: q.Channel, Tag: q.Tag, Since: q.since(), Before: q.Before}
}

func (a *API) listMessages(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Paging
	content
	messageQuery
}) (List[MessageOut], error) {
	var list List[MessageOut]
	page, err := in.page(true, iteratorOf(aftercall.MessagePrefix))
	if err != nil {
		return list, err
	}
	err = a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		rows, err := tx.Messages(account.ID, in.messageQuery.filter(), page)
		list = listOf(rows, page, func(m aftercall.Message) string { return m.ID }, messageOut(in.wanted()))
		return err
	})
	return list, err
}

type messagePath struct {
	applicationPath
	Message string `path:"msg" doc:"The message's id or eventId."`
}

func (a *API) getMessage(ctx context.Context, c auth.Caller, in *struct {
	messagePath
	content
}) (MessageOut, error) {
	var out MessageOut
	err := a.message(ctx, c, in.messagePath, func(_ *store.Tx, m aftercall.Message) error {
		out = messageOut(in.wanted())(m)
		return nil
	})
	return out, err
}

// message finds the message that a path names.
func (a *API) message(ctx context.Context, c auth.Caller, in messagePath, fn func(*store.Tx, aftercall.Message) error) error {
	return a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		m, err := tx.Message(account.ID, in.Message)
		if err != nil {
			return err
		}
		return fn(tx, m)
	})
}

// expungeMessage removes a message's payload; its attempts and their times stay.
func (a *API) expungeMessage(ctx context.Context, c auth.Caller, in *messagePath) (web.Empty, error) {
	return web.Empty{}, a.change(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		m, err := tx.Message(account.ID, in.Message)
		if err != nil {
			return err
		}
		return tx.EraseMessages(account.ID, m.ID)
	})
}

// expungeMessages removes the payloads of some messages, and tells which there were.
func (a *API) expungeMessages(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Body struct {
		IDs []string `json:"ids"` // or event ids
	}
}) (ExpungedOut, error) {
	out := ExpungedOut{Results: map[string]string{}}
	if len(in.Body.IDs) > maxExpunged {
		return out, aftercall.InvalidField("ids", "must not hold more than %d", maxExpunged)
	}
	err := a.change(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		var ids []string
		for _, id := range in.Body.IDs {
			m, err := tx.Message(account.ID, id)
			switch {
			case aftercall.KindOf(err) == aftercall.NotFound:
				out.Results[id] = "not-found"
				continue
			case err != nil:
				return err
			}
			out.Results[id] = "expunged"
			ids = append(ids, m.ID)
		}
		return tx.EraseMessages(account.ID, ids...)
	})
	return out, err
}

// maxExpunged is how many payloads are removed at once.
const maxExpunged = 1000

// ExpungedOut tells, of each id that was sent, whether there was such a message:
// "expunged" or "not-found".
type ExpungedOut struct {
	Results map[string]string `json:"results"`
}

// expungeAll removes the payloads of all messages.
func (a *API) expungeAll(ctx context.Context, c auth.Caller, in *applicationPath) (TaskOut, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return TaskOut{}, err
	}
	task, err := a.engine.EraseAll(ctx, accountID)
	return taskOut(task), err
}

// PrecheckOut tells whether a message would go anywhere.
type PrecheckOut struct {
	Active bool `json:"active"`
}

func (a *API) precheck(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Body struct {
		EventType string   `json:"eventType"`
		Channels  []string `json:"channels"`
	}
}) (PrecheckOut, error) {
	var out PrecheckOut
	if in.Body.EventType == "" {
		return out, aftercall.InvalidField("eventType", "is required")
	}
	err := a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) (err error) {
		out.Active, err = tx.Wanted(account.ID, in.Body.EventType, in.Body.Channels)
		return err
	})
	return out, err
}

func (a *API) sendExample(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body struct {
		EventType    string `json:"eventType"`
		ExampleIndex int    `json:"exampleIndex"`
	}
}) (MessageOut, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return MessageOut{}, err
	}
	m, err := a.engine.SendExample(ctx, accountID, in.Endpoint, in.Body.EventType, in.Body.ExampleIndex)
	return messageOut(true)(m), err
}
