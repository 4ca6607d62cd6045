package svix

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aftercall/aftercall"
)

// webhooksDocument is the part of an OpenAPI document that tells of webhooks. Before
// version 3.1 they had no place of their own.
type webhooksDocument struct {
	Webhooks   map[string]webhookItem `json:"webhooks"`
	XWebhooks  map[string]webhookItem `json:"x-webhooks"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

type webhookItem struct {
	Post *struct {
		OperationID  string   `json:"operationId"`
		Summary      string   `json:"summary"`
		Description  string   `json:"description"`
		Deprecated   bool     `json:"deprecated"`
		GroupName    string   `json:"x-svix-group-name"`
		FeatureFlag  string   `json:"x-svix-feature-flag"`
		FeatureFlags []string `json:"x-svix-feature-flags"`
		RequestBody  struct {
			Content map[string]struct {
				Schema   map[string]any `json:"schema"`
				Example  any            `json:"example"`
				Examples map[string]struct {
					Value any `json:"value"`
				} `json:"examples"`
			} `json:"content"`
		} `json:"requestBody"`
	} `json:"post"`
}

// eventTypesOf reads the webhooks of an OpenAPI document as event types, by name.
func eventTypesOf(in ImportIn) ([]aftercall.EventType, error) {
	spec := in.Spec
	switch {
	case (len(spec) > 0 && string(spec) != "null") == (in.SpecRaw != ""):
		return nil, aftercall.InvalidField("spec", "send either spec or specRaw")
	case in.SpecRaw != "":
		var err error
		if spec, err = jsonOfYAML(in.SpecRaw); err != nil {
			return nil, &aftercall.Error{Kind: aftercall.Invalid, Message: "specRaw is neither JSON nor YAML", Err: err,
				Fields: []aftercall.FieldError{{Path: "specRaw", Message: "is neither JSON nor YAML"}}}
		}
	}
	var document webhooksDocument
	if err := json.Unmarshal(spec, &document); err != nil {
		return nil, &aftercall.Error{Kind: aftercall.Invalid, Message: "the document is not OpenAPI", Err: err,
			Fields: []aftercall.FieldError{{Path: "spec", Message: "is not an OpenAPI document"}}}
	}
	items := document.Webhooks
	if len(items) == 0 {
		items = document.XWebhooks
	}
	var types []aftercall.EventType
	for _, name := range slices.Sorted(maps.Keys(items)) {
		if item := items[name]; item.Post != nil {
			types = append(types, item.eventType(name, document.Components.Schemas))
		}
	}
	if len(types) == 0 {
		return nil, aftercall.InvalidField("spec", "there are no webhooks in it: they stand under webhooks or x-webhooks, each with a post")
	}
	return types, nil
}

// jsonOfYAML reads YAML, of which JSON is a part.
func jsonOfYAML(text string) ([]byte, error) {
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

func (w webhookItem) eventType(name string, components map[string]any) aftercall.EventType {
	post := w.Post
	t := aftercall.EventType{
		Name: name, Description: post.Description, Deprecated: post.Deprecated, GroupName: post.GroupName, FeatureFlags: post.FeatureFlags,
	}
	if post.OperationID != "" {
		t.Name = post.OperationID
	}
	if t.Description == "" {
		t.Description = post.Summary
	}
	if post.FeatureFlag != "" && len(t.FeatureFlags) == 0 {
		t.FeatureFlags = []string{post.FeatureFlag}
	}
	content, ok := post.RequestBody.Content["application/json"]
	if !ok || content.Schema == nil {
		return t
	}
	schema := maps.Clone(content.Schema)
	if definitions := definitions(schema, components); len(definitions) > 0 {
		schema["$defs"] = definitions
	}
	var examples []any
	if content.Example != nil {
		examples = append(examples, content.Example)
	}
	for _, name := range slices.Sorted(maps.Keys(content.Examples)) {
		examples = append(examples, content.Examples[name].Value)
	}
	if len(examples) > 0 {
		schema["examples"] = examples
	}
	t.Schemas = firstVersion(schema)
	return t
}

// firstVersion is the schema as the first version of an event type's.
func firstVersion(schema map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"1": schema})
	if err != nil { // it was read from JSON
		panic(err)
	}
	return b
}

const (
	componentRef  = "#/components/schemas/"
	definitionRef = "#/$defs/"
)

// definitions collects the components that a schema refers to, and those that they
// refer to, and has all of them refer to where they will stand: inside the schema,
// which is then whole without its document.
func definitions(schema map[string]any, components map[string]any) map[string]any {
	found := map[string]any{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			ref, _ := v["$ref"].(string)
			if name, ok := strings.CutPrefix(ref, componentRef); ok {
				v["$ref"] = definitionRef + name
				if component, known := components[name]; known && found[name] == nil {
					found[name] = component
					walk(component)
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(schema)
	return found
}
