package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

const deliveryColumns = `account_id, endpoint_id, message_id, state, reason, attempts, step, manual, due_at,
	detour_state, detour_reason, detour_due_at`

func readDelivery(s scan) (d aftercall.Delivery, err error) {
	var detour aftercall.Detour
	var state *int
	err = s(&d.AccountID, &d.EndpointID, &d.MessageID, &d.State, textAt(&d.Reason), &d.Attempts, &d.Step, &d.Trigger, timeAt(&d.DueAt),
		&state, textAt(&detour.Reason), timeAt(&detour.DueAt))
	if state != nil {
		detour.State = aftercall.DeliveryState(*state)
		d.Detour = &detour
	}
	return d, err
}

// Delivery finds the delivery of a message to an endpoint.
func (tx *Tx) Delivery(ref EndpointRef, messageID string) (aftercall.Delivery, error) {
	d, err := one(tx, readDelivery, `SELECT `+deliveryColumns+` FROM delivery
		WHERE account_id = $1 AND endpoint_id = $2 AND message_id = $3`, ref.AccountID, ref.EndpointID, messageID)
	return d, notFound(err, "delivery")
}

// anyEndpoint makes a message's deliveries a few ranges of the key, one an endpoint
// that the account $1 has or had.
const anyEndpoint = `(SELECT id FROM endpoint WHERE account_id = $1)`

// Deliveries returns where a message went, or will go.
func (tx *Tx) Deliveries(accountID, messageID string) ([]aftercall.Delivery, error) {
	return all(tx, readDelivery, `SELECT `+deliveryColumns+` FROM delivery
		WHERE account_id = $1 AND endpoint_id IN `+anyEndpoint+` AND message_id = $2 ORDER BY endpoint_id`, accountID, messageID)
}

// DeliveriesTo returns the deliveries of messages to an endpoint, by message.
func (tx *Tx) DeliveriesTo(ref EndpointRef, messageIDs []string) (map[string]*aftercall.Delivery, error) {
	found := make(map[string]*aftercall.Delivery, len(messageIDs))
	err := inChunks(messageIDs, func(ids []string) error {
		list, err := all(tx, readDelivery, `SELECT `+deliveryColumns+` FROM delivery
			WHERE account_id = $1 AND endpoint_id = $2 AND message_id IN (`+placeholders(len(ids), 3)+`)`,
			append([]any{ref.AccountID, ref.EndpointID}, anys(ids)...)...)
		for i := range list {
			found[list[i].MessageID] = &list[i]
		}
		return err
	})
	return found, err
}

// DeliveryFilter narrows lists of deliveries. Zero values keep all.
type DeliveryFilter struct {
	State     *aftercall.DeliveryState
	Attempted *bool // at least once
	Message   MessageFilter
}

// MessageDelivery is a message and how far it has come at an endpoint.
type MessageDelivery struct {
	Message  aftercall.Message
	Delivery aftercall.Delivery
}

// EndpointMessages lists the messages that went to an endpoint, or will, by id.
func (tx *Tx) EndpointMessages(ref EndpointRef, f DeliveryFilter, p Page) ([]MessageDelivery, error) {
	where := newFilter()
	where.eq("d.account_id", ref.AccountID)
	where.eq("d.endpoint_id", ref.EndpointID)
	if f.State != nil {
		where.eq("d.state", int(*f.State))
	}
	if f.State != nil && *f.State == aftercall.Pending { // few as a rule: found by what is due, not among all that arrived
		where.conditions = append(where.conditions, "d.message_id IN (SELECT p.message_id FROM delivery p WHERE p.account_id = "+
			where.arg(ref.AccountID)+" AND p.endpoint_id = "+where.arg(ref.EndpointID)+" AND p.state = 0)")
	}
	if f.Attempted != nil {
		where.raw("(d.attempts > 0) = ?", *f.Attempted)
	}
	where.window("d.message_id", aftercall.MessagePrefix, f.Message.Since, f.Message.Before)
	where.messages("m.", f.Message)
	where.page("d.message_id", p)
	return all(tx, func(s scan) (row MessageDelivery, err error) {
		if row.Message, err = readMessage(part(s, "", deliveryColumns)); err == nil {
			row.Delivery, err = readDelivery(part(s, messageColumns, ""))
		}
		return row, err
	}, `SELECT `+of("m", messageColumns)+`, `+of("d", deliveryColumns)+`
		FROM delivery d JOIN message m ON m.account_id = d.account_id AND m.id = d.message_id`+where.sql(), where.args...)
}

// EndpointDelivery is an endpoint, which may be removed, and how far a message has
// come there.
type EndpointDelivery struct {
	Endpoint aftercall.Endpoint
	Delivery aftercall.Delivery
}

