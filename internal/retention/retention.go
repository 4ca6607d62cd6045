// Package retention removes what is too old: payloads whose messages said how long
// to keep them, tokens that have expired, and idempotency keys that nobody may rely on
// any more.
package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// every is how late a removal may come.
	every = 10 * time.Minute
	// batch is how much is removed in one transaction, and pause what others get
	// between two.
	batch = 500
	pause = 20 * time.Millisecond
)

// Cleaner removes what is too old. Any number may run on one database.
type Cleaner struct {
	store *store.Store
	log   *slog.Logger
}

// New makes a cleaner of a store.
func New(s *store.Store, log *slog.Logger) *Cleaner { return &Cleaner{s, log} }

// Run cleans until the context ends.
func (c *Cleaner) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := c.Clean(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("cannot remove what is too old, trying again later", "cause", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Clean removes all that is too old now.
func (c *Cleaner) Clean(ctx context.Context) error {
	if err := c.inBatches(ctx, expire); err != nil {
		return err
	}
	for _, remove := range []func(*store.Tx, int) (int, error){
		(*store.Tx).DeleteExpiredPortalTokens, (*store.Tx).DeleteExpiredSessions, (*store.Tx).DeleteExpiredLogins,
		(*store.Tx).DeleteOldAudits, (*store.Tx).ForgetVoiceEvents, (*store.Tx).DeleteOldImports,
	} {
		if err := c.inBatches(ctx, func(tx *store.Tx) (int, error) { return remove(tx, batch) }); err != nil {
			return err
		}
	}
	callers, err := c.callers(ctx)
	if err != nil {
		return err
	}
	for _, id := range callers {
		if err := c.inBatches(ctx, func(tx *store.Tx) (int, error) { return tx.ForgetOnce(id, batch) }); err != nil {
			return err
		}
	}
	return nil
}

// inBatches removes until a batch is not full.
func (c *Cleaner) inBatches(ctx context.Context, remove func(*store.Tx) (int, error)) error {
	for n := batch; n == batch; {
		err := c.store.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = remove(tx)
			return err
		})
		if err != nil {
			return err
		}
		if n < batch {
			break
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func expire(tx *store.Tx) (int, error) {
	expired, err := tx.ExpiredMessages(batch)
	if err != nil {
		return 0, err
	}
	byAccount := map[string][]string{}
	for _, m := range expired {
		byAccount[m.AccountID] = append(byAccount[m.AccountID], m.MessageID)
	}
	for accountID, ids := range byAccount {
		if err := tx.EraseMessages(accountID, ids...); err != nil {
			return 0, err
		}
	}
	return len(expired), nil
}

// page is how many accounts are read at once.
const page = 1000

// callers returns who may have used idempotency keys: the operator, whose id is
// empty, and all accounts.
func (c *Cleaner) callers(ctx context.Context) ([]string, error) {
	ids := []string{""}
	for after := ""; ; {
		var accounts []aftercall.Account
		err := c.store.View(ctx, func(tx *store.Tx) (err error) {
			accounts, err = tx.Accounts(store.AccountFilter{}, store.Page{Limit: page, After: after})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			ids = append(ids, a.ID)
		}
		if len(accounts) < page {
			return ids, nil
		}
		after = ids[len(ids)-1]
	}
}
