package aftercall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Filter picks contacts. It is a condition on one field or property, or a tree of them:
// all of some filters, or any. The empty filter picks every contact.
type Filter struct {
	All      []Filter        `json:"all,omitempty"`
	Any      []Filter        `json:"any,omitempty"`
	Field    FilterField     `json:"field,omitempty"`
	Property string          `json:"property,omitempty"` // the key of a property, or of a detail
	Operator Operator        `json:"operator,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"` // a string, a number, true or false
}

// FilterField is a field that every contact has, by its name in payloads.
type FilterField string

// The fields of the reference ("Call schedulers").
const (
	FilterFirstName   FilterField = "first_name"
	FilterLastName    FilterField = "last_name"
	FilterPhoneNumber FilterField = "phone_number"
	FilterEmail       FilterField = "email"
	FilterExternalID  FilterField = "external_contact_id"
	FilterExternalURL FilterField = "external_url"
	FilterSalutation  FilterField = "salutation"
	FilterTimezone    FilterField = "timezone" // the contact's own, not its account's
)

// of returns what a contact has in the field; it reports false when there is no such
// field.
func (f FilterField) of(c Contact) (string, bool) {
	switch f {
	case FilterFirstName:
		return c.FirstName, true
	case FilterLastName:
		return c.LastName, true
	case FilterPhoneNumber:
		return c.PhoneNumber, true
	case FilterEmail:
		return c.Email, true
	case FilterExternalID:
		return c.ExternalID, true
	case FilterExternalURL:
		return c.ExternalURL, true
	case FilterSalutation:
		return c.Salutation, true
	case FilterTimezone:
		return c.Timezone, true
	}
	return "", false
}

// Operator compares what a contact has with a filter's value. Texts are compared whatever
// their case; of a list, one of its values has to compare.
type Operator string

// The operators.
const (
	Is          Operator = "is"
	IsNot       Operator = "is_not" // also when there is nothing
	Contains    Operator = "contains"
	StartsWith  Operator = "starts_with"
	IsSet       Operator = "is_set"
	IsNotSet    Operator = "is_not_set"
	GreaterThan Operator = "gt" // of numbers
	LessThan    Operator = "lt"
)

// Limits on a filter.
const (
	maxFilterBytes = 64 << 10
	maxFilterDepth = 5
	maxConditions  = 100
	maxFilterValue = 1024 // characters
)

// ParseFilter reads a filter as it is sent; null is the empty one. Keys that it does not
// know are refused: one that is misspelt would pick everybody. Error: Invalid, naming
// path.
func ParseFilter(path string, raw json.RawMessage) (Filter, error) {
	var f Filter
	switch {
	case isNull(raw):
		return f, nil
	case len(raw) > maxFilterBytes:
		return f, InvalidField(path, "must not exceed %d bytes", maxFilterBytes)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Filter{}, InvalidField(path, "must be an object that says all, any, or field or property with operator and value")
	}
	return f, nil
}

func (f Filter) empty() bool {
	return f.All == nil && f.Any == nil && f.Field == "" && f.Property == "" && f.Operator == "" && f.Value == nil
}

// validate checks a filter at its root.
func (f Filter) validate(errs *fieldErrors, path string) {
	if f.empty() {
		return
	}
	left := maxConditions
	f.validateNode(errs, path, maxFilterDepth, &left)
	if left < 0 {
		errs.add(path, "must not hold more than %d conditions", maxConditions)
	}
}

func (f Filter) validateNode(errs *fieldErrors, path string, depth int, left *int) {
	if *left--; *left < 0 {
		return
	}
	if depth == 0 {
		errs.add(path, "is nested more than %d deep", maxFilterDepth)
		return
	}
	bare := f.Field == "" && f.Property == "" && f.Operator == "" && f.Value == nil
	switch {
	case f.All != nil && f.Any == nil && bare:
		f.validateNodes(errs, path+".all", f.All, depth, left)
	case f.Any != nil && f.All == nil && bare:
		f.validateNodes(errs, path+".any", f.Any, depth, left)
	case f.All == nil && f.Any == nil && (f.Field == "") != (f.Property == ""):
		f.validateCondition(errs, path)
	default:
		errs.add(path, "must say one of all, any, field and property")
	}
}

func (f Filter) validateNodes(errs *fieldErrors, path string, list []Filter, depth int, left *int) {
	if len(list) == 0 {
		errs.add(path, "must not be empty")
	}
	for i, node := range list {
		node.validateNode(errs, fmt.Sprintf("%s.%d", path, i), depth-1, left)
	}
}

