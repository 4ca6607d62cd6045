package telli_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// An account's key opens its own contacts and calls and nothing else, by whichever route:
// every one that the document tells of is tried with another's ids.
func TestTenants(t *testing.T) {
	each(t, func(c, other *caller) {
		contact := other.addContact(object{"external_contact_id": "theirs"})
		call := other.ask(200, "POST", "/v1/report-call", report(object{"contact_id": contact}))["call_id"].(string)
		other.addProperty("their_key", "string", nil)
		number := other.ask(200, "POST", "/v1/phone-numbers/import", number(nil))["id"].(string)
		file := "id,phone,first_name,last_name\ntheirs,+14155552671,Mallory,x\n"
		imported := other.ask(200, "POST", "/v1/import-contacts", file)["import_id"].(string)
		other.ask(200, "POST", "/v1/blocked-numbers", object{"number": "+4915112345679"})
		agent := other.addAgent(object{"title": "Their agent"})
		loop := other.ask(200, "POST", "/v1/schedule-call", object{"contact_id": contact, "agent_id": agent})["loop_id"].(string)
		scheduler := other.addScheduler(object{"title": "Their agent's", "agentId": agent})["id"].(string)
		other.ask(200, "PUT", "/v1/contact-lookup", object{"url": "https://crm.example.com/who"})
		before := held(other)

		tries := contactTries(contact, call, number)
		tries["importContacts"] = try{"/v1/import-contacts", file, 200} // it adds a contact of one's own
		tries["getImport"] = try{"/v1/imports/" + imported, nil, 404}
		tries["contactLookup.get"] = try{"/v1/contact-lookup", nil, 404}
		tries["contactLookup.delete"] = try{"/v1/contact-lookup", nil, 404}
		tries["exportContacts"] = try{"/v1/export-contacts", nil, 200}
		maps.Copy(tries, dialerTries(contact, agent, loop, scheduler))
		own := []string{"verifyKey", "addContact", "addContacts", "contacts.create", "properties.create", "phoneNumbers.import", "agents.create", "blockedNumbers.add", "blockedNumbers.addMany", "callSchedulers.create", "contactLookup.put"} // name nothing that exists
		for path, methods := range c.ask(200, "GET", "/openapi.json", nil)["paths"].(object) {
			for method, operation := range methods.(object) {
				id := operation.(object)["operationId"].(string)
				if slices.Contains(own, id) {
					continue
				}
				try, ok := tries[id]
				if !ok {
					c.Errorf("%s %s is not tried with another's ids", method, path)
					continue
				}
				w := c.send(strings.ToUpper(method), try.path, try.body)
				if w.Code != try.refused || tellsOfTheirs(w.Body.String()) || strings.Contains(w.Body.String(), `"status":"success"`) {
					c.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
				}
				c.nobody(strings.ToUpper(method), try.path)
			}
		}
		storetest.View(c, c.store, func(tx *store.Tx) error {
			imports, err := tx.Imports(c.account.ID, store.Page{Limit: 1})
			if err == nil {
				err = dialer.New(c.store, dialer.Config{}).FinishImport(c.Context(), c.account.ID, imports[0].ID)
			}
			return err
		})
		if after := held(other); !reflect.DeepEqual(before, after) {
			c.Errorf("another account's were %v, are %v", before, after)
		}
		if n := len(c.events()); n != 0 {
			c.Errorf("%d events were published", n)
		}
	})
}

// try is a request that names what belongs to another account.
type try struct {
	path string
	body any
	// refused is the status, or 200 where the answer is a list that tells of each item.
	refused int
}

func contactTries(contact, call, number string) map[string]try {
	return map[string]try{
		"getContact":             {"/v1/get-contact/" + contact, nil, 404},
		"getContactByExternalID": {"/v1/get-contact-by-external-id/theirs", nil, 404},
		"getContacts":            {"/v1/get-contacts-batch", object{"contact_ids": []string{contact}}, 200},
		"updateContact":          {"/v1/update-contact", object{"contact_id": contact, "first_name": "Mallory"}, 404},
		"updateContacts":         {"/v1/update-contacts-batch", object{"contacts": []any{object{"contact_id": contact, "first_name": "Mallory"}}}, 200},
		"deleteContact":          {"/v1/delete-contact/" + contact, nil, 404},
		"reportCall":             {"/v1/report-call", report(object{"external_call_id": "call-2", "contact_id": contact}), 404},
		"getCall":                {"/v1/get-call/" + call, nil, 404},
		"listCalls":              {"/v1/list-calls?contact_id=" + contact, nil, 200},
		"phoneNumbers.list":      {"/v1/phone-numbers", nil, 200},
		"phoneNumbers.delete":    {"/v1/phone-numbers/" + number, nil, 404},

		"contacts.list":            {"/v2/contacts?cursor=" + contact, nil, 200},
		"contacts.get":             {"/v2/contacts/" + contact, nil, 404},
		"contacts.getByExternalID": {"/v2/external/contacts/theirs", nil, 404},
		"contacts.update":          {"/v2/contacts/" + contact, object{"firstName": "Mallory"}, 404},
		"contacts.replace":         {"/v2/contacts/" + contact, person(object{"firstName": "Mallory"}), 404},
		"contacts.delete":          {"/v2/contacts/" + contact, nil, 404},
		"properties.list":          {"/v2/properties/contacts", nil, 200},
		"properties.get":           {"/v2/properties/contacts/their_key", nil, 404},
		"properties.update":        {"/v2/properties/contacts/their_key", object{"label": "Mallory"}, 404},
	}
}

