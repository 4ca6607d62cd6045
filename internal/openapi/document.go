package openapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Operation is one method of one path.
type Operation struct {
	Pattern string // as of http.ServeMux: "GET /path/{name}"
	ID      string // "noun.verb"
	Status  int    // of the answer when all is well
	In      reflect.Type
	Out     reflect.Type
	Type    string // of the answer; empty for JSON
	Fixed   string // a path value that is not in the pattern
}

// split returns the method and the path of the pattern.
func (o Operation) split() (method, path string) {
	method, path, _ = strings.Cut(o.Pattern, " ")
	return method, path
}

// name is the noun that the operation is about, and what it does.
func (o Operation) name() (noun, verb string) {
	i := strings.LastIndexByte(o.ID, '.')
	return o.ID[:max(i, 0)], o.ID[i+1:]
}

// API is what a document is about beside its operations.
type API struct {
	Title       string
	Description string
	Version     string
	Errors      map[string]reflect.Type // by status: "422", or "4XX"
	Webhooks    []Webhook
}

// Webhook is a request that the server makes.
type Webhook struct {
	Name        string
	Description string
	Payload     reflect.Type
	Example     json.RawMessage
}

// Document describes an API in OpenAPI 3.1.
func Document(api API, operations []Operation) map[string]any {
	s := newSchemas()
	errors := object{}
	for status, t := range api.Errors {
		errors[status] = answer("An error", jsonType, s.of(t, false))
	}
	paths := object{}
	for _, o := range operations {
		method, path := o.split()
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(method)] = s.operation(o, errors)
	}
	webhooks := object{}
	for _, w := range api.Webhooks {
		content := object{"schema": s.of(w.Payload, false)}
		if w.Example != nil {
			content["example"] = w.Example
		}
		webhooks[w.Name] = object{"post": object{
			"operationId": w.Name, "summary": w.Description, "tags": []string{"webhooks"},
			"parameters":  webhookHeaders(),
			"requestBody": object{"required": true, "content": object{"application/json": content}},
			"responses":   object{"2XX": object{"description": "It has arrived. Anything else is tried again, by the retry schedule."}},
		}}
	}
	return object{
		"openapi":  "3.1.0",
		"info":     object{"title": api.Title, "description": api.Description, "version": api.Version},
		"security": []object{{"key": []string{}}},
		"paths":    paths,
		"webhooks": webhooks,
		"components": object{
			"schemas":         s.components,
			"securitySchemes": object{"key": object{"type": "http", "scheme": "bearer"}},
		},
	}
}

func (s *schemas) operation(o Operation, errors object) object {
	noun, verb := o.name()
	described := object{"operationId": o.ID, "summary": words(verb), "tags": []string{noun}, "responses": s.responses(o, errors)}
	if parameters := s.parameters(o); len(parameters) > 0 {
		described["parameters"] = parameters
	}
	if body, ok := o.In.FieldByName("Body"); ok {
		schema := s.of(body.Type, true)
		described["requestBody"] = object{
			"required": len(s.required(schema)) > 0, "content": object{"application/json": object{"schema": schema}},
		}
	}
	if _, ok := o.In.FieldByName("File"); ok {
		parameters, _ := described["parameters"].([]object)
		described["requestBody"] = uploaded(parameters)
	}
	return described
}

// required names what a body must have.
func (s *schemas) required(schema object) []string {
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = s.components[ref[strings.LastIndexByte(ref, '/')+1:]].(object)
	}
	names, _ := schema["required"].([]string)
	return names
}

func (s *schemas) responses(o Operation, errors object) object {
	responses := object{}
	for status, e := range errors {
		responses[status] = e
	}
	statuses := []int{o.Status}
	method, _ := o.split()
	_, chooses := reflect.Zero(o.Out).Interface().(interface{ Status() int })
	if chooses && (method == http.MethodPost || method == http.MethodPut) { // others make nothing new
		statuses = []int{http.StatusOK, http.StatusCreated}
	}
	for _, status := range statuses {
		if status == http.StatusNoContent {
			responses[strconv.Itoa(status)] = object{"description": http.StatusText(status)}
		} else {
			responses[strconv.Itoa(status)] = answer(http.StatusText(status), cmp.Or(o.Type, jsonType), s.of(o.Out, false))
		}
	}
	return responses
}

const jsonType = "application/json"

func answer(description, contentType string, schema object) object {
	return object{"description": description, "content": object{contentType: object{"schema": schema}}}
}

// uploaded is the body of an operation that takes a file: the file itself, or a form
// with it and the query's parameters.
func uploaded(parameters []object) object {
	properties := object{"file": object{"type": "string", "format": "binary"}}
	for _, p := range parameters {
		if p["in"] == "query" {
			properties[p["name"].(string)] = p["schema"]
		}
	}
	return object{"required": true, "content": object{
		"text/csv":            object{"schema": object{"type": "string"}},
		"multipart/form-data": object{"schema": object{"type": "object", "properties": properties, "required": []string{"file"}}},
	}}
}

func (s *schemas) parameters(o Operation) []object {
	var list []object
	_, path := o.split()
	for _, f := range reflect.VisibleFields(o.In) {
		p := object{}
		if name, ok := f.Tag.Lookup("path"); ok && name != o.Fixed && strings.Contains(path, "{"+name+"}") {
			p["name"], p["in"], p["required"] = name, "path", true
		} else if name, ok := f.Tag.Lookup("query"); ok {
			p["name"], p["in"] = name, "query"
		} else {
			continue
		}
		schema := s.of(f.Type, true)
		if types, ok := schema["type"].([]string); ok {
			schema["type"] = types[0] // there is no null in an address
		}
		if values := f.Tag.Get("enum"); values != "" {
			schema["enum"] = enum(values, schema)
		}
		p["schema"] = schema
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		list = append(list, p)
	}
	if method, _ := o.split(); method == http.MethodPost {
		list = append(list, object{
			"name": "idempotency-key", "in": "header", "schema": object{"type": "string"},
			"description": "The same key with the same body is done once, and answered the same for a day.",
		})
	}
	return list
}

func webhookHeaders() []object {
	header := func(name, doc string) object {
		return object{"name": name, "in": "header", "required": true, "schema": object{"type": "string"}, "description": doc}
	}
	return []object{
		header("svix-id", "The message's id: the same in every attempt. Do the work once for each."),
		header("svix-timestamp", "When the attempt was made, in seconds since 1970."),
		header("svix-signature", "Signatures of id, timestamp and body, separated by spaces: \"v1,\" HMAC-SHA256, \"v1a,\" Ed25519."),
	}
}

var capital = regexp.MustCompile(`[A-Z]+[a-z0-9]*`)

// words makes a sentence of a name: of "rotateSecret", "Rotate secret".
func words(name string) string {
	text := strings.TrimSpace(capital.ReplaceAllStringFunc(name, func(word string) string {
		if len(word) > 1 && strings.ToUpper(word) == word {
			return " " + word
		}
		return " " + strings.ToLower(word)
	}))
	first := []rune(text)
	first[0] = unicode.ToUpper(first[0])
	return string(first)
}