// MessageEndpoints lists where a message went, or will go, by the endpoint's id.
func (tx *Tx) MessageEndpoints(accountID, messageID string, p Page) ([]EndpointDelivery, error) {
	where := newFilter()
	where.eq("e.account_id", accountID)
	where.eq("d.message_id", messageID)
	where.page("e.id", p)
	return all(tx, func(s scan) (row EndpointDelivery, err error) {
		if row.Endpoint, err = readEndpoint(part(s, "", deliveryColumns)); err == nil {
			row.Delivery, err = readDelivery(part(s, endpointColumns, ""))
		}
		return row, err
	}, `SELECT `+of("e", endpointColumns)+`, `+of("d", deliveryColumns)+`
		FROM endpoint e JOIN delivery d ON d.account_id = e.account_id AND d.endpoint_id = e.id`+where.sql(), where.args...)
}

// PutDeliveries stores deliveries, new or not, and has the engine look at those
// that are due.
func (tx *Tx) PutDeliveries(list []aftercall.Delivery) error {
	return inChunks(list, func(rows []aftercall.Delivery) error {
		args := make([]any, 0, 12*len(rows))
		for _, d := range rows {
			var state, reason, due any
			if d.Detour != nil {
				state, reason, due = int(d.Detour.State), text(string(d.Detour.Reason)), micros(d.Detour.DueAt)
			}
			args = append(args, d.AccountID, d.EndpointID, d.MessageID, int(d.State), text(string(d.Reason)), d.Attempts, d.Step,
				int(d.Trigger), micros(d.DueAt), state, reason, due)
			if d.State == aftercall.Pending {
				tx.fellDue(EndpointRef{d.AccountID, d.EndpointID})
			}
		}
		_, err := tx.exec(`INSERT INTO delivery (`+deliveryColumns+`) VALUES `+tuples(len(rows), 1, bare(12)...)+`
			ON CONFLICT (account_id, message_id, endpoint_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
			attempts = excluded.attempts, step = excluded.step, manual = excluded.manual, due_at = excluded.due_at,
			detour_state = excluded.detour_state, detour_reason = excluded.detour_reason, detour_due_at = excluded.detour_due_at`, args...)
		return err
	})
}

// Claimed is a delivery leased to this process, with what it sends.
type Claimed struct {
	Delivery aftercall.Delivery
	Message  *aftercall.Message
}

// Claim leases up to limit due deliveries of an endpoint to the caller. The lease
// is the due time moved ahead: if the caller dies, they fall due again by
// themselves. The cost does not depend on how many more are due, here or elsewhere.
func (tx *Tx) Claim(ref EndpointRef, limit int, until time.Time) ([]Claimed, error) {
	// Materialized, since PostgreSQL may run a subquery more than once, and with SKIP
	// LOCKED each time finds others. The whole key comes from there, since PostgreSQL
	// may take an endpoint to have one delivery, and then begins with all of them.
	list, err := all(tx, readDelivery, `WITH due AS MATERIALIZED (
			SELECT account_id, endpoint_id, message_id FROM delivery
			WHERE account_id = $1 AND endpoint_id = $2 AND state = 0 AND due_at <= $3
			ORDER BY due_at LIMIT $5`+tx.store.dialect.skipLocked+`)
		UPDATE delivery SET due_at = $4
		WHERE (account_id, endpoint_id, message_id) IN (SELECT account_id, endpoint_id, message_id FROM due)
		RETURNING `+deliveryColumns, ref.AccountID, ref.EndpointID, micros(tx.now), micros(until), limit)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.MessageID
	}
	messages, err := tx.MessagesByID(ref.AccountID, ids)
	if err != nil {
		return nil, err
	}
	claimed := make([]Claimed, len(list))
	for i, d := range list {
		claimed[i] = Claimed{d, messages[d.MessageID]}
	}
	return claimed, nil
}

// Release gives leased deliveries back: they are due now, for whoever claims them.
func (tx *Tx) Release(ref EndpointRef, messageIDs []string) error {
	return inChunks(messageIDs, func(ids []string) error {
		_, err := tx.exec(`UPDATE delivery SET due_at = $3 WHERE account_id = $1 AND endpoint_id = $2 AND state = 0
			AND message_id IN (`+placeholders(len(ids), 4)+`)`,
			append([]any{ref.AccountID, ref.EndpointID, micros(tx.now)}, anys(ids)...)...)
		return err
	})
}

