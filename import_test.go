package aftercall

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGuessMapping(t *testing.T) {
	for _, test := range []struct{ columns, want string }{
		{"external_contact_id,first_name,last_name,phone_number,email", "external_contact_id,first_name,last_name,phone_number,email"},
		{"Anrede,Vorname,Nachname,Telefon,E-Mail,Firma", "salutation,first_name,last_name,phone_number,email,"},
		{"Kunden-Nr.,Vorname,Name,Mobil,Geschlecht,Zeitzone", "external_contact_id,first_name,last_name,phone_number,gender,timezone"},
		{"ID,First Name,Surname,Phone No.,Gender,Time Zone,CRM URL", "external_contact_id,first_name,last_name,phone_number,gender,timezone,external_url"},
		{"externalId,firstName,lastName,phoneNumber,timezoneIana", "external_contact_id,first_name,last_name,phone_number,timezone"},
		{"ID,External ID,Name,Last name,Phone", ",external_contact_id,,last_name,phone_number"}, // the stronger name wins
		{"Telefon,Mobil", "phone_number,"}, // of two alike, the first
		{"contact_id,status,contact_details.company,contact_details.", ",,contact_details.company,"},
		{"", ""}, {"§$%,\x00", ","},
	} {
		got := GuessMapping(strings.Split(test.columns, ","))
		if strings.Join(got, ",") != test.want {
			t.Errorf("%s becomes %q, want %s", test.columns, got, test.want)
		}
	}
}

