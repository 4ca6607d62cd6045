package store

import (
	"slices"
	"time"

	"github.com/aftercall/aftercall"
)

const messageColumns = `account_id, id, event_type, event_id, channels, tags, contact_id, created_at, deliver_at, expires_at,
	payload, raw, raw_type`

func readMessage(s scan) (m aftercall.Message, err error) {
	var raw aftercall.Raw
	err = s(&m.AccountID, &m.ID, &m.EventType, textAt(&m.EventID), jsonAt(&m.Channels), jsonAt(&m.Tags), textAt(&m.ContactID),
		timeAt(&m.CreatedAt), timeAt(&m.DeliverAt), timeAt(&m.ExpiresAt), &m.Payload, &raw.Body, textAt(&raw.ContentType))
	if raw.ContentType != "" {
		m.Raw = &raw
	}
	return m, err
}

func messageRow(args []any, m *aftercall.Message) []any {
	var raw, rawType any
	if m.Raw != nil {
		raw, rawType = m.Raw.Body, m.Raw.ContentType
	}
	return append(args, m.AccountID, m.ID, m.EventType, text(m.EventID), jsonOrNull(m.Channels), jsonOrNull(m.Tags), text(m.ContactID),
		micros(m.CreatedAt), maybe(m.DeliverAt), maybe(m.ExpiresAt), m.Payload, raw, rawType)
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
	return tx.publish(messages, deliveries)
}

// PublishTo stores a message for one endpoint, whatever its filters say.
func (tx *Tx) PublishTo(endpointID string, m *aftercall.Message) error {
	return tx.publish([]*aftercall.Message{m}, []delivery{tx.newDelivery(endpointID, m)})
}

func (tx *Tx) publish(messages []*aftercall.Message, deliveries []delivery) error {
	err := inChunks(messages, func(rows []*aftercall.Message) error {
		args := make([]any, 0, 13*len(rows))
		for _, m := range rows {
			args = messageRow(args, m)
		}
		_, err := tx.exec(`INSERT INTO message (`+messageColumns+`) VALUES `+tuples(len(rows), 1, bare(13)...), args...)
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
	var lease time.Time
	if m.DeliverAt.IsZero() {
		lease = tx.store.watch.lease(ref, m.Size(), tx.now)
	}
	due := lease
	switch {
	case !lease.IsZero():
		tx.changes.Fresh = append(tx.changes.Fresh, Fresh{Endpoint: ref, Message: m, LeaseUntil: lease})
	case m.DeliverAt.After(tx.now):
		due = m.DeliverAt
		tx.fellDue(ref) // so that the engine asks when it is
	default:
		due = tx.now
		tx.fellDue(ref)
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

// MessagesByID loads messages of one account.
func (tx *Tx) MessagesByID(accountID string, ids []string) (map[string]*aftercall.Message, error) {
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
	Tag           string
	Since, Before time.Time
}

// Messages lists messages by id, which is by time.
func (tx *Tx) Messages(accountID string, f MessageFilter, p Page) ([]aftercall.Message, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.window("id", aftercall.MessagePrefix, f.Since, f.Before)
	where.messages("", f)
	where.page("id", p)
	return all(tx, readMessage, `SELECT `+messageColumns+` FROM message`+where.sql(), where.args...)
}

// CountMessages counts the messages of an account whose ids lie after one and before
// another.
func (tx *Tx) CountMessages(accountID, after, before string) (int, error) {
	return one(tx, value[int], `SELECT COUNT(*) FROM message WHERE account_id = $1 AND id > $2 AND id < $3`, accountID, after, before)
}

// CountMissing counts the messages that were never attempted at an endpoint which wants
// these event types, none meaning all; their ids lie after one and before another.
func (tx *Tx) CountMissing(ref EndpointRef, eventTypes []string, after, before string) (int, error) {
	where := newFilter()
	where.eq("m.account_id", ref.AccountID)
	where.raw("m.id > ?", after)
	where.raw("m.id < ?", before)
	where.in("m.event_type", eventTypes)
	where.conditions = append(where.conditions, "m.payload IS NOT NULL")
	where.raw(`NOT EXISTS (SELECT 1 FROM delivery d WHERE d.account_id = m.account_id AND d.endpoint_id = ?
		AND d.message_id = m.id AND (d.attempts > 0 OR d.state <> 2))`, ref.EndpointID)
	return one(tx, value[int], `SELECT COUNT(*) FROM message m`+where.sql(), where.args...)
}

// messages keeps rows by what of their message does not change. The columns are
// those of an alias such as "m.", or of the message itself.
func (f *filter) messages(alias string, m MessageFilter) {
	f.in(alias+"event_type", m.EventTypes)
	f.holds(alias+"channels", m.Channel)
	f.holds(alias+"tags", m.Tag)
}

// ContactMessages returns the ids of the messages about a contact.
func (tx *Tx) ContactMessages(accountID, contactID string) ([]string, error) {
	return all(tx, value[string], `SELECT id FROM message WHERE account_id = $1 AND contact_id = $2`, accountID, contactID)
}

// ExpiredMessages returns messages whose payload is to be erased by now, up to limit.
func (tx *Tx) ExpiredMessages(limit int) ([]aftercall.MessageRef, error) {
	return all(tx, func(s scan) (m aftercall.MessageRef, err error) {
		err = s(&m.AccountID, &m.MessageID)
		return m, err
	}, `SELECT account_id, id FROM message WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2`, micros(tx.now), limit)
}

// erased stands for the answer to an attempt whose message was erased, as in Svix.
const erased = "EXPUNGED"

// EraseMessages removes the payloads of messages and the answers to their attempts.
// What is pending of them fails. Unknown ids are passed over.
func (tx *Tx) EraseMessages(accountID string, ids ...string) error {
	for _, id := range ids {
		tx.changes.Erased = append(tx.changes.Erased, aftercall.MessageRef{AccountID: accountID, MessageID: id})
	}
	return inChunks(ids, func(ids []string) error {
		these := ` IN (` + placeholders(len(ids), 2) + `)`
		args := append([]any{accountID}, anys(ids)...)
		if _, err := tx.exec(`UPDATE message SET payload = NULL, raw = NULL, raw_type = NULL, contact_id = NULL, expires_at = NULL
			WHERE account_id = $1 AND id`+these, args...); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE attempt SET response = '`+erased+`', headers = NULL WHERE account_id = $1 AND message_id`+these, args...); err != nil {
			return err
		}
		failed := len(args) + 1
		_, err := tx.exec(`UPDATE delivery SET state = `+placeholders(1, failed)+`, reason = `+placeholders(1, failed+1)+`
			WHERE account_id = $1 AND endpoint_id IN `+anyEndpoint+` AND state = 0 AND message_id`+these,
			append(args, int(aftercall.Failed), string(aftercall.FailedErased))...)
		return err
	})
}
