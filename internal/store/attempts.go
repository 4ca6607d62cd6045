package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

const attemptColumns = `account_id, message_id, id, endpoint_id, url, manual, succeeded, status_code, response, headers,
	started_at, duration`

func readAttempt(s scan) (a aftercall.Attempt, err error) {
	var succeeded bool
	var duration int64
	err = s(&a.AccountID, &a.MessageID, &a.ID, &a.EndpointID, &a.URL, &a.Trigger, &succeeded, &a.StatusCode, &a.Response, jsonAt(&a.Headers),
		timeAt(&a.StartedAt), &duration)
	a.Duration = time.Duration(duration) * time.Microsecond
	if !succeeded {
		a.Verdict = aftercall.Refused
	}
	return a, err
}

func (tx *Tx) insertAttempts(rows []Outcome) error {
	args := make([]any, 0, 12*len(rows))
	for _, o := range rows {
		a := &o.Attempt
		var headers any
		if len(a.Headers) > 0 {
			headers = jsonOf(a.Headers)
		}
		args = append(args, a.AccountID, a.MessageID, a.ID, a.EndpointID, a.URL, int(a.Trigger), a.Verdict == aftercall.Accepted,
			a.StatusCode, a.Response, headers, micros(a.StartedAt), a.Duration.Microseconds())
	}
	_, err := tx.exec(`INSERT INTO attempt (`+attemptColumns+`) VALUES `+tuples(len(rows), 1, bare(12)...)+` ON CONFLICT DO NOTHING`, args...)
	return err
}

// Attempt finds an attempt of a message.
func (tx *Tx) Attempt(accountID, messageID, id string) (aftercall.Attempt, error) {
	a, err := one(tx, readAttempt, `SELECT `+attemptColumns+` FROM attempt
		WHERE account_id = $1 AND message_id = $2 AND id = $3`, accountID, messageID, id)
	return a, notFound(err, "attempt")
}

// AttemptFilter narrows a list of attempts to those of a message or an endpoint,
// and further. Zero values keep all.
type AttemptFilter struct {
	MessageID   string
	EndpointID  string
	Succeeded   *bool
	StatusClass *int          // 100 to 500, 0 for those without an answer
	Message     MessageFilter // its window is the attempts'
}

// Attempts lists attempts by id, which is by time.
func (tx *Tx) Attempts(accountID string, f AttemptFilter, p Page) ([]aftercall.Attempt, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	if f.MessageID != "" {
		where.eq("message_id", f.MessageID)
	}
	if f.EndpointID != "" {
		where.eq("endpoint_id", f.EndpointID)
	}
	if f.Succeeded != nil {
		where.eq("succeeded", *f.Succeeded)
	}
	if class := f.StatusClass; class != nil {
		where.raw("status_code >= ?", *class)
		where.raw("status_code < ?", *class+100)
	}
	if m := f.Message; len(m.EventTypes) > 0 || m.Channel != "" || m.Tag != "" {
		of := newFilter()
		of.args = where.args
		of.conditions = append(of.conditions, "m.account_id = attempt.account_id", "m.id = attempt.message_id")
		of.messages("m.", m)
		where.args = of.args
		where.conditions = append(where.conditions, "EXISTS (SELECT 1 FROM message m"+of.sql()+")")
	}
	where.window("id", aftercall.AttemptPrefix, f.Message.Since, f.Message.Before)
	where.page("id", p)
	return all(tx, readAttempt, `SELECT `+attemptColumns+` FROM attempt`+where.sql(), where.args...)
}

// Answered returns which messages had an attempt at an endpoint that was answered with
// a status of a class, 100 to 500, or 0 for those without an answer.
func (tx *Tx) Answered(ref EndpointRef, class int, messageIDs []string) (map[string]bool, error) {
	found := map[string]bool{}
	err := inChunks(messageIDs, func(ids []string) error {
		list, err := all(tx, value[string], `SELECT DISTINCT message_id FROM attempt
			WHERE account_id = $1 AND endpoint_id = $2 AND status_code >= $3 AND status_code < $4
			AND message_id IN (`+placeholders(len(ids), 5)+`)`,
			append([]any{ref.AccountID, ref.EndpointID, class, class + 100}, anys(ids)...)...)
		for _, id := range list {
			found[id] = true
		}
		return err
	})
	return found, err
}

// EraseAttempt removes the answer to an attempt.
func (tx *Tx) EraseAttempt(accountID, messageID, id string) error {
	n, err := tx.exec(`UPDATE attempt SET response = '`+erased+`', headers = NULL WHERE account_id = $1 AND message_id = $2 AND id = $3`,
		accountID, messageID, id)
	if err == nil && n == 0 {
		return aftercall.Errorf(aftercall.NotFound, "attempt not found")
	}
	return err
}

// SucceededSince reports whether any attempt at an endpoint has been accepted since
// a time, by whichever node.
func (tx *Tx) SucceededSince(ref EndpointRef, since time.Time) (bool, error) {
	n, err := one(tx, value[int], `SELECT COUNT(*) FROM (SELECT 1 FROM attempt
		WHERE account_id = $1 AND endpoint_id = $2 AND id >= $3 AND succeeded LIMIT 1) AS found`,
		ref.AccountID, ref.EndpointID, aftercall.FirstID(aftercall.AttemptPrefix, since))
	return n > 0, err
}

// SaveHealth stores what an endpoint remembers of its failures.
func (tx *Tx) SaveHealth(ref EndpointRef, h aftercall.Health) error {
	_, err := tx.exec(`UPDATE endpoint SET first_failure_at = $3, failing_since = $4 WHERE account_id = $1 AND id = $2`,
		ref.AccountID, ref.EndpointID, maybe(h.FirstFailureAt), maybe(h.FailingSince))
	return err
}
