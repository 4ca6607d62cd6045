package webhook

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Resend asks for one attempt of a message at an endpoint, now, whatever became of
// it before and whatever the endpoint's filters say. It is stored when Resend
// returns. A disabled endpoint, and a message whose payload was erased, are refused.
func (e *Engine) Resend(ctx context.Context, accountID, messageID, endpointID string) error {
	return e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := enabled(tx, accountID, endpointID)
		if err != nil {
			return err
		}
		message, err := tx.Message(accountID, messageID)
		if err != nil {
			return err
		}
		if message.Payload == nil {
			return aftercall.Errorf(aftercall.Invalid, "the message's payload was erased").WithCode("missing_payload")
		}
		delivery, err := tx.Delivery(ref(endpoint), message.ID)
		if aftercall.KindOf(err) == aftercall.NotFound { // it was not meant for this endpoint, or came while it was disabled
			delivery = aftercall.Delivery{
				AccountID: accountID, EndpointID: endpoint.ID, MessageID: message.ID,
				State: aftercall.Failed, Reason: aftercall.FailedDisabled,
			}
		} else if err != nil {
			return err
		}
		return tx.PutDeliveries([]aftercall.Delivery{delivery.Resend(tx.Now())})
	})
}