func TestMapColumns(t *testing.T) {
	columns := []string{"Telefon", " Handy ", "Firma", "Firma"}
	m, err := MapColumns(columns, map[string]string{"Handy": "phone_number"})
	if err != nil || !slices.Equal(m, Mapping{"", "phone_number", "", ""}) {
		t.Errorf("mapped %q, %v", m, err)
	}
	if m, err = MapColumns(columns, map[string]string{"Telefon": ""}); err != nil || !slices.Equal(m, Mapping{"", "", "", ""}) {
		t.Errorf("mapped %q, %v", m, err)
	}
	for _, name := range []string{"Firma", "Fax"} {
		if _, err := MapColumns(columns, map[string]string{name: "email"}); KindOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImportOptionsValidate(t *testing.T) {
	for _, test := range []struct {
		mapping, country string
		ok               bool
	}{
		{"phone_number", "", true}, {"external_contact_id,email", "", true}, {",phone_number,contact_details.Ort & Straße", "de", true},
		{"", "", false}, {"first_name", "", false}, {"phone_number,phone_number", "", false}, {"phone_number,status", "", false},
		{"phone_number,contact_details.", "", false}, {"phone_number,contact_details.a\nb", "", false},
		{"phone_number,contact_details." + strings.Repeat("x", 200), "", false}, {"phone_number", "Germany", false}, {"phone_number", "XX", false},
	} {
		o := ImportOptions{Mapping: strings.Split(test.mapping, ","), DefaultCountry: test.country}
		if err := o.Validate(); (err == nil) != test.ok || err != nil && KindOf(err) != Invalid {
			t.Errorf("%q, %s: %v", test.mapping, test.country, err)
		}
	}
}

func TestParsePhoneIn(t *testing.T) {
	for _, test := range []struct{ text, country, want string }{
		{"0171 1234567", "DE", "+491711234567"}, {"0171 1234567", "", ""}, {"0049 171 1234567", "DE", "+491711234567"}, {"0049 171 1234567", "", ""},
		{"+1 415 555 2671", "DE", "+14155552671"}, {"(415) 555-2671", "US", "+14155552671"}, {"555-2671", "US", ""}, // without its town nobody knows whose
		{"4.91711E+11", "DE", ""}, {"n/a", "DE", ""}, {"", "DE", ""}, {"0", "DE", ""},
	} {
		if got, ok := ParsePhoneIn(test.text, test.country); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%q in %s is %q, %t", test.text, test.country, got, ok)
		}
	}
}

func TestImportRow(t *testing.T) {
	o := ImportOptions{Mapping: Mapping{"external_contact_id", "first_name", "phone_number", "contact_details.company", "contact_details.age", ""}, DefaultCountry: "DE"}
	stored := Contact{ExternalID: "7", FirstName: " Frida", PhoneNumber: "+491711234567", Email: "f@example.com",
		Details: json.RawMessage(`{"company":"A & Söhne","age":42,"note":null}`)}
	for _, test := range []struct {
		name, cells string
		changed     bool
		details     string
	}{
		{"what is stored already", "7|Frida|0171 1234567|A & Söhne|42|ignored", false, string(stored.Details)},
		{"empty cells", "7", false, string(stored.Details)},
		{"empty cells at the end", "7| |||||||", false, string(stored.Details)},
		{"a detail", "7|||B < C", true, `{"age":42,"company":"B < C","note":null}`},
		{"a number stays one", "7||||43", true, `{"age":43,"company":"A & Söhne","note":null}`},
		{"unless it cannot", "7||||about 40", true, `{"age":"about 40","company":"A & Söhne","note":null}`},
		{"a formula that was defused", "7|||'=1+1", true, `{"age":42,"company":"=1+1","note":null}`},
	} {
		row, err := o.Row(3, strings.Split(test.cells, "|"))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		after, changed := row.Apply(stored)
		if changed != test.changed || string(after.Details) != test.details || after.Email != stored.Email {
			t.Errorf("%s: %t, %s", test.name, changed, after.Details)
		}
		if row.ExternalID() != "7" || row.Line != 3 {
			t.Errorf("%s: read %+v", test.name, row)
		}
	}
	for cells, field := range map[string]string{"7|Frida|12": "phone_number", "7||||||too|many": "row"} {
		_, err := o.Row(9, strings.Split(cells, "|"))
		list := ImportErrors(9, err)
		if len(list) != 1 || list[0].Field != field || list[0].Line != 9 || strings.Contains(list[0].Message, "12") || strings.Contains(list[0].Message, "many") {
			t.Errorf("%s: %+v", cells, list)
		}
	}
	if Blank([]string{"", " \t", "\u00a0"}) != true || Blank([]string{"", "0"}) {
		t.Error("blank is not told apart")
	}
}

// Whatever text there is, a spreadsheet takes it for no formula, and it comes back.
func TestDefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`'{0,3}[=+@\t\r-]?.{0,5}`)).Draw(t, "text")
		defused := Defused(text)
		if defused != "" && strings.ContainsAny(defused[:1], formulaStarts) {
			t.Errorf("%q is a formula", defused)
		}
		if got := Undefused(defused); got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
	for text, want := range map[string]string{"=1": "'=1", "+14155552671": "'+14155552671", "-1": "'-1", "@x": "'@x", "O'Hara": "O'Hara", "'t Hooft": "'t Hooft", "'=x": "''=x"} {
		if got := Defused(text); got != want {
			t.Errorf("%q is defused as %q", text, got)
		}
	}
	if got := Undefused("'t Hooft"); got != "'t Hooft" {
		t.Errorf("a name became %q", got)
	}
}

// What is exported changes nothing when it is imported.
func TestExportImport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Contact{ExternalID: rapid.String().Draw(t, "id"), FirstName: rapid.String().Draw(t, "first"), PhoneNumber: "+14155552671"}
		details := map[string]any{}
		for _, key := range rapid.SliceOfN(rapid.StringMatching(`[a-z=+ ]{1,5}`), 0, 4).Draw(t, "keys") {
			details[strings.TrimSpace(key)+"x"] = rapid.OneOf(rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil)).Draw(t, "detail")
		}
		c.Details = marshal(details)
		columns := ExportColumns(c.DetailKeys())
		o := ImportOptions{Mapping: GuessMapping(columns)}
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		row, err := o.Row(2, c.ExportRow(c.DetailKeys()))
		if err != nil {
			t.Fatal(err)
		}
		if after, changed := row.Apply(c); changed {
			t.Errorf("%+v became %+v", c, after)
		}
	})
}
