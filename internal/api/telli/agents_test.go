package telli_test

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
)

// addAgent makes an agent and returns its id.
func (c *caller) addAgent(change object) string {
	c.Helper()
	agent := object{"title": "Sales"}
	maps.Copy(agent, change)
	return c.ask(201, "POST", "/v2/agents", agent)["id"].(string)
}

func TestAgents(t *testing.T) {
	each(t, func(c, other *caller) {
		standard := c.ask(200, "GET", "/v2/agents/default", nil)
		workday := []any{object{"from": "08:00", "to": "20:00"}}
		want := object{
			"id": standard["id"], "type": "agent", "title": "default", "language": "en", "isDefault": true,
			"voiceEngine": object{
				"type": "simulator", "url": nil, "agent": nil, "ringTimeoutSeconds": 30.0, "maxDurationSeconds": 600.0, "maxLiveCalls": 100.0,
				"maxCallsPerSecond": 0.0, "maxLiveCallsPerNumber": 0.0, "maxCallsPerSecondPerNumber": 0.0, "secret": standard["voiceEngine"].(object)["secret"],
			},
			"autoDialer": object{
				"enabled": true, "strategy": "smart", "intensity": "moderate", "intervalsSeconds": []any{}, "maxRetryDays": 7.0, "maxAttempts": nil,
				"hours": object{
					"monday": workday, "tuesday": workday, "wednesday": workday, "thursday": workday, "friday": workday, "saturday": workday, "sunday": []any{},
				},
				"holidays": []any{}, "maxAttemptsPerNumber": 3.0,
			},
			"fromNumbers": []any{}, "outcomeFields": []any{}, "createdAt": standard["createdAt"], "updatedAt": standard["updatedAt"],
		}
		secret, _ := standard["voiceEngine"].(object)["secret"].(string)
		if at, _ := standard["createdAt"].(string); !reflect.DeepEqual(standard, want) || !strings.HasPrefix(secret, "whsec_") || len(at) != len("2026-11-23T10:00:00.000Z") {
			c.Errorf("the default is %v\nwant %v", standard, want)
		}
		if byID := c.ask(200, "GET", "/v2/agents/"+strings.ToUpper(standard["id"].(string)), nil); !reflect.DeepEqual(byID, standard) {
			c.Errorf("by its id it is %v", byID)
		}
		made := c.ask(201, "POST", "/v2/agents", object{
			"title": "Sales", "language": "de-AT",
			"voiceEngine": object{"type": "http", "url": "https://bot.example.com/voice", "agent": "anna", "ringTimeoutSeconds": 20, "maxCallsPerSecond": 0.5},
			"autoDialer": object{
				"strategy": "intervals", "intervalsSeconds": []int{60, 3600}, "maxRetryDays": nil, "maxAttempts": 3,
				"hours": object{"monday": []object{{"from": "09:00", "to": "12:30"}, {"from": "14:00", "to": "24:00"}}}, "holidays": []string{"12-25", "2027-01-01"},
			},
			"fromNumbers":   []string{"+1 202 555 0100"},
			"outcomeFields": []object{{"name": "plan", "type": "category", "options": []string{"pro", "free"}, "reason": true, "instructions": "Which one?"}, {"name": "age", "type": "number"}},
		})
		engine, dialing := made["voiceEngine"].(object), made["autoDialer"].(object)
		if engine["url"] != "https://bot.example.com/voice" || engine["agent"] != "anna" || engine["ringTimeoutSeconds"] != 20.0 || engine["maxDurationSeconds"] != 600.0 || engine["maxCallsPerSecond"] != 0.5 {
			c.Errorf("made with the engine %v", engine)
		}
		if fmt.Sprint(dialing["intervalsSeconds"], dialing["maxRetryDays"], dialing["maxAttempts"], dialing["holidays"]) != "[60 3600] <nil> 3 [12-25 2027-01-01]" {
			c.Errorf("made to dial %v", dialing)
		}
		if got := fmt.Sprint(dialing["hours"]); got != "map[friday:[] monday:[map[from:09:00 to:12:30] map[from:14:00 to:24:00]] saturday:[] sunday:[] thursday:[] tuesday:[] wednesday:[]]" {
			c.Errorf("made to dial at %v", got)
		}
		if fmt.Sprint(made["fromNumbers"]) != "[+12025550100]" || len(made["outcomeFields"].([]any)) != 2 || made["isDefault"] != false {
			c.Errorf("made %v", made)
		}
		if got := c.ask(200, "GET", "/v2/agents/"+made["id"].(string), nil); !reflect.DeepEqual(got, made) {
			c.Errorf("got %v\nwant %v", got, made)
		}
		if preset := c.ask(201, "POST", "/v2/agents", object{"title": "UK", "preset": "uk"}); fmt.Sprint(preset["autoDialer"].(object)["hours"].(object)["saturday"]) != "[map[from:09:00 to:17:00]]" {
			c.Errorf("made by a preset %v", preset)
		}
		other.ask(404, "GET", "/v2/agents/"+made["id"].(string), nil)
		c.ask(404, "GET", "/v2/agents/nobody", nil)
	})
}

