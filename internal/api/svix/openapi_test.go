package svix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

// documented is the API as its own document describes it.
type documented struct {
	document object
	compiler *jsonschema.Compiler
	calls    []call
}

// call is an operation of the document.
type call struct {
	method, path string
	operation    object
}

func readDocument(s *server) *documented {
	s.Helper()
	_, text := s.send("GET", "/openapi.json", nil)
	d := &documented{compiler: jsonschema.NewCompiler()}
	d.compiler.UseLoader(jsonschema.SchemeURLLoader{}) // nothing from outside
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		s.Fatal(err)
	}
	if err := d.compiler.AddResource("mem:///openapi.json", parsed); err != nil {
		s.Fatal(err)
	}
	d.document = parsed.(map[string]any)
	paths := object(d.document["paths"].(map[string]any))
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			d.calls = append(d.calls, call{strings.ToUpper(method), path, item[method].(map[string]any)})
		}
	}
	return d
}

// check holds an answer to the document.
func (d *documented) check(c call, status int, body []byte) error {
	responses := object(c.operation["responses"].(map[string]any))
	key := fmt.Sprint(status)
	if responses[key] == nil {
		key = key[:1] + "XX"
	}
	response, ok := responses[key].(map[string]any)
	if !ok {
		return fmt.Errorf("status %d is not documented", status)
	}
	if response["content"] == nil {
		if len(body) > 0 {
			return fmt.Errorf("a body where none is documented: %s", body)
		}
		return nil
	}
	at := "mem:///openapi.json#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(c.path) +
		"/" + strings.ToLower(c.method) + "/responses/" + key + "/content/application~1json/schema"
	schema, err := d.compiler.Compile(at)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// resolve follows a reference.
func (d *documented) resolve(schema object) object {
	ref, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	components := d.document["components"].(map[string]any)["schemas"].(map[string]any)
	return components[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any)
}

// maker makes requests, most of them valid. It knows the ids that came back.
type maker struct {
	*rand.Rand
	*documented
	ids   []string
	known map[string][]any // values that some fields need, to be of use
}

func newMaker(d *documented, seed uint64) *maker {
	return &maker{Rand: rand.New(rand.NewPCG(seed, 1)), documented: d, ids: []string{"uid-1", "crm"}, known: map[string][]any{
		"url":         {"http://127.0.0.1:1/a", "http://127.0.0.1:1/b?c=d", "ftp://x", "http://"},
		"eventType":   {"call_ended", "other.type", "svix.ping", "a b", ""},
		"eventTypes":  {[]any{"call_ended"}, []any{}, []any{"none"}, nil},
		"filterTypes": {[]any{"call_ended", "other.type"}, []any{"none"}, nil},
		"since":       {since(3600e9), since(40 * 24 * 3600e9), "yesterday"},
		"until":       {nil, since(-3600e9)},
		"secret":      {nil, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "x"},
		"key":         {"", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
		"deliverAt":   {nil, since(-600e9), since(1e9)},
		"specRaw":     {"", petSpec, "{}"},
		"schemas":     {nil, map[string]any{"1": map[string]any{"examples": []any{map[string]any{"a": 1}}}}},
		"uid":         {nil, "uid-1", "crm", "a b"},
	}}
}

func (m *maker) odds(one, in int) bool { return m.IntN(in) < one }

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

// strange is what nobody should send.
func (m *maker) strange() any {
	return pick(m, []any{nil, true, -1, 1e300, 0.5, "", strings.Repeat("x", 300), "\x00\u202e'\"<", []any{}, []any{nil}, map[string]any{"a": []any{1}}})
}

// value makes JSON of a schema.
func (m *maker) value(name string, schema object, depth int) any {
	if m.odds(1, 25) {
		return m.strange()
	}
	if known := m.known[name]; known != nil && m.odds(4, 5) {
		return pick(m, known)
	}
	schema = m.resolve(schema)
	if either, ok := schema["anyOf"].([]any); ok {
		return m.value(name, either[m.IntN(len(either))].(map[string]any), depth)
	}
	if values, ok := schema["enum"].([]any); ok {
		return pick(m, values)
	}
	kind, _ := schema["type"].(string)
	if kinds, ok := schema["type"].([]any); ok {
		kind = pick(m, kinds).(string)
	}
	switch kind {
	case "string":
		if schema["format"] == "date-time" {
			return since(1800e9)
		}
		return pick(m, append([]string{"a", "text with ü", "x-y_z.1"}, m.ids...))
	case "integer":
		return pick(m, []int{0, 1, 2, 50, 250, 251, 3600, -1, 70000})
	case "boolean":
		return m.odds(1, 2)
	case "array":
		list := []any{}
		for range m.IntN(3) {
			list = append(list, m.value("", schema["items"].(map[string]any), depth+1))
		}
		return list
	case "object":
		o := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if slices.Contains(required, any(name)) && m.odds(19, 20) || m.odds(1, 2) && depth < 4 {
				o[name] = m.value(name, properties[name].(map[string]any), depth+1)
			}
		}
		if more, ok := schema["additionalProperties"].(map[string]any); ok && m.odds(1, 2) {
			o[pick(m, []string{"a", "X-Header", "content-type"})] = m.value("", more, depth+1)
		}
		return o
	case "null":
		return nil
	}
	return map[string]any{"any": "thing"}
}

// id finds one that a path asks for, most of the time of the right kind.
func (m *maker) id(name string) string {
	prefix := map[string]string{"app": "app_", "endpoint": "ep_", "msg": "msg_", "attempt": "atmpt_", "task": "qtask_"}[name]
	if prefix == "" {
		return pick(m, []string{"call_ended", "other.type", "none"})
	}
	fitting := slices.DeleteFunc(slices.Clone(m.ids), func(id string) bool { return !strings.HasPrefix(id, prefix) })
	if len(fitting) == 0 || m.odds(1, 10) {
		return pick(m, m.ids)
	}
	if m.odds(1, 5) {
		return pick(m, fitting)
	}
	return fitting[len(fitting)-1] // what is newest belongs together
}

// request makes a request of an operation.
func (m *maker) request(c call) (path, body string) {
	path = c.path
	query := url.Values{}
	parameters, _ := c.operation["parameters"].([]any)
	for _, p := range parameters {
		p := object(p.(map[string]any))
		name := p["name"].(string)
		schema := p["schema"].(map[string]any)
		switch {
		case p["in"] == "path":
			id := m.id(name)
			if m.odds(1, 20) {
				id = pick(m, []string{"x", "%00", "..", "app_", strings.Repeat("y", 400)})
			}
			path = strings.Replace(path, "{"+name+"}", url.PathEscape(id), 1)
		case p["in"] == "query" && m.odds(1, 4):
			value := m.value("", schema, 0)
			if list, ok := value.([]any); ok {
				for _, item := range list {
					query.Add(name+pick(m, []string{"", "[]", "[0]"}), fmt.Sprint(item))
				}
			} else {
				query.Set(name, fmt.Sprint(value))
			}
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if in, ok := c.operation["requestBody"].(map[string]any); ok {
		schema := in["content"].(map[string]any)["application/json"].(map[string]any)["schema"].(map[string]any)
		text, err := json.Marshal(m.value("", schema, 0))
		if err != nil {
			panic(err)
		}
		if m.odds(1, 40) {
			text = text[:m.IntN(len(text)+1)]
		}
		body = string(text)
	}
	return strings.TrimPrefix(path, "/api/v1"), body
}

// learn remembers ids, so that later requests find something.
func (m *maker) learn(body []byte) {
	var o map[string]any
	if json.Unmarshal(body, &o) != nil {
		return
	}
	if id, ok := o["id"].(string); ok && len(m.ids) < 200 {
		m.ids = append(m.ids, id)
	}
}

// Whatever is sent, nothing breaks, and every answer is as the document says.
func FuzzRequests(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, sqlite bool) {
		database := storetest.Postgres
		if sqlite {
			database = storetest.SQLite
		}
		s := serve(t, storetest.Open(t, database(t)))
		m := newMaker(readDocument(s), seed)
		answered := map[int]int{}
		for range 400 {
			c := pick(m, m.calls)
			if c.method == "DELETE" && m.odds(4, 5) {
				continue // else there is soon nothing left
			}
			path, body := m.request(c)
			status, answer := s.send(c.method, path, body)
			answered[status/100]++
			if status >= 500 {
				t.Errorf("seed %d: %s %s %s: %d %s", seed, c.method, path, body, status, answer)
			} else if err := m.check(c, status, answer); err != nil {
				t.Errorf("seed %d: %s %s %s: %d %s\n%v", seed, c.method, path, body, status, answer, err)
			}
			m.learn(answer)
		}
		if answered[2] < 10 || answered[4] < 10 {
			t.Errorf("seed %d: the requests are too much alike: answers by class are %v", seed, answered)
		}
	})
}

// The page to read loads nothing from outside, and tells of every operation.
func TestDocs(t *testing.T) {
	s := serve(t, storetest.Open(t, storetest.SQLite(t)))
	_, page := s.send("GET", "/docs", nil)
	for _, outside := range []string{"http://", "https://", "//", "<script", "style="} {
		if bytes.Contains(page, []byte(outside)) {
			t.Errorf("the page holds %q", outside)
		}
	}
	for _, c := range readDocument(s).calls {
		if id := c.operation["operationId"].(string); !bytes.Contains(page, []byte(`id="`+id+`"`)) {
			t.Errorf("the page does not tell of %s", id)
		}
	}
	if status, style := s.send("GET", "/docs/style.css", nil); status != 200 || len(style) == 0 {
		t.Errorf("its style sheet: %d", status)
	}
}
