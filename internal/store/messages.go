package store

import (
	"slices"
	"time"

	"github.com/aftercall/aftercall"
)

const messageColumns = `account_id, id, event_type, event_id, channels, contact_id, created_at, payload`

func readMessage(s scan) (m aftercall.Message, err error) {
	err = s(&m.AccountID, &m.ID, &m.EventType, textAt(&m.EventID), jsonAt(&m.Channels), textAt(&m.ContactID),
		timeAt(&m.CreatedAt), &m.Payload)
	return m, err
}

// Publish stores messages and one delivery for each enabled endpoint that wants
// them. The message is the outbox: nothing else is needed for it to arrive.
// Deliveries that the engine of this process has room for are leased to it at
// once and handed over after the commit, so that they need no claim.
//
// A message's AccountID may be the account's uid; it is replaced by its id.
func (tx *Tx) Publish(messages ...*aftercall.Message) error {
	var deliveries []delivery
	for _, m := range messages {
		to, err := tx.audience(m.AccountID)
		if err != nil {
			return err
		}
		m.AccountID = to.account.ID
		for i := range to.endpoints {
			if e := &to.endpoints[i]; e.Wants(m.EventType, m.Channels) {
				deliveries = append(deliveries, tx.newDelivery(e.ID, m))
			}
		}
	}
	err := inChunks(messages, func(rows []*aftercall.Message) error {
		args := make([]any, 0, 8*len(rows))
		for _, m := range rows {
			var channels any
			if len(m.Channels) > 0 {
				channels = jsonOf(m.Channels)
			}
			args = append(args, m.AccountID, m.ID, m.EventType, text(m.EventID), channels, text(m.ContactID), micros(m.CreatedAt), m.Payload)
		}
		_, err := tx.exec(`INSERT INTO message (`+messageColumns+`) VALUES `+tuples(len(rows), 1, bare(8)...), args...)
		return err
	})
	if err != nil {
		return err
	}
	return inChunks(deliveries, func(rows []delivery) error {
		args := make([]any, 0, 8*len(rows))
		for _, d := range rows {
			args = append(args, d.account, d.message, d.endpoint, int(aftercall.Pending), 0, 0, int(aftercall.Scheduled), d.due)
		}
		_, err := tx.exec(`INSERT INTO delivery (account_id, message_id, endpoint_id, state, attempts, step, manual, due_at) VALUES `+
			tuples(len(rows), 1, bare(8)...), args...)
		return err
	})
}

// delivery is the row of a fresh delivery.
type delivery struct {
	account, message, endpoint string
	due                        int64
}

func (tx *Tx) newDelivery(endpointID string, m *aftercall.Message) delivery {
	ref := EndpointRef{m.AccountID, endpointID}
	lease := tx.store.watch.lease(ref, len(m.Payload), tx.now)
	due := lease
	if lease.IsZero() {
		due = tx.now
		tx.fellDue(ref)
	} else {
		tx.changes.Fresh = append(tx.changes.Fresh, Fresh{Endpoint: ref, Message: m, LeaseUntil: lease})
	}
	return delivery{m.AccountID, m.ID, endpointID, micros(due)}
}

// fellDue tells the engine, after the commit, that an endpoint has deliveries due
// in the store.
func (tx *Tx) fellDue(ref EndpointRef) {
	if !slices.Contains(tx.changes.Due, ref) {
		tx.changes.Due = append(tx.changes.Due, ref)
	}
}

// ResolveAccount replaces an account's uid by its id; NotFound when it is neither.
func (tx *Tx) ResolveAccount(idOrUID *string) error {
	to, err := tx.audience(*idOrUID)
	if err == nil {
		*idOrUID = to.account.ID
	}
	return err
}

