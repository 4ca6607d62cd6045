package dialer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// ContactFile is a file of contacts in CSV, and how it is to be read.
type ContactFile struct {
	Content        []byte
	Columns        map[string]string // what columns become, by their names; the others are guessed
	DefaultCountry string
	AgentID        string // who is to call the contacts; empty for nobody
}

// ImportReport is an import with what is told about it.
type ImportReport struct {
	aftercall.Import
	Columns []string // of the file; nil once it is gone
	Errors  []aftercall.ImportError
}

const (
	// maxRunning is how many imports of an account may be under way.
	maxRunning = 8
	// maxDrafts is how many files of an account wait to be imported; a new one takes
	// the place of the oldest.
	maxDrafts = 8
)

// scheduleImported has an agent call the contacts of one batch of an import, in the
// transaction that stores them; those of rows that changed nothing, too. A contact may
// come again in a later batch. Without contacts it only says whether there is such an
// agent: an Invalid error ends the import. Who is in the auto-dialer already, or may not
// be called, is left as it is.
//
// It is the one place that imports know agents by.
func (d *Dialer) scheduleImported(tx *store.Tx, accountID, agent string, contactIDs []string) error {
	id, err := agentID(agent)
	var a aftercall.Agent
	if err == nil {
		a, err = tx.Agent(accountID, id)
	}
	switch {
	case aftercall.KindOf(err) == aftercall.NotFound:
		return aftercall.InvalidField("schedule.agent_id", "there is no such agent")
	case err != nil:
		return err
	case !a.Dialing.Enabled:
		return aftercall.InvalidField("schedule.agent_id", "the agent's auto-dialer is off")
	}
	wanted := make([]Wanted, len(contactIDs))
	for i, contactID := range contactIDs {
		wanted[i] = Wanted{ContactID: contactID, AgentID: a.ID}
	}
	_, _, err = d.schedule(tx, accountID, wanted)
	return err
}

// CheckImport tells what an import would do, row by row, and changes nothing: what it
// returns is stored nowhere and has no id. Errors: Invalid, TooLarge.
func (d *Dialer) CheckImport(ctx context.Context, accountID string, f ContactFile) (ImportReport, error) {
	s, i, err := d.open(ctx, accountID, f)
	if err == nil {
		err = i.Validate()
	}
	if err != nil {
		return ImportReport{}, err
	}
	i.ID = ""
	r := ImportReport{Import: i, Columns: s.columns}
	r.ImportCounts, r.Errors, err = d.check(ctx, i, s.parts())
	return r, err
}

// AddImport stores a file and starts to import it; a row's error keeps no other row from
// being imported. It goes on after a crash, and no row is applied twice.
// Errors: Invalid, TooLarge, Throttled when too many are under way.
func (d *Dialer) AddImport(ctx context.Context, accountID string, f ContactFile) (ImportReport, error) {
	s, i, err := d.open(ctx, accountID, f)
	if err == nil {
		err = i.Validate()
	}
	if err == nil {
		err = d.keep(ctx, i, s)
	}
	if err != nil {
		return ImportReport{}, err
	}
	i, err = d.StartImport(ctx, accountID, i.ID)
	return ImportReport{Import: i, Columns: s.columns}, err
}

// DraftImport stores a file that is not imported before StartImport, and tells what that
// would do, unless nobody can yet: then the draft's reason says why. A draft that nobody
// starts goes after a day.
func (d *Dialer) DraftImport(ctx context.Context, accountID string, f ContactFile) (aftercall.Import, error) {
	s, i, err := d.open(ctx, accountID, f)
	if err != nil {
		return i, err
	}
	if err := d.keep(ctx, i, s); err != nil {
		return i, err
	}
	return d.ReviseImport(ctx, accountID, i.ID, i.ImportOptions)
}

