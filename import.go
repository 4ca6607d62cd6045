package aftercall

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// Limits on a file of contacts.
const (
	MaxImportBytes = 10 << 20 // of the file, as it is sent
	MaxImportRows  = 100_000
	MaxColumns     = 500  // of an import or an export
	MaxImportNotes = 1000 // errors that are listed; all are counted
)

// ImportStatus is how far an import has come.
type ImportStatus string

const (
	ImportDraft    ImportStatus = "draft"    // was checked, and changes nothing until it is started
	ImportRunning  ImportStatus = "running"  // its rows are being applied
	ImportFinished ImportStatus = "finished" // every row was applied, or told as an error
	ImportFailed   ImportStatus = "failed"   // ended before: what was applied stays
)

// Import is a file of contacts on its way into an account. The file itself is stored
// beside it, and each part of it goes in the transaction that applies its rows.
type Import struct {
	AccountID string
	ID        string
	Status    ImportStatus
	Reason    string // why it failed, or why a draft cannot be checked yet; for people
	ImportOptions
	Separator rune // between the file's cells
	Total     int  // the file's rows, without the names of its columns
	ImportCounts
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ImportOptions say how a file is to be read, and what follows.
type ImportOptions struct {
	Mapping        Mapping
	DefaultCountry string // ISO code of numbers without their country, "DE"; empty refuses such numbers
	AgentID        string // who is to call the contacts; empty for nobody
}

// ImportCounts tell what became of rows or, of a draft, what would.
type ImportCounts struct {
	Create, Update, Skip, Failed int
}

// Done is how many rows were looked at.
func (n ImportCounts) Done() int { return n.Create + n.Update + n.Skip + n.Failed }

// ImportError says what is wrong with a row, without repeating any of it: it outlives the
// file, and the people in it.
type ImportError struct {
	Line    int // of the file, counted from 1, where the row begins
	Field   string
	Message string
}

// DetailPrefix begins the name of a field that is one of a contact's details:
// "contact_details.company".
const DetailPrefix = "contact_details."

// maxDetailKey is how long the name of a detail may be, in characters.
const maxDetailKey = 128

// ImportFields are what a column can become, beside details.
func ImportFields() []string {
	return []string{
		"external_contact_id", "first_name", "last_name", "phone_number", "email", "salutation", "gender", "timezone", "external_url",
	}
}

// Mapping says what becomes of each column of a file, in their order: a field of a
// contact, DetailPrefix and a key, or "" for nothing.
type Mapping []string

// Validate checks that each field is one, and has one column. Without a number or an
// id no row could be told whose it is.
func (o *ImportOptions) Validate() error {
	var f fieldErrors
	seen := map[string]bool{}
	for i, field := range o.Mapping {
		switch {
		case field == "":
			continue
		case !knownField(field):
			f.add("mapping", "column %d cannot become that: it must be a field of a contact, or %s and a name without control characters, or empty", i+1, DetailPrefix)
		case seen[field]:
			f.add("mapping", "two columns are to become %s", field)
		}
		seen[field] = true
	}
	if !seen["phone_number"] && !seen["external_contact_id"] {
		f.add("mapping", "a column must become phone_number, or external_contact_id to change contacts that exist")
	}
	o.DefaultCountry = strings.ToUpper(strings.TrimSpace(o.DefaultCountry))
	if o.DefaultCountry != "" && phonenumbers.GetCountryCodeForRegion(o.DefaultCountry) == 0 {
		f.add("default_country", "must be a country's code of two letters, such as DE")
	}
	return f.err()
}

func knownField(field string) bool {
	key, isDetail := strings.CutPrefix(field, DetailPrefix)
	if !isDetail {
		return slices.Contains(ImportFields(), field)
	}
	return key != "" && utf8.RuneCountInString(key) <= maxDetailKey && utf8.ValidString(key) && !strings.ContainsFunc(key, unicode.IsControl)
}

// GuessMapping guesses by the names of columns what they become. What it does not know
// becomes nothing: only who sends a file can say what of it may be kept.
func GuessMapping(columns []string) Mapping {
	m := make(Mapping, len(columns))
	best := map[string]int{} // the strength of the name that has the field
	for i, column := range columns {
		field, strength := guess(column)
		if field == "" || best[field] >= strength {
			continue
		}
		for j := range i {
			if m[j] == field {
				m[j] = ""
			}
		}
		m[i], best[field] = field, strength
	}
	return m
}

// Strengths of names: of two columns for one field, the one with the stronger name has it.
const (
	vague = 1 + iota // may well mean something else
	usual
	exact
)

// guess returns the field that a column's name stands for, in English or German.
func guess(column string) (field string, strength int) {
	column = strings.TrimSpace(column)
	if knownField(column) {
		return column, exact
	}
	switch plain(column) {
	case "externalcontactid", "externalid", "externeid", "crmid", "customerid", "customernumber", "kundennummer", "kundennr", "kundenid", "leadid":
		return "external_contact_id", usual
	case "id":
		return "external_contact_id", vague
	case "firstname", "givenname", "forename", "vorname", "rufname":
		return "first_name", usual
	case "lastname", "surname", "familyname", "nachname", "familienname", "zuname":
		return "last_name", usual
	case "name":
		return "last_name", vague
	case "phonenumber", "phone", "phoneno", "telephone", "telephonenumber", "tel", "telno", "mobile", "mobilenumber", "mobilephone", "cell", "cellphone",
		"telefon", "telefonnummer", "telefonnr", "telnr", "rufnummer", "handy", "handynummer", "handynr", "mobil", "mobilnummer", "mobiltelefon":
		return "phone_number", usual
	case "email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse":
		return "email", usual
	case "salutation", "anrede":
		return "salutation", usual
	case "gender", "sex", "geschlecht":
		return "gender", usual
	case "timezone", "timezoneiana", "zeitzone":
		return "timezone", usual
	case "externalurl", "crmurl", "crmlink", "contacturl":
		return "external_url", usual
	}
	return "", 0
}

// plain is a name without what people write in different ways: case, spaces, hyphens.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// MapColumns is the guess, but for columns whose names are given with what they become.
func MapColumns(columns []string, given map[string]string) (Mapping, error) {
	m := GuessMapping(columns)
	var f fieldErrors
	said := make([]bool, len(columns))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		called := 0
		for i, column := range columns {
			if strings.TrimSpace(column) == strings.TrimSpace(name) {
				m[i], said[i] = given[name], true
				called++
			}
		}
		if called != 1 {
			f.add("mapping", "the file has %d columns called %q, not one", called, name)
		}
	}
	for i := range m {
		for j := range m {
			if said[j] && !said[i] && m[i] == m[j] { // what was only guessed gives way
				m[i] = ""
			}
		}
	}
	return m, f.err()
}
