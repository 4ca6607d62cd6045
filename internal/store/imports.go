package store

import (
	"time"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
)

// ImportPart is some rows of a file. Part 0 is the names of its columns.
type ImportPart struct {
	Number  int
	Line    int    // of the file, where the part begins
	Content []byte // UTF-8
}

const importColumns = `account_id, id, status, reason, mapping, default_country, agent_id, separator, total, created, updated, skipped, failed,
	created_at, updated_at`

func readImport(s scan) (i aftercall.Import, err error) {
	var separator string
	err = s(&i.AccountID, &i.ID, &i.Status, textAt(&i.Reason), jsonAt(&i.Mapping), &i.DefaultCountry, &i.AgentID, &separator, &i.Total,
		&i.Create, &i.Update, &i.Skip, &i.Failed, timeAt(&i.CreatedAt), timeAt(&i.UpdatedAt))
	i.Separator, _ = utf8.DecodeRuneInString(separator)
	return i, err
}

// PutImport stores an import, new or not.
func (tx *Tx) PutImport(i aftercall.Import) error {
	_, err := tx.exec(`INSERT INTO import (`+importColumns+`) VALUES `+tuples(1, 1, bare(15)...)+`
		ON CONFLICT (account_id, id) DO UPDATE SET status = excluded.status, reason = excluded.reason, mapping = excluded.mapping,
		default_country = excluded.default_country, agent_id = excluded.agent_id, total = excluded.total, created = excluded.created,
		updated = excluded.updated, skipped = excluded.skipped, failed = excluded.failed, updated_at = excluded.updated_at`,
		i.AccountID, i.ID, string(i.Status), text(i.Reason), jsonOf(i.Mapping), i.DefaultCountry, i.AgentID, string(i.Separator), i.Total,
		i.Create, i.Update, i.Skip, i.Failed, micros(i.CreatedAt), micros(i.UpdatedAt))
	return err
}

// Import finds an import.
func (tx *Tx) Import(accountID, id string) (aftercall.Import, error) {
	i, err := one(tx, readImport, `SELECT `+importColumns+` FROM import WHERE account_id = $1 AND id = $2`, accountID, id)
	return i, notFound(err, "import")
}

// LockImport reads an import of a status so that nobody else goes on with it during this
// transaction; NotFound when somebody does, or it has another status.
func (tx *Tx) LockImport(accountID, id string, status aftercall.ImportStatus) (aftercall.Import, error) {
	return one(tx, readImport, `SELECT `+importColumns+` FROM import
		WHERE account_id = $1 AND id = $2 AND status = $3`+tx.store.dialect.skipLocked, accountID, id, string(status))
}

// Imports lists the imports of an account by id, which is by time.
func (tx *Tx) Imports(accountID string, p Page) ([]aftercall.Import, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.page("id", p)
	return all(tx, readImport, `SELECT `+importColumns+` FROM import`+where.sql(), where.args...)
}

// RunningImports returns the imports of all accounts that are not done.
func (tx *Tx) RunningImports() ([]aftercall.Import, error) {
	return all(tx, readImport, `SELECT `+importColumns+` FROM import WHERE status = 'running' ORDER BY account_id, id`)
}

// InsertImportParts stores parts of an import's file.
func (tx *Tx) InsertImportParts(accountID, importID string, parts []ImportPart) error {
	return inChunks(parts, func(parts []ImportPart) error {
		args := make([]any, 0, 5*len(parts))
		for _, p := range parts {
			args = append(args, accountID, importID, p.Number, p.Line, p.Content)
		}
		_, err := tx.exec(`INSERT INTO import_file (account_id, import_id, part, line, content) VALUES `+tuples(len(parts), 1, bare(5)...), args...)
		return err
	})
}

