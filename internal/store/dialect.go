package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/aftercall/aftercall"
)

// dialect is all that differs between the two databases once they are open.
type dialect struct {
	name string
	// skipLocked ends the inner SELECT of a claim. Without it PostgreSQL hands the
	// same rows to several nodes; SQLite has one writer and no such clause.
	skipLocked string
	// conflict and retry read the driver's errors: a unique value is taken; the
	// transaction lost a race and may run again.
	conflict func(error) bool
	retry    func(error) bool
	// outage reports errors that pass by themselves: the database is stopped, its
	// disk is full, its file locked.
	outage func(error) bool
}

func sqliteDialect() dialect {
	code := func(err error) int {
		if e, ok := errors.AsType[*sqlite.Error](err); ok {
			return e.Code()
		}
		return 0
	}
	return dialect{
		name: "sqlite3",
		conflict: func(err error) bool {
			c := code(err)
			return c == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || c == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY
		},
		retry: func(error) bool { return false },
		outage: func(err error) bool {
			switch code(err) & 0xff {
			case sqlitelib.SQLITE_FULL, sqlitelib.SQLITE_IOERR, sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED,
				sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_NOMEM, sqlitelib.SQLITE_PERM:
				return true
			}
			return false
		},
	}
}

func postgresDialect() dialect {
	code := func(err error) string {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok {
			return e.Code
		}
		return ""
	}
	return dialect{
		name:       "postgres",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		conflict:   func(err error) bool { return code(err) == "23505" },
		retry:      func(err error) bool { c := code(err); return c == "40001" || c == "40P01" },
		outage: func(err error) bool {
			c := code(err)
			if c == "" { // no answer from the server: the connection failed
				return !errors.Is(err, sql.ErrNoRows)
			}
			// Connection, resources (disk full), operator intervention (shutting
			// down), system error, and a standby that does not take writes.
			for _, class := range []string{"08", "53", "57", "58", "25006"} {
				if strings.HasPrefix(c, class) {
					return true
				}
			}
			return false
		},
	}
}

// wrap gives an error of the driver its kind. Errors that have one, and those of
// the caller's own code, pass unchanged.
func (d dialect) wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*aftercall.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &aftercall.Error{Kind: aftercall.Unavailable, Message: "the request was cancelled", Err: err}
	case errors.Is(err, sql.ErrNoRows):
		return &aftercall.Error{Kind: aftercall.NotFound, Message: "not found", Err: err}
	case d.conflict(err):
		return &aftercall.Error{Kind: aftercall.Conflict, Message: "this id is taken", Err: err}
	case d.outage(err):
		return &aftercall.Error{Kind: aftercall.Unavailable, Message: "the database is not available, try again later", Err: err}
	}
	return &aftercall.Error{Kind: aftercall.Internal, Message: "internal error", Err: err}
}
