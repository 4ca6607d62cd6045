package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
)

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
