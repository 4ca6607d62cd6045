package aftercall

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func wrongFields(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	var paths []string
	for _, f := range e.Fields {
		paths = append(paths, f.Path)
	}
	return strings.Join(paths, " ")
}

func TestPropertyValidate(t *testing.T) {
	red := []Option{{Value: "red", Label: "Red"}}
	for _, test := range []struct {
		name, wrong string
		p           Property
	}{
		{"the least", "", Property{Key: "a", Type: PropertyString, Label: "A"}},
		{"every kind of character", "", Property{Key: "9-B_" + strings.Repeat("x", 60), Type: PropertyEmail, Label: strings.Repeat("ü", 256), Description: "two\nlines"}},
		{"select", "", Property{Key: "a", Type: PropertySelect, Label: "A", Options: red}},
		{"nothing", "key dataType label", Property{}},
		{"long key", "key", Property{Key: strings.Repeat("x", 65), Type: PropertyDate, Label: "A"}},
		{"key begins with _", "key", Property{Key: "_a", Type: PropertyDate, Label: "A"}},
		{"key with a dot", "key", Property{Key: "a.b", Type: PropertyDate, Label: "A"}},
		{"key with a line", "key", Property{Key: "a\n", Type: PropertyDate, Label: "A"}},
		{"another type", "dataType", Property{Key: "a", Type: "object", Label: "A"}},
		{"label of spaces", "label", Property{Key: "a", Type: PropertyDate, Label: " "}},
		{"long label", "label", Property{Key: "a", Type: PropertyDate, Label: strings.Repeat("x", 257)}},
		{"long description", "description", Property{Key: "a", Type: PropertyDate, Label: "A", Description: strings.Repeat("x", 1025)}},
		{"options of a date", "options", Property{Key: "a", Type: PropertyDate, Label: "A", Options: red}},
		{"no options", "options", Property{Key: "a", Type: PropertyMultiSelect, Label: "A"}},
		{"too many options", "options", Property{Key: "a", Type: PropertySelect, Label: "A", Options: make([]Option, 501)}},
		{"the same twice", "options.1.value", Property{Key: "a", Type: PropertySelect, Label: "A", Options: slices.Repeat(red, 2)}},
		{"empty option", "options.0.value options.0.label", Property{Key: "a", Type: PropertySelect, Label: "A", Options: []Option{{}}}},
	} {
		if got := wrongFields(test.p.Validate()); got != test.wrong {
			t.Errorf("%s: wrong is %q, want %q", test.name, got, test.wrong)
		}
	}
}

// anyProperty has options whatever its type, for tests of values.
func anyProperty(of PropertyType) Property {
	return Property{Key: "p", Type: of, Label: "P", Options: []Option{{Value: "red", Label: "Red"}, {Value: "<b>", Label: "B"}}}
}

func TestPropertyValue(t *testing.T) {
	for _, test := range []struct {
		of        PropertyType
		sent, got string // no got: it is refused
	}{
		{PropertyString, `"a"`, `"a"`},
		{PropertyString, `""`, `""`},
		{PropertyString, `"\u003cb\u003e\nü"`, `"<b>\nü"`},
		{PropertyString, `1`, ``},
		{PropertyString, `["a"]`, ``},
		{PropertyString, `null`, ``},
		{PropertyString, ``, ``},
		{PropertyNumber, ` 1.50 `, `1.50`},
		{PropertyNumber, `12345678901234567890`, `12345678901234567890`},
		{PropertyNumber, `-1e3`, `-1e3`},
		{PropertyNumber, `1e999`, ``},
		{PropertyNumber, `"1"`, ``},
		{PropertyNumber, `true`, ``},
		{PropertyBoolean, `true`, `true`},
		{PropertyBoolean, `"true"`, ``},
		{PropertyBoolean, `0`, ``},
		{PropertyDate, `"2024-02-29"`, `"2024-02-29"`},
		{PropertyDate, `"2025-02-29"`, ``},
		{PropertyDate, `"2025-02-18T15:30:00Z"`, ``},
		{PropertyDate, `20250218`, ``},
		{PropertyDatetime, `"2025-02-18T15:30:00Z"`, `"2025-02-18T15:30:00Z"`},
		{PropertyDatetime, `"2025-02-18 15:30:00.250+01:00"`, `"2025-02-18T15:30:00.25+01:00"`},
		{PropertyDatetime, `"2025-02-18T15:30-0500"`, ``},
		{PropertyDatetime, `"2025-02-18T15:30:00-0500"`, `"2025-02-18T15:30:00-05:00"`},
		{PropertyDatetime, `"2025-02-18T15:30:00"`, ``},
		{PropertySelect, `"red"`, `"red"`},
		{PropertySelect, `"Red"`, ``},
		{PropertySelect, `["red"]`, ``},
		{PropertyMultiSelect, `[]`, `[]`},
		{PropertyMultiSelect, `["<b>", "red", "<b>"]`, `["<b>","red"]`},
		{PropertyMultiSelect, `["green"]`, ``},
		{PropertyMultiSelect, `[null]`, ``},
		{PropertyMultiSelect, `"red"`, ``},
		{PropertyMultiSelect, `["red"` + strings.Repeat(`,"red"`, 500) + `]`, ``},
		{PropertyPhone, `"+1 (415) 555-2671"`, `"+14155552671"`},
		{PropertyPhone, `"0800"`, ``},
		{PropertyEmail, `"frida@example.com"`, `"frida@example.com"`},
		{PropertyEmail, `"Frida <frida@example.com>"`, ``},
		{PropertyEmail, `""`, ``},
	} {
		got, err := anyProperty(test.of).Value("properties.3.value", json.RawMessage(test.sent))
		if want := unless(test.got != "", "properties.3.value"); string(got) != test.got || wrongFields(err) != want {
			t.Errorf("%s of %s is %s, %v; want %s", test.sent, test.of, got, err, test.got)
		}
	}
}

