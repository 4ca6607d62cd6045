package dialer

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// AddContact stores a new contact; its ID, status and times are set. Errors:
// Invalid, Conflict for an external id that is taken.
func (d *Dialer) AddContact(ctx context.Context, c *aftercall.Contact) error {
	failed, err := d.AddContacts(ctx, []*aftercall.Contact{c})
	if err != nil {
		return err
	}
	return failed[0]
}

// AddContacts stores new contacts of an account in one transaction; call schedulers enrol
// them. What is wrong with one of them is told at its place in failed, and keeps no other
// from being stored.
func (d *Dialer) AddContacts(ctx context.Context, list []*aftercall.Contact) (failed []error, err error) {
	invalid := make([]error, len(list))
	for i, c := range list {
		c.ID = aftercall.NewUUID()
		invalid[i] = c.ValidateNew()
	}
	err = d.update(ctx, func(tx *store.Tx) error {
		failed = slices.Clone(invalid)
		var rows []aftercall.Contact
		for i, c := range list {
			if failed[i] == nil {
				begin(c, tx)
				rows = append(rows, *c)
			}
		}
		stored, err := d.insertContacts(tx, rows)
		if err != nil {
			return err
		}
		for i, c := range list {
			if failed[i] != nil {
				continue
			}
			if now, ok := stored[c.ID]; ok {
				*c = now
			} else {
				failed[i] = errTaken()
			}
		}
		return nil
	})
	return failed, err
}

// begin makes a contact new at the time of a transaction.
func begin(c *aftercall.Contact, tx *store.Tx) {
	c.Status, c.NextCallAt = aftercall.ContactNew, time.Time{}
	c.StatusUpdatedAt, c.CreatedAt, c.UpdatedAt = tx.Now(), tx.Now(), tx.Now()
}

// insertContacts stores new contacts of an account, and has its call schedulers enrol
// them. It returns those that were stored, by id, as they are then. Whoever adds contacts
// that have not been called does it here.
func (d *Dialer) insertContacts(tx *store.Tx, rows []aftercall.Contact) (map[string]aftercall.Contact, error) {
	stored := map[string]aftercall.Contact{}
	if len(rows) == 0 {
		return stored, nil
	}
	ids, err := tx.InsertContacts(rows)
	if err != nil {
		return nil, err
	}
	added := make([]aftercall.Contact, 0, len(rows))
	for _, c := range rows {
		if ids[c.ID] {
			stored[c.ID] = c
			added = append(added, c)
		}
	}
	runs, err := d.enrolNew(tx, rows[0].AccountID, added)
	for _, r := range runs {
		stored[r.ContactID], _ = stored[r.ContactID].Scheduled(r, tx.Now())
	}
	return stored, err
}

// Change is what is to become of a contact. Apply may run more than once.
type Change struct {
	ContactID string
	Apply     func(*aftercall.Contact)
}

// UpdateContact changes a contact. Errors: Invalid, NotFound, Conflict for an
// external id that is taken.
func (d *Dialer) UpdateContact(ctx context.Context, accountID string, change Change) error {
	failed, err := d.UpdateContacts(ctx, accountID, []Change{change})
	if err != nil {
		return err
	}
	return failed[0]
}