// Lists come in pages, newest first, and tell no secrets.
func TestListAgents(t *testing.T) {
	each(t, func(c, _ *caller) {
		var want []string
		for i := range 6 {
			want = append([]string{c.addAgent(object{"title": fmt.Sprint(i)})}, want...)
		}
		var got []string
		for cursor := ""; ; {
			page := c.ask(200, "GET", "/v2/agents?limit=3&cursor="+cursor, nil)
			for _, item := range page["data"].([]any) {
				agent := item.(object)
				if _, told := agent["voiceEngine"].(object)["secret"]; told {
					c.Errorf("a list tells the secret of %v", agent)
				}
				got = append(got, agent["id"].(string))
			}
			next, _ := page["pageInfo"].(object)["nextCursor"].(string)
			if cursor = next; cursor == "" {
				break
			}
		}
		if len(got) != 7 || !reflect.DeepEqual(got[:6], want) {
			c.Errorf("listed %v, want %v and the default", got, want)
		}
	})
}

// What is sent changes, within objects too; lists are sent whole.
func TestUpdateAgent(t *testing.T) {
	each(t, func(c, _ *caller) {
		id := c.addAgent(object{"autoDialer": object{"maxAttempts": 5}, "preset": "us", "fromNumbers": []string{"+12025550100", "+12025550101"}})
		path := "/v2/agents/" + id
		before := c.ask(200, "GET", path, nil)
		got := c.ask(200, "PATCH", path, object{
			"title": "Support", "id": "x", "isDefault": true, "voiceEngine": object{"maxLiveCalls": 2, "secret": "whsec_x"},
			"autoDialer":  object{"maxRetryDays": nil, "hours": object{"saturday": []object{}, "sunday": []object{{"from": "10:00", "to": "11:00"}}}, "holidays": []string{"12-24"}},
			"fromNumbers": []string{"+12025550101"},
		})
		want := object{}
		maps.Copy(want, before)
		want["title"], want["fromNumbers"], want["updatedAt"] = "Support", []any{"+12025550101"}, got["updatedAt"]
		engine, dialing := maps.Clone(before["voiceEngine"].(object)), maps.Clone(before["autoDialer"].(object))
		hours := maps.Clone(dialing["hours"].(object))
		hours["saturday"], hours["sunday"] = []any{}, []any{object{"from": "10:00", "to": "11:00"}}
		secret := engine["secret"]
		delete(engine, "secret")
		engine["maxLiveCalls"] = 2.0
		dialing["maxRetryDays"], dialing["hours"], dialing["holidays"] = nil, hours, []any{"12-24"}
		want["voiceEngine"], want["autoDialer"] = engine, dialing
		if !reflect.DeepEqual(got, want) {
			c.Errorf("became %v\nwant %v", got, want)
		}
		got = c.ask(200, "PATCH", path, object{"preset": "de", "autoDialer": object{"hours": object{"friday": nil}}, "voiceEngine": nil})
		dialing = got["autoDialer"].(object)
		if hours := dialing["hours"].(object); fmt.Sprint(hours["monday"], hours["friday"], hours["sunday"], dialing["holidays"]) != "[map[from:09:00 to:20:00]] [] [] [12-24]" {
			c.Errorf("by a preset it dials %v", dialing)
		}
		got = c.ask(200, "PATCH", path, object{})
		if engine := c.ask(200, "GET", path, nil)["voiceEngine"].(object); got["title"] != "Support" || engine["secret"] != secret {
			c.Errorf("of nothing it became %v, %v", got, engine)
		}
		rotated := c.ask(200, "POST", path+"/rotate-secret", nil)["voiceEngine"].(object)["secret"].(string)
		if now := c.ask(200, "GET", path, nil)["voiceEngine"].(object)["secret"]; rotated == secret || now != rotated || !strings.HasPrefix(rotated, "whsec_") {
			c.Errorf("the secret was rotated from %v to %v, is %v", secret, rotated, now)
		}
		c.ask(200, "PATCH", "/v2/agents/default", object{"language": "fr"})
		if got := c.ask(200, "GET", "/v2/agents/default", nil); got["language"] != "fr" || got["title"] != "default" {
			c.Errorf("the default became %v", got)
		}
		c.ask(404, "PATCH", "/v2/agents/"+aftercall.NewUUID(), object{"title": "x"})
		c.ask(404, "POST", "/v2/agents/"+aftercall.NewUUID()+"/rotate-secret", nil)
	})
}

// With an agent its runs end, and its contacts are closed. The default one stays.
func TestDeleteAgent(t *testing.T) {
	each(t, func(c, other *caller) {
		id := c.addAgent(nil)
		contact := c.addContact(nil)
		c.ask(200, "POST", "/v1/schedule-call", object{"contact_id": contact, "agent_id": id})
		other.ask(404, "DELETE", "/v2/agents/"+id, nil)
		if w := c.send("DELETE", "/v2/agents/"+id, nil); w.Code != 204 || w.Body.Len() != 0 {
			c.Errorf("%d %s", w.Code, w.Body)
		}
		c.ask(404, "GET", "/v2/agents/"+id, nil)
		c.ask(404, "DELETE", "/v2/agents/"+id, nil)
		if got := c.ask(200, "GET", "/v1/get-contact/"+contact, nil); got["status"] != "closed" || got["next_call_at"] != nil {
			c.Errorf("its contact is %v", got)
		}
		for _, name := range []string{"default", c.ask(200, "GET", "/v2/agents/default", nil)["id"].(string)} {
			if got := c.ask(409, "DELETE", "/v2/agents/"+name, nil); got["code"] != "CONFLICT" {
				c.Errorf("the default: %v", got)
			}
		}
	})
}

