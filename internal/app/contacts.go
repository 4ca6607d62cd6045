package app

import (
	"context"
	"io"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/voice/simulator"
)

// ContactFile is a file of contacts in CSV, and how it is to be read.
type ContactFile = dialer.ContactFile

// ImportReport is what becomes of a file, or would.
type ImportReport = dialer.ImportReport

// CheckContacts tells what ImportContacts would do with a file, and changes nothing.
func CheckContacts(ctx context.Context, database, account string, f ContactFile) (r ImportReport, err error) {
	err = withContacts(ctx, database, account, func(d *dialer.Dialer, accountID string) error {
		r, err = d.CheckImport(ctx, accountID, f)
		return err
	})
	return r, err
}

// ImportContacts imports a file into an account of a database that a server may be using.
// If it is interrupted, a server goes on with it.
func ImportContacts(ctx context.Context, database, account string, f ContactFile) (r ImportReport, err error) {
	err = withContacts(ctx, database, account, func(d *dialer.Dialer, accountID string) error {
		if r, err = d.AddImport(ctx, accountID, f); err != nil {
			return err
		}
		if err := d.FinishImport(ctx, accountID, r.ID); err != nil {
			return err
		}
		r, err = d.Import(ctx, accountID, r.ID)
		return err
	})
	return r, err
}

// ExportContacts writes all contacts of an account as CSV, with the mark that
// spreadsheets tell UTF-8 by, if so asked.
func ExportContacts(ctx context.Context, database, account string, w io.Writer, mark bool) error {
	return withContacts(ctx, database, account, func(d *dialer.Dialer, accountID string) error {
		return d.ExportContacts(ctx, accountID, w, mark)
	})
}

// withContacts opens the contacts of an account, found by id or uid.
func withContacts(ctx context.Context, database, account string, fn func(d *dialer.Dialer, accountID string) error) error {
	return withStore(ctx, database, func(s *store.Store) error {
		var id string
		err := s.View(ctx, func(tx *store.Tx) error {
			a, err := tx.Account(account)
			id = a.ID
			return err
		})
		if err != nil {
			return err
		}
		// The simulator only says which numbers it takes; a server plays the calls.
		engines := map[aftercall.EngineKind]dialer.VoiceEngine{aftercall.SimulatorEngine: simulator.New(simulator.Config{})}
		return fn(dialer.New(s, dialer.Config{Engines: engines}), id)
	})
}