func dialerTries(contact, agent, loop, scheduler string) map[string]try {
	wanted := object{"contact_id": contact, "agent_id": "default"}
	return map[string]try{
		"scheduleCall":         {"/v1/schedule-call", wanted, 404},
		"scheduleCalls":        {"/v1/schedule-calls-batch", object{"contacts": []object{wanted}}, 200},
		"initiateCall":         {"/v1/initiate-call", wanted, 404},
		"removeFromDialer":     {"/v1/remove-from-auto-dialer", object{"contact_id": contact}, 404},
		"removeManyFromDialer": {"/v1/remove-from-auto-dialer-batch", object{"contact_ids": []string{contact}}, 200},

		"getLoop":   {"/v1/get-loop/" + loop, nil, 404},
		"listLoops": {"/v1/list-loops?contact_id=" + contact, nil, 200},

		"blockedNumbers.list":   {"/v1/blocked-numbers", nil, 200},
		"blockedNumbers.delete": {"/v1/blocked-numbers/%2B4915112345679", nil, 404},
		"dialRecords.list":      {"/v1/dial-records?number=%2B4915112345679", nil, 200},

		"callSchedulers.list":          {"/v2/call-schedulers?cursor=" + scheduler, nil, 200},
		"callSchedulers.get":           {"/v2/call-schedulers/" + scheduler, nil, 404},
		"callSchedulers.update":        {"/v2/call-schedulers/" + scheduler, object{"title": "Mallory"}, 404},
		"callSchedulers.delete":        {"/v2/call-schedulers/" + scheduler, nil, 404},
		"callSchedulers.enrolExisting": {"/v2/call-schedulers/" + scheduler + "/enrol-existing", nil, 404},

		"agents.list":         {"/v2/agents?cursor=" + agent, nil, 200},
		"agents.get":          {"/v2/agents/" + agent, nil, 404},
		"agents.update":       {"/v2/agents/" + agent, object{"title": "Mallory"}, 404},
		"agents.delete":       {"/v2/agents/" + agent, nil, 404},
		"agents.rotateSecret": {"/v2/agents/" + agent + "/rotate-secret", nil, 404},
	}
}

// tellsOfTheirs reports whether an answer holds what the other account has.
func tellsOfTheirs(answer string) bool {
	return slices.ContainsFunc([]string{"Frida", "their_key", "Their agent", "+4915112345678", "+4915112345679"}, func(theirs string) bool { return strings.Contains(answer, theirs) })
}

// nobody sends a request without a key, which must be refused.
func (c *caller) nobody(method, path string) {
	c.Helper()
	w := httptest.NewRecorder()
	c.face.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("{}")))
	if w.Code != http.StatusUnauthorized {
		c.Errorf("%s %s without a key: %d %s", method, path, w.Code, w.Body)
	}
}

// held is what an account has.
func held(c *caller) (all []any) {
	c.Helper()
	storetest.View(c, c.store, func(tx *store.Tx) error {
		contacts, err := tx.ContactList(c.account.ID, store.ContactFilter{}, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		calls, err := tx.Calls(c.account.ID, store.CallPage{Limit: 100})
		if err != nil {
			return err
		}
		properties, err := tx.Properties(c.account.ID)
		if err != nil {
			return err
		}
		numbers, err := tx.PhoneNumbers(c.account.ID)
		if err != nil {
			return err
		}
		ids := make([]string, len(contacts))
		for i, contact := range contacts {
			ids[i] = contact.ID
		}
		runs, err := tx.OpenRuns(c.account.ID, ids)
		if err != nil {
			return err
		}
		agents, err := tx.Agents(c.account.ID, store.Page{Limit: 100})
		for i := range agents { // with its secret
			agents[i], _ = tx.AgentWithSecret(c.account.ID, agents[i].ID)
		}
		if err != nil {
			return err
		}
		blocked, err := tx.BlockedNumbers(c.account.ID, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		schedulers, err := tx.Schedulers(c.account.ID, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		lookup, err := tx.ContactLookup(c.account.ID)
		all = append(all, contacts, calls, properties, numbers, runs, agents, blocked, schedulers, lookup, len(c.events()))
		return err
	})
	return all
}
