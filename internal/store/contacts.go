package store

import (
	"encoding/json"

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

// rawText stores a JSON object as it was given; "" stands for none.
func rawText(raw json.RawMessage) string { return string(raw) }

func rawAt(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// Contact finds a contact by its id.
func (tx *Tx) Contact(accountID, id string) (aftercall.Contact, error) {
	return tx.contactBy("id", accountID, id)
}

// ContactByExternalID finds a contact by the customer's own id.
func (tx *Tx) ContactByExternalID(accountID, externalID string) (aftercall.Contact, error) {
	return tx.contactBy("external_id", accountID, externalID)
}

// ContactByPhone finds the contact that was added first with a number.
func (tx *Tx) ContactByPhone(accountID, number string) (aftercall.Contact, error) {
	return tx.contactBy("phone_number", accountID, number)
}

func (tx *Tx) contactBy(column, accountID, v string) (aftercall.Contact, error) {
	c, err := one(tx, readContact, `SELECT `+contactColumns+` FROM contact
		WHERE account_id = $1 AND `+column+` = $2 ORDER BY created_at, id LIMIT 1`, accountID, v)
	return c, notFound(err, "contact")
}

// InsertContact stores a new contact. An external id that is taken is a Conflict.
func (tx *Tx) InsertContact(c aftercall.Contact) error {
	_, err := tx.exec(`INSERT INTO contact (`+contactColumns+`) VALUES `+tuples(1, 1, bare(20)...),
		c.AccountID, c.ID, text(c.ExternalID), c.ExternalURL, c.FirstName, c.LastName, c.PhoneNumber, c.Email,
		c.Salutation, c.Gender, c.Timezone, rawText(c.Details), string(c.Status), micros(c.StatusUpdatedAt), c.CallAttempts,
		maybe(c.InCallSince), maybe(c.ReachedAt), maybe(c.NextCallAt), micros(c.CreatedAt), micros(c.UpdatedAt))
	return err
}

// UpdateContact stores what may change of a contact. An external id that is taken
// is a Conflict.
func (tx *Tx) UpdateContact(c aftercall.Contact) error {
	_, err := tx.exec(`UPDATE contact SET external_id = $3, external_url = $4, first_name = $5, last_name = $6, phone_number = $7,
			email = $8, salutation = $9, gender = $10, timezone = $11, details = $12, status = $13, status_updated_at = $14,
			call_attempts = $15, in_call_since = $16, reached_at = $17, next_call_at = $18, updated_at = $19
		WHERE account_id = $1 AND id = $2`,
		c.AccountID, c.ID, text(c.ExternalID), c.ExternalURL, c.FirstName, c.LastName, c.PhoneNumber, c.Email,
		c.Salutation, c.Gender, c.Timezone, rawText(c.Details), string(c.Status), micros(c.StatusUpdatedAt), c.CallAttempts,
		maybe(c.InCallSince), maybe(c.ReachedAt), maybe(c.NextCallAt), micros(c.UpdatedAt))
	return err
}

// EraseContact removes a contact and what its calls say of it. That a call took
// place, and when, stays. Its messages are erased by EraseMessages.
func (tx *Tx) EraseContact(accountID, id string) error {
	_, err := tx.exec(`UPDATE call SET from_number = '', to_number = '', transcript = '', turns = '[]', recording_url = '',
			analysis = '', outcome = ''
		WHERE account_id = $1 AND contact_id = $2`, accountID, id)
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM contact WHERE account_id = $1 AND id = $2`, accountID, id)
	return err
}
