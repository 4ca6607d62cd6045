package aftercall

import (
	"encoding/json"
	"testing"
)

// What the catalogue shows of our own events is what is sent.
func TestBuiltInExamples(t *testing.T) {
	types := BuiltIn()
	if len(types) != 2 {
		t.Fatalf("%d types", len(types))
	}
	for _, kind := range types {
		example, err := kind.Example(0)
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			Event   string
			Contact struct{ Status ContactStatus }
		}
		if err := json.Unmarshal(example, &event); err != nil || event.Event != kind.Name || event.Contact.Status != ContactReached || kind.Description == "" {
			t.Errorf("%v: %+v from %s", err, event, example)
		}
	}
}