func (f Filter) validateCondition(errs *fieldErrors, path string) {
	if _, known := f.Field.of(Contact{}); f.Field != "" && !known {
		errs.add(path+".field", "must be first_name, last_name, phone_number, email, external_contact_id, external_url, salutation or timezone")
	}
	validateText(errs, path+".property", f.Property, maxName)
	value := datumOf(f.Value)
	switch f.Operator {
	case IsSet, IsNotSet:
		if !isNull(f.Value) {
			errs.add(path+".value", "is not for this operator")
		}
		return
	case GreaterThan, LessThan:
		if !value.number || f.Field != "" {
			errs.add(path+".value", "must be a number to compare a property with")
		}
		return
	case Is, IsNot, Contains, StartsWith:
	default:
		errs.add(path+".operator", "must be is, is_not, contains, starts_with, is_set, is_not_set, gt or lt")
		return
	}
	switch {
	case value.text == "" || value.composed:
		errs.add(path+".value", "must be a text, a number, true or false; to look for what is not there, the operator is is_not_set")
	case utf8.RuneCountInString(value.text) > maxFilterValue:
		errs.add(path+".value", "must not exceed %d characters", maxFilterValue)
	}
}

// Matches reports whether the filter picks a contact.
func (f Filter) Matches(c Contact) bool { return f.matches(&filtered{contact: c}) }

// filtered is a contact whose details are read once, and only for a filter that asks.
type filtered struct {
	contact Contact
	details map[string]json.RawMessage
}

func (f Filter) matches(c *filtered) bool {
	holds := func(f Filter) bool { return f.matches(c) }
	switch {
	case len(f.All) > 0:
		return !slices.ContainsFunc(f.All, func(f Filter) bool { return !holds(f) })
	case len(f.Any) > 0:
		return slices.ContainsFunc(f.Any, holds)
	case f.Operator == "":
		return true
	}
	return f.compare(c.data(f))
}

// data is what a contact has of what a condition is about: nothing, a value, or those of
// a list.
func (c *filtered) data(f Filter) []datum {
	if text, ok := f.Field.of(c.contact); ok {
		if text == "" {
			return nil
		}
		return []datum{{text: text}}
	}
	if c.details == nil {
		c.details = c.contact.detailsByKey()
	}
	raw := []json.RawMessage{c.details[f.Property]}
	var list []json.RawMessage
	if json.Unmarshal(raw[0], &list) == nil {
		raw = list
	}
	var data []datum
	for _, value := range raw {
		if d := datumOf(value); d.text != "" {
			data = append(data, d)
		}
	}
	return data
}

func (f Filter) compare(data []datum) bool {
	value := datumOf(f.Value)
	some := func(holds func(datum) bool) bool { return slices.ContainsFunc(data, holds) }
	lower := strings.ToLower(value.text)
	switch f.Operator {
	case IsSet:
		return len(data) > 0
	case IsNotSet:
		return len(data) == 0
	case Is:
		return some(value.equals)
	case IsNot:
		return !some(value.equals)
	case Contains:
		return some(func(d datum) bool { return strings.Contains(strings.ToLower(d.text), lower) })
	case StartsWith:
		return some(func(d datum) bool { return strings.HasPrefix(strings.ToLower(d.text), lower) })
	case GreaterThan:
		return some(func(d datum) bool { return numbers(d, value, func(a, b float64) bool { return a > b }) })
	case LessThan:
		return some(func(d datum) bool { return numbers(d, value, func(a, b float64) bool { return a < b }) })
	}
	return false
}

// datum is a value to be compared: its text, or its JSON.
type datum struct {
	text     string // empty for null and the empty text
	number   bool
	composed bool // an object or a list
}

func datumOf(raw json.RawMessage) datum {
	if isNull(raw) {
		return datum{}
	}
	raw = bytes.TrimSpace(raw)
	switch first := raw[0]; {
	case first == '"':
		var text string
		_ = json.Unmarshal(raw, &text) // it was read as JSON before
		return datum{text: text}
	case first == '-' || first >= '0' && first <= '9':
		return datum{text: string(raw), number: true}
	default:
		return datum{text: string(raw), composed: first == '{' || first == '['}
	}
}

// equals compares numbers as such where one side is one: "01067" is another postcode than
// "1067".
func (d datum) equals(other datum) bool {
	if d.number || other.number {
		return numbers(d, other, func(a, b float64) bool { return a == b })
	}
	return strings.EqualFold(d.text, other.text)
}

// numbers compares two values, if both can be read as numbers.
func numbers(a, b datum, holds func(a, b float64) bool) bool {
	x, wrongX := strconv.ParseFloat(strings.TrimSpace(a.text), 64)
	y, wrongY := strconv.ParseFloat(strings.TrimSpace(b.text), 64)
	return wrongX == nil && wrongY == nil && holds(x, y)
}
