package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
)

type contactsCmd struct {
	Import contactsImportCmd `cmd:"" help:"Import contacts from a CSV file, after telling what that will do. Works while a server runs."`
	Export contactsExportCmd `cmd:"" help:"Write all contacts as CSV. Works while a server runs."`
}

// contactsAccountFlag names whose contacts.
type contactsAccountFlag struct {
	Account string `help:"Id or uid of the account." required:""`
}

type contactsImportCmd struct {
	databaseFlag
	contactsAccountFlag
	File           string            `arg:"" help:"The file, with the names of its columns in the first line; - reads standard input."`
	Map            map[string]string `help:"What a column becomes, such as \"Company=contact_details.company\"; nothing after the = ignores it. Other columns are guessed by their names." mapsep:"none" placeholder:"COLUMN=FIELD"`
	DefaultCountry string            `help:"The country of phone numbers that are written without it, such as DE."`
	Schedule       string            `help:"Have an agent call all contacts of the file until they are reached: its id, or \"default\"." placeholder:"AGENT"`
	DryRun         bool              `help:"Tell what would happen, and change nothing."`
	Yes            bool              `help:"Import without asking."`
}

// errorsShown is how many errors of rows are shown.
const errorsShown = 20

// Run tells what an import will do, asks, and does it.
func (c *contactsImportCmd) Run(ctx context.Context) error {
	content, err := readLimited(c.File)
	if err != nil {
		return err
	}
	f := app.ContactFile{Content: content, Columns: c.Map, DefaultCountry: c.DefaultCountry, AgentID: c.Schedule}
	checked, err := app.CheckContacts(ctx, c.DB, c.Account, f)
	if err != nil {
		return err
	}
	for n, column := range checked.Columns {
		field := checked.Mapping[n]
		if field == "" {
			field = "(not imported)"
		}
		fmt.Printf("%-24s -> %s\n", strings.TrimSpace(column), field)
	}
	for n, e := range checked.Errors {
		if n == errorsShown {
			fmt.Printf("… and more\n")
			break
		}
		fmt.Printf("line %d: %s: %s\n", e.Line, e.Field, e.Message)
	}
	fmt.Printf("%d rows: %s\n", checked.Total, counted(checked, "to create", "to update", "as stored already", "with errors"))
	if c.DryRun {
		return nil
	}
	if !c.Yes {
		if c.File == "-" {
			return errors.New("nothing was imported: a file from standard input needs --yes")
		}
		if !confirmed("Import?") {
			return errors.New("nothing was imported")
		}
	}
	done, err := app.ImportContacts(ctx, c.DB, c.Account, f)
	if err != nil {
		return err
	}
	if done.Status != aftercall.ImportFinished {
		return fmt.Errorf("the import ended: %s", done.Reason)
	}
	fmt.Printf("Imported: %s\n", counted(done, "created", "updated", "skipped", "failed"))
	return nil
}

func counted(r app.ImportReport, create, update, skip, failed string) string {
	return fmt.Sprintf("%d %s, %d %s, %d %s, %d %s", r.Create, create, r.Update, update, r.Skip, skip, r.Failed, failed)
}

// readLimited reads a file, but no more of it than is enough to be refused.
func readLimited(name string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, aftercall.MaxImportBytes+1))
}

// confirmed asks, and takes anything but a yes for a no.
func confirmed(question string) bool {
	fmt.Printf("%s [y/N] ", question)
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		fmt.Println()
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

type contactsExportCmd struct {
	databaseFlag
	contactsAccountFlag
	File string `arg:"" optional:"" help:"The file to write; without it, standard output."`
	BOM  bool   `name:"bom" help:"Begin with the mark that spreadsheets tell UTF-8 by."`
}

// Run writes the contacts. A file appears only when it is whole.
func (c *contactsExportCmd) Run(ctx context.Context) error {
	if c.File == "" {
		out := bufio.NewWriter(os.Stdout)
		if err := app.ExportContacts(ctx, c.DB, c.Account, out, c.BOM); err != nil {
			return err
		}
		return out.Flush()
	}
	part, err := os.OpenFile(c.File+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // it holds personal data
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	out := bufio.NewWriter(part)
	err = app.ExportContacts(ctx, c.DB, c.Account, out, c.BOM)
	if err = errors.Join(err, out.Flush(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), c.File)
}
