package dialer_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// desk is where files are imported into an account.
type desk struct {
	*testing.T
	*dialer.Dialer
	store   *store.Store
	account aftercall.Account
}

func each(t *testing.T, test func(d *desk)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		test(&desk{t, dialer.New(s, dialer.Config{}), s, storetest.Account(t, s)})
	})
}

func text(lines ...string) dialer.ContactFile {
	return dialer.ContactFile{Content: []byte(strings.Join(lines, "\n") + "\n"), DefaultCountry: "DE"}
}

// run imports a file to its end, after it has checked that a dry run says the same and
// does nothing.
func (d *desk) run(f dialer.ContactFile) dialer.ImportReport {
	d.Helper()
	before := d.contacts()
	dry, err := d.CheckImport(d.Context(), d.account.ID, f)
	if err != nil {
		d.Fatal(err)
	}
	if after := d.contacts(); !reflect.DeepEqual(before, after) {
		d.Fatalf("a dry run made %v of %v", after, before)
	}
	begun, err := d.AddImport(d.Context(), d.account.ID, f)
	if err != nil {
		d.Fatal(err)
	}
	if begun.Status != aftercall.ImportRunning || begun.Done() != 0 || !reflect.DeepEqual(begun.Columns, dry.Columns) {
		d.Errorf("began as %+v", begun)
	}
	if err := d.FinishImport(d.Context(), d.account.ID, begun.ID); err != nil {
		d.Fatal(err)
	}
	done, err := d.Import(d.Context(), d.account.ID, begun.ID)
	if err != nil || done.Status != aftercall.ImportFinished || done.Done() != done.Total {
		d.Errorf("done: %+v, %v", done, err)
	}
	if done.ImportCounts != dry.ImportCounts || !reflect.DeepEqual(done.Errors, dry.Errors) {
		d.Errorf("the dry run told %+v %v, but it was %+v %v", dry.ImportCounts, dry.Errors, done.ImportCounts, done.Errors)
	}
	if d.files() != 0 || done.Columns != nil {
		d.Error("the file is still there")
	}
	return done
}

// contacts are those of the account by what tells them apart.
func (d *desk) contacts() map[string]aftercall.Contact {
	d.Helper()
	found := map[string]aftercall.Contact{}
	storetest.View(d, d.store, func(tx *store.Tx) error {
		list, err := tx.ContactList(d.account.ID, store.ContactFilter{}, store.Page{Limit: 100_000})
		for _, c := range list {
			found[c.ExternalID+" "+c.FirstName+" "+c.LastName+" "+c.PhoneNumber] = c
		}
		if len(found) != len(list) {
			d.Errorf("%d contacts are %d people", len(list), len(found))
		}
		return err
	})
	return found
}

// files counts the parts of files that are stored.
func (d *desk) files() (parts int) {
	d.Helper()
	storetest.View(d, d.store, func(tx *store.Tx) error {
		list, err := tx.Imports(d.account.ID, store.Page{Limit: 1000})
		for _, i := range list {
			for from := 0; ; parts++ {
				p, err := tx.ImportPart(d.account.ID, i.ID, from)
				if err != nil {
					break
				}
				from = p.Number + 1
			}
		}
		return err
	})
	return parts
}

func counts(c, u, s, f int) aftercall.ImportCounts {
	return aftercall.ImportCounts{Create: c, Update: u, Skip: s, Failed: f}
}