// ReleaseFresh makes first attempts due that a process of before had leased. It is
// for the start of the only process of a database, when no lease can be alive. What
// is due later because its message asked for it stays so.
func (tx *Tx) ReleaseFresh(ref EndpointRef) error {
	_, err := tx.exec(`UPDATE delivery SET due_at = $3
		WHERE account_id = $1 AND endpoint_id = $2 AND state = 0 AND due_at > $3 AND attempts = 0
			AND NOT EXISTS (SELECT 1 FROM message m WHERE m.account_id = delivery.account_id AND m.id = delivery.message_id
				AND m.deliver_at > $3)`,
		ref.AccountID, ref.EndpointID, micros(tx.now))
	return err
}

// Due is when an endpoint next has a delivery due.
type Due struct {
	Endpoint EndpointRef
	At       time.Time
}

// DueEndpoints returns every enabled endpoint that has pending deliveries.
func (tx *Tx) DueEndpoints() ([]Due, error) {
	return all(tx, func(s scan) (d Due, err error) {
		err = s(&d.Endpoint.AccountID, &d.Endpoint.EndpointID, timeAt(&d.At))
		return d, err
	}, `SELECT account_id, id, due FROM (
			SELECT account_id, id, (SELECT MIN(due_at) FROM delivery d
				WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND d.state = 0) AS due
			FROM endpoint e WHERE NOT disabled AND deleted_at IS NULL) AS pending
		WHERE due IS NOT NULL`)
}

// NextDue is when an endpoint next has a delivery due, leases included; zero when
// none is pending.
func (tx *Tx) NextDue(ref EndpointRef) (time.Time, error) {
	return one(tx, func(s scan) (t time.Time, err error) { err = s(timeAt(&t)); return t, err },
		`SELECT MIN(due_at) FROM delivery WHERE account_id = $1 AND endpoint_id = $2 AND state = 0`, ref.AccountID, ref.EndpointID)
}

// Outcome is what an attempt led to.
type Outcome struct {
	Attempt aftercall.Attempt
	Claimed aftercall.Delivery // as it was when the attempt began
	Next    aftercall.Delivery // as it is now
}

// Record stores attempts and what became of their deliveries. A delivery that has
// changed since it was claimed, because its endpoint was disabled or a person asked
// for a resend, stays as it is; the attempt is kept all the same.
func (tx *Tx) Record(outcomes []Outcome) error {
	if err := inChunks(outcomes, tx.insertAttempts); err != nil {
		return err
	}
	return inChunks(outcomes, func(rows []Outcome) error {
		args := make([]any, 0, 9*len(rows))
		for _, o := range rows {
			args = append(args, o.Next.AccountID, o.Next.MessageID, o.Next.EndpointID, o.Claimed.Attempts,
				int(o.Next.State), text(string(o.Next.Reason)), o.Next.Step, int(o.Next.Trigger), micros(o.Next.DueAt))
		}
		_, err := tx.exec(`WITH next (account_id, message_id, endpoint_id, claimed, state, reason, step, manual, due_at) AS (VALUES `+
			tuples(len(rows), 1, "TEXT", "TEXT", "TEXT", "BIGINT", "SMALLINT", "TEXT", "BIGINT", "SMALLINT", "BIGINT")+`)
			UPDATE delivery SET state = next.state, reason = next.reason, attempts = delivery.attempts + 1, step = next.step,
				manual = next.manual, due_at = next.due_at, detour_state = NULL, detour_reason = NULL, detour_due_at = NULL
			FROM next
			WHERE delivery.account_id = next.account_id AND delivery.message_id = next.message_id
				AND delivery.endpoint_id = next.endpoint_id AND delivery.attempts = next.claimed
				AND (delivery.state = 0 OR next.state = 1)`, args...)
		return err
	})
}

// StopDeliveries fails up to limit pending deliveries of an endpoint that no longer
// gets any, and reports how many it found. A resend of what had arrived goes back
// to having arrived.
func (tx *Tx) StopDeliveries(ref EndpointRef, reason aftercall.FailReason, limit int) (int, error) {
	return tx.exec(`WITH pending AS MATERIALIZED (
			SELECT account_id, endpoint_id, message_id FROM delivery
			WHERE account_id = $1 AND endpoint_id = $2 AND state = 0 LIMIT $4)
		UPDATE delivery SET state = CASE WHEN detour_state = 1 THEN 1 ELSE 2 END,
			reason = CASE WHEN detour_state = 1 THEN NULL ELSE $3 END,
			detour_state = NULL, detour_reason = NULL, detour_due_at = NULL
		WHERE (account_id, endpoint_id, message_id) IN (SELECT account_id, endpoint_id, message_id FROM pending)`,
		ref.AccountID, ref.EndpointID, string(reason), limit)
}

