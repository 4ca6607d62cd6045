package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

// Audit is something that a person did.
type Audit struct {
	AccountID string // empty for the installation
	ID        string
	Actor     string // "operator", or the id of a session, or what else it came by
	Action    string
	Target    string // the id of what it was done to; may be empty
	At        time.Time
}

const auditColumns = `account_id, id, actor, action, target, created_at`

// auditKept is how long it is remembered what people did.
const auditKept = 365 * 24 * time.Hour

// InsertAudit remembers what was done now; the ID and time are set.
func (tx *Tx) InsertAudit(a Audit) error {
	a.ID = aftercall.NewID(aftercall.AuditPrefix, tx.now)
	_, err := tx.exec(`INSERT INTO audit (`+auditColumns+`) VALUES `+tuples(1, 1, bare(6)...), a.AccountID, a.ID, a.Actor, a.Action, a.Target, micros(tx.now))
	return err
}

// Audits lists what was done, in all accounts, by id, which is by time.
func (tx *Tx) Audits(p Page) ([]Audit, error) {
	where := newFilter()
	where.page("id", p)
	return all(tx, func(s scan) (a Audit, err error) {
		err = s(&a.AccountID, &a.ID, &a.Actor, &a.Action, &a.Target, timeAt(&a.At))
		return a, err
	}, `SELECT `+auditColumns+` FROM audit`+where.sql(), where.args...)
}

// DeleteOldAudits removes up to limit entries that are too old, and reports how many
// it found.
func (tx *Tx) DeleteOldAudits(limit int) (int, error) {
	return tx.exec(`DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 LIMIT $2)`,
		aftercall.FirstID(aftercall.AuditPrefix, tx.now.Add(-auditKept)), limit)
}