// open reads a file as far as that goes without contacts.
func (d *Dialer) open(ctx context.Context, accountID string, f ContactFile) (*sheet, aftercall.Import, error) {
	i := aftercall.Import{AccountID: accountID, ID: aftercall.NewUUID(), Status: aftercall.ImportDraft}
	if f.AgentID != "" {
		err := d.store.View(ctx, func(tx *store.Tx) error { return d.scheduleImported(tx, accountID, f.AgentID, nil) })
		if err != nil {
			return nil, i, err
		}
	}
	s, err := openSheet(f.Content)
	if err != nil {
		return nil, i, err
	}
	mapping, err := aftercall.MapColumns(s.columns, f.Columns)
	i.ImportOptions = aftercall.ImportOptions{Mapping: mapping, DefaultCountry: f.DefaultCountry, AgentID: f.AgentID}
	i.Separator, i.Total = s.comma, s.rows
	return s, i, err
}

// keptAtOnce is how much of a file is stored in one transaction, in bytes: others wait
// for it.
const keptAtOnce = 512 << 10

// keep stores a draft with its file.
func (d *Dialer) keep(ctx context.Context, i aftercall.Import, s *sheet) error {
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		if err := dropDrafts(tx, i.AccountID); err != nil {
			return err
		}
		i.CreatedAt, i.UpdatedAt = tx.Now(), tx.Now()
		return tx.PutImport(i)
	})
	var parts []store.ImportPart
	size := 0
	flush := func() error {
		return d.store.Update(ctx, func(tx *store.Tx) error { return tx.InsertImportParts(i.AccountID, i.ID, parts) })
	}
	for p, broken := range s.parts() {
		if broken != nil || err != nil {
			break // it was read before, so that it is whole
		}
		parts = append(parts, p.ImportPart)
		if size += len(p.Content); size >= keptAtOnce {
			err = flush()
			parts, size = nil, 0
		}
	}
	if err == nil {
		err = flush()
	}
	return err
}

