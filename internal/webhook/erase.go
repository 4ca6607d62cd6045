package webhook

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// EraseAll erases the payloads of all messages that an account has by now, and the
// answers to their attempts. It returns the stored task that does it.
func (e *Engine) EraseAll(ctx context.Context, accountID string) (store.Task, error) {
	t := store.Task{AccountID: accountID, Kind: EraseKind}
	err := e.store.Update(ctx, func(tx *store.Tx) (err error) {
		t.Until = tx.Now().Add(aftercall.IDStep)
		t.Cursor = aftercall.MessagePrefix // before every id
		if t.Total, err = tx.CountMessages(accountID, t.Cursor, aftercall.FirstID(aftercall.MessagePrefix, t.Until)); err != nil {
			return err
		}
		return begin(tx, &t)
	})
	ring(e.tasks)
	return t, err
}

func eraseBatch(tx *store.Tx, t *store.Task) (changed int, err error) {
	messages, err := tx.Messages(t.AccountID, store.MessageFilter{Before: t.Until}, store.Page{After: t.Cursor, Limit: taskBatch})
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	ids := idsOf(messages)
	t.Cursor = ids[len(ids)-1]
	t.Done += len(ids)
	return len(ids), tx.EraseMessages(t.AccountID, ids...)
}
