package telli_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
)

func TestLoops(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := c.addContact(nil)
		agent := c.ask(200, "GET", "/v2/agents/default", nil)["id"]
		first := c.schedule(contact)
		got := c.ask(200, "GET", "/v1/get-loop/"+strings.ToUpper(first), nil)
		want := object{
			"loop_id": first, "contact_id": contact, "agent_id": agent, "status": "open", "end_reason": nil, "attempts": 0.0,
			"next_call_at": c.contactOf(contact)["next_call_at"], "created_at": got["created_at"], "ended_at": nil,
		}
		if !reflect.DeepEqual(got, want) || got["created_at"] == nil || got["next_call_at"] == nil {
			c.Errorf("the run is %v, want %v", got, want)
		}
		c.ask(200, "POST", "/v1/remove-from-auto-dialer", object{"contact_id": contact})
		ended := c.ask(200, "GET", "/v1/get-loop/"+first, nil)
		if ended["status"] != "ended" || ended["end_reason"] != "removed" || ended["next_call_at"] != nil || ended["ended_at"] == nil {
			c.Errorf("removed it is %v", ended)
		}
		c.ask(200, "POST", "/v1/initiate-call", object{"contact_id": contact})
		c.schedule(c.addContact(object{"phone_number": "+12025550111"}))
		var ids []any
		for cursor, page := "", 0; page == 0 || cursor != ""; page++ {
			list := c.ask(200, "GET", "/v1/list-loops?limit=1&contact_id="+contact+"&cursor="+cursor, nil)
			for _, loop := range list["loops"].([]any) {
				ids = append(ids, loop.(object)["loop_id"])
			}
			cursor, _ = list["next_cursor"].(string)
		}
		if len(ids) != 2 || ids[1] != first {
			c.Errorf("listed %v, want the newest and %s", ids, first)
		}
		if all := c.ask(200, "GET", "/v1/list-loops", nil); len(all["loops"].([]any)) != 3 || all["next_cursor"] != nil {
			c.Errorf("listed %v", all)
		}
		if theirs := other.ask(200, "GET", "/v1/list-loops", nil); len(theirs["loops"].([]any)) != 0 {
			c.Errorf("another account sees %v", theirs)
		}
		other.ask(404, "GET", "/v1/get-loop/"+first, nil)
		c.ask(404, "GET", "/v1/get-loop/"+aftercall.NewUUID(), nil)
		c.ask(404, "GET", "/v1/get-loop/nobody", nil)
		c.wrong("contact_id", "GET", "/v1/list-loops?contact_id=x", nil)
		c.wrong("cursor", "GET", "/v1/list-loops?cursor=x", nil)
		c.wrong("limit", "GET", "/v1/list-loops?limit=0", nil)
	})
}