// dropDrafts makes room for one more draft.
func dropDrafts(tx *store.Tx, accountID string) error {
	list, err := tx.Imports(accountID, store.Page{Limit: 10 * maxDrafts, Descending: true})
	if err != nil {
		return err
	}
	drafts := 0
	for _, i := range list {
		if i.Status != aftercall.ImportDraft {
			continue
		}
		if drafts++; drafts >= maxDrafts {
			if err := tx.DeleteImport(accountID, i.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// ReviseImport changes how a draft is read, and tells anew what importing it would do.
// What keeps it from being checked is the draft's reason, and no error.
func (d *Dialer) ReviseImport(ctx context.Context, accountID, id string, o aftercall.ImportOptions) (aftercall.Import, error) {
	report, err := d.Import(ctx, accountID, id)
	i := report.Import
	if err != nil {
		return i, err
	}
	if i.Status != aftercall.ImportDraft {
		return i, errStarted()
	}
	i.ImportOptions, i.ImportCounts, i.Reason = o, aftercall.ImportCounts{}, ""
	var failed []aftercall.ImportError
	if err := i.Validate(); err != nil {
		i.Reason = messageOf(err)
	} else if i.ImportCounts, failed, err = d.check(ctx, i, d.storedParts(ctx, accountID, i.ID)); err != nil {
		return i, err
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockImport(accountID, i.ID, aftercall.ImportDraft); err != nil {
			return started(err)
		}
		if err := tx.DeleteImportErrors(accountID, i.ID); err != nil {
			return err
		}
		if err := tx.InsertImportErrors(accountID, i.ID, 0, failed); err != nil {
			return err
		}
		i.UpdatedAt = tx.Now()
		return tx.PutImport(i)
	})
	return i, err
}

func errStarted() error {
	return aftercall.Errorf(aftercall.Conflict, "this import has been started, or is gone")
}

func started(err error) error {
	if aftercall.KindOf(err) == aftercall.NotFound {
		return errStarted()
	}
	return err
}

// StartImport begins to apply the rows of a draft. Errors: Invalid, NotFound, Conflict
// when it has been started, Throttled when too many of the account are under way.
func (d *Dialer) StartImport(ctx context.Context, accountID, id string) (i aftercall.Import, err error) {
	id, ok := uuidOf(id)
	if !ok {
		return i, noImport()
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if i, err = tx.LockImport(accountID, id, aftercall.ImportDraft); err != nil {
			return started(err)
		}
		if err := i.Validate(); err != nil {
			return err
		}
		if i.AgentID != "" {
			if err := d.scheduleImported(tx, accountID, i.AgentID, nil); err != nil {
				return err
			}
		}
		running, err := tx.RunningImports()
		if err != nil {
			return err
		}
		running = slices.DeleteFunc(running, func(r aftercall.Import) bool { return r.AccountID != accountID })
		if len(running) >= maxRunning {
			return aftercall.Errorf(aftercall.Throttled, "%d imports are under way: wait until one is done", maxRunning)
		}
		if err := tx.DeleteImportErrors(accountID, id); err != nil {
			return err
		}
		i.Status, i.ImportCounts, i.UpdatedAt = aftercall.ImportRunning, aftercall.ImportCounts{}, tx.Now()
		return tx.PutImport(i)
	})
	ring(d.imports)
	return i, err
}

// CancelImport ends an import where it stands: what it has done stays done. A draft goes
// as a whole; one that is over stays as it is.
func (d *Dialer) CancelImport(ctx context.Context, accountID, id string) error {
	id, ok := uuidOf(id)
	if !ok {
		return noImport()
	}
	for {
		busy := false // a batch of it is being done at this moment, which may be its last
		err := d.store.Update(ctx, func(tx *store.Tx) error {
			i, err := tx.Import(accountID, id)
			if err != nil || i.Status != aftercall.ImportDraft && i.Status != aftercall.ImportRunning {
				return err
			}
			i, err = tx.LockImport(accountID, id, i.Status)
			busy = aftercall.KindOf(err) == aftercall.NotFound
			switch {
			case busy:
				return nil
			case err != nil:
				return err
			case i.Status == aftercall.ImportDraft:
				return tx.DeleteImport(accountID, id)
			}
			return end(tx, i, "it was canceled")
		})
		if err != nil || !busy || !sleep(ctx, nil, time.Now().Add(importPause)) {
			return err
		}
	}
}

// end ends an import, with what it failed of, if it did. Its file goes.
func end(tx *store.Tx, i aftercall.Import, failure string) error {
	i.Status, i.Reason, i.UpdatedAt = aftercall.ImportFinished, failure, tx.Now()
	if failure != "" {
		i.Status = aftercall.ImportFailed
	}
	if err := tx.DeleteImportFile(i.AccountID, i.ID); err != nil {
		return err
	}
	return tx.PutImport(i)
}

// Import finds an import, and what is wrong with rows of its file.
func (d *Dialer) Import(ctx context.Context, accountID, id string) (r ImportReport, err error) {
	id, ok := uuidOf(id)
	if !ok {
		return r, noImport()
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		if r.Import, err = tx.Import(accountID, id); err != nil {
			return err
		}
		if r.Errors, err = tx.ImportErrors(accountID, id); err != nil {
			return err
		}
		head, err := tx.ImportPart(accountID, id, 0)
		if err == nil && head.Number == 0 {
			r.Columns = columnsOf(head, r.Separator)
		}
		if aftercall.KindOf(err) == aftercall.NotFound {
			err = nil
		}
		return err
	})
	return r, err
}

// messageOf is what an error tells people.
func messageOf(err error) string {
	if e, ok := errors.AsType[*aftercall.Error](err); ok {
		return e.Message
	}
	return "internal error"
}

func noImport() error { return aftercall.Errorf(aftercall.NotFound, "import not found") }

// PreviewImport reads the first rows of a draft, as they stand in the file. Rows that
// cannot be read are left out.
func (d *Dialer) PreviewImport(ctx context.Context, i aftercall.Import, most int) (rows [][]string, err error) {
	for p, err := range d.storedParts(ctx, i.AccountID, i.ID) {
		if err != nil {
			return nil, err
		}
		for _, l := range linesOf(p.ImportPart, i.Separator) {
			if p.Number > 0 && l.failed == nil && len(rows) < most {
				rows = append(rows, l.cells)
			}
		}
		if p.Number > 0 {
			break
		}
	}
	return rows, nil
}