func TestImport(t *testing.T) {
	each(t, func(d *desk) {
		first := text("Kundennummer;Vorname;Nachname;Telefon;E-Mail;Firma", "1;Frida;Kahlo;0171 1234567;frida@example.com;Casa Azul",
			"2;Diego;Rivera;+49 171 7654321;;", "", ";;;;;", "3;Nobody;;12;no address;", ";Ohne;Nummer;030 123456;;", "1;Frida;Kahlo-Rivera;;;")
		first.Columns = map[string]string{"Firma": "contact_details.company"}
		r := d.run(first)
		if r.ImportCounts != counts(3, 1, 0, 1) || r.Total != 5 {
			d.Errorf("counted %+v of %d", r.ImportCounts, r.Total)
		}
		if len(r.Errors) != 1 || r.Errors[0].Line != 6 || r.Errors[0].Field != "phone_number" {
			d.Errorf("errors: %+v", r.Errors)
		}
		got := d.contacts()
		frida := got["1 Frida Kahlo-Rivera +491711234567"]
		if len(got) != 3 || frida.Email != "frida@example.com" || string(frida.Details) != `{"company":"Casa Azul"}` || frida.Status != aftercall.ContactNew {
			d.Errorf("imported %+v", got)
		}
		if r := d.run(first); r.ImportCounts != counts(0, 2, 2, 1) { // Kahlo, and Kahlo-Rivera again
			d.Errorf("counted %+v the second time", r.ImportCounts)
		}
		more := text("external_contact_id,phone_number,contact_details.since,contact_details.company", "1,,2019,", "2,+491717654322,,Museo")
		if r := d.run(more); r.ImportCounts != counts(0, 2, 0, 0) {
			d.Errorf("counted %+v", r.ImportCounts)
		}
		got = d.contacts()
		if frida := got["1 Frida Kahlo-Rivera +491711234567"]; string(frida.Details) != `{"company":"Casa Azul","since":"2019"}` || frida.Email == "" {
			d.Errorf("merged %+v", frida)
		}
		if _, ok := got["2 Diego Rivera +491717654322"]; !ok || len(got) != 3 {
			d.Errorf("updated %+v", got)
		}
		before := got["1 Frida Kahlo-Rivera +491711234567"].UpdatedAt
		if r := d.run(more); r.ImportCounts != counts(0, 0, 2, 0) {
			d.Errorf("counted %+v of what is stored", r.ImportCounts)
		}
		if after := d.contacts()["1 Frida Kahlo-Rivera +491711234567"].UpdatedAt; !after.Equal(before) {
			d.Error("what was skipped was touched")
		}
	})
}

// Rows of one file are about the same people in any order and over batches; a dry run
// knows what the rows before would have left.
func TestImportDuplicates(t *testing.T) {
	each(t, func(d *desk) {
		lines := []string{"id,first_name,last_name,phone,contact_details.n"}
		for n := range 700 {
			switch n % 7 {
			case 0: // the same contact, changed a hundred times
				lines = append(lines, fmt.Sprintf("same,Frida,Kahlo,+491711234567,%d", n))
			case 1: // the same row without an id
				lines = append(lines, ",Diego,Rivera,+491717654321,")
			case 2: // another contact with the number of all of its kind
				lines = append(lines, fmt.Sprintf(",Guest %d,Hotel,+493012345,", n/140))
			case 3: // a contact with an id, and
				lines = append(lines, fmt.Sprintf("id-%d,Max,Muster,+4930123%04d,x", n, n))
			case 4: // a row without it that says no more
				lines = append(lines, fmt.Sprintf(",Max,Muster,+4930123%04d,x", n-1))
			case 5: // wrong before and after others
				lines = append(lines, "same,Frida,Kahlo,no,")
			default:
				lines = append(lines, fmt.Sprintf("new-%d,Eva,Muster,+4930999%04d,", n, n))
			}
		}
		r := d.run(text(lines...))
		if r.ImportCounts != counts(1+1+5+100+100, 99, 99+95+100, 100) {
			d.Errorf("counted %+v", r.ImportCounts)
		}
	})
}

