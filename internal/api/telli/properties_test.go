package telli_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestProperties(t *testing.T) {
	each(t, func(c, other *caller) {
		other.addProperty("theirs", "string", nil)
		if got := c.ask(200, "GET", "/v2/properties/contacts", nil); fmt.Sprint(got) != "map[data:[]]" {
			c.Errorf("of none: %v", got)
		}
		plan := c.addProperty("plan", "select", object{"label": "Plan", "description": "what they pay for", "options": []object{{"value": "pro", "label": "Pro"}}})
		want := object{
			"key": "plan", "dataType": "select", "label": "Plan", "description": "what they pay for", "options": []any{object{"value": "pro", "label": "Pro"}},
			"createdAt": plan["createdAt"], "updatedAt": plan["updatedAt"],
		}
		if at, _ := plan["createdAt"].(string); !reflect.DeepEqual(plan, want) || len(at) != len("2026-11-23T10:00:00.000Z") {
			c.Errorf("made %v\nwant %v", plan, want)
		}
		if got := c.ask(200, "GET", "/v2/properties/contacts/plan", nil); !reflect.DeepEqual(got, want) {
			c.Errorf("got %v\nwant %v", got, want)
		}
		for _, dataType := range []string{"string", "number", "boolean", "date", "datetime", "phone_number", "email"} {
			if got := c.addProperty(dataType, dataType, object{"description": nil, "options": []object{}}); got["description"] != nil || fmt.Sprint(got["options"]) != "[]" {
				c.Errorf("made %v", got)
			}
		}
		var keys []string
		for _, p := range c.ask(200, "GET", "/v2/properties/contacts", nil)["data"].([]any) {
			keys = append(keys, p.(object)["key"].(string))
		}
		if got := strings.Join(keys, " "); got != "boolean date datetime email number phone_number plan string" {
			c.Errorf("listed %s", got)
		}
		if got := c.ask(409, "POST", "/v2/properties/contacts", object{"key": "plan", "dataType": "string", "label": "x"}); got["code"] != "CONFLICT" {
			c.Errorf("the same key: %v", got)
		}
		other.addProperty("plan", "string", nil)
		for _, key := range []string{"theirs", "nobody", "%00", "%ff"} {
			c.ask(404, "GET", "/v2/properties/contacts/"+key, nil)
			c.ask(404, "PATCH", "/v2/properties/contacts/"+key, object{"label": "x"})
		}
	})
}

// What is sent changes, key and type never; values that contacts have stay.
func TestUpdateProperty(t *testing.T) {
	each(t, func(c, _ *caller) {
		const path = "/v2/properties/contacts/plan"
		c.addProperty("plan", "multi_select", object{"description": "x", "options": []object{{"value": "pro", "label": "Pro"}, {"value": "free", "label": "Free"}}})
		id := c.ask(201, "POST", "/v2/contacts", person(object{"properties": sent("plan", []string{"pro", "free"})}))["id"].(string)
		got := c.ask(200, "PATCH", path, object{"label": "Plan", "key": "other", "dataType": "string"})
		if got["key"] != "plan" || got["dataType"] != "multi_select" || got["label"] != "Plan" || got["description"] != "x" || len(got["options"].([]any)) != 2 {
			c.Errorf("became %v", got)
		}
		got = c.ask(200, "PATCH", path, object{"description": nil, "options": []object{{"value": "free", "label": "Free", "description": "of charge"}}})
		if got["label"] != "Plan" || got["description"] != nil || fmt.Sprint(got["options"]) != "[map[description:of charge label:Free value:free]]" {
			c.Errorf("became %v", got)
		}
		if same := c.ask(200, "GET", path, nil); !reflect.DeepEqual(same, got) {
			c.Errorf("got %v, want %v", same, got)
		}
		if got := shown(c.ask(200, "GET", "/v2/contacts/"+id, nil)); got != "plan=[pro free]" {
			c.Errorf("the contact has %s", got)
		}
		c.wrong("properties.0.value", "PATCH", "/v2/contacts/"+id, object{"properties": sent("plan", []string{"pro"})})
		for fields, body := range map[string]object{
			"label": {"label": nil}, "options": {"options": nil}, "options.0.value options.0.label": {"options": []object{{}}},
			"description": {"description": strings.Repeat("x", 1025)},
		} {
			c.wrong(fields, "PATCH", path, body)
		}
		c.addProperty("n", "number", nil)
		c.wrong("options", "PATCH", "/v2/properties/contacts/n", object{"options": []object{{"value": "1", "label": "1"}}})
	})
}

func TestBadProperties(t *testing.T) {
	each(t, func(c, _ *caller) {
		option := object{"value": "a", "label": "A"}
		for _, test := range []struct {
			fields string
			body   any
		}{
			{"body", `{"key"`},
			{"key dataType label", object{}},
			{"key", object{"key": "a b", "dataType": "date", "label": "A"}},
			{"key", object{"key": 1, "dataType": "date", "label": "A"}},
			{"dataType", object{"key": "a", "dataType": "object", "label": "A"}},
			{"options", object{"key": "a", "dataType": "select", "label": "A"}},
			{"options", object{"key": "a", "dataType": "date", "label": "A", "options": []object{option}}},
			{"options.1.value", object{"key": "a", "dataType": "multi_select", "label": "A", "options": []object{option, option}}},
		} {
			c.wrong(test.fields, "POST", "/v2/properties/contacts", test.body)
		}
		if got := c.ask(200, "GET", "/v2/properties/contacts", nil); len(got["data"].([]any)) != 0 {
			c.Errorf("there are %v", got)
		}
	})
}

// All properties are read for each contact, so there is a limit.
func TestMostProperties(t *testing.T) {
	each(t, func(c, _ *caller) {
		storetest.Update(c, c.store, func(tx *store.Tx) error {
			for i := range 500 {
				if err := tx.InsertProperty(aftercall.Property{AccountID: c.account.ID, Key: fmt.Sprint("k", i), Type: aftercall.PropertyString, Label: "x"}); err != nil {
					return err
				}
			}
			return nil
		})
		c.wrong("key", "POST", "/v2/properties/contacts", object{"key": "more", "dataType": "date", "label": "x"})
	})
}
