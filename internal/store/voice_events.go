package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

// VoiceEvent is what a voice engine told of a call.
type VoiceEvent struct {
	Agent      AgentRef
	ID         string // the engine's own; the same again is the same event
	CallID     string
	ReceivedAt time.Time
	Progress   aftercall.Progress
}

// InsertVoiceEvents stores what was heard, before it is answered. What was heard
// before is left out.
func (tx *Tx) InsertVoiceEvents(events []VoiceEvent) error {
	tx.changes.Heard = tx.changes.Heard || len(events) > 0
	return inChunks(events, func(rows []VoiceEvent) error {
		args := make([]any, 0, 6*len(rows))
		for _, e := range rows {
			args = append(args, e.Agent.AccountID, e.Agent.AgentID, e.ID, e.CallID, micros(tx.now), jsonOf(e.Progress))
		}
		_, err := tx.exec(`INSERT INTO voice_event (account_id, agent_id, id, call_id, received_at, progress)
			VALUES `+tuples(len(rows), 1, bare(6)...)+` ON CONFLICT (account_id, agent_id, id) DO NOTHING`, args...)
		return err
	})
}

// TakeVoiceEvents returns up to limit events that were not taken yet, of whichever
// account, in the order in which they were received; from now on they are.
func (tx *Tx) TakeVoiceEvents(limit int) ([]VoiceEvent, error) {
	events, err := all(tx, func(s scan) (e VoiceEvent, err error) {
		err = s(&e.Agent.AccountID, &e.Agent.AgentID, &e.ID, &e.CallID, timeAt(&e.ReceivedAt), jsonAt(&e.Progress))
		return e, err
	}, `SELECT account_id, agent_id, id, call_id, received_at, progress FROM voice_event WHERE progress IS NOT NULL
		ORDER BY received_at LIMIT $1`+tx.store.dialect.skipLocked, limit)
	if err != nil {
		return nil, err
	}
	return events, inChunks(events, func(rows []VoiceEvent) error {
		args := make([]any, 0, 3*len(rows))
		for _, e := range rows {
			args = append(args, e.Agent.AccountID, e.Agent.AgentID, e.ID)
		}
		_, err := tx.exec(`UPDATE voice_event SET progress = NULL WHERE (account_id, agent_id, id) IN (VALUES `+
			tuples(len(rows), 1, "TEXT", "TEXT", "TEXT")+`)`, args...)
		return err
	})
}

// eventMemory is how long the ids of events are remembered: longer than any engine
// sends the same again.
const eventMemory = 3 * 24 * time.Hour

// ForgetVoiceEvents removes up to limit events that were taken long ago, and reports
// how many it found.
func (tx *Tx) ForgetVoiceEvents(limit int) (int, error) {
	return tx.exec(`DELETE FROM voice_event WHERE (account_id, agent_id, id) IN (SELECT account_id, agent_id, id FROM voice_event
			WHERE progress IS NULL AND received_at < $1 ORDER BY received_at LIMIT $2)`, micros(tx.now.Add(-eventMemory)), limit)
}
