package web

import (
	"encoding/json"
	"reflect"
)

// Optional is a field of which absent, null and a value mean different things, as
// in a PATCH: absent leaves what is there, null clears it.
type Optional[T any] struct {
	Set   bool
	Value T // zero when null
}

// UnmarshalJSON implements json.Unmarshaler. It is not called for an absent field.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

// OptionalOf is the type of the value, for the API's description.
func (Optional[T]) OptionalOf() reflect.Type { return reflect.TypeFor[T]() }

// Into sets dest if the field was sent.
func (o Optional[T]) Into(dest *T) {
	if o.Set {
		*dest = o.Value
	}
}

// First returns the first that was sent, for fields that have an older name.
func First[T any](list ...Optional[T]) Optional[T] {
	for _, o := range list {
		if o.Set {
			return o
		}
	}
	return Optional[T]{}
}
