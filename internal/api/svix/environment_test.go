package svix_test

import (
	"encoding/json"
	"testing"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

const petSpec = `
openapi: 3.1.0
info: {title: Pets, version: "1"}
webhooks:
  pet.new:
    post:
      description: A new pet has appeared
      x-svix-group-name: pets
      x-svix-feature-flags: [beta, alpha]
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Pet"}
            example: {name: Rex, owner: {name: Ann}}
  gone:
    post: {operationId: pet.gone, summary: It left, deprecated: true}
components:
  schemas:
    Pet: {type: object, properties: {name: {type: string}, owner: {$ref: "#/components/schemas/Owner"}}}
    Owner: {type: object, properties: {name: {type: string}, pets: {type: array, items: {$ref: "#/components/schemas/Pet"}}}}
    Other: {type: string}
`

func TestImportOpenAPI(t *testing.T) {
	each(t, func(s *server) {
		const path = "/event-type/import/openapi"
		dry := s.do(200, "POST", path, object{"specRaw": petSpec, "dryRun": true})["data"].(map[string]any)
		if found := object(dry).list("to_modify"); len(found) != 2 || found[1]["name"] != "pet.new" || found[0]["deprecated"] != true {
			s.Errorf("a dry run finds %v", dry)
		}
		s.do(404, "GET", "/event-type/pet.new", nil)
		s.do(200, "POST", path, object{"specRaw": petSpec})
		got := s.do(200, "GET", "/event-type/pet.new", nil)
		if got["description"] != "A new pet has appeared" || got["groupName"] != "pets" || len(got["featureFlags"].([]any)) != 2 {
			s.Errorf("imported was %v", got)
		}
		schema := object(got["schemas"].(map[string]any))["1"].(map[string]any)
		definitions := schema["$defs"].(map[string]any)
		if schema["$ref"] != "#/$defs/Pet" || definitions["Owner"] == nil || definitions["Other"] != nil {
			s.Errorf("its schema is %v", schema)
		}
		app, crm := s.app("pets"), receive(s.T)
		endpoint := s.do(201, "POST", app+"/endpoint", object{"url": crm.URL})["id"].(string)
		s.do(200, "POST", app+"/endpoint/"+endpoint+"/send-example", object{"eventType": "pet.new"})
		s.until("the example arrived", func() bool { _, _, body := crm.seen(); return body == `{"name":"Rex","owner":{"name":"Ann"}}` })

		s.do(200, "POST", path, object{"spec": object{"webhooks": object{"other": object{"post": object{}}}}, "replaceAll": true})
		if s.do(200, "GET", "/event-type/pet.new", nil)["archived"] != true {
			s.Error("what is not in the document is not archived")
		}
		s.do(200, "POST", path, object{"specRaw": petSpec})
		if s.do(200, "GET", "/event-type/pet.new", nil)["archived"] != false {
			s.Error("what is imported again stays archived")
		}
		for name, body := range map[string]object{
			"neither": {}, "both": {"spec": object{}, "specRaw": petSpec}, "no webhooks": {"spec": object{}}, "no YAML": {"specRaw": "\t: ["},
			"no document": {"specRaw": "text"}, "a wrong type": {"spec": object{"webhooks": []int{1}}},
			"a bad name": {"spec": object{"webhooks": object{"a b": object{"post": object{}}}}},
		} {
			if status, answer := s.send("POST", path, body); status != 422 {
				s.Errorf("%s: %d %s", name, status, answer)
			}
		}
		s.key = s.accountKey(app)
		s.do(403, "POST", path, object{"specRaw": petSpec})
	})
}

// What one server exports another imports.
func TestEnvironment(t *testing.T) {
	each(t, func(s *server) {
		s.do(201, "POST", "/event-type", object{"name": "a.b", "description": "AB", "schemas": object{"1": object{"type": "object"}}, "groupName": "a", "featureFlags": []string{"x", "y"}, "deprecated": true})
		s.do(201, "POST", "/event-type", object{"name": "gone", "description": "", "archived": true})
		exported := s.do(200, "POST", "/environment/export", nil)
		other := serve(s.T, storetest.Open(s, storetest.SQLite(s)))
		other.do(204, "POST", "/environment/import", exported)
		for _, name := range []string{"a.b", "gone"} {
			want, got := s.do(200, "GET", "/event-type/"+name, nil), other.do(200, "GET", "/event-type/"+name, nil)
			for _, o := range []object{want, got} {
				delete(o, "createdAt")
				delete(o, "updatedAt")
			}
			if a, b := jsonText(s, want), jsonText(s, got); a != b {
				s.Errorf("exported was %s, imported %s", a, b)
			}
		}
		s.do(422, "POST", "/environment/import", object{"connectors": []object{{"name": "x"}}})
		s.do(422, "POST", "/environment/import", object{"eventTypes": []object{{"name": "a b"}}})
		s.key = s.accountKey(s.app("customer"))
		s.do(403, "POST", "/environment/export", nil)
		s.do(403, "POST", "/environment/import", exported)
	})
}

// Who opens the portal sees what one of the flags of an event type allows.
func TestFeatureFlags(t *testing.T) {
	each(t, func(s *server) {
		s.do(201, "POST", "/event-type", object{"name": "two.flags", "description": "", "featureFlags": []string{"x_y", "z"}})
		s.do(201, "POST", "/event-type", object{"name": "old.flag", "description": "", "featureFlag": "z"})
		s.do(422, "POST", "/event-type", object{"name": "bad.flag", "description": "", "featureFlags": []string{`"`}})
		app := s.app("flags")
		for _, test := range []struct {
			flags []string
			sees  map[string]bool
		}{
			{nil, map[string]bool{"two.flags": false, "old.flag": false, "call_ended": true}},
			{[]string{"x_y"}, map[string]bool{"two.flags": true, "old.flag": false}},
			{[]string{"xay"}, map[string]bool{"two.flags": false}},
			{[]string{"z"}, map[string]bool{"two.flags": true, "old.flag": true}},
		} {
			s.key = operatorKey
			s.key = s.do(200, "POST", "/auth/app-portal-access/"+app[len("/app/"):], object{"featureFlags": test.flags})["token"].(string)
			listed := map[string]bool{}
			for _, t := range s.do(200, "GET", "/event-type", nil).list("data") {
				listed[t["name"].(string)] = true
			}
			for name, sees := range test.sees {
				status, _ := s.send("GET", "/event-type/"+name, nil)
				if listed[name] != sees || (status == 200) != sees {
					s.Errorf("with %v, %s is listed: %v, read: %d", test.flags, name, listed[name], status)
				}
			}
		}
	})
}

func jsonText(s *server, v any) string {
	s.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		s.Fatal(err)
	}
	return string(b)
}
