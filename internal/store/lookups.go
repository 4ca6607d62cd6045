package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

const lookupColumns = `account_id, enabled, url, timeout, headers, query, created_at, updated_at`

func readLookup(s scan) (l aftercall.ContactLookup, err error) {
	var timeout int64
	err = s(&l.AccountID, &l.Enabled, &l.URL, &timeout, jsonAt(&l.Headers), jsonAt(&l.Query), timeAt(&l.CreatedAt), timeAt(&l.UpdatedAt))
	l.Timeout = time.Duration(timeout) * time.Microsecond
	return l, err
}

// lookupSecret is what the secret of an account's contact lookup belongs to in the
// table of secrets: no endpoint has such an id.
func lookupSecret(accountID string) EndpointRef { return EndpointRef{accountID, "contact_lookup"} }

// ContactLookup finds the contact lookup of an account, with its secret.
func (tx *Tx) ContactLookup(accountID string) (aftercall.ContactLookup, error) {
	l, err := one(tx, readLookup, `SELECT `+lookupColumns+` FROM contact_lookup WHERE account_id = $1`, accountID)
	if err != nil {
		return l, notFound(err, "contact lookup")
	}
	secrets, err := tx.Secrets(lookupSecret(accountID))
	if err == nil && len(secrets) > 0 {
		l.Secret = secrets[0]
	}
	return l, err
}

// PutContactLookup stores the contact lookup of an account, new or not, and its secret.
// One before it signs no more: a request carries one signature.
func (tx *Tx) PutContactLookup(l aftercall.ContactLookup) error {
	_, err := tx.exec(`INSERT INTO contact_lookup (`+lookupColumns+`) VALUES `+tuples(1, 1, bare(8)...)+`
		ON CONFLICT (account_id) DO UPDATE SET enabled = excluded.enabled, url = excluded.url, timeout = excluded.timeout,
		headers = excluded.headers, query = excluded.query, updated_at = excluded.updated_at`,
		l.AccountID, l.Enabled, l.URL, l.Timeout.Microseconds(), jsonOf(l.Headers), jsonOf(l.Query), micros(l.CreatedAt), micros(l.UpdatedAt))
	if err != nil {
		return err
	}
	if err := tx.deleteSecrets(lookupSecret(l.AccountID)); err != nil {
		return err
	}
	return tx.insertSecrets(lookupSecret(l.AccountID), []aftercall.Secret{l.Secret})
}

// DeleteContactLookup removes the contact lookup of an account, and its secret.
func (tx *Tx) DeleteContactLookup(accountID string) error {
	n, err := tx.exec(`DELETE FROM contact_lookup WHERE account_id = $1`, accountID)
	if err == nil && n == 0 {
		err = aftercall.Errorf(aftercall.NotFound, "contact lookup not found")
	}
	if err != nil {
		return err
	}
	return tx.deleteSecrets(lookupSecret(accountID))
}

func (tx *Tx) deleteSecrets(ref EndpointRef) error {
	_, err := tx.exec(`DELETE FROM secret WHERE account_id = $1 AND endpoint_id = $2`, ref.AccountID, ref.EndpointID)
	return err
}

// askedPrefix begins what an inbound call is remembered by among the events of its
// agent. No event's id holds a line break.
const askedPrefix = "inbound\n"

// RememberInbound notes under which id of ours an agent's engine was told of an inbound
// call, by the id that the engine asked with, and returns that which it was told first.
func (tx *Tx) RememberInbound(agent AgentRef, asked, callID string) (string, error) {
	return one(tx, value[string], `INSERT INTO voice_event (account_id, agent_id, id, call_id, received_at, progress)
		VALUES ($1, $2, $3, $4, $5, NULL)
		ON CONFLICT (account_id, agent_id, id) DO UPDATE SET call_id = voice_event.call_id RETURNING call_id`,
		agent.AccountID, agent.AgentID, askedPrefix+asked, callID, micros(tx.now))
}

// RememberedInbound returns the id of ours of an inbound call, see RememberInbound; it
// is empty when nobody asked for it.
func (tx *Tx) RememberedInbound(agent AgentRef, asked string) (string, error) {
	ids, err := all(tx, value[string], `SELECT call_id FROM voice_event WHERE account_id = $1 AND agent_id = $2 AND id = $3`,
		agent.AccountID, agent.AgentID, askedPrefix+asked)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}
