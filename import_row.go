package aftercall

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// ImportRow is what a row of a file says of a contact. Cells without anything in them,
// and those of columns that become nothing, are no part of it.
type ImportRow struct {
	Line   int // where it begins in the file
	fields []importCell
}

type importCell struct{ field, text string }

// Blank reports whether nothing stands in a row, as spreadsheets leave them at the end.
func Blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// Row reads the cells of a row. What is wrong with them is an Invalid error, which
// repeats nothing of them.
func (o ImportOptions) Row(line int, cells []string) (ImportRow, error) {
	row := ImportRow{Line: line}
	var f fieldErrors
	for i, text := range cells {
		text = cellText(Undefused(text))
		switch {
		case text == "":
			continue
		case i >= len(o.Mapping):
			f.add("row", "has more cells than there are columns")
			return row, f.err()
		case o.Mapping[i] == "":
			continue
		case o.Mapping[i] == "phone_number":
			number, ok := ParsePhoneIn(text, o.DefaultCountry)
			if !ok && o.DefaultCountry == "" {
				f.add("phone_number", notPhone)
			} else if !ok {
				f.add("phone_number", "is neither an international phone number such as +14155552671 nor one of %s", o.DefaultCountry)
			}
			text = number
		}
		row.fields = append(row.fields, importCell{o.Mapping[i], text})
	}
	return row, f.err()
}

// cellText is a text as a cell shows it: without spaces around it, and with one kind of
// line ends, since reading a file makes them one.
func cellText(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

func (r ImportRow) text(field string) string {
	for _, cell := range r.fields {
		if cell.field == field {
			return cell.text
		}
	}
	return ""
}

// ExternalID is the contact's id that the row has, or empty.
func (r ImportRow) ExternalID() string { return r.text("external_contact_id") }

// PhoneNumber is the number that the row has, in E.164, or empty.
func (r ImportRow) PhoneNumber() string { return r.text("phone_number") }

// Apply returns a contact with what the row says, and whether that changes anything.
// Details that the row does not name stay.
func (r ImportRow) Apply(c Contact) (after Contact, changed bool) {
	var details map[string]json.RawMessage
	merged := false
	for _, cell := range r.fields {
		if key, ok := strings.CutPrefix(cell.field, DetailPrefix); ok {
			if details == nil {
				details = c.detailMap()
			}
			if cellText(detailText(details[key])) != cell.text {
				details[key], merged = detailOf(details[key], cell.text), true
			}
			continue
		}
		if stored := c.importField(cell.field); cellText(*stored) != cell.text {
			*stored, changed = cell.text, true
		}
	}
	if merged {
		c.Details = marshal(details)
	}
	return c, changed || merged
}

// importField is where a contact keeps a field.
func (c *Contact) importField(field string) *string {
	switch field {
	case "external_contact_id":
		return &c.ExternalID
	case "first_name":
		return &c.FirstName
	case "last_name":
		return &c.LastName
	case "phone_number":
		return &c.PhoneNumber
	case "email":
		return &c.Email
	case "salutation":
		return &c.Salutation
	case "gender":
		return &c.Gender
	case "timezone":
		return &c.Timezone
	case "external_url":
		return &c.ExternalURL
	}
	panic("aftercall: no field " + field) // a mapping is validated before it is used
}

// detailMap is the contact's details by their names, in a map of its own.
func (c Contact) detailMap() map[string]json.RawMessage {
	details := map[string]json.RawMessage{}
	if len(c.Details) > 0 && json.Unmarshal(c.Details, &details) != nil { // it was validated as an object
		return map[string]json.RawMessage{}
	}
	return details
}

// detailText shows a detail in a cell: a text as it is, anything else as JSON.
func detailText(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// detailOf is what a cell makes of a detail. One that is no text, such as a number,
// stays of its kind where the cell can be read as one.
func detailOf(stored json.RawMessage, cell string) json.RawMessage {
	if kind := jsonKind(stored); kind != 0 && kind != '"' && json.Valid([]byte(cell)) && jsonKind([]byte(cell)) == kind {
		return json.RawMessage(cell)
	}
	return marshal(cell)
}

// jsonKind tells kinds of values apart by how they begin: '0' stands for numbers, 't'
// for true and false, 0 for nothing and null.
func jsonKind(raw []byte) byte {
	if len(raw) == 0 || string(raw) == "null" {
		return 0
	}
	switch first := raw[0]; first {
	case '"', '{', '[':
		return first
	case 't', 'f':
		return 't'
	}
	return '0'
}

// marshal encodes a text or details without escaping what only HTML needs escaped.
func marshal(v any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil { // texts and valid JSON always encode
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// ImportErrors lists what is wrong with a row by an error about it.
func ImportErrors(line int, err error) []ImportError {
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Fields) == 0 {
		return []ImportError{{Line: line, Field: "row", Message: "could not be stored"}}
	}
	list := make([]ImportError, len(e.Fields))
	for i, f := range e.Fields {
		list[i] = ImportError{line, f.Path, f.Message}
	}
	return list
}
