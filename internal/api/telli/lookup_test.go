package telli_test

import (
	"reflect"
	"strings"
	"testing"
)

func TestContactLookup(t *testing.T) {
	each(t, func(c, other *caller) {
		const path = "/v1/contact-lookup"
		c.ask(404, "GET", path, nil)
		c.ask(404, "DELETE", path, nil)
		c.wrong("url", "PUT", path, object{"enabled": true})
		made := c.ask(200, "PUT", path, object{"url": "https://crm.example.com/who"})
		secret, _ := made["secret"].(string)
		want := object{
			"url": "https://crm.example.com/who", "timeout_seconds": 3.0, "enabled": true, "headers": object{}, "query": object{}, "secret": secret,
			"created_at": made["created_at"], "updated_at": made["updated_at"],
		}
		if !reflect.DeepEqual(made, want) || !strings.HasPrefix(secret, "whsec_") || made["created_at"] == nil {
			c.Errorf("made %v", made)
		}
		if got := c.ask(200, "GET", path, nil); !reflect.DeepEqual(got, made) {
			c.Errorf("got %v", got)
		}
		other.ask(404, "GET", path, nil)
		changed := c.ask(200, "PUT", path, object{
			"timeout_seconds": 10, "enabled": false, "headers": object{"Authorization": "Bearer crm"}, "query": object{"tenant": "7"},
		})
		if changed["url"] != made["url"] || changed["timeout_seconds"] != 10.0 || changed["enabled"] != false || changed["secret"] != secret ||
			!reflect.DeepEqual(changed["headers"], object{"Authorization": "Bearer crm"}) || !reflect.DeepEqual(changed["query"], object{"tenant": "7"}) {
			c.Errorf("changed %v", changed)
		}
		rotated := c.ask(200, "PUT", path, object{"rotate_secret": true, "headers": nil})
		if next, _ := rotated["secret"].(string); next == secret || !strings.HasPrefix(next, "whsec_") || !reflect.DeepEqual(rotated["headers"], object{}) {
			c.Errorf("rotated %v", rotated)
		}
		if got := c.ask(200, "GET", path, nil); !reflect.DeepEqual(got, rotated) {
			c.Errorf("got %v", got)
		}
		for _, test := range []struct {
			fields string
			body   object
		}{
			{"url", object{"url": "crm"}},
			{"url", object{"url": nil}},
			{"timeout_seconds", object{"timeout_seconds": 0}},
			{"timeout_seconds", object{"timeout_seconds": 11}},
			{"timeout_seconds", object{"timeout_seconds": 18446744076}}, // 2.3 s, if it were to wrap around
			{"timeout_seconds", object{"timeout_seconds": "3"}},
			{"headers", object{"headers": object{"Host": "x"}}},
			{"query", object{"query": object{"": "x"}}},
			{"url timeout_seconds", object{"url": "https://x/#y", "timeout_seconds": 99}},
		} {
			c.wrong(test.fields, "PUT", path, test.body)
		}
		if w := c.send("DELETE", path, nil); w.Code != 204 {
			c.Errorf("%d %s", w.Code, w.Body)
		}
		c.ask(404, "GET", path, nil)
	})
}