// However a file is written, it says the same.
func TestImportCharsets(t *testing.T) {
	const plain = "Vorname,Nachname,Telefon\nJürgen,\"Groß, \"\"von\"\"\n und zu\",\"0171 1234567\"\nZoë,Æon,0171 7654321"
	encoded := map[string][]byte{"UTF-8": []byte(plain), "UTF-8 with a mark": []byte("\ufeff" + plain), "CRLF": []byte(strings.ReplaceAll(plain, "\n", "\r\n"))}
	for name, separator := range map[string]string{"semicolons": ";", "tabs": "\t"} {
		lines := strings.ReplaceAll(strings.ReplaceAll(plain, "Groß, ", "Groß# "), ",", separator)
		encoded[name] = []byte(strings.ReplaceAll(lines, "#", ","))
	}
	for name, encoder := range map[string]interface{ Bytes([]byte) ([]byte, error) }{
		"Windows-1252": charmap.Windows1252.NewEncoder(),
		"UTF-16LE":     unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(),
		"UTF-16BE":     unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(),
	} {
		content, err := encoder.Bytes([]byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		encoded[name] = content
	}
	s := storetest.Open(t, storetest.SQLite(t))
	for name, content := range encoded {
		d := &desk{t, dialer.New(s, dialer.Config{}), s, storetest.Account(t, s)}
		draft, err := d.DraftImport(t.Context(), d.account.ID, dialer.ContactFile{Content: content, DefaultCountry: "DE"})
		if err != nil || draft.ImportCounts != counts(1, 0, 0, 1) { // a name has one line
			t.Errorf("%s: %+v, %v", name, draft, err)
			continue
		}
		rows, err := d.PreviewImport(t.Context(), draft, 10)
		if err != nil || len(rows) != 2 || rows[0][0] != "Jürgen" || rows[0][1] != "Groß, \"von\"\n und zu" || rows[1][1] != "Æon" {
			t.Errorf("%s: %q, %v", name, rows, err)
		}
		if r, err := d.Import(t.Context(), d.account.ID, draft.ID); err != nil || r.Errors[0].Line != 2 || r.Errors[0].Field != "last_name" {
			t.Errorf("%s: %+v, %v", name, r.Errors, err)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	long := "phone\n" + strings.Repeat("+491711234567\n", aftercall.MaxImportRows+1)
	s := storetest.Open(t, storetest.SQLite(t))
	d := &desk{t, dialer.New(s, dialer.Config{}), s, storetest.Account(t, s)}
	for name, test := range map[string]struct {
		file  dialer.ContactFile
		field string
	}{
		"nothing":                 {dialer.ContactFile{}, "file"},
		"blank lines":             {text("", "", ""), "file"},
		"blank names":             {text(",,", "1,2,3"), "file"},
		"a lone quote":            {text("phone,name", "1,\"Frida", "2,Diego", "3,Max"), "file"},
		"a quote in the header":   {text("phone,\"name", "1,2"), "file"},
		"a quote that takes rows": {text("phone,name", "1,\"Frida", "2,Diego\" x", "3,Max"), "file"},
		"a workbook":              {text("PK\x03\x04 ..."), "file"},
		"no text":                 {text("phone\x00"), "file"},
		"a mark that lies":        {text("\ufeffphone\xff"), "file"},
		"too many rows":           {dialer.ContactFile{Content: []byte(long)}, "file"},
		"too many columns":        {text("phone" + strings.Repeat(",x", 600)), "file"},
		"nothing to tell them by": {text("first_name", "Frida"), "mapping"},
		"a column that is not":    {dialer.ContactFile{Content: []byte("phone\n"), Columns: map[string]string{"fax": "phone_number"}}, "mapping"},
		"a field that is not":     {dialer.ContactFile{Content: []byte("phone\n"), Columns: map[string]string{"phone": "status"}}, "mapping"},
		"no country":              {dialer.ContactFile{Content: []byte("phone\n"), DefaultCountry: "Atlantis"}, "default_country"},
		"an agent":                {dialer.ContactFile{Content: []byte("phone\n"), AgentID: "agent"}, "schedule.agent_id"},
	} {
		for _, verb := range []func() error{
			func() error { _, err := d.CheckImport(t.Context(), d.account.ID, test.file); return err },
			func() error { _, err := d.AddImport(t.Context(), d.account.ID, test.file); return err },
		} {
			err := verb()
			if e, ok := err.(*aftercall.Error); !ok || e.Kind != aftercall.Invalid || e.Fields[0].Path != test.field || strings.Contains(e.Message, "Frida") { //nolint:errorlint // ours
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := d.AddImport(t.Context(), d.account.ID, dialer.ContactFile{Content: make([]byte, aftercall.MaxImportBytes+1)}); aftercall.KindOf(err) != aftercall.TooLarge {
		t.Errorf("a large file: %v", err)
	}
	if d.files() != 0 {
		t.Error("what was refused is stored")
	}
	// A quote that is wrong within its line is that row's.
	if r := d.run(text("phone,first_name,last_name", "+491711234567,Fri\"da,Kahlo", "+491717654321,Diego,Rivera", "+49171,\"Max\" x,Muster")); r.ImportCounts != counts(1, 0, 0, 2) ||
		r.Errors[0].Line != 2 || r.Errors[1].Line != 4 {
		t.Errorf("quotes: %+v %+v", r.ImportCounts, r.Errors)
	}
	if r := d.run(text("phone", "+49171123456\"")); r.ImportCounts != counts(0, 0, 0, 1) {
		t.Errorf("a quote: %+v %+v", r.ImportCounts, r.Errors)
	}
}

// Errors are counted all, and listed up to a limit, without what they are about.
func TestImportErrors(t *testing.T) {
	each(t, func(d *desk) {
		lines := []string{"phone,first_name,last_name,email"}
		for range 1500 {
			lines = append(lines, "+1415555267x,Secret,Person,also secret")
		}
		r := d.run(text(lines...))
		if r.Failed != 1500 || len(r.Errors) != aftercall.MaxImportNotes || r.Errors[0].Line != 2 || r.Errors[999].Line < 500 {
			d.Errorf("%d failed, %d listed", r.Failed, len(r.Errors))
		}
		for _, e := range r.Errors {
			if strings.Contains(strings.ToLower(e.Message), "secret") || strings.Contains(e.Message, "1415555267x") {
				d.Fatalf("an error tells %q", e.Message)
			}
		}
	})
}

// A draft changes nothing, can be read in another way, and is started once.
func TestDraft(t *testing.T) {
	each(t, func(d *desk) {
		draft, err := d.DraftImport(d.Context(), d.account.ID, dialer.ContactFile{Content: []byte("A,B,C\nFrida,Kahlo,0171 1234567\n")})
		if err != nil || draft.Reason == "" || draft.Done() != 0 {
			d.Fatalf("a file that says nothing: %+v, %v", draft, err)
		}
		if _, err := d.StartImport(d.Context(), d.account.ID, draft.ID); aftercall.KindOf(err) != aftercall.Invalid {
			d.Errorf("started: %v", err)
		}
		o := aftercall.ImportOptions{Mapping: aftercall.Mapping{"first_name", "last_name", "phone_number"}}
		if draft, err = d.ReviseImport(d.Context(), d.account.ID, draft.ID, o); err != nil || draft.Reason != "" || draft.ImportCounts != counts(0, 0, 0, 1) {
			d.Errorf("without a country: %+v, %v", draft, err)
		}
		o.DefaultCountry = "de"
		if draft, err = d.ReviseImport(d.Context(), d.account.ID, draft.ID, o); err != nil || draft.ImportCounts != counts(1, 0, 0, 0) || draft.DefaultCountry != "DE" {
			d.Errorf("with one: %+v, %v", draft, err)
		}
		if r, err := d.Import(d.Context(), d.account.ID, draft.ID); err != nil || len(r.Errors) != 0 || len(r.Columns) != 3 {
			d.Errorf("%+v, %v", r, err)
		}
		if n := len(d.contacts()); n != 0 {
			d.Errorf("%d contacts", n)
		}
		var started, refused int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, err := d.StartImport(d.Context(), d.account.ID, draft.ID)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					started++
				case aftercall.KindOf(err) == aftercall.Conflict:
					refused++
				default:
					d.Error(err)
				}
			})
		}
		all.Wait()
		if started != 1 || refused != 7 {
			d.Errorf("%d started it, %d were refused", started, refused)
		}
		if _, err := d.ReviseImport(d.Context(), d.account.ID, draft.ID, o); aftercall.KindOf(err) != aftercall.Conflict {
			d.Errorf("revised: %v", err)
		}
		if err := d.FinishImport(d.Context(), d.account.ID, draft.ID); err != nil || len(d.contacts()) != 1 {
			d.Errorf("%d contacts, %v", len(d.contacts()), err)
		}
	})
}

// Only so many files wait, and only so many imports run.
func TestImportsAreBounded(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	d := &desk{t, dialer.New(s, dialer.Config{}), s, storetest.Account(t, s)}
	var first string
	for range 12 {
		draft, err := d.DraftImport(t.Context(), d.account.ID, text("phone", "+491711234567"))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = draft.ID
		}
	}
	if _, err := d.Import(t.Context(), d.account.ID, first); aftercall.KindOf(err) != aftercall.NotFound || d.files() != 2*8 {
		t.Errorf("%d parts are stored, %v", d.files(), err)
	}
	for n := range 9 {
		_, err := d.AddImport(t.Context(), d.account.ID, text("phone", "+491711234567"))
		if (err == nil) != (n < 8) || err != nil && aftercall.KindOf(err) != aftercall.Throttled {
			t.Errorf("import %d: %v", n, err)
		}
	}
}

func TestCancelImport(t *testing.T) {
	each(t, func(d *desk) {
		for _, draft := range []bool{true, false} {
			i, err := d.DraftImport(d.Context(), d.account.ID, text("phone,first_name,last_name", "+491711234567,Frida,Kahlo"))
			if err == nil && !draft {
				i, err = d.StartImport(d.Context(), d.account.ID, i.ID)
			}
			if err != nil {
				d.Fatal(err)
			}
			for range 2 { // the second time it is over
				if err := d.CancelImport(d.Context(), d.account.ID, i.ID); err != nil && !draft {
					d.Error(err)
				}
			}
			if err := d.FinishImport(d.Context(), d.account.ID, i.ID); err != nil {
				d.Error(err)
			}
			r, err := d.Import(d.Context(), d.account.ID, i.ID)
			if draft && aftercall.KindOf(err) != aftercall.NotFound || !draft && (r.Status != aftercall.ImportFailed || r.Reason == "") {
				d.Errorf("canceled: %+v, %v", r, err)
			}
		}
		if d.files() != 0 || len(d.contacts()) != 0 {
			d.Errorf("%d parts and %d contacts are left", d.files(), len(d.contacts()))
		}
	})
}

// Several processes on one database apply each row once.
func TestImportInParallel(t *testing.T) {
	each(t, func(d *desk) {
		lines := []string{"id,first_name,last_name,phone"}
		for n := range 1000 {
			lines = append(lines, fmt.Sprintf("%d,Frida,Kahlo,+4930123%04d", n%900, n%900))
		}
		r, err := d.AddImport(d.Context(), d.account.ID, text(lines...))
		if err != nil {
			d.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := dialer.New(d.store, dialer.Config{}).FinishImport(d.Context(), d.account.ID, r.ID); err != nil {
					d.Error(err)
				}
			})
		}
		all.Wait()
		if r, err = d.Import(d.Context(), d.account.ID, r.ID); err != nil || r.ImportCounts != counts(900, 0, 100, 0) || len(d.contacts()) != 900 {
			d.Errorf("%+v, %v, %d contacts", r, err, len(d.contacts()))
		}
	})
}

