package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/aftercall/aftercall"
)

// Occupied is a database that no other server may serve.
type Occupied struct {
	db   *sql.DB
	lock *sql.Conn // in the middle of an exclusive transaction
}

// Occupy keeps other servers from an SQLite file until Release, or the process,
// ends: each would take what the other has leased for abandoned, and not hear of the
// endpoints that the other changes. Commands may go on using the file. On PostgreSQL
// any number of servers work together. The error is a Conflict when the file is
// served already.
//
// It is a lock on a file beside the database, held by SQLite itself: that works on
// every system, and a process that is killed leaves nothing behind.
func Occupy(ctx context.Context, database string) (*Occupied, error) {
	if IsPostgres(database) {
		return &Occupied{}, nil
	}
	db, err := sql.Open("sqlite", fileURL(database+".lock", url.Values{"_pragma": {"busy_timeout(0)"}}))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err == nil {
		return &Occupied{db, conn}, nil
	}
	db.Close()
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlitelib.SQLITE_BUSY {
		return nil, &aftercall.Error{Kind: aftercall.Conflict, Message: "another process is using " + database, Err: err}
	}
	return nil, fmt.Errorf("open database %s: %w", database, err)
}

// Release lets other servers have the database.
func (o *Occupied) Release() error {
	if o == nil || o.lock == nil {
		return nil
	}
	return errors.Join(o.lock.Close(), o.db.Close())
}
