package portal

import (
	"encoding/json"
	"testing"

	"github.com/aftercall/aftercall"
)

// A truth value is found as it is shown and as it is stored.
func TestOutcomeFilter(t *testing.T) {
	call := aftercall.Call{Outcome: json.RawMessage(`{"appointment": {"value": true, "details": "Tuesday"}, "interest": {"value": false}, "name": {"value": "Norbert"}}`)}
	for _, test := range []struct {
		field, value string
		want         bool
	}{
		{"", "", true}, {"appointment", "yes", true}, {"appointment", "True", true}, {"Appointment", "", true}, {"appointment", "no", false},
		{"interest", "false", true}, {"interest", "no", true}, {"interest", "yes", false}, {"name", "nor", true}, {"name", "no", true},
		{"appointment", "tues", true}, {"", "norb", true}, {"absent", "", false},
	} {
		if got := holds(call, test.field, test.value); got != test.want {
			t.Errorf("field %q, value %q: %v, want %v", test.field, test.value, got, test.want)
		}
	}
}
