// Package demo has a whole small world to show what Aftercall does: a sample CRM
// whose records change because people were called.
package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/signature"
)

const schema = `
CREATE TABLE IF NOT EXISTS record (
	external_id      TEXT PRIMARY KEY,
	phone            TEXT NOT NULL,
	name             TEXT NOT NULL,
	status           TEXT NOT NULL,
	status_at        INTEGER NOT NULL, -- unix seconds: when the status was so at the sender's
	last_call_status TEXT NOT NULL,
	last_call_at     INTEGER NOT NULL, -- unix milliseconds: when that call ended
	summary          TEXT NOT NULL,
	lost_reason      TEXT NOT NULL,
	appointment      TEXT NOT NULL,
	updated_at       INTEGER NOT NULL  -- unix microseconds
) STRICT;
CREATE INDEX IF NOT EXISTS record_phone ON record (phone);
CREATE TABLE IF NOT EXISTS webhook (
	id          TEXT PRIMARY KEY,
	received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;`

// Record is what the CRM knows of a person.
type Record struct {
	ExternalID     string // the CRM's own id; the phone number of who came without one
	Phone          string
	Name           string
	Status         string // of the contact: new, pending, reached, closed
	LastCallStatus string
	Summary        string
	LostReason     string
	Appointment    string // a time as the call's analysis gave it
	UpdatedAt      time.Time

	statusAt   int64
	lastCallAt int64
}

// CRM keeps records in a database file of its own and changes them by the
// webhooks it gets, as a receiver should: it verifies, does the work once per id
// and answers 2xx when the work is on disk.
type CRM struct {
	db       *sql.DB
	verifier *signature.Verifier

	mu         sync.Mutex
	failures   int
	failStatus int
	changed    chan struct{}
}

// OpenCRM opens or creates the CRM's file. The secret is that of the endpoint
// whose webhooks it receives.
func OpenCRM(ctx context.Context, path, secret string) (*CRM, error) {
	verifier, err := signature.NewVerifier(secret)
	if err != nil {
		return nil, err
	}
	options := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open CRM: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("open CRM %s: %w", path, err)
	}
	return &CRM{db: db, verifier: verifier, changed: make(chan struct{})}, nil
}

// Close closes the file.
func (c *CRM) Close() error { return c.db.Close() }

// AddRecord adds a person who is to be called.
func (c *CRM) AddRecord(ctx context.Context, r Record) error {
	if r.ExternalID == "" {
		return aftercall.InvalidField("external_id", "must not be empty")
	}
	r.UpdatedAt = time.Now()
	return c.update(ctx, func(tx *sql.Tx) error {
		_, found, err := load(ctx, tx, r.ExternalID)
		if err == nil && found {
			return aftercall.Errorf(aftercall.Conflict, "the CRM has a record %s already", r.ExternalID)
		}
		if err != nil {
			return err
		}
		return save(ctx, tx, r)
	})
}

// Record returns the record of a person.
func (c *CRM) Record(ctx context.Context, externalID string) (Record, error) {
	tx, err := c.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Record{}, err
	}
	defer tx.Rollback()
	r, found, err := load(ctx, tx, externalID)
	if err == nil && !found {
		err = aftercall.Errorf(aftercall.NotFound, "the CRM has no record %s", externalID)
	}
	return r, err
}

// FailNext makes the next n webhooks fail with a status, as if the CRM were down.
// Those with a bad signature do not count.
func (c *CRM) FailNext(n, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures, c.failStatus = n, status
}

// failing returns the status to fail with, or 0.
func (c *CRM) failing() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures == 0 {
		return 0
	}
	c.failures--
	return c.failStatus
}

// Changed returns a channel that closes at the next change of any record. Take
// it before reading a record, so that no change falls between.
func (c *CRM) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Wait returns a record as soon as it is as wanted.
func (c *CRM) Wait(ctx context.Context, externalID string, wanted func(Record) bool) (Record, error) {
	for {
		changed := c.Changed()
		r, err := c.Record(ctx, externalID)
		if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
			return r, err
		}
		if err == nil && wanted(r) {
			return r, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r, fmt.Errorf("wait for record %s: %w", externalID, context.Cause(ctx))
		}
	}
}

// errUnchanged ends an update that has nothing to do.
var errUnchanged = errors.New("nothing to change")

// update runs a function in a transaction and tells those who wait.
func (c *CRM) update(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); errors.Is(err, errUnchanged) {
		return nil
	} else if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

func load(ctx context.Context, tx *sql.Tx, externalID string) (r Record, found bool, err error) {
	var updatedAt int64
	err = tx.QueryRowContext(ctx, `
		SELECT external_id, phone, name, status, status_at, last_call_status, last_call_at,
			summary, lost_reason, appointment, updated_at
		FROM record WHERE external_id = $1`, externalID).
		Scan(&r.ExternalID, &r.Phone, &r.Name, &r.Status, &r.statusAt, &r.LastCallStatus, &r.lastCallAt,
			&r.Summary, &r.LostReason, &r.Appointment, &updatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, false, nil
	}
	r.UpdatedAt = time.UnixMicro(updatedAt).UTC()
	return r, err == nil, err
}

func save(ctx context.Context, tx *sql.Tx, r Record) error {
	_, err := tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO record (external_id, phone, name, status, status_at, last_call_status, last_call_at,
			summary, lost_reason, appointment, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.ExternalID, r.Phone, r.Name, r.Status, r.statusAt, r.LastCallStatus, r.lastCallAt,
		r.Summary, r.LostReason, r.Appointment, r.UpdatedAt.UnixMicro())
	return err
}

// firstTime notes the id of a webhook and reports whether it is new. Since the
// note is part of the transaction that does the work, each is done exactly once.
func firstTime(ctx context.Context, tx *sql.Tx, id string, now time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, "INSERT INTO webhook (id, received_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, now.UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// externalIDByPhone files a person that came without the CRM's id under the
// record with that number or, if there is none, under the number itself.
func externalIDByPhone(ctx context.Context, tx *sql.Tx, phone string) (string, error) {
	var id string
	err := tx.QueryRowContext(ctx, "SELECT external_id FROM record WHERE phone = $1 ORDER BY external_id LIMIT 1", phone).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return phone, nil
	}
	return id, err
}
