package aftercall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// PropertyType is what the values of a property are.
type PropertyType string

const (
	PropertyString      PropertyType = "string"
	PropertyNumber      PropertyType = "number"
	PropertyBoolean     PropertyType = "boolean"
	PropertyDate        PropertyType = "date"         // a day, 2006-01-02
	PropertyDatetime    PropertyType = "datetime"     // a time with its zone, 2006-01-02T15:04:05+01:00
	PropertySelect      PropertyType = "select"       // one of the property's options
	PropertyMultiSelect PropertyType = "multi_select" // a list of them, each once
	PropertyPhone       PropertyType = "phone_number" // E.164
	PropertyEmail       PropertyType = "email"
)

// propertyTypes are all there are.
var propertyTypes = []PropertyType{
	PropertyString, PropertyNumber, PropertyBoolean, PropertyDate, PropertyDatetime, PropertySelect, PropertyMultiSelect,
	PropertyPhone, PropertyEmail,
}

// selects reports whether values are picked from options.
func (t PropertyType) selects() bool { return t == PropertySelect || t == PropertyMultiSelect }

// Property is a typed field of an account's contacts. Its values are among the
// contacts' details, under its key, so key and type never change.
type Property struct {
	AccountID   string
	Key         string // unique in the account
	Type        PropertyType
	Label       string // its name for people
	Description string
	Options     []Option // of select types only
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Option is a value that may be selected.
type Option struct {
	Value       string `json:"value"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// Limits on a property, in characters, and on how many options it has.
const (
	maxLabel       = 256
	maxDescription = 1024
	maxOptions     = 500
)

// propertyKey is the reference's form of a key.
var propertyKey = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$`)

// Validate checks what a caller may set.
func (p Property) Validate() error {
	var f fieldErrors
	if !propertyKey.MatchString(p.Key) {
		f.add("key", "must be 1 to 64 letters, digits, - or _, the first of them a letter or digit")
	}
	if !slices.Contains(propertyTypes, p.Type) {
		f.add("dataType", "must be string, number, boolean, date, datetime, select, multi_select, phone_number or email")
	}
	validateLabel(&f, "label", p.Label)
	validateDescription(&f, "description", p.Description)
	p.validateOptions(&f)
	return f.err()
}

func (p Property) validateOptions(f *fieldErrors) {
	switch n := len(p.Options); {
	case n > 0 && !p.Type.selects():
		f.add("options", "are for %s and %s only", PropertySelect, PropertyMultiSelect)
	case n == 0 && p.Type.selects():
		f.add("options", "are required: they are what can be selected")
	case n > maxOptions:
		f.add("options", "must not be more than %d", maxOptions)
	default:
		known := map[string]bool{}
		for i, option := range p.Options {
			path := fmt.Sprintf("options.%d.", i)
			validateLabel(f, path+"value", option.Value)
			validateLabel(f, path+"label", option.Label)
			validateDescription(f, path+"description", option.Description)
			if known[option.Value] {
				f.add(path+"value", "is there twice")
			}
			known[option.Value] = true
		}
	}
}

func validateLabel(f *fieldErrors, path, text string) {
	if strings.TrimSpace(text) == "" {
		f.add(path, "is required")
	}
	validateText(f, path, text, maxLabel)
}

// validateDescription accepts more than one line.
func validateDescription(f *fieldErrors, path, text string) {
	if utf8.RuneCountInString(text) > maxDescription {
		f.add(path, "must not exceed %d characters", maxDescription)
	}
}

// Value reads a value that is sent for the property, and returns it in the form that is
// stored: numbers of phones as E.164, times in the form of RFC 3339. Errors: Invalid,
// naming path.
func (p Property) Value(path string, raw json.RawMessage) (json.RawMessage, error) {
	v, wrong := p.read(raw)
	if wrong != "" {
		return nil, InvalidField(path, "%s", wrong)
	}
	return encode(v), nil
}

// read returns a value, or what is wrong with it without repeating it.
func (p Property) read(raw json.RawMessage) (v any, wrong string) {
	var text string
	switch {
	case isNull(raw):
		return nil, "is required"
	case p.Type == PropertyNumber:
		var n float64 // only to see that it is one: digits that it has no room for are kept
		return raw, unless(json.Unmarshal(raw, &n) == nil, "must be a number")
	case p.Type == PropertyBoolean:
		var b bool
		return raw, unless(json.Unmarshal(raw, &b) == nil, "must be true or false")
	case p.Type == PropertyMultiSelect:
		return p.readSelected(raw)
	case json.Unmarshal(raw, &text) != nil:
		return nil, "must be a string"
	}
	switch p.Type {
	case PropertyDate:
		_, err := time.Parse(time.DateOnly, text)
		return text, unless(err == nil, "must be a day such as 2025-02-18")
	case PropertyDatetime:
		at, ok := ParseISO(text)
		return at.Format(time.RFC3339Nano), unless(ok, "must be ISO 8601 with a zone such as 2025-02-18T15:30:00Z")
	case PropertySelect:
		return text, unless(p.hasOption(text), "must be one of the property's options")
	case PropertyPhone:
		number, ok := ParsePhone(text)
		return number, unless(ok, notPhone)
	case PropertyEmail:
		return text, unless(isEmail(text), notEmail)
	}
	return text, ""
}

// readSelected reads a list of options. One that is there twice is kept once.
func (p Property) readSelected(raw json.RawMessage) (v any, wrong string) {
	var list []string
	if json.Unmarshal(raw, &list) != nil || len(list) > maxOptions {
		return nil, fmt.Sprintf("must be a list of at most %d strings", maxOptions)
	}
	selected := []string{}
	for _, value := range list {
		if !p.hasOption(value) {
			return nil, "must be a list of the property's options"
		}
		if !slices.Contains(selected, value) {
			selected = append(selected, value)
		}
	}
	return selected, ""
}

func (p Property) hasOption(value string) bool {
	return slices.ContainsFunc(p.Options, func(o Option) bool { return o.Value == value })
}

// unless returns what is wrong, or nothing.
func unless(ok bool, wrong string) string {
	if ok {
		return ""
	}
	return wrong
}

// isNull reports whether JSON says nothing: it is missing, or null.
func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

// PropertyValue is a value that is sent for a property.
type PropertyValue struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// Properties are those of an account.
type Properties []Property

// Values reads what is sent for a contact, by key. A value is nil where null was sent,
// which clears it. What is sent for a key without a property is left out, as the
// reference does. Errors: Invalid, naming each wrong one, "properties.0.value".
func (list Properties) Values(sent []PropertyValue) (map[string]json.RawMessage, error) {
	known := make(map[string]Property, len(list))
	for _, p := range list {
		known[p.Key] = p
	}
	values := map[string]json.RawMessage{}
	var wrong []error
	for i, s := range sent {
		p, ok := known[s.Key]
		if !ok {
			continue
		}
		if string(s.Value) == "null" {
			values[s.Key] = nil
			continue
		}
		v, err := p.Value(fmt.Sprintf("properties.%d.value", i), s.Value)
		values[s.Key] = v
		wrong = append(wrong, err)
	}
	return values, AllInvalid(wrong...)
}

// ValuedProperty is a property with the value that a contact has.
type ValuedProperty struct {
	Property
	Value json.RawMessage
}

// Of returns the properties that a contact has values of. A value that was set otherwise
// than by its property, untyped, is as it was set.
func (list Properties) Of(c Contact) []ValuedProperty {
	details := c.detailsByKey()
	var valued []ValuedProperty
	for _, p := range list {
		if v := details[p.Key]; !isNull(v) {
			valued = append(valued, ValuedProperty{p, v})
		}
	}
	return valued
}

// SetDetails sets details by their keys, and removes those whose value is nil. The
// others stay.
func (c *Contact) SetDetails(values map[string]json.RawMessage) {
	if len(values) == 0 {
		return
	}
	details := c.detailsByKey()
	for key, v := range values {
		if v == nil {
			delete(details, key)
		} else {
			details[key] = v
		}
	}
	c.Details = encode(details)
}

// detailsByKey returns the details apart.
func (c Contact) detailsByKey() map[string]json.RawMessage {
	details := map[string]json.RawMessage{}
	if len(c.Details) > 0 && json.Unmarshal(c.Details, &details) != nil { // Validate refuses what is no object
		return map[string]json.RawMessage{}
	}
	return details
}
