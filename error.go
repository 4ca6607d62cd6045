package aftercall

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind tells the program what went wrong. Each face has one table from Kind to
// its dialect's status and body.
type Kind int

const (
	// Internal is a fault of ours: an error without a kind, too.
	Internal Kind = iota
	// Invalid input: the caller must change the request.
	Invalid
	// Unauthenticated: no key, or one that is not known.
	Unauthenticated
	// Forbidden: a known key that may not do this.
	Forbidden
	// NotFound: there is no such thing in this account. What belongs to another
	// account is not found either.
	NotFound
	// Conflict with what is stored, such as an id that is taken.
	Conflict
	// TooLarge: the request exceeds a limit in bytes.
	TooLarge
	// Unavailable: the store cannot answer now; nothing was kept, and the same
	// request may succeed later.
	Unavailable
	// Throttled: too many requests; the same one may succeed later.
	Throttled
)

// Error is an error with three readers: the program reads Kind and Code, the
// user reads Message and Fields, the operator reads Err.
type Error struct {
	Kind    Kind
	Code    string       // a stable word for programs, such as "event_type_exists"; may be empty
	Message string       // for the user; never holds personal data or secrets
	Fields  []FieldError // which inputs are wrong, when Kind is Invalid
	Err     error        // the cause, for the operator's log only
}

// FieldError says what is wrong with one input.
type FieldError struct {
	Path    string // the field as the caller wrote it, nested parts joined by dots: "contacts.3.email"
	Message string
	Code    string // a stable word, such as "value_error.jsondecode"; empty means a plain value error
}

func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = "internal error"
	}
	if e.Err != nil {
		return text + ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind with a message for the user.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// WithCode sets the stable word for programs.
func (e *Error) WithCode(code string) *Error {
	e.Code = code
	return e
}

// KindOf returns the kind of an error, Internal when it has none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// fieldErrors collects what is wrong with an input, so that its sender learns
// of all mistakes at once.
type fieldErrors []FieldError

func (f *fieldErrors) add(path, format string, args ...any) {
	*f = append(*f, FieldError{Path: path, Message: fmt.Sprintf(format, args...)})
}

// err returns nil when nothing was wrong.
func (f fieldErrors) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: told(f), Fields: f}
}

// told says in one line what is wrong with each field.
func told(fields []FieldError) string {
	texts := make([]string, len(fields))
	for i, field := range fields {
		texts[i] = field.Path + ": " + field.Message
	}
	return strings.Join(texts, "; ")
}

// AllInvalid makes one error of several about an input; nil ones say nothing. One that
// is about no field is returned alone.
func AllInvalid(errs ...error) error {
	var f fieldErrors
	for _, err := range errs {
		e, ok := errors.AsType[*Error](err)
		if err != nil && (!ok || e.Kind != Invalid || len(e.Fields) == 0) {
			return err
		}
		if ok {
			f = append(f, e.Fields...)
		}
	}
	return f.err()
}

// Renamed returns the error with its fields under other names, for dialects that call
// them otherwise. The path of a field is its name here.
func (e *Error) Renamed(name func(path string) string) *Error {
	if len(e.Fields) == 0 {
		return e
	}
	renamed := *e
	renamed.Fields = slices.Clone(e.Fields)
	for i := range renamed.Fields {
		renamed.Fields[i].Path = name(renamed.Fields[i].Path)
	}
	renamed.Message = told(renamed.Fields)
	return &renamed
}

// InvalidField makes an Invalid error about a single input.
func InvalidField(path, format string, args ...any) *Error {
	field := FieldError{Path: path, Message: fmt.Sprintf(format, args...)}
	return &Error{Kind: Invalid, Message: path + ": " + field.Message, Fields: []FieldError{field}}
}
