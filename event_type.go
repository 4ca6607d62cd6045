package aftercall

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// EventType names a kind of fact. Endpoints choose among those that exist.
type EventType struct {
	Name         string
	Description  string
	Schemas      []byte // JSON, or nil
	GroupName    string
	FeatureFlags []string // who opens the portal sees it only with one of them; none means everybody
	Archived     bool
	Deprecated   bool
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// namePattern holds names of event types and channels. Svix allows 256
// characters for a type and 128 for a channel; the length is checked apart.
var namePattern = regexp.MustCompile(`^[a-zA-Z0-9\-_.:+]{1,128}$`)

// Validate checks what a caller may set.
func (t EventType) Validate() error {
	var f fieldErrors
	validateEventTypeName(&f, "name", t.Name)
	for _, flag := range t.FeatureFlags {
		if !namePattern.MatchString(flag) {
			f.add("featureFlags", "each must be 1 to 128 letters, digits, or one of - _ . : +")
			break
		}
	}
	if schemas := bytes.TrimLeft(t.Schemas, " \t\r\n"); len(schemas) > 0 && schemas[0] != '{' {
		f.add("schemas", "must be an object: a JSON Schema for each version, such as {\"1\": {\"type\": \"object\"}}")
	}
	if len(t.Schemas) > 1<<20 {
		f.add("schemas", "must not exceed 1 MiB")
	}
	return f.err()
}

// Shown reports whether who has these feature flags sees the event type.
func (t EventType) Shown(flags []string) bool {
	return len(t.FeatureFlags) == 0 || slices.ContainsFunc(t.FeatureFlags, func(f string) bool { return slices.Contains(flags, f) })
}

func validateEventTypeName(f *fieldErrors, path, name string) {
	if !uidPattern.MatchString(name) {
		f.add(path, "must be 1 to 256 letters, digits, or one of - _ . : +")
	}
}

// Ping is the event type that exists without being in the catalogue, as in Svix:
// its example tests a receiver.
func Ping() EventType {
	return EventType{Name: "svix.ping", Schemas: []byte(`{"1":{"examples":[{"success":true}]}}`)}
}

// BuiltIn returns the event types of the reference, each with an example of what is
// sent, for the catalogue.
func BuiltIn() []EventType {
	ended := time.UnixMilli(1731957002078)
	contact := Contact{
		ID: "c97e4c65-e4bb-4f20-b7ca-f4a4d0a6e7a3", ExternalID: "4711", FirstName: "Frida", LastName: "Kahlo",
		PhoneNumber: "+14155552671", Status: ContactNew, CreatedAt: ended.Add(-time.Hour), Details: []byte(`{}`),
	}
	call := Call{
		ID: "3b0c0b9e-2a5d-4d5e-9d8a-6f3f1f6f7c11", Direction: Outbound, Attempt: 1, Status: CallCompleted,
		FromNumber: "+17755719467", ToNumber: contact.PhoneNumber, TriggeredAt: ended.Add(-78 * time.Second),
		StartedAt: ended.Add(-70 * time.Second), EndedAt: ended, Transcript: "Agent: Hello...",
		Turns: []Turn{{Role: RoleAgent, Content: "Hello..."}}, Analysis: []byte(`{}`), Outcome: []byte(`{}`),
	}
	descriptions := map[string]string{
		CallEnded:            "A call completed: its outcome, transcript and analysis, with the contact as it is afterwards.",
		ContactStatusChanged: "A contact's status changed: new, pending, reached or closed.",
	}
	_, events := contact.After(call, nil, ended)
	types := make([]EventType, len(events))
	for i, e := range events {
		types[i] = EventType{
			Name: e.Type, Description: descriptions[e.Type],
			Schemas: encode(map[string]any{"1": map[string]any{"title": e.Type, "type": "object", "examples": []json.RawMessage{e.Payload}}}),
		}
	}
	return types
}

// Example returns one of the examples in the schema of the newest version. The error
// is Invalid with the code invalid_scheme when there is none, as in Svix.
func (t EventType) Example(index int) ([]byte, error) {
	var versions map[string]struct {
		Example  json.RawMessage   `json:"example"`
		Examples []json.RawMessage `json:"examples"`
	}
	none := Errorf(Invalid, "the schema of event type %s has no such example", t.Name).WithCode("invalid_scheme")
	if json.Unmarshal(t.Schemas, &versions) != nil || len(versions) == 0 {
		return nil, none
	}
	newest := slices.MaxFunc(slices.Collect(maps.Keys(versions)), func(a, b string) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
	})
	examples := versions[newest].Examples
	if len(examples) == 0 && versions[newest].Example != nil {
		examples = []json.RawMessage{versions[newest].Example}
	}
	if index < 0 || index >= len(examples) {
		return nil, none
	}
	return examples[index], nil
}

// number reads a version; what is no number is older than any.
func number(version string) int {
	n, err := strconv.Atoi(version)
	if err != nil {
		return -1
	}
	return n
}