// StoppedEndpoints returns the disabled and removed endpoints with pending deliveries.
func (tx *Tx) StoppedEndpoints() ([]EndpointRef, error) {
	return all(tx, func(s scan) (ref EndpointRef, err error) {
		err = s(&ref.AccountID, &ref.EndpointID)
		return ref, err
	}, `SELECT account_id, id FROM endpoint e WHERE disabled AND EXISTS (
			SELECT 1 FROM delivery d WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND d.state = 0)`)
}

// FailedDeliveries returns failed deliveries of an endpoint whose messages have
// ids after one and before another, oldest first. Those of erased messages are left
// out: nothing can be sent of them.
func (tx *Tx) FailedDeliveries(ref EndpointRef, after, before string, limit int) ([]aftercall.Delivery, error) {
	return all(tx, readDelivery, `SELECT `+deliveryColumns+` FROM delivery
		WHERE account_id = $1 AND endpoint_id = $2 AND state = 2 AND message_id > $3 AND message_id < $4 AND reason <> $6
		ORDER BY message_id LIMIT $5`, ref.AccountID, ref.EndpointID, after, before, limit, string(aftercall.FailedErased))
}

// CountFailed counts what FailedDeliveries would return without a limit.
func (tx *Tx) CountFailed(ref EndpointRef, after, before string) (int, error) {
	return one(tx, value[int], `SELECT COUNT(*) FROM delivery
		WHERE account_id = $1 AND endpoint_id = $2 AND state = 2 AND message_id > $3 AND message_id < $4 AND reason <> $5`,
		ref.AccountID, ref.EndpointID, after, before, string(aftercall.FailedErased))
}

// Stats counts the deliveries of an endpoint.
type Stats struct {
	Succeeded int
	Waiting   int // not attempted yet
	Retrying  int // attempted, and will be again
	Failed    int
}

// EndpointStats counts the deliveries of an endpoint for messages of a time window.
func (tx *Tx) EndpointStats(ref EndpointRef, since, until time.Time) (Stats, error) {
	list, err := tx.Tally([]EndpointRef{ref}, since, until.Sub(since), 1)
	if err != nil {
		return Stats{}, err
	}
	return list[0][0], nil
}

// Tally counts the deliveries of each of some endpoints for messages of n parts of
// time, the first of which begins at since.
func (tx *Tx) Tally(refs []EndpointRef, since time.Time, part time.Duration, n int) ([][]Stats, error) {
	counted := make([][]Stats, len(refs))
	args := make([]any, 0, 2+3*n)
	args = append(args, "", "")
	for i := range n {
		args = append(args, i, aftercall.FirstID(aftercall.MessagePrefix, since.Add(time.Duration(i)*part)),
			aftercall.FirstID(aftercall.MessagePrefix, since.Add(time.Duration(i+1)*part)))
	}
	for i, ref := range refs {
		args[0], args[1] = ref.AccountID, ref.EndpointID
		counted[i] = make([]Stats, n)
		// A range of the key for each part: a time cannot be had of an id in SQL.
		_, err := all(tx, func(s scan) (struct{}, error) {
			var at int
			var st Stats
			err := s(&at, &st.Succeeded, &st.Waiting, &st.Retrying, &st.Failed)
			if err == nil {
				counted[i][at] = st
			}
			return struct{}{}, err
		}, `WITH part (number, first, next) AS (VALUES `+tuples(n, 3, "BIGINT", "TEXT", "TEXT")+`)
			SELECT number, COUNT(CASE WHEN state = 1 THEN 1 END), COUNT(CASE WHEN state = 0 AND attempts = 0 THEN 1 END),
				COUNT(CASE WHEN state = 0 AND attempts > 0 THEN 1 END), COUNT(CASE WHEN state = 2 THEN 1 END)
			FROM part JOIN delivery ON account_id = $1 AND endpoint_id = $2 AND message_id >= first AND message_id < next
			GROUP BY number`, args...)
		if err != nil {
			return nil, err
		}
	}
	return counted, nil
}

// Backlog is the oldest due time of any enabled endpoint's deliveries, zero when
// nothing is due, and how many deliveries are pending in all, counted up to limit.
func (tx *Tx) Backlog(limit int) (oldest time.Time, pending int, err error) {
	due, err := tx.DueEndpoints()
	if err != nil {
		return oldest, 0, err
	}
	for _, d := range due {
		if d.At.Before(tx.now) && (oldest.IsZero() || d.At.Before(oldest)) {
			oldest = d.At
		}
	}
	pending, err = one(tx, value[int], `SELECT COUNT(*) FROM (SELECT 1 FROM delivery WHERE state = 0 LIMIT $1) AS counted`, limit)
	return oldest, pending, err
}