// ImportPart finds the first part of an import's file from a number on; NotFound when
// none is left.
func (tx *Tx) ImportPart(accountID, importID string, from int) (ImportPart, error) {
	return one(tx, func(s scan) (p ImportPart, err error) {
		err = s(&p.Number, &p.Line, &p.Content)
		return p, err
	}, `SELECT part, line, content FROM import_file WHERE account_id = $1 AND import_id = $2 AND part >= $3 ORDER BY part LIMIT 1`, accountID, importID, from)
}

// DeleteImportPart removes a part, and reports whether it was there.
func (tx *Tx) DeleteImportPart(accountID, importID string, number int) (bool, error) {
	n, err := tx.exec(`DELETE FROM import_file WHERE account_id = $1 AND import_id = $2 AND part = $3`, accountID, importID, number)
	return n == 1, err
}

// DeleteImportFile removes what is left of an import's file.
func (tx *Tx) DeleteImportFile(accountID, importID string) error {
	_, err := tx.exec(`DELETE FROM import_file WHERE account_id = $1 AND import_id = $2`, accountID, importID)
	return err
}

// InsertImportErrors adds to what is wrong with the rows of an import, after the errors
// that were listed before.
func (tx *Tx) InsertImportErrors(accountID, importID string, before int, list []aftercall.ImportError) error {
	number := before
	return inChunks(list, func(list []aftercall.ImportError) error {
		args := make([]any, 0, 6*len(list))
		for _, e := range list {
			number++
			args = append(args, accountID, importID, number, e.Line, e.Field, e.Message)
		}
		_, err := tx.exec(`INSERT INTO import_error (account_id, import_id, number, line, field, message) VALUES `+tuples(len(list), 1, bare(6)...), args...)
		return err
	})
}

// ImportErrors lists what is wrong with the rows of an import, in the order of the file.
func (tx *Tx) ImportErrors(accountID, importID string) ([]aftercall.ImportError, error) {
	return all(tx, func(s scan) (e aftercall.ImportError, err error) {
		err = s(&e.Line, &e.Field, &e.Message)
		return e, err
	}, `SELECT line, field, message FROM import_error WHERE account_id = $1 AND import_id = $2 ORDER BY number`, accountID, importID)
}

// CountImportErrors tells how many errors are listed.
func (tx *Tx) CountImportErrors(accountID, importID string) (int, error) {
	return one(tx, value[int], `SELECT COUNT(*) FROM import_error WHERE account_id = $1 AND import_id = $2`, accountID, importID)
}

// DeleteImportErrors forgets what was wrong, for an import that is checked anew.
func (tx *Tx) DeleteImportErrors(accountID, importID string) error {
	_, err := tx.exec(`DELETE FROM import_error WHERE account_id = $1 AND import_id = $2`, accountID, importID)
	return err
}

// DeleteImport removes an import with all that belongs to it. Contacts stay.
func (tx *Tx) DeleteImport(accountID, id string) error {
	if err := tx.DeleteImportFile(accountID, id); err != nil {
		return err
	}
	if err := tx.DeleteImportErrors(accountID, id); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM import WHERE account_id = $1 AND id = $2`, accountID, id)
	return err
}

const (
	// draftKept is how long a file waits to be imported: it holds personal data.
	draftKept = 24 * time.Hour
	// importKept is how long it is told what became of a file.
	importKept = 30 * 24 * time.Hour
)

// DeleteOldImports removes up to limit drafts that nobody started, and imports that
// ended long ago, and reports how many it found.
func (tx *Tx) DeleteOldImports(limit int) (int, error) {
	old, err := all(tx, readImport, `SELECT `+importColumns+` FROM import
		WHERE updated_at < $1 AND (status = 'draft' OR updated_at < $2 AND status <> 'running') ORDER BY updated_at LIMIT $3`,
		micros(tx.now.Add(-draftKept)), micros(tx.now.Add(-importKept)), limit)
	if err != nil {
		return 0, err
	}
	for _, i := range old {
		if err := tx.DeleteImport(i.AccountID, i.ID); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}