func TestBadAgents(t *testing.T) {
	each(t, func(c, _ *caller) {
		agent := func(change object) object {
			a := object{"title": "x"}
			maps.Copy(a, change)
			return a
		}
		for _, test := range []struct {
			fields string
			body   any
		}{
			{"body", `[`},
			{"title", object{}},
			{"title", agent(object{"title": strings.Repeat("x", 257)})},
			{"language", agent(object{"language": "english please"})},
			{"language", agent(object{"language": nil})},
			{"preset", agent(object{"preset": "fr"})},
			{"voiceEngine.type", agent(object{"voiceEngine": object{"type": "vapi"}})},
			{"voiceEngine.url", agent(object{"voiceEngine": object{"type": "http"}})},
			{"voiceEngine.url", agent(object{"voiceEngine": object{"url": "https://bot.example.com"}})},
			{"voiceEngine.ringTimeoutSeconds", agent(object{"voiceEngine": object{"ringTimeoutSeconds": 14}})},
			{"voiceEngine.ringTimeoutSeconds", agent(object{"voiceEngine": object{"ringTimeoutSeconds": 18446744103}})}, // 30 s, if it overflowed
			{"voiceEngine.maxDurationSeconds", agent(object{"voiceEngine": object{"maxDurationSeconds": 7201}})},
			{"voiceEngine.maxLiveCalls", agent(object{"voiceEngine": object{"maxLiveCalls": -1}})},
			{"voiceEngine.maxCallsPerSecond", agent(object{"voiceEngine": object{"maxCallsPerSecond": 0.0001}})},
			{"voiceEngine.maxLiveCallsPerNumber", agent(object{"voiceEngine": object{"maxLiveCallsPerNumber": 10001}})},
			{"voiceEngine.maxCallsPerSecondPerNumber", agent(object{"voiceEngine": object{"maxCallsPerSecondPerNumber": 1e300}})},
			{"autoDialer.strategy", agent(object{"autoDialer": object{"strategy": "often"}})},
			{"autoDialer.intensity", agent(object{"autoDialer": object{"intensity": "mad"}})},
			{"autoDialer.intervalsSeconds", agent(object{"autoDialer": object{"strategy": "intervals"}})},
			{"autoDialer.intervalsSeconds.1", agent(object{"autoDialer": object{"strategy": "intervals", "intervalsSeconds": []int{60, 59}}})},
			{"autoDialer.maxRetryDays", agent(object{"autoDialer": object{"maxRetryDays": nil}})},
			{"autoDialer.maxRetryDays", agent(object{"autoDialer": object{"maxRetryDays": 366}})},
			{"autoDialer.maxAttempts", agent(object{"autoDialer": object{"maxAttempts": 0}})},
			{"autoDialer.maxAttemptsPerNumber", agent(object{"autoDialer": object{"maxAttemptsPerNumber": 0}})},
			{"autoDialer.hours", agent(object{"autoDialer": object{"hours": object{"monday": []object{}}}})},
			{"autoDialer.hours.monday.0", agent(object{"autoDialer": object{"hours": object{"monday": []object{{"from": "9", "to": "17:00"}}}}})},
			{"autoDialer.hours.sunday.1", agent(object{"autoDialer": object{"hours": object{"sunday": []object{{"from": "09:00", "to": "17:00"}, {"from": "16:00", "to": "18:00"}}}}})},
			{"autoDialer.holidays.0", agent(object{"autoDialer": object{"holidays": []string{"Christmas"}}})},
			{"fromNumbers.1", agent(object{"fromNumbers": []string{"+12025550100", "110"}})},
			{"outcomeFields.0.name outcomeFields.0.type", agent(object{"outcomeFields": []object{{}}})},
			{"outcomeFields.1.name", agent(object{"outcomeFields": []object{{"name": "a", "type": "text"}, {"name": "a", "type": "text"}}})},
			{"outcomeFields.0.options", agent(object{"outcomeFields": []object{{"name": "a", "type": "category"}}})},
		} {
			c.wrong(test.fields, "POST", "/v2/agents", test.body)
		}
		c.wrong("autoDialer.maxRetryDays", "PATCH", "/v2/agents/default", object{"autoDialer": object{"maxRetryDays": nil, "maxAttempts": nil}})
		c.wrong("title", "PATCH", "/v2/agents/default", object{"title": nil})
		c.wrong("preset", "PATCH", "/v2/agents/default", object{"preset": "mars"})
		c.wrong("limit", "GET", "/v2/agents?limit=101", nil)
		c.wrong("cursor", "GET", "/v2/agents?cursor=x", nil)
	})
}
