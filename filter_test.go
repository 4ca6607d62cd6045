package aftercall

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFilterMatches(t *testing.T) {
	contact := Contact{
		FirstName: "Frida", LastName: "Kahlo", PhoneNumber: "+4915112345678", Email: "frida@example.com", ExternalID: "crm-1",
		Details: json.RawMessage(`{"plan":"Pro","age":47,"postcode":"01067","active":true,"tags":["Solar","Roof"],"nothing":null,"empty":"","none":[],"address":{"city":"x"},"score":"7.5"}`),
	}
	for filter, want := range map[string]bool{
		`{}`:   true,
		`null`: true,
		`{"field":"first_name","operator":"is","value":"frida"}`:          true,
		`{"field":"first_name","operator":"is","value":"Fri"}`:            false,
		`{"field":"first_name","operator":"is_not","value":"Diego"}`:      true,
		`{"field":"last_name","operator":"contains","value":"AHL"}`:       true,
		`{"field":"phone_number","operator":"starts_with","value":"+49"}`: true,
		`{"field":"phone_number","operator":"starts_with","value":"49"}`:  false,
		`{"field":"email","operator":"contains","value":"@EXAMPLE"}`:      true,
		`{"field":"external_contact_id","operator":"is","value":"CRM-1"}`: true,
		`{"field":"external_url","operator":"is_set"}`:                    false,
		`{"field":"external_url","operator":"is_not_set"}`:                true,
		`{"field":"external_url","operator":"is","value":"x"}`:            false,
		`{"field":"external_url","operator":"is_not","value":"x"}`:        true,
		`{"field":"salutation","operator":"is_set","value":null}`:         false,
		`{"field":"timezone","operator":"is_not_set"}`:                    true,
		`{"property":"plan","operator":"is","value":"pro"}`:               true,
		`{"property":"plan","operator":"starts_with","value":"p"}`:        true,
		`{"property":"plan","operator":"gt","value":1}`:                   false,
		`{"property":"age","operator":"gt","value":46.5}`:                 true,
		`{"property":"age","operator":"gt","value":47}`:                   false,
		`{"property":"age","operator":"lt","value":1e2}`:                  true,
		`{"property":"age","operator":"is","value":47.0}`:                 true,
		`{"property":"age","operator":"is","value":"47"}`:                 true,
		`{"property":"score","operator":"gt","value":7}`:                  true,
		`{"property":"postcode","operator":"is","value":"1067"}`:          false,
		`{"property":"postcode","operator":"is","value":"01067"}`:         true,
		`{"property":"active","operator":"is","value":true}`:              true,
		`{"property":"active","operator":"is","value":"false"}`:           false,
		`{"property":"tags","operator":"is","value":"roof"}`:              true,
		`{"property":"tags","operator":"is_not","value":"roof"}`:          false,
		`{"property":"tags","operator":"contains","value":"ola"}`:         true,
		`{"property":"tags","operator":"is_set"}`:                         true,
		`{"property":"none","operator":"is_set"}`:                         false,
		`{"property":"nothing","operator":"is_set"}`:                      false,
		`{"property":"empty","operator":"is_not_set"}`:                    true,
		`{"property":"missing","operator":"is_not_set"}`:                  true,
		`{"property":"address","operator":"is_set"}`:                      true,
		`{"all":[{"field":"first_name","operator":"is","value":"Frida"},{"any":[{"property":"age","operator":"lt","value":1},{"property":"plan","operator":"is","value":"pro"}]}]}`: true,
		`{"all":[{"field":"first_name","operator":"is","value":"Frida"},{"property":"age","operator":"lt","value":1}]}`:                                                             false,
		`{"any":[{"field":"first_name","operator":"is","value":"Diego"},{"property":"age","operator":"lt","value":1}]}`:                                                             false,
	} {
		f, err := ParseFilter("filter", json.RawMessage(filter))
		if err == nil {
			err = (CallScheduler{Title: "x", Filter: f}).Validate()
		}
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.Matches(contact); got != want {
			t.Errorf("%s matches: %v", filter, got)
		}
		stored, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseFilter("filter", stored); err != nil || again.Matches(contact) != want {
			t.Errorf("%s, stored as %s, is another", filter, stored)
		}
	}
}

func TestBadFilters(t *testing.T) {
	condition := `{"field":"first_name","operator":"is","value":"x"}`
	for filter, field := range map[string]string{
		`7`:                          "filter",
		`{"al":[` + condition + `]}`: "filter", // misspelt, it would pick everybody
		`{"field":7}`:                "filter",
		`{"operator":"is"}`:          "filter",
		`{"value":null}`:             "filter",
		`{"all":[]}`:                 "filter.all",
		`{"any":[{}]}`:               "filter.any.0",
		`{"all":[` + condition + `],"any":[` + condition + `]}`:                        "filter",
		`{"all":[` + condition + `],"operator":"is"}`:                                  "filter",
		`{"field":"first_name","property":"x","operator":"is_set"}`:                    "filter",
		`{"field":"gender","operator":"is_set"}`:                                       "filter.field",
		`{"field":"first_name","operator":"like","value":"x"}`:                         "filter.operator",
		`{"field":"first_name","operator":"is"}`:                                       "filter.value",
		`{"field":"first_name","operator":"is","value":""}`:                            "filter.value",
		`{"field":"first_name","operator":"is","value":["x"]}`:                         "filter.value",
		`{"field":"first_name","operator":"is_set","value":"x"}`:                       "filter.value",
		`{"field":"first_name","operator":"gt","value":1}`:                             "filter.value",
		`{"property":"age","operator":"lt","value":"1"}`:                               "filter.value",
		`{"property":"` + strings.Repeat("x", 257) + `","operator":"is_set"}`:          "filter.property",
		`{"property":"x","operator":"is","value":"` + strings.Repeat("x", 1025) + `"}`: "filter.value",
		`{"all":[` + strings.Repeat(condition+",", 99) + condition + `]}`:              "filter",
		strings.Repeat(`{"all":[`, 5) + condition + strings.Repeat(`]}`, 5):            "filter.all.0.all.0.all.0.all.0.all.0",
		strings.Repeat(`{"all":[`, 7000) + condition + strings.Repeat(`]}`, 7000):      "filter",
		`{"all":[` + condition + `,{"any":[{"property":"x","operator":"contains"}]}]}`: "filter.all.1.any.0.value",
	} {
		f, err := ParseFilter("filter", json.RawMessage(filter))
		if err == nil {
			err = (CallScheduler{Title: "x", Filter: f}).Validate()
		}
		if !strings.HasPrefix(errorText(err), field+": ") || KindOf(err) != Invalid {
			t.Errorf("%.100s: %v, want a word on %s", filter, err, field)
		}
	}
	deep := strings.Repeat(`{"all":[`, 4) + condition + strings.Repeat(`]}`, 4)
	if f, err := ParseFilter("filter", json.RawMessage(deep)); err != nil || (CallScheduler{Title: "x", Filter: f}).Validate() != nil {
		t.Errorf("at the limit: %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