// What was read is read again as it is, so that reading and sending a contact changes
// nothing.
func TestPropertyValueIsStable(t *testing.T) {
	some := rapid.OneOf(rapid.Just("red"), rapid.Just("+4930123456"), rapid.Just("a@example.com"), rapid.StringMatching(`20\d\d-[01]\d-[0-3]\d([T ][0-2]\d:[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-][01]\d:?[0-5]\d))?`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		p := anyProperty(rapid.SampledFrom(propertyTypes).Draw(t, "type"))
		var sent any
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			sent = rapid.Float64().Draw(t, "number")
		case 1:
			sent = rapid.Bool().Draw(t, "bool")
		case 2:
			sent = rapid.SliceOf(rapid.SampledFrom([]string{"red", "<b>"})).Draw(t, "list")
		default:
			sent = some.Draw(t, "text")
		}
		raw, err := json.Marshal(sent)
		if err != nil {
			t.Skip(err)
		}
		once, err := p.Value("", raw)
		if err != nil {
			return
		}
		if again, err := p.Value("", once); err != nil || string(again) != string(once) {
			t.Fatalf("%s was read as %s, then as %s, %v", raw, once, again, err)
		}
	})
}

func TestPropertyValues(t *testing.T) {
	list := Properties{{Key: "n", Type: PropertyNumber}, {Key: "s", Type: PropertyString}, {Key: "b", Type: PropertyBoolean}}
	value := func(key, raw string) PropertyValue { return PropertyValue{key, json.RawMessage(raw)} }
	values, err := list.Values([]PropertyValue{value("n", "1"), value("unknown", "{}"), value("s", "null"), value("n", "2")})
	if err != nil || fmt.Sprintf("%s", values) != "map[n:2 s:]" {
		t.Errorf("values are %s, %v", values, err)
	}
	if _, err = list.Values([]PropertyValue{value("n", `"x"`), value("s", `"x"`), value("b", "")}); wrongFields(err) != "properties.0.value properties.2.value" {
		t.Errorf("wrong is %v", err)
	}

	c := Contact{Details: json.RawMessage(`{"free":"<x>","n":1,"s":"a","b":null}`)}
	c.SetDetails(nil)
	if len(c.Details) != len(`{"free":"<x>","n":1,"s":"a","b":null}`) {
		t.Errorf("no values changed the details to %s", c.Details)
	}
	c.SetDetails(values)
	if string(c.Details) != `{"b":null,"free":"<x>","n":2}` {
		t.Errorf("the details became %s", c.Details)
	}
	var shown []string
	for _, p := range list.Of(c) {
		shown = append(shown, p.Key+" "+string(p.Value))
	}
	if strings.Join(shown, ", ") != "n 2" {
		t.Errorf("shown is %v", shown)
	}
	empty := Contact{}
	empty.SetDetails(maps.Clone(values))
	if string(empty.Details) != `{"n":2}` || len(list.Of(Contact{})) != 0 {
		t.Errorf("of none they became %s", empty.Details)
	}
}

func TestAllInvalid(t *testing.T) {
	missing := Errorf(NotFound, "no")
	if err := AllInvalid(nil, nil); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	err := AllInvalid(InvalidField("a", "x"), nil, InvalidField("b", "y"))
	if err == nil || err.Error() != "a: x; b: y" || KindOf(err) != Invalid {
		t.Errorf("of two: %v", err)
	}
	if got := AllInvalid(InvalidField("a", "x"), missing); !errors.Is(got, missing) {
		t.Errorf("with another kind: %v", got)
	}
	e, _ := errors.AsType[*Error](err)
	if renamed := e.Renamed(strings.ToUpper); renamed.Message != "A: x; B: y" || wrongFields(err) != "a b" {
		t.Errorf("renamed %v from %v", renamed, err)
	}
	if missing.Renamed(strings.ToUpper).Message != "no" {
		t.Error("an error without fields was renamed")
	}
}
