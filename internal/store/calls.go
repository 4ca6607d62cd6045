package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

const callColumns = `account_id, id, external_id, contact_id, agent_id, run_id, attempt, direction, from_number, to_number,
	triggered_at, started_at, ended_at, status, end_reason, transcript, turns, recording_url, booked_slot_for, follow_up_at,
	analysis, outcome, do_not_call, created_at`

func readCall(s scan) (c aftercall.Call, err error) {
	var analysis, outcome string
	err = s(&c.AccountID, &c.ID, textAt(&c.ExternalID), &c.ContactID, &c.AgentID, textAt(&c.RunID), &c.Attempt, &c.Direction,
		&c.FromNumber, &c.ToNumber, timeAt(&c.TriggeredAt), timeAt(&c.StartedAt), timeAt(&c.EndedAt), &c.Status, &c.EndReason,
		&c.Transcript, jsonAt(&c.Turns), &c.RecordingURL, timeAt(&c.BookedSlotFor), timeAt(&c.FollowUpAt),
		&analysis, &outcome, &c.DoNotCall, timeAt(&c.CreatedAt))
	c.Analysis, c.Outcome = rawAt(analysis), rawAt(outcome)
	return c, err
}

// Call finds a call by its id.
func (tx *Tx) Call(accountID, id string) (aftercall.Call, error) {
	c, err := one(tx, readCall, `SELECT `+callColumns+` FROM call WHERE account_id = $1 AND id = $2`, accountID, id)
	return c, notFound(err, "call")
}

// CallByExternalID finds a call by the id of whoever made it.
func (tx *Tx) CallByExternalID(accountID, externalID string) (aftercall.Call, error) {
	c, err := one(tx, readCall, `SELECT `+callColumns+` FROM call WHERE account_id = $1 AND external_id = $2`, accountID, externalID)
	return c, notFound(err, "call")
}

// InsertCall stores a call. An external id that is taken is a Conflict.
func (tx *Tx) InsertCall(c aftercall.Call) error { return tx.InsertCalls([]aftercall.Call{c}) }

// InsertCalls is InsertCall for many.
func (tx *Tx) InsertCalls(list []aftercall.Call) error {
	return inChunks(list, func(rows []aftercall.Call) error {
		args := make([]any, 0, 24*len(rows))
		for _, c := range rows {
			args = append(args, c.AccountID, c.ID, text(c.ExternalID), c.ContactID, c.AgentID, text(c.RunID), c.Attempt, string(c.Direction),
				c.FromNumber, c.ToNumber, micros(c.TriggeredAt), maybe(c.StartedAt), maybe(c.EndedAt), string(c.Status), string(c.EndReason),
				c.Transcript, jsonOf(c.Turns), c.RecordingURL, maybe(c.BookedSlotFor), maybe(c.FollowUpAt),
				string(c.Analysis), string(c.Outcome), c.DoNotCall, micros(c.CreatedAt))
		}
		_, err := tx.exec(`INSERT INTO call (`+callColumns+`) VALUES `+tuples(len(rows), 1, bare(24)...), args...)
		return err
	})
}

// EnrichCall stores what came of a call after its end was taken: its transcript and
// its recording.
func (tx *Tx) EnrichCall(c aftercall.Call) error {
	_, err := tx.exec(`UPDATE call SET transcript = $3, turns = $4, recording_url = $5 WHERE account_id = $1 AND id = $2`,
		c.AccountID, c.ID, c.Transcript, jsonOf(c.Turns), c.RecordingURL)
	return err
}

// CallPage asks for calls from newest to oldest, after the one that was triggered
// at TriggeredAt and has this ID; without one, from the newest.
type CallPage struct {
	Limit       int
	Filter      CallFilter
	TriggeredAt time.Time
	ID          string
}

// CallFilter narrows a list of calls. Zero values keep all.
type CallFilter struct {
	ContactID    string
	Status       aftercall.CallStatus
	Direction    aftercall.Direction
	AgentID      string
	Since, Until time.Time
	Text         string // in the transcript, whatever its case
	Outcome      string // the name of an outcome field, or of one of the analysis
	Value        string // in that field; the store looks for it anywhere in them
}

// Calls lists calls from newest to oldest.
func (tx *Tx) Calls(accountID string, p CallPage) ([]aftercall.Call, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	f := p.Filter
	for _, column := range []struct{ name, value string }{
		{"contact_id", f.ContactID}, {"status", string(f.Status)}, {"direction", string(f.Direction)}, {"agent_id", f.AgentID},
	} {
		if column.value != "" {
			where.eq(column.name, column.value)
		}
	}
	if !f.Since.IsZero() {
		where.raw("triggered_at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		where.raw("triggered_at < ?", micros(f.Until))
	}
	where.contains(f.Text, "transcript")
	if f.Outcome != "" {
		where.contains(jsonOf(f.Outcome), "outcome", "analysis")
	}
	where.contains(f.Value, "outcome", "analysis")
	if p.ID != "" {
		where.conditions = append(where.conditions, "(triggered_at, id) < ("+where.arg(micros(p.TriggeredAt))+", "+where.arg(p.ID)+")")
	}
	where.tail = " ORDER BY triggered_at DESC, id DESC LIMIT " + where.arg(p.Limit)
	return all(tx, readCall, `SELECT `+callColumns+` FROM call`+where.sql(), where.args...)
}