// UpdateContacts makes changes one after another in one transaction. What is wrong
// with one of them is told at its place in failed, and keeps no other from being made.
func (d *Dialer) UpdateContacts(ctx context.Context, accountID string, changes []Change) (failed []error, err error) {
	ids := make([]string, 0, len(changes))
	for _, change := range changes {
		if id, ok := uuidOf(change.ContactID); ok {
			ids = append(ids, id)
		}
	}
	err = d.update(ctx, func(tx *store.Tx) error {
		failed = make([]error, len(changes))
		contacts, err := tx.TakeContacts(accountID, ids)
		if err != nil {
			return err
		}
		for i, change := range changes {
			id, _ := uuidOf(change.ContactID)
			c, ok := contacts[id]
			if !ok {
				failed[i] = noContact()
				continue
			}
			before := c
			change.Apply(&c)
			if failed[i] = c.Validate(); failed[i] != nil {
				continue
			}
			if c.ExternalID != before.ExternalID {
				failed[i], err = free(tx, c)
			}
			if err == nil && failed[i] == nil && (c.Timezone != before.Timezone || c.PhoneNumber != before.PhoneNumber) {
				err = d.replan(tx, &c)
			}
			if err == nil && failed[i] == nil {
				c.UpdatedAt = tx.Now()
				contacts[id] = c
				err = tx.UpdateContact(c)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return failed, err
}

// replan moves the next call of a contact that may be in other zones now into the hours
// there. A first call, which was to be at the earliest moment, is so again; one that the
// contact asked for stays.
func (d *Dialer) replan(tx *store.Tx, c *aftercall.Contact) error {
	open, err := tx.OpenRuns(c.AccountID, []string{c.ID})
	run, ok := open[c.ID]
	if err != nil || !ok || run.DueAt.IsZero() || run.Asked {
		return err
	}
	agent, err := tx.Agent(c.AccountID, run.AgentID)
	if err != nil {
		return err
	}
	account, err := tx.Account(c.AccountID)
	if err != nil {
		return err
	}
	from := tx.Now()
	if !run.FirstAt.IsZero() && run.DueAt.After(from) {
		from = run.DueAt
	}
	at, ok := agent.Dialing.Hours.Next(from, d.zones.of(c.ZoneNames(account.Timezone)))
	if !ok { // the planner looks at it when its time comes
		return nil
	}
	run.DueAt, c.NextCallAt = at, at
	return tx.PutRuns([]aftercall.Run{run})
}

// free tells what is wrong with an external id that another contact has. The index
// holds it too; but on PostgreSQL a statement that fails takes its transaction with it.
func free(tx *store.Tx, c aftercall.Contact) (failed, err error) {
	if c.ExternalID == "" {
		return nil, nil
	}
	other, err := tx.Contact(c.AccountID, store.ByExternalID, c.ExternalID)
	switch {
	case aftercall.KindOf(err) == aftercall.NotFound:
		return nil, nil
	case err == nil && other.ID != c.ID:
		failed = errTaken()
	}
	return failed, err
}

// possible reports whether an external id could be stored at all. PostgreSQL takes
// a search for what it could not store for an error.
func possible(externalID string) bool {
	return utf8.ValidString(externalID) && !strings.ContainsFunc(externalID, unicode.IsControl)
}

// Contact finds a contact.
func (d *Dialer) Contact(ctx context.Context, accountID, id string) (aftercall.Contact, error) {
	id, ok := uuidOf(id)
	if !ok {
		return aftercall.Contact{}, noContact()
	}
	return d.contact(ctx, accountID, store.ByID, id)
}

// ContactByExternalID finds a contact by the customer's own id.
func (d *Dialer) ContactByExternalID(ctx context.Context, accountID, externalID string) (aftercall.Contact, error) {
	if !possible(externalID) {
		return aftercall.Contact{}, noContact()
	}
	return d.contact(ctx, accountID, store.ByExternalID, externalID)
}

func (d *Dialer) contact(ctx context.Context, accountID string, by store.ContactKey, v string) (c aftercall.Contact, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		c, err = tx.Contact(accountID, by, v)
		return err
	})
	return c, err
}

// Contacts finds contacts, each at the place of its id; nil where there is none.
func (d *Dialer) Contacts(ctx context.Context, accountID string, ids []string) ([]*aftercall.Contact, error) {
	var known []string
	for _, id := range ids {
		if id, ok := uuidOf(id); ok {
			known = append(known, id)
		}
	}
	list := make([]*aftercall.Contact, len(ids))
	err := d.store.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Contacts(accountID, known)
		for i, id := range ids {
			id, _ = uuidOf(id)
			if c, ok := found[id]; ok {
				list[i] = &c
			}
		}
		return err
	})
	return list, err
}

// ContactList lists contacts by id, which is by when they were added.
func (d *Dialer) ContactList(ctx context.Context, accountID string, p store.Page) (list []aftercall.Contact, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.ContactList(accountID, store.ContactFilter{}, p)
		return err
	})
	return list, err
}

// EraseContact removes a contact and every trace of the person: name, number,
// e-mail, details, transcripts, and the payloads and answers of messages about it. A
// blocked number stays blocked, by its hash. A call in progress is hung up.
func (d *Dialer) EraseContact(ctx context.Context, accountID, id string) error {
	id, ok := uuidOf(id)
	if !ok {
		return noContact()
	}
	var live []aftercall.LiveCall
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if live, err = tx.TakeLiveCallsOf(accountID, id); err != nil {
			return err
		}
		contact, err := tx.TakeContact(accountID, store.ByID, id)
		if err != nil {
			return err
		}
		if err := tx.EraseContact(accountID, id); err != nil {
			return err
		}
		if err := tx.EraseBlockedNumber(accountID, aftercall.NumberHash(accountID, contact.PhoneNumber)); err != nil {
			return err
		}
		messages, err := tx.ContactMessages(accountID, id)
		if err != nil {
			return err
		}
		return tx.EraseMessages(accountID, messages...)
	})
	if err == nil {
		d.hangUp(ctx, live)
	}
	return err
}

// hangUp ends calls whose contact is gone, as well as the voice engine can: nobody will
// hear of them any more.
func (d *Dialer) hangUp(ctx context.Context, live []aftercall.LiveCall) {
	for _, l := range live {
		agent, err := d.agent(ctx, store.AgentRef{AccountID: l.AccountID, AgentID: l.AgentID})
		engine := d.engines[agent.Engine.Kind]
		if err != nil || engine == nil {
			continue
		}
		if err := engine.Cancel(ctx, agent, l); err != nil {
			d.log.Warn("cannot hang up the call of an erased contact", "call", l.ID, "cause", err)
		}
	}
}
