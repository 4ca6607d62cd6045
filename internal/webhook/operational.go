package webhook

import (
	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// tell publishes an operational event, in the transaction of what it tells of, if an
// endpoint of the reserved account wants it.
func tell(tx *store.Tx, event aftercall.Event) error {
	wanted, err := tx.Wanted(aftercall.OperationalAccountID, event.Type, nil)
	if err != nil || !wanted {
		return err
	}
	return tx.Publish(&aftercall.Message{
		AccountID: aftercall.OperationalAccountID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()),
		EventType: event.Type, Payload: event.Payload, CreatedAt: tx.Now(),
	})
}

// tellOfEndpoint tells what became of an endpoint. What becomes of those that are told
// is not told: it would never end.
func tellOfEndpoint(tx *store.Tx, eventType string, e aftercall.Endpoint) error {
	if e.AccountID == aftercall.OperationalAccountID {
		return nil
	}
	account, err := tx.Account(e.AccountID)
	if err != nil {
		return err
	}
	return tell(tx, aftercall.EndpointEvent(eventType, account, e))
}

// tellOfAttempts tells of those attempts of a batch that are worth it.
func tellOfAttempts(tx *store.Tx, outcomes []store.Outcome) error {
	for _, o := range outcomes {
		eventType := o.Claimed.Told(o.Next, o.Attempt)
		if eventType == "" || o.Attempt.AccountID == aftercall.OperationalAccountID {
			continue
		}
		wanted, err := tx.Wanted(aftercall.OperationalAccountID, eventType, nil)
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		// With its account all an attempt belongs to may be gone meanwhile.
		if err := tellOfAttempt(tx, eventType, o.Attempt); err != nil && aftercall.KindOf(err) != aftercall.NotFound {
			return err
		}
	}
	return nil
}

func tellOfAttempt(tx *store.Tx, eventType string, a aftercall.Attempt) error {
	account, err := tx.Account(a.AccountID)
	if err != nil {
		return err
	}
	message, err := tx.Message(account.ID, a.MessageID)
	if err != nil {
		return err
	}
	return tell(tx, aftercall.AttemptEvent(eventType, account, message, a))
}
