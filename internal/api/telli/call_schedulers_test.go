package telli_test

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// addScheduler makes a call scheduler and returns it.
func (c *caller) addScheduler(change object) object {
	c.Helper()
	s := object{"title": "Leads", "agentId": "default"}
	maps.Copy(s, change)
	return c.ask(201, "POST", "/v2/call-schedulers", s)
}

func TestCallSchedulers(t *testing.T) {
	each(t, func(c, other *caller) {
		agent := c.ask(200, "GET", "/v2/agents/default", nil)["id"]
		filter := object{"any": []any{
			object{"field": "email", "operator": "is_set"},
			object{"all": []any{object{"property": "age", "operator": "gt", "value": 17.0}, object{"field": "phone_number", "operator": "starts_with", "value": "+49"}}},
		}}
		made := c.addScheduler(object{"filter": filter, "delaySeconds": 90})
		path := "/v2/call-schedulers/" + made["id"].(string)
		want := object{
			"id": made["id"], "type": "call_scheduler", "title": "Leads", "agentId": agent, "enabled": true, "trigger": "new_contact", "filter": filter, "delaySeconds": 90.0,
			"enrolment": object{"status": "none", "enrolled": 0.0, "startedAt": nil, "endedAt": nil}, "createdAt": made["createdAt"], "updatedAt": made["updatedAt"],
		}
		if at, _ := made["createdAt"].(string); !reflect.DeepEqual(made, want) || at == "" {
			c.Errorf("made %v\nwant %v", made, want)
		}
		if got := c.ask(200, "GET", path, nil); !reflect.DeepEqual(got, want) {
			c.Errorf("got %v", got)
		}
		got := c.ask(200, "PATCH", path, object{"title": "All", "filter": nil, "enrolExisting": true})
		if got["title"] != "All" || fmt.Sprint(got["filter"]) != "map[]" || got["delaySeconds"] != 90.0 || got["enrolment"].(object)["status"] != "running" {
			c.Errorf("became %v", got)
		}
		got = c.ask(200, "PATCH", path, object{"enabled": false})
		if enrolment := got["enrolment"].(object); got["enabled"] != false || enrolment["status"] != "ended" || enrolment["endedAt"] == nil {
			c.Errorf("disabled it is %v", got)
		}
		if got := c.ask(400, "POST", path+"/enrol-existing", nil); got["code"] != "CALL_SCHEDULER_OFF" {
			c.Errorf("enrolling by one that is off: %v", got)
		}
		c.ask(200, "PATCH", path, object{"enabled": true})
		if got := c.ask(202, "POST", path+"/enrol-existing", nil); got["enrolment"].(object)["status"] != "running" {
			c.Errorf("enrolling it is %v", got)
		}
		second := c.addScheduler(object{"title": "Second", "enrolExisting": true})
		if second["enrolment"].(object)["status"] != "running" {
			c.Errorf("made %v", second)
		}
		list := c.ask(200, "GET", "/v2/call-schedulers?limit=1", nil)
		if data := list["data"].([]any); len(data) != 1 || data[0].(object)["id"] != second["id"] || list["pageInfo"].(object)["nextCursor"] != second["id"] {
			c.Errorf("listed %v", list)
		}
		if theirs := other.ask(200, "GET", "/v2/call-schedulers", nil); len(theirs["data"].([]any)) != 0 {
			c.Errorf("another account sees %v", theirs)
		}
		c.wrong("agentId", "PATCH", path, object{"agentId": other.addAgent(nil)})
		if w := c.send("DELETE", path, nil); w.Code != 204 {
			c.Errorf("%d %s", w.Code, w.Body)
		}
		c.ask(404, "GET", path, nil)
		c.ask(404, "DELETE", path, nil)
		c.ask(404, "PATCH", path, object{})
		c.ask(404, "POST", "/v2/call-schedulers/nobody/enrol-existing", nil)
		for fields, body := range map[string]object{
			"title":            {"agentId": "default"},
			"agentId":          {"title": "x"},
			"delaySeconds":     {"title": "x", "agentId": "default", "delaySeconds": -1},
			"filter":           {"title": "x", "agentId": "default", "filter": object{"al": []any{}}},
			"filter.any.0":     {"title": "x", "agentId": "default", "filter": object{"any": []any{object{}}}},
			"filter.operator":  {"title": "x", "agentId": "default", "filter": object{"field": "email", "operator": "like"}},
			"filter.all.0.all": {"title": "x", "agentId": "default", "filter": object{"all": []any{object{"all": []any{}}}}},
		} {
			c.wrong(fields, "POST", "/v2/call-schedulers", body)
		}
		for range 49 {
			c.addScheduler(nil)
		}
		c.ask(400, "POST", "/v2/call-schedulers", object{"title": "x", "agentId": "default"})
	})
}

