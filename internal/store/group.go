package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/aftercall/aftercall"
)

// maxGroup bounds how many updates share a commit, and so how long the first of
// them waits.
const maxGroup = 512

// checkpointAfter is how many statements the writer runs before it asks for a
// checkpoint of the log.
const checkpointAfter = 8192

// group is the single writer of SQLite. It takes all updates that queued while
// the last commit ran, runs them one after another in one transaction, each in a
// savepoint, and syncs once. There is no timer: an idle system commits at once, a
// busy one batches by itself. This is what makes synchronous=FULL cheap.
type group struct {
	store *Store
	db    *sql.DB
	conn  *writerConn
	queue chan *update
	due   chan struct{} // a checkpoint is due
	stop  chan struct{}
	ended chan struct{} // the writer has run its last batch
	done  sync.WaitGroup

	// audiences caches accounts and their endpoints for Publish. Only the writer
	// touches it; version tells when another process has written.
	audiences map[string]audience
	version   int64
}

type update struct {
	ctx     context.Context
	fn      func(*Tx) error
	changes Changes
	err     error
	done    chan struct{}
}

func openGroup(ctx context.Context, s *Store, db *sql.DB) (*group, error) {
	db.SetMaxOpenConns(2) // the writer, and the checkpoint beside it
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := conn.PingContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	g := &group{
		store: s, db: db,
		conn:      &writerConn{conn: conn, statements: map[string]*sql.Stmt{}},
		queue:     make(chan *update, maxGroup),
		due:       make(chan struct{}, 1),
		stop:      make(chan struct{}),
		ended:     make(chan struct{}),
		audiences: map[string]audience{},
	}
	g.done.Go(g.run)
	g.done.Go(g.checkpoint)
	return g, nil
}

func (g *group) close() {
	close(g.stop)
	g.done.Wait()
	g.conn.close()
	g.db.Close()
}

func (g *group) update(ctx context.Context, fn func(*Tx) error) error {
	u := &update{ctx: ctx, fn: fn, done: make(chan struct{})}
	closed := aftercall.Errorf(aftercall.Unavailable, "the database is closed")
	select {
	case <-g.stop:
		return closed
	default:
	}
	select {
	case g.queue <- u:
	case <-g.stop:
		return closed
	case <-ctx.Done():
		return g.store.dialect.wrap(ctx.Err())
	}
	// From here the outcome is not known until the writer tells, even if the
	// caller has gone: only the writer may say that nothing was kept.
	select {
	case <-u.done:
		return u.err
	case <-g.ended:
	}
	select { // ended, but perhaps committed before
	case <-u.done:
		return u.err
	default:
		return closed
	}
}

func (g *group) run() {
	defer close(g.ended)
	for {
		var first *update
		select {
		case <-g.stop:
			return
		case first = <-g.queue:
		}
		batch := Gather(first, g.queue, maxGroup)
		g.commit(batch)
		for _, u := range batch {
			close(u.done)
		}
	}
}

// Gather returns first and what waits in the queue behind it, at most limit. It lets
// whoever is ready to queue do so before it looks: larger batches mean fewer commits,
// and on an idle machine nobody is ready, so that nobody waits.
func Gather[T any](first T, queue <-chan T, limit int) []T {
	runtime.Gosched()
	batch := []T{first}
	for len(batch) < limit {
		select {
		case next, ok := <-queue:
			if !ok {
				return batch
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction. Whatever goes wrong with the
// transaction itself goes wrong for all of them.
func (g *group) commit(batch []*update) {
	ctx := context.Background() // one caller's cancellation must not cost the others their commit
	err := g.begin(ctx)
	if err == nil {
		err = g.runAll(ctx, batch)
	}
	if err == nil {
		_, err = g.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = g.conn.ExecContext(ctx, "ROLLBACK") // fails when SQLite has rolled back by itself
		clear(g.audiences)
		for _, u := range batch {
			u.err = g.store.dialect.wrap(err)
		}
		return
	}
	for _, u := range batch {
		if u.err == nil {
			g.store.watch.tell(u.changes)
		}
	}
	if g.conn.executed >= checkpointAfter {
		g.conn.executed = 0
		select {
		case g.due <- struct{}{}:
		default:
		}
	}
}

func (g *group) begin(ctx context.Context) error {
	if _, err := g.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	// data_version changes when another process has committed.
	var version int64
	rows, err := g.conn.QueryContext(ctx, "PRAGMA data_version")
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&version); err != nil {
			return err
		}
	}
	if version != g.version {
		clear(g.audiences)
		g.version = version
	}
	return rows.Err()
}

func (g *group) runAll(ctx context.Context, batch []*update) error {
	for _, u := range batch {
		if u.ctx.Err() != nil {
			u.err = g.store.dialect.wrap(u.ctx.Err())
			continue
		}
		if err := g.runOne(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// runOne runs one update in a savepoint. It returns only errors that concern the
// whole transaction.
func (g *group) runOne(ctx context.Context, u *update) error {
	tx := &Tx{ctx: ctx, store: g.store, q: g.conn, now: now(), audiences: g.audiences}
	if _, err := g.conn.ExecContext(ctx, "SAVEPOINT u"); err != nil {
		return err
	}
	if err := protect(tx, u.fn); err != nil {
		err = g.store.dialect.wrap(err)
		if aftercall.KindOf(err) == aftercall.Unavailable {
			return err
		}
		u.err = err
		clear(g.audiences) // it may hold what is now undone
		if _, err := g.conn.ExecContext(ctx, "ROLLBACK TO u"); err != nil {
			return err
		}
	}
	u.changes = tx.changes
	_, err := g.conn.ExecContext(ctx, "RELEASE u")
	return err
}

// protect turns a panic into an error: it must not take SQLite's writer down, on
// which everybody waits.
func protect(tx *Tx, fn func(*Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in update: %v\n%s", r, debug.Stack())
		}
	}()
	return fn(tx)
}

// checkpoint moves the log into the database file, beside the writer: a
// checkpoint inside a commit would make everybody wait for it.
func (g *group) checkpoint() {
	for {
		select {
		case <-g.stop:
			return
		case <-g.due:
			// An error is no harm: SQLite makes a checkpoint by itself in time.
			_, _ = g.db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
		}
	}
}

// writerConn is the writer's connection with its prepared statements. SQL texts
// are constants, so there are few.
type writerConn struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	executed   int
}

func (c *writerConn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	c.executed++
	if stmt, ok := c.statements[query]; ok {
		return stmt, nil
	}
	stmt, err := c.conn.PrepareContext(ctx, anonymous(query))
	if err != nil {
		return nil, err
	}
	c.statements[query] = stmt
	return stmt, nil
}

func (c *writerConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (c *writerConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (c *writerConn) close() {
	for _, stmt := range c.statements {
		stmt.Close()
	}
	c.conn.Close()
}