// The loop takes up what was left undone before it began, and what is started while it
// sleeps; and it stops.
func TestRunImports(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aftercall.db")
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t, path)
		d := &desk{t, dialer.New(s, dialer.Config{}), s, storetest.Account(t, s)}
		add := func(d *desk, name string) {
			t.Helper()
			if _, err := d.AddImport(t.Context(), d.account.ID, text("phone,first_name,last_name", "+491711234567,Frida,"+name)); err != nil {
				t.Fatal(err)
			}
		}
		add(d, "before")
		var log bytes.Buffer
		running := &desk{t, dialer.New(s, dialer.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}), s, d.account} // after a restart
		ended := make(chan struct{})
		go func() {
			running.RunImports(t.Context())
			close(ended)
		}()
		<-time.After(time.Second)
		if n := len(d.contacts()); n != 1 {
			t.Errorf("%d contacts after a restart", n)
		}
		add(running, "bell")
		<-time.After(time.Second)
		if n := len(d.contacts()); n != 2 {
			t.Errorf("%d contacts after the bell", n)
		}
		add(d, "elsewhere") // the bell of another process
		<-time.After(time.Second)
		if n := len(d.contacts()); n != 2 {
			t.Errorf("%d contacts, though nobody told", n)
		}
		<-time.After(time.Minute)
		if n := len(d.contacts()); n != 3 || log.Len() > 0 {
			t.Errorf("%d contacts after a minute, %s", n, &log)
		}
		t.Cleanup(func() { <-ended })
	})
}
