package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Report is a finished call, made by whoever: it names its contact in one of three
// ways. A phone number that no contact has makes a new one.
type Report struct {
	Call              aftercall.Call // its ContactID may be empty
	ExternalContactID string
	PhoneNumber       string

	found *aftercall.Found // who has the number, if no contact does; nil when nobody knows
}

// Finished is what a report became.
type Finished struct{ CallID, ContactID string }

// Finish takes a finished call: it stores the call, moves its contact and publishes
// what happened, in one transaction. A report of a call that we placed, by its call id,
// ends that call. The same report again, by its external call id
// or its call id, changes nothing and answers the same. Errors: Invalid, NotFound.
func (d *Dialer) Finish(ctx context.Context, accountID string, r Report) (done Finished, err error) {
	if err := r.validate(); err != nil {
		return done, err
	}
	if r.found, err = d.findCaller(ctx, accountID, r); err != nil {
		return done, err
	}
	err = d.update(ctx, func(tx *store.Tx) error {
		if r.Call.ID != "" {
			live, err := tx.TakeLiveCalls(accountID, []string{r.Call.ID})
			if l, ok := live[r.Call.ID]; ok {
				done = Finished{l.ID, l.ContactID}
				return d.finishLive(tx, accountID, []aftercall.LiveCall{l.Reported(r.Call, tx.Now())})
			}
			if err != nil {
				return err
			}
		}
		known, err := reported(tx, accountID, r.Call)
		if err == nil {
			done = Finished{known.ID, known.ContactID}
			return nil
		}
		if aftercall.KindOf(err) != aftercall.NotFound || r.Call.ID != "" {
			return err
		}
		contact, err := takeContact(tx, accountID, r)
		if err != nil {
			return err
		}
		call := r.Call.Conclude(contact)
		call.ID = aftercall.NewUUID()
		w := newWrites(tx, accountID)
		if _, err := moved(w, contact, call, nil); err != nil {
			return err
		}
		done = Finished{call.ID, contact.ID}
		return w.flush()
	})
	return done, err
}

// findCaller has the account's own system asked who made a call, where a number is all
// that is known of them.
func (d *Dialer) findCaller(ctx context.Context, accountID string, r Report) (*aftercall.Found, error) {
	if r.Call.Direction != aftercall.Inbound || r.Call.ID != "" || r.Call.ContactID != "" || r.ExternalContactID != "" {
		return nil, nil
	}
	known := false
	err := d.store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.CallByExternalID(accountID, r.Call.ExternalID)
		if known = err == nil; aftercall.KindOf(err) == aftercall.NotFound {
			known, err = hasNumber(tx, accountID, r.PhoneNumber)
		}
		return err
	})
	if err != nil || known {
		return nil, err
	}
	return d.lookUp(ctx, accountID, r.PhoneNumber, r.Call.ToNumber), nil
}

// validate checks the report, and brings what it names into the forms that are stored.
func (r *Report) validate() error {
	if r.Call.ID == "" && r.Call.ExternalID == "" {
		return aftercall.InvalidField("external_call_id", "is required, or call_id: it lets the same report be sent again without being taken twice")
	}
	if r.Call.ID == "" && r.Call.ContactID == "" && r.ExternalContactID == "" && r.PhoneNumber == "" {
		return aftercall.InvalidField("contact_id", "is required, or external_contact_id, or phone_number")
	}
	if r.Call.ID != "" {
		var ok bool
		if r.Call.ID, ok = uuidOf(r.Call.ID); !ok {
			return noCall()
		}
	}
	switch {
	case r.Call.ContactID != "":
		var ok bool
		if r.Call.ContactID, ok = uuidOf(r.Call.ContactID); !ok {
			return noContact()
		}
	case r.PhoneNumber != "":
		c := aftercall.Contact{ExternalID: r.ExternalContactID, PhoneNumber: r.PhoneNumber}
		if err := c.Validate(); err != nil {
			return err
		}
		r.PhoneNumber = c.PhoneNumber
	case !possible(r.ExternalContactID):
		return noContact()
	}
	return r.Call.Validate()
}

// reported finds the call of an earlier report of the same.
func reported(tx *store.Tx, accountID string, call aftercall.Call) (aftercall.Call, error) {
	if call.ID != "" {
		return tx.Call(accountID, call.ID)
	}
	return tx.CallByExternalID(accountID, call.ExternalID)
}

// takeContact finds the contact that a report names, or adds one: who was found to have
// its number, else one with the number alone. No call scheduler enrols such a contact:
// the call that is reported has been made.
func takeContact(tx *store.Tx, accountID string, r Report) (c aftercall.Contact, err error) {
	switch {
	case r.Call.ContactID != "":
		return tx.TakeContact(accountID, store.ByID, r.Call.ContactID)
	case r.ExternalContactID != "":
		c, err = tx.TakeContact(accountID, store.ByExternalID, r.ExternalContactID)
	default:
		c, err = tx.TakeContact(accountID, store.ByPhone, r.PhoneNumber)
	}
	if aftercall.KindOf(err) != aftercall.NotFound || r.PhoneNumber == "" {
		return c, err
	}
	if r.found != nil {
		return takeFound(tx, accountID, r.PhoneNumber, *r.found)
	}
	return addNamed(tx, aftercall.Contact{
		AccountID: accountID, ID: aftercall.NewUUID(), ExternalID: r.ExternalContactID, PhoneNumber: r.PhoneNumber,
	})
}

// addNamed stores a new contact that a call has brought.
func addNamed(tx *store.Tx, c aftercall.Contact) (aftercall.Contact, error) {
	begin(&c, tx)
	stored, err := insertNamed(tx, c)
	if err == nil && !stored {
		err = aftercall.Errorf(aftercall.Conflict, "the contact was added at the same time")
	}
	return c, err
}

// insertNamed stores a contact that a report names. One without an external id is
// the only one of its kind for its number.
func insertNamed(tx *store.Tx, c aftercall.Contact) (bool, error) {
	if c.ExternalID == "" {
		return tx.InsertReported(c)
	}
	stored, err := tx.InsertContacts([]aftercall.Contact{c})
	return stored[c.ID], err
}

func messages(tx *store.Tx, accountID string, events []aftercall.Event) []*aftercall.Message {
	list := make([]*aftercall.Message, len(events))
	for i, e := range events {
		list[i] = &aftercall.Message{
			AccountID: accountID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: e.Type,
			Payload: e.Payload, ContactID: e.ContactID, CreatedAt: tx.Now(),
		}
	}
	return list
}
