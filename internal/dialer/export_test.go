package dialer_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// What was exported is imported as it is into the same account, where it changes nothing,
// and into an empty one, where it says the same.
func TestExport(t *testing.T) {
	each(t, func(d *desk) {
		other := &desk{d.T, d.Dialer, d.store, storetest.Account(d, d.store)}
		var list []*aftercall.Contact
		for n := range 1200 { // several pages
			list = append(list, &aftercall.Contact{
				AccountID: d.account.ID, ExternalID: fmt.Sprintf("=id-%d", n), FirstName: "@Frida, \"the\" one", LastName: "-Kahlo", PhoneNumber: "+14155552671",
				Email: "frida@example.com", Timezone: "Europe/Berlin", ExternalURL: "https://crm.example/7",
				Details: json.RawMessage(fmt.Sprintf(`{"k%d":"\tA\r\n\"B\"; c","'=n":%d,"none":null}`, n%3, n)),
			})
		}
		if _, err := d.AddContacts(d.Context(), list); err != nil {
			d.Fatal(err)
		}
		if err := other.AddContact(d.Context(), &aftercall.Contact{AccountID: other.account.ID, FirstName: "Theirs", LastName: "x", PhoneNumber: "+14155552671"}); err != nil {
			d.Fatal(err)
		}
		var out bytes.Buffer
		if err := d.ExportContacts(d.Context(), d.account.ID, &out, true); err != nil {
			d.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), "\ufeffcontact_id,external_contact_id,") || strings.Contains(out.String(), "Theirs") {
			d.Errorf("exported %.200s", &out)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
		if err != nil || len(rows) != 1201 || len(rows[0]) != 15+5 {
			d.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					d.Fatalf("a formula: %q", cell)
				}
			}
		}
		file := dialer.ContactFile{Content: out.Bytes()}
		if r := d.run(file); r.ImportCounts != counts(0, 0, 1200, 0) {
			d.Errorf("imported where it is: %+v %+v", r.ImportCounts, r.Errors)
		}
		third := &desk{d.T, d.Dialer, d.store, storetest.Account(d, d.store)}
		if r := third.run(file); r.ImportCounts != counts(1200, 0, 0, 0) {
			d.Errorf("imported elsewhere: %+v %+v", r.ImportCounts, r.Errors)
		}
		for key, c := range d.contacts() {
			copied := third.contacts()[key]
			if copied.FirstName != c.FirstName || copied.PhoneNumber != c.PhoneNumber || copied.Timezone != c.Timezone || copied.ExternalURL != c.ExternalURL {
				d.Errorf("%+v became %+v", c, copied)
			}
			break
		}
		if r := third.run(file); r.ImportCounts != counts(0, 0, 1200, 0) {
			d.Errorf("imported there again: %+v", r.ImportCounts)
		}
	})
}

// A table has only so many columns.
func TestExportOfManyDetails(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	d := dialer.New(s, dialer.Config{})
	a := storetest.Account(t, s)
	details := map[string]string{}
	for n := range aftercall.MaxColumns {
		details[fmt.Sprint("key", n)] = "v"
	}
	encoded, err := json.Marshal(details)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AddContact(t.Context(), &aftercall.Contact{AccountID: a.ID, FirstName: "A", LastName: "B", PhoneNumber: "+14155552671", Details: encoded}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := d.ExportContacts(t.Context(), a.ID, &out, false); aftercall.KindOf(err) != aftercall.Invalid || out.Len() > 0 {
		t.Errorf("%v, after %d bytes", err, out.Len())
	}
}

// Whatever bytes come, they are imported or refused, and no fault of ours.
func FuzzImport(f *testing.F) {
	s := storetest.Open(f, storetest.SQLite(f))
	d := dialer.New(s, dialer.Config{})
	for _, seed := range []string{
		"", "phone\n", "\"", "\xff\xfe\x00\xd8", "\xef\xbb\xbfphone;x\n\"", "id,phone,first_name,last_name,contact_details.x\n\x01,+14155552671,a,b,\x02\n",
		"phone\tvorname\tnachname\n0171 1234567\tJ\xfcrgen\tx\n\r\n\n\t\t\n", "phone\r0171\r", "a,a,a\nb,,,,,,\n", "id\n'\n",
		"\xfe\xff\x00i\x00d\x00,\x00p\x00h\x00o\x00n\x00e\x00\n\x00\x00\x00,\xd8\x00",
	} {
		f.Add([]byte(seed), "DE")
	}
	f.Fuzz(func(t *testing.T, content []byte, country string) {
		a := storetest.Account(t, s)
		file := dialer.ContactFile{Content: content, DefaultCountry: country}
		dry, err := d.CheckImport(t.Context(), a.ID, file)
		if kind := aftercall.KindOf(err); err != nil && kind != aftercall.Invalid && kind != aftercall.TooLarge {
			t.Fatal(err)
		}
		r, again := d.AddImport(t.Context(), a.ID, file)
		if (err == nil) != (again == nil) {
			t.Fatalf("checked: %v, begun: %v", err, again)
		}
		if err != nil {
			return
		}
		if err := d.FinishImport(t.Context(), a.ID, r.ID); err != nil {
			t.Fatal(err)
		}
		if r, err = d.Import(t.Context(), a.ID, r.ID); err != nil || r.ImportCounts != dry.ImportCounts || r.Done() != r.Total || r.Status != aftercall.ImportFinished {
			t.Errorf("%+v, %v; checked as %+v", r, err, dry.ImportCounts)
		}
	})
}
