package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Report is a finished call, made by whoever: it names its contact in one of three
// ways. A phone number that no contact has makes a new one.
type Report struct {
	Call              aftercall.Call // ContactID may be empty
	ExternalContactID string
	PhoneNumber       string
}

// Finished is what a report became.
type Finished struct{ CallID, ContactID string }

// Finish takes a finished call: it stores the call, moves its contact and publishes
// what happened, in one transaction. The same report again, by its external call id
// or its call id, changes nothing and answers the same.
func (d *Dialer) Finish(ctx context.Context, accountID string, r Report) (Finished, error) {
	if err := r.check(); err != nil {
		return Finished{}, err
	}
	var done Finished
	finish := func(tx *store.Tx) error {
		known, err := d.reported(tx, accountID, r.Call)
		if err == nil {
			done = Finished{known.ID, known.ContactID}
			return nil
		}
		if aftercall.KindOf(err) != aftercall.NotFound || r.Call.ID != "" {
			return err
		}
		contact, err := d.contactOf(tx, accountID, r)
		if err != nil {
			return err
		}
		call := newCall(r.Call, contact, tx)
		next, events := contact.After(call, tx.Now())
		if err := tx.InsertCall(call); err != nil {
			return err
		}
		if err := tx.UpdateContact(next); err != nil {
			return err
		}
		done = Finished{call.ID, contact.ID}
		return tx.Publish(messages(accountID, events, tx)...)
	}
	err := d.store.Update(ctx, finish)
	if aftercall.KindOf(err) == aftercall.Conflict { // the same report came twice at once, and the other was first
		err = d.store.Update(ctx, finish)
	}
	return done, err
}

func (r *Report) check() error {
	if r.Call.ID == "" && r.Call.ExternalID == "" {
		return aftercall.InvalidField("external_call_id", "is required: it lets the same report be sent again without being taken twice")
	}
	if r.Call.ContactID == "" && r.ExternalContactID == "" && r.PhoneNumber == "" {
		return aftercall.InvalidField("contact_id", "is required, or external_contact_id, or phone_number")
	}
	if r.PhoneNumber != "" {
		number, ok := aftercall.ParsePhone(r.PhoneNumber)
		if !ok {
			return aftercall.InvalidField("phone_number", "is not an international phone number such as +14155552671")
		}
		r.PhoneNumber = number
	}
	return r.Call.Complete()
}

// reported finds the call of an earlier report of the same.
func (d *Dialer) reported(tx *store.Tx, accountID string, call aftercall.Call) (aftercall.Call, error) {
	if call.ID != "" {
		return tx.Call(accountID, call.ID)
	}
	return tx.CallByExternalID(accountID, call.ExternalID)
}

// contactOf finds the contact that a report names, or adds one for its number.
func (d *Dialer) contactOf(tx *store.Tx, accountID string, r Report) (aftercall.Contact, error) {
	switch {
	case r.Call.ContactID != "":
		return tx.Contact(accountID, r.Call.ContactID)
	case r.ExternalContactID != "":
		c, err := tx.ContactByExternalID(accountID, r.ExternalContactID)
		if err == nil || aftercall.KindOf(err) != aftercall.NotFound || r.PhoneNumber == "" {
			return c, err
		}
	default:
		c, err := tx.ContactByPhone(accountID, r.PhoneNumber)
		if err == nil || aftercall.KindOf(err) != aftercall.NotFound {
			return c, err
		}
	}
	c := aftercall.Contact{AccountID: accountID, PhoneNumber: r.PhoneNumber, ExternalID: r.ExternalContactID}
	if err := c.Validate(); err != nil {
		return c, err
	}
	return c, add(tx, &c)
}

func newCall(c aftercall.Call, contact aftercall.Contact, tx *store.Tx) aftercall.Call {
	c.AccountID, c.ContactID = contact.AccountID, contact.ID
	c.ID = aftercall.NewUUID()
	c.CreatedAt = tx.Now()
	c.Attempt = 1
	if c.Direction == aftercall.Outbound {
		c.Attempt = contact.CallAttempts + 1
	}
	return c
}

func messages(accountID string, events []aftercall.Event, tx *store.Tx) []*aftercall.Message {
	list := make([]*aftercall.Message, len(events))
	for i, e := range events {
		list[i] = &aftercall.Message{
			AccountID: accountID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: e.Type,
			Payload: e.Payload, ContactID: e.ContactID, CreatedAt: tx.Now(),
		}
	}
	return list
}
