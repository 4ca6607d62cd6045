package openapi

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed style.css
var style []byte

// Style is the sheet of the page.
func Style() []byte { return style }

// Page shows a document to people. It needs no script, and nothing from elsewhere.
func Page(document map[string]any, base string) []byte {
	page := template.Must(template.New("page").Parse(pageText))
	var b bytes.Buffer
	if err := page.Execute(&b, viewOf(document, base)); err != nil { // both are ours
		panic(fmt.Sprintf("openapi: %v", err))
	}
	return b.Bytes()
}

// view is what the page shows.
type view struct {
	Title, Description, Base string
	Groups                   []group
	Types                    []typeView
}

type group struct {
	Name       string
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary string
	Parameters                []field
	Body, Answer              template.HTML
	Statuses                  string
	Example                   string
}

type typeView struct {
	Name   string
	Fields []field
}

type field struct {
	Name, In, Doc string
	Type          template.HTML
	Required      bool
}

func viewOf(document map[string]any, base string) view {
	info, _ := document["info"].(object)
	v := view{Base: base}
	v.Title, _ = info["title"].(string)
	v.Description, _ = info["description"].(string)
	byNoun := map[string][]operationView{}
	add := func(method, path string, o object) {
		noun, _ := o["tags"].([]string)
		byNoun[noun[0]] = append(byNoun[noun[0]], operationOf(method, path, o))
	}
	paths, _ := document["paths"].(object)
	for path, item := range paths {
		for method, o := range item.(object) {
			add(strings.ToUpper(method), path, o.(object))
		}
	}
	webhooks, _ := document["webhooks"].(object)
	for name, item := range webhooks {
		add("POST", name, item.(object)["post"].(object))
	}
	for _, noun := range slices.Sorted(maps.Keys(byNoun)) {
		slices.SortFunc(byNoun[noun], func(a, b operationView) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), order(a.Method)-order(b.Method))
		})
		v.Groups = append(v.Groups, group{noun, byNoun[noun]})
	}
	components, _ := document["components"].(object)
	types, _ := components["schemas"].(object)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		v.Types = append(v.Types, typeView{name, fieldsOf(types[name].(object))})
	}
	return v
}

func order(method string) int {
	return slices.Index([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method)
}

func operationOf(method, path string, o object) operationView {
	v := operationView{Method: method, Path: path}
	v.ID, _ = o["operationId"].(string)
	v.Summary, _ = o["summary"].(string)
	parameters, _ := o["parameters"].([]object)
	for _, p := range parameters {
		f := field{Type: typeName(p["schema"].(object))}
		f.Name, _ = p["name"].(string)
		f.In, _ = p["in"].(string)
		f.Doc, _ = p["description"].(string)
		f.Required, _ = p["required"].(bool)
		v.Parameters = append(v.Parameters, f)
	}
	if body, ok := o["requestBody"].(object); ok {
		content, _ := body["content"].(object)[jsonType].(object)
		v.Body = contentName(body["content"].(object))
		if example, ok := content["example"].(json.RawMessage); ok {
			var b bytes.Buffer
			if json.Indent(&b, example, "", "  ") == nil {
				v.Example = b.String()
			}
		}
	}
	responses, _ := o["responses"].(object)
	var statuses []string
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		if strings.HasPrefix(status, "2") {
			statuses = append(statuses, status)
			if content, ok := responses[status].(object)["content"].(object); ok {
				v.Answer = contentName(content)
			}
		}
	}
	v.Statuses = strings.Join(statuses, " or ")
	return v
}

// contentName writes what a body is: the name of its schema, or what it is instead of JSON.
func contentName(content object) template.HTML {
	if encoded, ok := content[jsonType].(object); ok {
		return typeName(encoded["schema"].(object))
	}
	return template.HTML(template.HTMLEscapeString(strings.Join(slices.Sorted(maps.Keys(content)), " or "))) //nolint:gosec // names of ours
}

func fieldsOf(schema object) []field {
	properties, _ := schema["properties"].(object)
	required, _ := schema["required"].([]string)
	var list []field
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p := properties[name].(object)
		f := field{Name: name, Type: typeName(p), Required: slices.Contains(required, name)}
		f.Doc, _ = p["description"].(string)
		list = append(list, f)
	}
	return list
}

// typeName writes a schema in a few words, with a link to what it refers to. What it
// writes comes from names of Go's types and fields only.
func typeName(schema object) template.HTML {
	if ref, ok := schema["$ref"].(string); ok {
		name := template.HTMLEscapeString(ref[strings.LastIndexByte(ref, '/')+1:])
		return template.HTML(`<a href="#` + name + `">` + name + `</a>`) //nolint:gosec // see above
	}
	if either, ok := schema["anyOf"].([]object); ok {
		return typeName(either[0]) + " or null"
	}
	var names []string
	switch t := schema["type"].(type) {
	case string:
		names = []string{t}
	case []string:
		names = t
	default:
		return "anything"
	}
	text := template.HTML(template.HTMLEscapeString(strings.Join(names, " or "))) //nolint:gosec // see above
	switch names[0] {
	case "array":
		return typeName(schema["items"].(object)) + " list"
	case "object":
		if values, ok := schema["additionalProperties"].(object); ok {
			return "object of " + typeName(values)
		}
		if fields := fieldsOf(schema); len(fields) > 0 {
			var b strings.Builder
			for i, f := range fields {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString("<code>" + template.HTMLEscapeString(f.Name) + "</code> " + string(f.Type))
			}
			return template.HTML("{ " + b.String() + " }") //nolint:gosec // see above
		}
	case "string":
		if format, ok := schema["format"].(string); ok {
			return template.HTML(template.HTMLEscapeString(format)) //nolint:gosec // see above
		}
	}
	return text
}
