package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
)

// binder fills an In from a request. What it does is worked out once, from the
// type's tags.
type binder[In any] struct {
	path, query []boundField
	body        []int // the index of Body, or nil
	file        []int // the index of File, or nil
}

type boundField struct {
	name  string
	index []int
}

func newBinder[In any]() *binder[In] {
	b := &binder[In]{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[In]()) {
		if name, ok := f.Tag.Lookup("path"); ok {
			b.path = append(b.path, boundField{name, f.Index})
		}
		if name, ok := f.Tag.Lookup("query"); ok {
			b.query = append(b.query, boundField{name, f.Index})
		}
		if f.Name == "Body" {
			b.body = f.Index
		}
		if f.Name == "File" {
			b.file = f.Index
		}
	}
	return b
}

// request binds the path and the query, with what a form adds to it. Unknown parameters
// are ignored: SDKs send those of other servers too.
func (b *binder[In]) request(in *In, r *http.Request, form url.Values) error {
	v := reflect.ValueOf(in).Elem()
	for _, f := range b.path {
		v.FieldByIndex(f.index).SetString(r.PathValue(f.name))
	}
	if len(b.query) == 0 || r.URL.RawQuery == "" && len(form) == 0 {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return aftercall.InvalidField("query", "is malformed")
	}
	for name, values := range form {
		query[name] = append(query[name], values...)
	}
	for _, f := range b.query {
		values := queryValues(query, f.name)
		if len(values) == 0 {
			continue
		}
		if err := setQuery(v.FieldByIndex(f.index), values); err != nil {
			e := aftercall.InvalidField("query."+f.name, "%s", err.Error())
			e.Fields[0].Code = Malformed
			return e
		}
	}
	return nil
}

// queryValues collects a parameter in all spellings that clients use for lists:
// a=1&a=2, a=1,2, a[]=1, a[0]=1.
func queryValues(query url.Values, name string) []string {
	values := query[name]
	for key, more := range query {
		if strings.HasPrefix(key, name+"[") && strings.HasSuffix(key, "]") {
			values = append(values, more...)
		}
	}
	return values
}

// Malformed is the code of a field that cannot even be read.
const Malformed = "malformed"

func setQuery(v reflect.Value, values []string) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch target := v.Addr().Interface().(type) {
	case *string:
		*target = values[0]
	case *[]string:
		for _, value := range values {
			for part := range strings.SplitSeq(value, ",") {
				if part != "" {
					*target = append(*target, part)
				}
			}
		}
	case *int:
		n, err := strconv.Atoi(values[0])
		if err != nil {
			return errors.New("must be a whole number")
		}
		*target = n
	case *bool:
		ok, err := strconv.ParseBool(values[0])
		if err != nil {
			return errors.New("must be true or false")
		}
		*target = ok
	case *time.Time:
		t, err := time.Parse(time.RFC3339, values[0])
		if err != nil {
			return errors.New("must be a time such as 2025-02-18T15:30:00Z")
		}
		*target = t.UTC()
	default:
		panic("web: no binding for " + v.Type().String())
	}
	return nil
}

// decode reads the body. A missing one is an empty object, since some clients send
// none where all fields are optional.
func (b *binder[In]) decode(in *In, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	target := reflect.ValueOf(in).Elem().FieldByIndex(b.body).Addr().Interface()
	return BodyError(json.Unmarshal(body, target))
}

// BodyError says what is wrong with a body, without repeating any of it.
func BodyError(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*aftercall.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		path := e.Field
		if path == "" {
			path = "body"
		}
		got := strings.Fields(e.Value)[0]
		if got == "number" && jsonName(e.Type) == aNumber { // with a fraction, or too large
			return aftercall.InvalidField(path, "must be a whole number of usual size")
		}
		return aftercall.InvalidField(path, "must be %s, not %s", jsonName(e.Type), got)
	}
	return &aftercall.Error{Kind: aftercall.Invalid, Message: "the request body is not valid JSON", Err: err,
		Fields: []aftercall.FieldError{{Path: "body", Message: "is not valid JSON", Code: "value_error.jsondecode"}}}
}

const aNumber = "a number"

// jsonName is what a Go type is called in JSON.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.String:
		return "a string"
	case reflect.Pointer:
		return jsonName(t.Elem())
	}
	return aNumber
}
