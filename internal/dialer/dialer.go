// Package dialer owns the verbs of calling: whom there is to call, and what a
// finished call means for them.
package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Dialer keeps contacts and takes finished calls.
type Dialer struct{ store *store.Store }

// New makes a dialer on a store.
func New(s *store.Store) *Dialer { return &Dialer{s} }

// errTaken is the answer to an external id that another contact has.
func errTaken() error {
	return aftercall.Errorf(aftercall.Conflict, "external_contact_id: another contact has this id").WithCode("DUPLICATE_EXTERNAL_ID")
}

// AddContact stores a new contact; its ID, status and times are set. Errors:
// Invalid, Conflict for an external id that is taken.
func (d *Dialer) AddContact(ctx context.Context, c *aftercall.Contact) error {
	if err := c.ValidateNew(); err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx *store.Tx) error { return add(tx, c) })
}

func add(tx *store.Tx, c *aftercall.Contact) error {
	if err := free(tx, c.AccountID, c.ExternalID, ""); err != nil {
		return err
	}
	c.ID = aftercall.NewUUID()
	c.Status = aftercall.ContactNew
	c.StatusUpdatedAt, c.CreatedAt, c.UpdatedAt = tx.Now(), tx.Now(), tx.Now()
	return duplicate(tx.InsertContact(*c))
}

// free checks that no other contact has an external id. The index holds it too; but
// on PostgreSQL a statement that fails takes its transaction with it.
func free(tx *store.Tx, accountID, externalID, contactID string) error {
	if externalID == "" {
		return nil
	}
	other, err := tx.ContactByExternalID(accountID, externalID)
	switch {
	case aftercall.KindOf(err) == aftercall.NotFound:
		return nil
	case err != nil:
		return err
	case other.ID != contactID:
		return errTaken()
	}
	return nil
}

// duplicate names the conflict of two that took an external id at the same time.
func duplicate(err error) error {
	if aftercall.KindOf(err) == aftercall.Conflict {
		return errTaken()
	}
	return err
}

// UpdateContact changes a contact. What change may not set is kept. Errors: Invalid,
// NotFound, Conflict for an external id that is taken.
func (d *Dialer) UpdateContact(ctx context.Context, accountID, id string, change func(*aftercall.Contact)) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(accountID, id)
		if err != nil {
			return err
		}
		change(&c)
		if err := c.Validate(); err != nil {
			return err
		}
		if err := free(tx, accountID, c.ExternalID, id); err != nil {
			return err
		}
		c.UpdatedAt = tx.Now()
		return duplicate(tx.UpdateContact(c))
	})
}

// Contact finds a contact.
func (d *Dialer) Contact(ctx context.Context, accountID, id string) (c aftercall.Contact, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		c, err = tx.Contact(accountID, id)
		return err
	})
	return c, err
}

// ContactByExternalID finds a contact by the customer's own id.
func (d *Dialer) ContactByExternalID(ctx context.Context, accountID, externalID string) (c aftercall.Contact, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		c, err = tx.ContactByExternalID(accountID, externalID)
		return err
	})
	return c, err
}

// EraseContact removes a contact and every trace of the person: name, number,
// e-mail, details, transcripts, and the payloads and answers of messages about it.
func (d *Dialer) EraseContact(ctx context.Context, accountID, id string) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Contact(accountID, id); err != nil {
			return err
		}
		if err := tx.EraseMessages(accountID, id); err != nil {
			return err
		}
		return tx.EraseContact(accountID, id)
	})
}

// Call finds a call, with the external id of its contact.
func (d *Dialer) Call(ctx context.Context, accountID, id string) (call aftercall.Call, externalContactID string, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		if call, err = tx.Call(accountID, id); err != nil {
			return err
		}
		contact, err := tx.Contact(accountID, call.ContactID)
		if aftercall.KindOf(err) == aftercall.NotFound { // erased
			return nil
		}
		externalContactID = contact.ExternalID
		return err
	})
	return call, externalContactID, err
}

// Calls lists calls from newest to oldest.
func (d *Dialer) Calls(ctx context.Context, accountID string, p store.CallPage) (calls []aftercall.Call, externalIDs map[string]string, err error) {
	externalIDs = map[string]string{}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		if calls, err = tx.Calls(accountID, p); err != nil {
			return err
		}
		for _, call := range calls {
			if _, known := externalIDs[call.ContactID]; known {
				continue
			}
			contact, err := tx.Contact(accountID, call.ContactID)
			if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
				return err
			}
			externalIDs[call.ContactID] = contact.ExternalID
		}
		return nil
	})
	return calls, externalIDs, err
}
