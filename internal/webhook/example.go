package webhook

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// SendExample publishes the example of an event type to one endpoint, whatever its
// filters say, so that its receiver can be tried. Errors: NotFound for an unknown
// endpoint or type; Invalid for a type without such an example, and for an endpoint
// that is disabled.
func (e *Engine) SendExample(ctx context.Context, accountID, endpointID, eventType string, index int) (aftercall.Message, error) {
	var m aftercall.Message
	err := e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := enabled(tx, accountID, endpointID)
		if err != nil {
			return err
		}
		kind := aftercall.Ping()
		if eventType != kind.Name {
			if kind, err = tx.EventType(eventType); err != nil {
				return err
			}
		}
		example, err := kind.Example(index)
		if err != nil {
			return err
		}
		m = aftercall.Message{
			AccountID: accountID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: kind.Name,
			Payload: example, CreatedAt: tx.Now(),
		}
		if err := m.Validate(tx.Now()); err != nil {
			return err
		}
		return tx.PublishTo(endpoint.ID, &m)
	})
	return m, err
}

// enabled finds an endpoint that something is to be sent to.
func enabled(tx *store.Tx, accountID, endpointID string) (aftercall.Endpoint, error) {
	endpoint, err := tx.Endpoint(accountID, endpointID)
	if err == nil && endpoint.Disabled {
		err = aftercall.Errorf(aftercall.Invalid, "the endpoint is disabled: enable it first").WithCode("endpoint_disabled")
	}
	return endpoint, err
}
