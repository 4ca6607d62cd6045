// Package openapi describes an API from the Go types of its operations: as an OpenAPI
// 3.1 document, and as a page to read. Nothing is written twice, so that nothing can
// drift.
//
// Fields are described by tags: `json` names them; `doc` says what they mean;
// `required:"true"` marks what must be sent; `schema:"object"` says more of raw JSON,
// and `enum:"a,b"` what a string may be.
package openapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// object is a part of a document.
type object = map[string]any

// schemas turns types into JSON Schemas. Those with a name become components, which
// are referred to.
type schemas struct {
	components object
	kinds      map[string]kind // by the component's name
}

// kind is what a component describes: a type, as it is sent or as it is answered.
type kind struct {
	reflect.Type
	sent bool
}

func newSchemas() *schemas { return &schemas{components: object{}, kinds: map[string]kind{}} }

// of returns the schema of a type. What is sent may leave fields out and say null;
// of what is answered every field is there that has no omitempty.
func (s *schemas) of(t reflect.Type, sent bool) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	// A field of which absent, null and a value mean different things.
	if o, ok := reflect.Zero(t).Interface().(interface{ OptionalOf() reflect.Type }); ok {
		return nullable(s.of(o.OptionalOf(), sent))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.of(t.Elem(), sent))
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint16:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice:
		return nullable(object{"type": "array", "items": s.of(t.Elem(), sent)})
	case reflect.Map:
		return nullable(object{"type": "object", "additionalProperties": s.of(t.Elem(), sent)})
	case reflect.Struct:
		return s.structure(t, sent)
	case reflect.Interface:
		return object{}
	}
	panic("openapi: no schema for " + t.String())
}

// structure refers to the component of a struct, or describes one without a name.
func (s *schemas) structure(t reflect.Type, sent bool) object {
	name := nameOf(t)
	if name == "" {
		return s.fields(t, sent)
	}
	if sent && !strings.HasSuffix(name, "In") {
		name += "In"
	}
	known, ok := s.kinds[name]
	if ok && known != (kind{t, sent}) {
		panic("openapi: two types are called " + name)
	}
	if !ok {
		s.kinds[name] = kind{t, sent} // before its fields, which may refer to it
		s.components[name] = s.fields(t, sent)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// nameOf is what a type is called: of List[svix.EndpointOut] that is ListEndpointOut.
func nameOf(t reflect.Type) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(t.Name(), func(r rune) bool { return r == '[' || r == ']' || r == ',' }) {
		b.WriteString(strings.ToUpper(part[strings.LastIndexByte(part, '.')+1:][:1]) + part[strings.LastIndexByte(part, '.')+2:])
	}
	return b.String()
}

func (s *schemas) fields(t reflect.Type, sent bool) object {
	properties := object{}
	required := []string{}
	for _, f := range reflect.VisibleFields(t) {
		tag, ok := f.Tag.Lookup("json")
		if !ok || len(f.Index) > 1 && !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		property := s.of(f.Type, sent)
		if f.Tag.Get("schema") == "object" {
			property["type"] = "object"
		}
		if values := f.Tag.Get("enum"); values != "" {
			property["enum"] = enum(values, property)
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			property["description"] = doc
		}
		properties[name] = property
		if sent && f.Tag.Get("required") == "true" || !sent && options != "omitempty" {
			required = append(required, name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// enum lists what a string may be; null stays possible where it is.
func enum(values string, of object) []any {
	var list []any
	for value := range strings.SplitSeq(values, ",") {
		list = append(list, value)
	}
	if _, ok := of["type"].([]string); ok {
		list = append(list, nil)
	}
	return list
}

// nullable lets a value be null, too.
func nullable(schema object) object {
	switch t := schema["type"].(type) {
	case string:
		schema["type"] = []string{t, "null"}
		return schema
	case []string:
		return schema
	}
	if schema["$ref"] != nil {
		return object{"anyOf": []object{schema, {"type": "null"}}}
	}
	return schema // anything goes already
}
