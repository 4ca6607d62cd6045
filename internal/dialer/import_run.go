package dialer

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// importPause is between batches at the least; as a rule it is as long as a batch
	// takes, so that others have the store for half of the time.
	importPause = time.Millisecond
	// importRetry is how long an import rests that could not go on.
	importRetry = 10 * time.Second
	// importsEvery is how often imports are looked for that another process left undone.
	importsEvery = time.Minute
)

// RunImports applies the rows of imports until the context ends: those that were left
// undone when it begins, and each that is started. Any number of nodes may run it.
func (d *Dialer) RunImports(ctx context.Context) {
	for {
		begun := time.Now()
		left, failed := d.runBatches(ctx)
		pause := importsEvery
		switch {
		case failed:
			pause = importRetry
		case left:
			pause = max(importPause, time.Since(begun))
		}
		if !sleep(ctx, d.imports, time.Now().Add(pause)) {
			return
		}
	}
}

// runBatches does a batch of each import in turn, so that a long one delays no other.
// It reports whether there is more to do, and whether something kept it from that.
func (d *Dialer) runBatches(ctx context.Context) (left, failed bool) {
	var running []aftercall.Import
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		running, err = tx.RunningImports()
		return err
	})
	if err != nil && ctx.Err() == nil {
		d.log.Warn("cannot look for imports, trying again", "cause", err)
	}
	failed = err != nil
	for _, i := range running {
		over, err := d.importBatch(ctx, i.AccountID, i.ID)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("an import cannot go on, trying again", "account", i.AccountID, "import", i.ID, "cause", err)
		}
		left, failed = left || !over, failed || err != nil
	}
	return left, failed
}

// FinishImport applies the rows of an import that was started until it is over, beside
// any server that does the same. An Unavailable error means that the context ended first.
func (d *Dialer) FinishImport(ctx context.Context, accountID, id string) error {
	for {
		begun := time.Now()
		over, err := d.importBatch(ctx, accountID, id)
		if ctx.Err() != nil && !over {
			return aftercall.Errorf(aftercall.Unavailable, "the import was interrupted: the next server that runs on this database goes on with it")
		}
		if err != nil || over {
			return err
		}
		sleep(ctx, nil, time.Now().Add(max(importPause, time.Since(begun))))
	}
}

// importBatch applies the next part of an import, and reports whether it is over. The
// part goes in the same transaction, so that a crash repeats nothing and leaves nothing
// out.
func (d *Dialer) importBatch(ctx context.Context, accountID, id string) (over bool, err error) {
	var i aftercall.Import
	var p store.ImportPart
	err = d.store.View(ctx, func(tx *store.Tx) (err error) {
		if i, err = tx.Import(accountID, id); err == nil && i.Status == aftercall.ImportRunning {
			p, err = tx.ImportPart(accountID, id, 1)
		}
		return err
	})
	switch {
	case err != nil && aftercall.KindOf(err) != aftercall.NotFound:
		return false, err
	case i.Status != aftercall.ImportRunning: // or it was deleted
		return true, nil
	}
	b := readRows(p, i.Separator, i.ImportOptions) // before the transaction: on SQLite everybody waits for that
	err = d.update(ctx, func(tx *store.Tx) (err error) {
		over, err = d.applyPart(tx, i, p.Number, b)
		return err
	})
	if kind := aftercall.KindOf(err); err == nil || kind != aftercall.Invalid && kind != aftercall.NotFound {
		return over, err
	}
	// What will not go better the next time ends the import: the agent is gone.
	return true, d.store.Update(ctx, func(tx *store.Tx) error {
		i, failed := tx.LockImport(accountID, id, aftercall.ImportRunning)
		if failed != nil {
			return failed
		}
		return end(tx, i, messageOf(err))
	})
}

// applyPart does what importBatch does in its transaction. Part 0 stands for none: all
// were applied.
func (d *Dialer) applyPart(tx *store.Tx, i aftercall.Import, number int, b rowBatch) (over bool, err error) {
	i, err = tx.LockImport(i.AccountID, i.ID, aftercall.ImportRunning)
	if aftercall.KindOf(err) == aftercall.NotFound {
		return false, nil // another process is at it, or it was canceled
	}
	if err != nil {
		return false, err
	}
	if number == 0 {
		return true, end(tx, i, "")
	}
	there, err := tx.DeleteImportPart(i.AccountID, i.ID, number)
	if err != nil || !there {
		return false, err
	}
	k, err := b.apply(tx, i.AccountID, func(rows []aftercall.Contact) (int, error) {
		if i.AgentID != "" { // who calls them is said, so no call scheduler does
			ids, err := tx.InsertContacts(rows)
			return len(ids), err
		}
		stored, err := d.insertContacts(tx, rows)
		return len(stored), err
	})
	if err != nil {
		return false, err
	}
	if ids := unique(k.imported); i.AgentID != "" && len(ids) > 0 {
		if err := d.scheduleImported(tx, i.AccountID, i.AgentID, ids); err != nil {
			return false, err
		}
	}
	if err := listErrors(tx, i, k.failed); err != nil {
		return false, err
	}
	i.Create += k.Create
	i.Update += k.Update
	i.Skip += k.Skip
	i.Failed += k.Failed
	i.UpdatedAt = tx.Now()
	return false, tx.PutImport(i)
}

// listErrors adds errors to those of an import, as long as there is room.
func listErrors(tx *store.Tx, i aftercall.Import, failed []aftercall.ImportError) error {
	if len(failed) == 0 {
		return nil
	}
	before, err := tx.CountImportErrors(i.AccountID, i.ID)
	if err != nil {
		return err
	}
	room := max(0, aftercall.MaxImportNotes-before)
	return tx.InsertImportErrors(i.AccountID, i.ID, before, failed[:min(len(failed), room)])
}
