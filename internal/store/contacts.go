package store

import (
	"encoding/json"
	"strconv"

	"github.com/aftercall/aftercall"
)

const contactColumns = `account_id, id, external_id, external_url, first_name, last_name, phone_number, email, salutation, gender,
	timezone, details, status, status_updated_at, call_attempts, in_call_since, reached_at, next_call_at, created_at, updated_at`

func readContact(s scan) (c aftercall.Contact, err error) {
	var details string
	err = s(&c.AccountID, &c.ID, textAt(&c.ExternalID), &c.ExternalURL, &c.FirstName, &c.LastName, &c.PhoneNumber, &c.Email,
		&c.Salutation, &c.Gender, &c.Timezone, &details, &c.Status, timeAt(&c.StatusUpdatedAt), &c.CallAttempts,
		timeAt(&c.InCallSince), timeAt(&c.ReachedAt), timeAt(&c.NextCallAt), timeAt(&c.CreatedAt), timeAt(&c.UpdatedAt))
	c.Details = rawAt(details)
	return c, err
}

// rawAt reads a JSON object that is stored as its text; "" stands for none.
func rawAt(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// ContactKey is what a contact can be found by.
type ContactKey string

const (
	ByID         ContactKey = "id"
	ByExternalID ContactKey = "external_id"
	ByPhone      ContactKey = "phone_number" // of several, the one that was added first
)

// Contact finds a contact.
func (tx *Tx) Contact(accountID string, by ContactKey, v string) (aftercall.Contact, error) {
	c, err := one(tx, readContact, `SELECT `+contactColumns+` FROM contact
		WHERE account_id = $1 AND `+string(by)+` = $2 ORDER BY created_at, id LIMIT 1`, accountID, v)
	return c, notFound(err, "contact")
}

// TakeContact finds a contact that is to be changed. On PostgreSQL its row is locked
// until the transaction ends, so that of two changes at once neither undoes the other.
func (tx *Tx) TakeContact(accountID string, by ContactKey, v string) (aftercall.Contact, error) {
	c, err := one(tx, readContact, `UPDATE contact SET updated_at = $3 WHERE account_id = $1 AND id = (
			SELECT id FROM contact WHERE account_id = $1 AND `+string(by)+` = $2 ORDER BY created_at, id LIMIT 1)
		RETURNING `+contactColumns, accountID, v, micros(tx.now))
	return c, notFound(err, "contact")
}

// Contacts finds contacts by their ids; those that do not exist are left out.
func (tx *Tx) Contacts(accountID string, ids []string) (map[string]aftercall.Contact, error) {
	return contactsByID(ids, func(ids []string) ([]aftercall.Contact, error) {
		return all(tx, readContact, `SELECT `+contactColumns+` FROM contact
			WHERE account_id = $1 AND id IN (`+placeholders(len(ids), 2)+`)`, append([]any{accountID}, anys(ids)...)...)
	})
}

// ContactsByExternalID finds contacts by the customer's own ids; those that do not exist
// are left out.
func (tx *Tx) ContactsByExternalID(accountID string, externalIDs []string) (list []aftercall.Contact, err error) {
	err = inChunks(externalIDs, func(ids []string) error {
		found, err := all(tx, readContact, `SELECT `+contactColumns+` FROM contact
			WHERE account_id = $1 AND external_id IN (`+placeholders(len(ids), 2)+`)`, append([]any{accountID}, anys(ids)...)...)
		list = append(list, found...)
		return err
	})
	return list, err
}

// ContactsByPhone finds contacts by their numbers, at most limit for a chunk of these: a
// test's number may be that of thousands.
func (tx *Tx) ContactsByPhone(accountID string, numbers []string, limit int) (list []aftercall.Contact, err error) {
	err = inChunks(numbers, func(numbers []string) error {
		found, err := all(tx, readContact, `SELECT `+contactColumns+` FROM contact
			WHERE account_id = $1 AND phone_number IN (`+placeholders(len(numbers), 2)+`) LIMIT $`+strconv.Itoa(len(numbers)+2),
			append(append([]any{accountID}, anys(numbers)...), limit)...)
		list = append(list, found...)
		return err
	})
	return list, err
}

// ContactFilter narrows a list of contacts. Zero values keep all.
type ContactFilter struct {
	Status aftercall.ContactStatus
	Text   string // in the name, the number, the address of mail or the external id, whatever its case
}

// ContactList lists contacts by id, which is by when they were added.
func (tx *Tx) ContactList(accountID string, f ContactFilter, p Page) ([]aftercall.Contact, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	if f.Status != "" {
		where.eq("status", string(f.Status))
	}
	where.contains(f.Text, "first_name || ' ' || last_name", "phone_number", "email", "external_id")
	where.page("id", p)
	return all(tx, readContact, `SELECT `+contactColumns+` FROM contact`+where.sql(), where.args...)
}

// TakeContacts is TakeContact for many.
func (tx *Tx) TakeContacts(accountID string, ids []string) (map[string]aftercall.Contact, error) {
	return contactsByID(ids, func(ids []string) ([]aftercall.Contact, error) {
		return all(tx, readContact, `UPDATE contact SET updated_at = $2
			WHERE account_id = $1 AND id IN (`+placeholders(len(ids), 3)+`) RETURNING `+contactColumns,
			append([]any{accountID, micros(tx.now)}, anys(ids)...)...)
	})
}

func contactsByID(ids []string, find func([]string) ([]aftercall.Contact, error)) (map[string]aftercall.Contact, error) {
	found := make(map[string]aftercall.Contact, len(ids))
	err := inChunks(ids, func(ids []string) error {
		list, err := find(ids)
		for _, c := range list {
			found[c.ID] = c
		}
		return err
	})
	return found, err
}

// InsertContacts stores new contacts and returns the ids of those it stored: one
// whose external id is taken, also by one before it in the list, is left out.
func (tx *Tx) InsertContacts(list []aftercall.Contact) (map[string]bool, error) {
	return tx.insertContacts(list, false)
}

// InsertReported stores a new contact that is known by its number only. It reports
// false when its number or external id has come at the same time from elsewhere.
func (tx *Tx) InsertReported(c aftercall.Contact) (bool, error) {
	stored, err := tx.insertContacts([]aftercall.Contact{c}, true)
	return stored[c.ID], err
}

func (tx *Tx) insertContacts(list []aftercall.Contact, reported bool) (map[string]bool, error) {
	stored := make(map[string]bool, len(list))
	err := inChunks(list, func(rows []aftercall.Contact) error {
		args := make([]any, 0, 21*len(rows))
		for _, c := range rows {
			args = append(args, c.AccountID, c.ID, text(c.ExternalID), c.ExternalURL, c.FirstName, c.LastName, c.PhoneNumber, c.Email,
				c.Salutation, c.Gender, c.Timezone, string(c.Details), string(c.Status), micros(c.StatusUpdatedAt), c.CallAttempts,
				maybe(c.InCallSince), maybe(c.ReachedAt), maybe(c.NextCallAt), micros(c.CreatedAt), micros(c.UpdatedAt), reported)
		}
		ids, err := all(tx, value[string], `INSERT INTO contact (`+contactColumns+`, reported) VALUES `+tuples(len(rows), 1, bare(21)...)+`
			ON CONFLICT DO NOTHING RETURNING id`, args...)
		for _, id := range ids {
			stored[id] = true
		}
		return err
	})
	return stored, err
}

// UpdateContact stores what may change of a contact. An external id that is taken
// is a Conflict.
func (tx *Tx) UpdateContact(c aftercall.Contact) error {
	_, err := tx.exec(`UPDATE contact SET external_id = $3, external_url = $4, first_name = $5, last_name = $6, phone_number = $7,
			email = $8, salutation = $9, gender = $10, timezone = $11, details = $12, status = $13, status_updated_at = $14,
			call_attempts = $15, in_call_since = $16, reached_at = $17, next_call_at = $18, updated_at = $19,
			reported = reported AND phone_number = $7
		WHERE account_id = $1 AND id = $2`,
		c.AccountID, c.ID, text(c.ExternalID), c.ExternalURL, c.FirstName, c.LastName, c.PhoneNumber, c.Email,
		c.Salutation, c.Gender, c.Timezone, string(c.Details), string(c.Status), micros(c.StatusUpdatedAt), c.CallAttempts,
		maybe(c.InCallSince), maybe(c.ReachedAt), maybe(c.NextCallAt), micros(c.UpdatedAt))
	return taken(err, "another contact has this external_contact_id")
}

// EraseContact removes a contact and what its calls say of it; that a call took
// place, and when, stays. Its messages are erased by EraseMessages, afterwards: once
// the contact is gone, no call can add one.
func (tx *Tx) EraseContact(accountID, id string) error {
	n, err := tx.exec(`DELETE FROM contact WHERE account_id = $1 AND id = $2`, accountID, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return aftercall.Errorf(aftercall.NotFound, "contact not found")
	}
	_, err = tx.exec(`UPDATE run SET end_reason = 'contact_erased', due_at = NULL, call_id = NULL, ended_at = $3
		WHERE account_id = $1 AND contact_id = $2 AND end_reason = ''`, accountID, id, micros(tx.now))
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM voice_event WHERE account_id = $1 AND progress IS NOT NULL
			AND call_id IN (SELECT id FROM live_call WHERE account_id = $1 AND contact_id = $2)`,
		`DELETE FROM live_call WHERE account_id = $1 AND contact_id = $2`,
	} {
		if _, err := tx.exec(statement, accountID, id); err != nil {
			return err
		}
	}
	_, err = tx.exec(`UPDATE call SET from_number = '', to_number = '', transcript = '', turns = '[]', recording_url = '',
			analysis = '', outcome = ''
		WHERE account_id = $1 AND contact_id = $2`, accountID, id)
	return err
}