// ClaimEventID reserves the caller's own id of a message. It reports false when an
// earlier message of the account has it.
func (tx *Tx) ClaimEventID(accountID, eventID, messageID string) (bool, error) {
	n, err := tx.exec(`INSERT INTO message_event (account_id, event_id, message_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		accountID, eventID, messageID)
	return n == 1, err
}

// Message finds a message by its id or its event id.
func (tx *Tx) Message(accountID, idOrEventID string) (aftercall.Message, error) {
	m, err := one(tx, readMessage, `SELECT `+messageColumns+` FROM message WHERE account_id = $1 AND id = $2`, accountID, idOrEventID)
	if aftercall.KindOf(err) == aftercall.NotFound {
		m, err = one(tx, readMessage, `SELECT `+messageColumns+` FROM message WHERE account_id = $1 AND id =
			(SELECT message_id FROM message_event WHERE account_id = $1 AND event_id = $2)`, accountID, idOrEventID)
	}
	return m, notFound(err, "message")
}

// messagesByID loads messages of one account.
func (tx *Tx) messagesByID(accountID string, ids []string) (map[string]*aftercall.Message, error) {
	found := make(map[string]*aftercall.Message, len(ids))
	err := inChunks(ids, func(ids []string) error {
		list, err := all(tx, readMessage, `SELECT `+messageColumns+` FROM message
			WHERE account_id = $1 AND id IN (`+placeholders(len(ids), 2)+`)`, append([]any{accountID}, anys(ids)...)...)
		for i := range list {
			found[list[i].ID] = &list[i]
		}
		return err
	})
	return found, err
}

// MessageFilter narrows a list of messages. Zero values keep all.
type MessageFilter struct {
	EventTypes    []string
	Channel       string
	Since, Before time.Time
}

// Messages lists messages by id, which is by time.
func (tx *Tx) Messages(accountID string, f MessageFilter, p Page) ([]aftercall.Message, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.window("id", aftercall.MessagePrefix, f.Since, f.Before)
	where.in("event_type", f.EventTypes)
	if f.Channel != "" {
		where.hasChannel("channels", f.Channel)
	}
	where.page("id", p)
	return all(tx, readMessage, `SELECT `+messageColumns+` FROM message`+where.sql(), where.args...)
}

// erased stands for the answer to an attempt whose message was erased, as in Svix.
const erased = "EXPUNGED"

// EraseMessages removes the payloads of all messages about a contact, and the
// answers to their attempts. What is pending of them fails.
func (tx *Tx) EraseMessages(accountID, contactID string) error {
	const about = `(SELECT id FROM message WHERE account_id = $1 AND contact_id = $2)`
	ids, err := all(tx, value[string], `SELECT id FROM message WHERE account_id = $1 AND contact_id = $2`, accountID, contactID)
	if err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE delivery SET state = $3, reason = $4
		WHERE account_id = $1 AND endpoint_id IN `+anyEndpoint+` AND state = 0 AND message_id IN `+about,
		accountID, contactID, int(aftercall.Failed), string(aftercall.FailedErased)); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE attempt SET response = $3 WHERE account_id = $1 AND message_id IN `+about,
		accountID, contactID, erased); err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE message SET payload = NULL, contact_id = NULL WHERE account_id = $1 AND contact_id = $2`, accountID, contactID)
	for _, id := range ids {
		tx.changes.Erased = append(tx.changes.Erased, aftercall.MessageRef{AccountID: accountID, MessageID: id})
	}
	return err
}

const eventTypeColumns = `name, description, schemas, group_name, feature_flag, archived, deprecated, created_at, updated_at`

func readEventType(s scan) (t aftercall.EventType, err error) {
	var schemas string
	err = s(&t.Name, &t.Description, textAt(&schemas), &t.GroupName, &t.FeatureFlag, &t.Archived, &t.Deprecated,
		timeAt(&t.CreatedAt), timeAt(&t.UpdatedAt))
	if schemas != "" {
		t.Schemas = []byte(schemas)
	}
	return t, err
}

// EventType finds an event type, archived or not.
func (tx *Tx) EventType(name string) (aftercall.EventType, error) {
	t, err := one(tx, readEventType, `SELECT `+eventTypeColumns+` FROM event_type WHERE name = $1`, name)
	return t, notFound(err, "event type")
}

// EventTypes lists event types by name.
func (tx *Tx) EventTypes(archived bool, p Page) ([]aftercall.EventType, error) {
	where := newFilter()
	if !archived {
		where.conditions = append(where.conditions, "NOT archived")
	}
	where.page("name", p)
	return all(tx, readEventType, `SELECT `+eventTypeColumns+` FROM event_type`+where.sql(), where.args...)
}

// PutEventType stores an event type, new or not.
func (tx *Tx) PutEventType(t aftercall.EventType) error {
	_, err := tx.exec(`INSERT INTO event_type (`+eventTypeColumns+`) VALUES `+tuples(1, 1, bare(9)...)+`
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, schemas = excluded.schemas,
		group_name = excluded.group_name, feature_flag = excluded.feature_flag, archived = excluded.archived,
		deprecated = excluded.deprecated, updated_at = excluded.updated_at`,
		t.Name, t.Description, text(string(t.Schemas)), t.GroupName, t.FeatureFlag, t.Archived, t.Deprecated,
		micros(t.CreatedAt), micros(t.UpdatedAt))
	return err
}

// DeleteEventType removes an event type from the catalogue for good.
func (tx *Tx) DeleteEventType(name string) error {
	_, err := tx.exec(`DELETE FROM event_type WHERE name = $1`, name)
	return err
}
