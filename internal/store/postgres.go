package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// analyzeEvery is how soon PostgreSQL learns that its tables have grown.
const analyzeEvery = 5 * time.Second

// Analyze has PostgreSQL look at the tables of which a third or more has changed since
// it last did: as often as a table doubles, not more. Without knowing how rows spread
// over accounts and endpoints it takes any index that begins with the account for as
// good as the right one, and goes on with such a plan until the table is analyzed. On
// SQLite there is nothing to do: it goes by the form of a statement alone.
func (s *Store) Analyze(ctx context.Context) error {
	if s.group != nil {
		return nil
	}
	var grown []string
	err := s.View(ctx, func(tx *Tx) (err error) {
		grown, err = all(tx, value[string], `SELECT quote_ident(relname) FROM pg_stat_user_tables
			WHERE schemaname = current_schema() AND n_mod_since_analyze > 1000 + n_live_tup / 3`)
		return err
	})
	for _, table := range grown { // of nodes that try at once one does it
		if _, failed := s.db.ExecContext(ctx, "ANALYZE (SKIP_LOCKED) "+table); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// KeepAnalyzed goes on with Analyze until the context ends. PostgreSQL's own
// autovacuum looks once a minute: too late for a table that grows from nothing to a
// million rows in that time.
func (s *Store) KeepAnalyzed(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(analyzeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := s.Analyze(ctx); err != nil && ctx.Err() == nil {
			log.Debug("cannot analyze tables", "cause", err)
		}
	}
}

// channel is where nodes tell each other that an endpoint has changed.
const channel = "aftercall_endpoints"

// notify tells the other nodes on PostgreSQL which endpoints this transaction
// changes; they learn of it when it commits.
func (tx *Tx) notify() error {
	for _, ref := range tx.changes.Endpoints {
		text, err := json.Marshal(ref)
		if err != nil {
			return err
		}
		if _, err := tx.exec("SELECT pg_notify($1, $2)", channel, string(text)); err != nil {
			return err
		}
	}
	return nil
}

// Listen tells the watcher of endpoints changed by other nodes, until the context
// ends or the connection breaks. On SQLite there are no other nodes, and it waits.
func (s *Store) Listen(ctx context.Context) error {
	if s.group != nil {
		<-ctx.Done()
		return ctx.Err()
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("listen for changes: %w", err)
	}
	defer conn.Close()
	return conn.Raw(func(driverConn any) error {
		pg := driverConn.(*stdlib.Conn).Conn()
		defer pg.Close(context.WithoutCancel(ctx)) // never back into the pool: it would go on listening
		if _, err := pg.Exec(ctx, "LISTEN "+channel); err != nil {
			return fmt.Errorf("listen for changes: %w", err)
		}
		for {
			n, err := pg.WaitForNotification(ctx)
			if err != nil {
				return fmt.Errorf("listen for changes: %w", err)
			}
			var ref EndpointRef
			if err := json.Unmarshal([]byte(n.Payload), &ref); err == nil {
				s.watch.tell(Changes{Endpoints: []EndpointRef{ref}})
			}
		}
	})
}
