package aftercall_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
)

func typedProperties() aftercall.Properties {
	return aftercall.Properties{
		{Key: "budget", Type: aftercall.PropertyNumber}, {Key: "mobile", Type: aftercall.PropertyPhone},
		{Key: "stage", Type: aftercall.PropertySelect, Options: []aftercall.Option{{Value: "new"}}},
	}
}

func TestReadFound(t *testing.T) {
	ada := aftercall.Found{FirstName: "Ada", LastName: "Lovelace"}
	with := func(change func(*aftercall.Found)) *aftercall.Found {
		f := ada
		change(&f)
		return &f
	}
	contact := func(more string) string {
		return `{"contact": {"first_name": "Ada", "last_name": "Lovelace"` + more + `}}`
	}
	for name, test := range map[string]struct {
		body  string
		want  *aftercall.Found
		wrong string
	}{
		"known":           {contact(""), &ada, ""},
		"spaces":          {`{"contact": {"first_name": " Ada ", "last_name": "Lovelace\n"}}`, &ada, ""},
		"null":            {`{"contact": null}`, nil, ""},
		"missing":         {`{"more": 1}`, nil, ""},
		"all null":        {`null`, nil, ""},
		"nothing":         {``, nil, "no JSON"},
		"cut short":       {`{"contact": {`, nil, "no JSON"},
		"a list":          {`[]`, nil, "no JSON"},
		"HTML":            {`<html>`, nil, "no JSON"},
		"no UTF-8":        {contact(`, "properties": {"a": "` + "\xff" + `"}`), nil, "UTF-8"},
		"too long":        {contact(`, "properties": {"a": "` + strings.Repeat("x", 256<<10) + `"}`), nil, "too long"},
		"not an object":   {`{"contact": "Ada"}`, nil, "no object"},
		"nameless":        {`{"contact": {}}`, nil, "first_name"},
		"no last name":    {`{"contact": {"first_name": "Ada", "last_name": " "}}`, nil, "last_name"},
		"null name":       {`{"contact": {"first_name": "Ada", "last_name": null}}`, nil, "last_name"},
		"a number":        {`{"contact": {"first_name": 7, "last_name": "Lovelace"}}`, nil, "first_name"},
		"long name":       {`{"contact": {"first_name": "` + strings.Repeat("ä", 51) + `", "last_name": "Lovelace"}}`, nil, "first_name"},
		"control":         {`{"contact": {"first_name": "A\u0000da", "last_name": "Lovelace"}}`, nil, "first_name"},
		"longest name":    {`{"contact": {"first_name": "` + strings.Repeat("ä", 50) + `", "last_name": "Lovelace"}}`, with(func(f *aftercall.Found) { f.FirstName = strings.Repeat("ä", 50) }), ""},
		"nulls elsewhere": {contact(`, "email": null, "properties": null, "phone_number": ""`), &ada, ""},
		"everything": {contact(`, "salutation": "Ms", "email": "ada@example.com", "external_id": "7", "external_url": "https://crm.example.com/7",
			"phone_number": "+49 151 12345678", "properties": {"budget": 7.50, "mobile": "+49 151 12345679", "notes": ["x"], "stage": null}`), with(func(f *aftercall.Found) {
			f.Salutation, f.Email, f.ExternalID, f.ExternalURL, f.PhoneNumber = "Ms", "ada@example.com", "7", "https://crm.example.com/7", "+4915112345678"
			f.Details = map[string]json.RawMessage{"budget": json.RawMessage("7.50"), "mobile": json.RawMessage(`"+4915112345679"`), "notes": json.RawMessage(`["x"]`), "stage": nil}
		}), ""},
		"wrong elsewhere": {contact(`, "salutation": 1, "email": "ada", "external_id": "a\nb", "external_url": "crm", "phone_number": "0151",
			"properties": {"budget": "much", "stage": "old", "notes": "x"}`), with(func(f *aftercall.Found) {
			f.Details = map[string]json.RawMessage{"notes": json.RawMessage(`"x"`)}
			f.Ignored = []string{"email", "external_id", "external_url", "phone_number", "properties.budget", "properties.stage", "salutation"}
		}), ""},
		"properties, no object": {contact(`, "properties": [1]`), with(func(f *aftercall.Found) { f.Ignored = []string{"properties"} }), ""},
		"too many properties":   {contact(`, "properties": {"a": "` + strings.Repeat("x", 64<<10) + `"}`), with(func(f *aftercall.Found) { f.Ignored = []string{"properties"} }), ""},
	} {
		got, err := aftercall.ReadFound([]byte(test.body), typedProperties())
		if (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// What was found adds to what is known, and takes nothing away but what it clears.
func TestFoundApply(t *testing.T) {
	c := aftercall.Contact{FirstName: "A", Email: "a@example.com", PhoneNumber: "+4915112345678", ExternalID: "7", Details: json.RawMessage(`{"a":1,"b":2}`)}
	aftercall.Found{FirstName: "Ada", LastName: "Lovelace", Details: map[string]json.RawMessage{"a": nil, "c": json.RawMessage(`3`)}}.Apply(&c)
	want := aftercall.Contact{FirstName: "Ada", LastName: "Lovelace", Email: "a@example.com", PhoneNumber: "+4915112345678", ExternalID: "7", Details: json.RawMessage(`{"b":2,"c":3}`)}
	if string(c.Details) != string(want.Details) || c.FirstName != want.FirstName || c.LastName != want.LastName || c.Email != want.Email || c.ExternalID != "7" {
		t.Errorf("%+v", c)
	}
	full := json.RawMessage(`"` + strings.Repeat("x", 40<<10) + `"`)
	c.Details = json.RawMessage(`{"a":` + string(full) + `}`)
	aftercall.Found{FirstName: "Ada", LastName: "Lovelace", Details: map[string]json.RawMessage{"b": full}}.Apply(&c)
	if err := c.Validate(); err != nil || strings.Contains(string(c.Details), `"b"`) {
		t.Errorf("too many details: %v", err)
	}
}

func FuzzReadFound(f *testing.F) {
	f.Add([]byte(`{"contact": {"first_name": "Ada", "last_name": "Lovelace", "phone_number": "+49 151 12345678", "properties": {"budget": 1, "x": null}}}`))
	f.Add([]byte(`{"contact": {"first_name": "\ud800", "last_name": "\u0000", "properties": {"": {}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := aftercall.ReadFound(body, typedProperties())
		if err != nil || found == nil {
			if err != nil && !utf8.ValidString(err.Error()) {
				t.Error(err)
			}
			return
		}
		c := aftercall.Contact{PhoneNumber: "+14155552671"}
		found.Apply(&c)
		if err := c.ValidateNew(); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if !slices.IsSorted(found.Ignored) {
			t.Error(found.Ignored)
		}
	})
}

func TestContactLookup(t *testing.T) {
	l := aftercall.NewContactLookup("app_1", time.Now())
	l.URL = "https://crm.example.com/who?a=b"
	if err := l.Validate(); err != nil || l.Timeout != 3*time.Second || !l.Enabled {
		t.Errorf("%+v, %v", l, err)
	}
	if got := l.Address(); got != l.URL {
		t.Error(got)
	}
	l.Query = map[string]string{"token": "x&y", "b": "ä"}
	if got := l.Address(); got != "https://crm.example.com/who?a=b&b=%C3%A4&token=x%26y" {
		t.Error(got)
	}
	if got := string(l.Question("+14155552671", "+493012345678")); got != `{"event":"contact_lookup","phone_number":"+14155552671","to_number":"+493012345678"}` {
		t.Error(got)
	}
	mac := hmac.New(sha256.New, []byte(l.Secret.Reveal()))
	mac.Write([]byte("body"))
	if l.Sign([]byte("body")) != hex.EncodeToString(mac.Sum(nil)) {
		t.Error(l.Sign([]byte("body")))
	}
	for path, change := range map[string]func(*aftercall.ContactLookup){
		"url":             func(l *aftercall.ContactLookup) { l.URL = "ftp://crm.example.com" },
		"timeout_seconds": func(l *aftercall.ContactLookup) { l.Timeout = 11 * time.Second },
		"headers":         func(l *aftercall.ContactLookup) { l.Headers = map[string]string{"Host": "x"} },
		"query":           func(l *aftercall.ContactLookup) { l.Query = map[string]string{"": "x"} },
	} {
		wrong := l
		change(&wrong)
		if err := wrong.Validate(); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