// A contact that is added is in the dialer when that is answered, by whichever route, and
// by the first call scheduler that picks it.
func TestNewContactsAreEnrolled(t *testing.T) {
	each(t, func(c, other *caller) {
		first, second := c.addAgent(nil), c.addAgent(nil)
		c.addScheduler(object{"enabled": false})
		c.addScheduler(object{"agentId": first, "filter": object{"field": "last_name", "operator": "is", "value": "Kahlo"}})
		c.addScheduler(object{"agentId": second})
		other.addScheduler(nil)
		agentOf := func(contact string) any {
			loops := c.ask(200, "GET", "/v1/list-loops?contact_id="+contact, nil)["loops"].([]any)
			if len(loops) != 1 {
				return len(loops)
			}
			return loops[0].(object)["agent_id"]
		}
		v1 := c.addContact(nil)
		v2 := c.ask(201, "POST", "/v2/contacts", person(object{"lastName": "Kahlo"}))
		if got := c.contactOf(v1); got["status"] != "pending" || got["next_call_at"] == nil || v2["autoDialerStatus"] != "in_dialer" {
			c.Errorf("added %v and %v", got, v2)
		}
		batch := c.ask(200, "POST", "/v1/add-contacts-batch", object{"contacts": []object{
			{"external_contact_id": "1", "first_name": "x", "last_name": "Rivera", "phone_number": "+12025550111"},
			{"external_contact_id": "1", "first_name": "x", "last_name": "Taken", "phone_number": "+12025550111"},
			{"external_contact_id": "2", "first_name": "x", "last_name": "kahlo", "phone_number": "+12025550112"},
			{"first_name": "x"},
		}})["result"].([]any)
		rivera, kahlo := batch[0].(object)["contact_id"].(string), batch[2].(object)["contact_id"].(string)
		if taken := batch[1].(object); taken["code"] != "DUPLICATE_EXTERNAL_ID" || taken["external_contact_id"] != "1" {
			c.Errorf("one whose id is taken: %v", taken)
		}
		for contact, want := range map[string]string{v1: first, v2["id"].(string): first, rivera: second, kahlo: first} {
			if got := agentOf(contact); got != want {
				c.Errorf("enrolled by %v, want %s", got, want)
			}
		}
		if got := c.eventTypes(); got != "contact_status_changed contact_status_changed contact_status_changed contact_status_changed" {
			c.Errorf("published %s", got)
		}
		// A call that was made elsewhere enrols nobody.
		done := c.ask(200, "POST", "/v1/report-call", report(object{"phone_number": "+12025550113", "call_status": "NOT_REACHED"}))
		if got := agentOf(done["contact_id"].(string)); got != 0 {
			c.Errorf("enrolled by a report: %v", got)
		}
		// Who cannot be called is added all the same.
		c.ask(200, "POST", "/v1/blocked-numbers", object{"number": "+12025550114"})
		blocked := c.addContact(object{"phone_number": "+12025550114"})
		c.ask(200, "PATCH", "/v2/agents/"+second, object{"autoDialer": object{"enabled": false}})
		off := c.addContact(object{"phone_number": "+12025550115", "last_name": "x"})
		for _, id := range []string{blocked, off} {
			if got := c.contactOf(id); got["status"] != "new" || agentOf(id) != 0 {
				c.Errorf("one that cannot be called is %v", got)
			}
		}
	})
}

// With its agent a call scheduler is disabled.
func TestDeleteAgentOfScheduler(t *testing.T) {
	each(t, func(c, _ *caller) {
		agent := c.addAgent(nil)
		path := "/v2/call-schedulers/" + c.addScheduler(object{"agentId": agent, "enrolExisting": true})["id"].(string)
		if w := c.send("DELETE", "/v2/agents/"+agent, nil); w.Code != 204 {
			c.Fatalf("%d %s", w.Code, w.Body)
		}
		if got := c.ask(200, "GET", path, nil); got["enabled"] != false || got["enrolment"].(object)["status"] != "ended" || got["agentId"] != agent {
			c.Errorf("it is %v", got)
		}
		if got := c.contactOf(c.addContact(nil)); got["status"] != "new" {
			c.Errorf("a contact is %v", got)
		}
		c.ask(200, "PATCH", path, object{"title": "x"})
		c.wrong("agentId", "PATCH", path, object{"enabled": true})
		c.ask(200, "PATCH", path, object{"enabled": true, "agentId": "default"})
		storetest.View(c, c.store, func(tx *store.Tx) error {
			if _, err := tx.Agent(c.account.ID, agent); aftercall.KindOf(err) != aftercall.NotFound {
				c.Errorf("the agent: %v", err)
			}
			return nil
		})
	})
}
