package openapi

import (
	"reflect"

	"github.com/aftercall/aftercall"
)

// Events are the webhooks of the reference, each with an example.
func Events() []Webhook {
	payloads := map[string]reflect.Type{
		aftercall.CallEnded:            reflect.TypeFor[aftercall.CallEndedPayload](),
		aftercall.ContactStatusChanged: reflect.TypeFor[aftercall.StatusChangedPayload](),
	}
	var events []Webhook
	for _, t := range aftercall.BuiltIn() {
		w := Webhook{Name: t.Name, Description: t.Description, Payload: payloads[t.Name]}
		if example, err := t.Example(0); err == nil {
			w.Example = example
		}
		events = append(events, w)
	}
	return events
}
