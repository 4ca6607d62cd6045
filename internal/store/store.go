// Package store keeps everything in one SQL database, SQLite or PostgreSQL, with
// the same SQL text for both.
//
// View reads and Update writes, each in one transaction; every query is a method
// of [Tx] that answers one question. The store asks and records: what follows
// from what is decided by the pure rules of package aftercall.
//
// When Update returns nil, what it wrote is committed and synced to disk. On
// SQLite concurrent Updates share one commit (see group); on PostgreSQL they run
// side by side.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/aftercall/aftercall"
)

// Store is an open database.
type Store struct {
	dialect dialect
	db      *sql.DB // PostgreSQL: the pool. SQLite: the readers.
	group   *group  // the single writer of SQLite; nil on PostgreSQL
	url     string
	keys    *masterKeys
	watch   watch
}

// Open opens a database file, or "postgres://…". It does not change the schema:
// see Migrate. Master keys seal secrets, the newest first; without any, those in the
// file beside an SQLite database do, and on PostgreSQL none.
func Open(ctx context.Context, url string, masterKeys ...string) (*Store, error) {
	keys, err := openMasterKeys(url, masterKeys)
	if err != nil {
		return nil, err
	}
	if IsPostgres(url) {
		return openPostgres(ctx, url, keys)
	}
	return openSQLite(ctx, url, keys)
}

// IsPostgres tells an address of a PostgreSQL server from a file path.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

func openPostgres(ctx context.Context, url string, keys *masterKeys) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(byIndex))
	db.SetMaxOpenConns(4 * max(4, runtime.NumCPU()))
	db.SetMaxIdleConns(4 * max(4, runtime.NumCPU()))
	db.SetConnMaxLifetime(time.Hour)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	return &Store{dialect: postgresDialect(), db: db, url: url, keys: keys}, nil
}

// byIndex has a connection's statements go by indexes, which there are for all. The
// statistics of a table that grew from nothing to a million rows in a minute have
// PostgreSQL read the whole of it. Where a small table is read as a whole all the same,
// the price put on that would have the plan compiled, for 200 ms of CPU: hence no JIT.
func byIndex(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET enable_seqscan = off; SET jit = off")
	return err
}

func openSQLite(ctx context.Context, path string, keys *masterKeys) (*Store, error) {
	writer, err := sql.Open("sqlite", sqliteURL(path, true))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{dialect: sqliteDialect(), url: path, keys: keys}
	// The writer comes first: it creates the file and turns on the log.
	if s.group, err = openGroup(ctx, s, writer); err != nil {
		writer.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if s.db, err = sql.Open("sqlite", sqliteURL(path, false)); err != nil {
		s.group.close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	s.db.SetMaxOpenConns(max(4, runtime.NumCPU()))
	s.db.SetMaxIdleConns(max(4, runtime.NumCPU()))
	return s, nil
}

// Close ends all work. Updates that have not begun fail.
func (s *Store) Close() error {
	if s.group != nil {
		s.group.close()
	}
	return s.db.Close()
}

// Dialect names the database: "sqlite3" or "postgres".
func (s *Store) Dialect() string { return s.dialect.name }

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	return s.View(ctx, func(tx *Tx) error {
		_, err := tx.exec("SELECT 1")
		return err
	})
}

// View runs a function that only reads, in one transaction.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	sqlTx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.dialect.wrap(err)
	}
	defer sqlTx.Rollback()
	return s.dialect.wrap(fn(&Tx{ctx: ctx, store: s, q: sqlTx, now: now()}))
}

// Update runs a function in a transaction and commits it unless it returns an
// error. The function may run more than once, so it must not touch the world.
// An error of kind Unavailable means that nothing was kept, or, if the connection
// broke during the commit itself, that nobody can tell.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	fn, once := claiming(ctx, fn)
	err := s.update(ctx, fn)
	if once != nil && err == nil {
		once.Claimed = true
	}
	return err
}

func (s *Store) update(ctx context.Context, fn func(*Tx) error) error {
	if s.group != nil {
		return s.group.update(ctx, fn)
	}
	for {
		err := s.updatePostgres(ctx, fn)
		if err == nil || !s.dialect.retry(err) {
			return s.dialect.wrap(err)
		}
	}
}

func (s *Store) updatePostgres(ctx context.Context, fn func(*Tx) error) error {
	sqlTx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	tx := &Tx{ctx: ctx, store: s, q: sqlTx, now: now(), audiences: map[string]audience{}}
	if err := protect(tx, fn); err != nil {
		return err
	}
	if err := tx.notify(); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return err
	}
	s.watch.tell(tx.changes)
	return nil
}

// now is the time of a transaction, in the resolution the database keeps.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// notFound replaces the bare error of a query by one that names what is missing.
func notFound(err error, what string) error {
	if aftercall.KindOf(err) == aftercall.NotFound {
		return aftercall.Errorf(aftercall.NotFound, "%s not found", what)
	}
	return err
}
