// Package telli is the face that speaks telli's HTTP API, so that code written for
// it works unchanged. It translates; the rules are in the dialer and the nouns.
package telli

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/openapi"
	"github.com/aftercall/aftercall/internal/web"
)

// API is the face.
type API struct{ dialer *dialer.Dialer }

// maxBody is the limit on a request, in bytes: a batch of a thousand contacts, or a
// long transcript.
const maxBody = 16 << 20

// New makes the handler of telli's routes; it answers unknown ones, too.
func New(d *dialer.Dialer, keys *auth.Keys) http.Handler {
	a := &API{d}
	face := &web.API{Identify: identify(keys), WriteError: writeError, MaxBody: maxBody}
	mux := web.NewMux(face)
	mux.Handle("GET /v1/verify-api-key", "verifyKey", web.Handle(face, 200, a.verifyKey))

	mux.Handle("POST /v1/add-contact", "addContact", web.Handle(face, 200, a.addContact))
	mux.Handle("POST /v1/add-contacts-batch", "addContacts", web.Handle(face, 200, a.addContacts))
	mux.Handle("GET /v1/get-contact/{contact_id}", "getContact", web.Handle(face, 200, a.getContact))
	mux.Handle("GET /v1/get-contact-by-external-id/{external_contact_id}", "getContactByExternalID", web.Handle(face, 200, a.getContactByExternalID))
	mux.Handle("POST /v1/get-contacts-batch", "getContacts", web.Handle(face, 200, a.getContacts))
	mux.Handle("PATCH /v1/update-contact", "updateContact", web.Handle(face, 200, a.updateContact))
	mux.Handle("PATCH /v1/update-contacts-batch", "updateContacts", web.Handle(face, 200, a.updateContacts))
	mux.Handle("DELETE /v1/delete-contact/{contact_id}", "deleteContact", web.Handle(face, 200, a.deleteContact))

	mux.Handle("POST /v1/import-contacts", "importContacts", web.Handle(face, 200, a.importContacts))
	mux.Handle("GET /v1/imports/{import_id}", "getImport", web.Handle(face, 200, a.getImport))
	mux.Handle("GET /v1/export-contacts", "exportContacts", web.HandleDownload(face, "text/csv; charset=utf-8", "contacts.csv", a.exportContacts))

	mux.Handle("POST /v1/report-call", "reportCall", web.Handle(face, 200, a.reportCall))
	mux.Handle("GET /v1/get-call/{call_id}", "getCall", web.Handle(face, 200, a.getCall))
	mux.Handle("GET /v1/list-calls", "listCalls", web.Handle(face, 200, a.listCalls))

	mux.Handle("POST /v1/schedule-call", "scheduleCall", web.Handle(face, 200, a.scheduleCall))
	mux.Handle("POST /v1/schedule-calls-batch", "scheduleCalls", web.Handle(face, 200, a.scheduleCalls))
	mux.Handle("POST /v1/initiate-call", "initiateCall", web.Handle(face, 200, a.initiateCall))
	mux.Handle("POST /v1/remove-from-auto-dialer", "removeFromDialer", web.Handle(face, 200, a.removeFromDialer))
	mux.Handle("POST /v1/remove-from-auto-dialer-batch", "removeManyFromDialer", web.Handle(face, 200, a.removeManyFromDialer))

	mux.Handle("GET /v1/get-loop/{loop_id}", "getLoop", web.Handle(face, 200, a.getLoop))
	mux.Handle("GET /v1/list-loops", "listLoops", web.Handle(face, 200, a.listLoops))

	mux.Handle("GET /v1/blocked-numbers", "blockedNumbers.list", web.Handle(face, 200, a.listBlockedNumbers))
	mux.Handle("POST /v1/blocked-numbers", "blockedNumbers.add", web.Handle(face, 200, a.blockNumber))
	mux.Handle("POST /v1/blocked-numbers-batch", "blockedNumbers.addMany", web.Handle(face, 200, a.blockNumbers))
	mux.Handle("DELETE /v1/blocked-numbers/{number}", "blockedNumbers.delete", web.Handle(face, 200, a.unblockNumber))
	mux.Handle("GET /v1/dial-records", "dialRecords.list", web.Handle(face, 200, a.listDialRecords))

	mux.Handle("GET /v1/contact-lookup", "contactLookup.get", web.Handle(face, 200, a.getContactLookup))
	mux.Handle("PUT /v1/contact-lookup", "contactLookup.put", web.Handle(face, 200, a.putContactLookup))
	mux.Handle("DELETE /v1/contact-lookup", "contactLookup.delete", web.Handle(face, 204, a.deleteContactLookup))

	mux.Handle("GET /v1/phone-numbers", "phoneNumbers.list", web.Handle(face, 200, a.listPhoneNumbers))
	mux.Handle("POST /v1/phone-numbers/import", "phoneNumbers.import", web.Handle(face, 200, a.importPhoneNumber))
	mux.Handle("DELETE /v1/phone-numbers/{id}", "phoneNumbers.delete", web.Handle(face, 200, a.deletePhoneNumber))

	a.routesV2(face, mux)
	mux.Describe("", openapi.API{
		Title: "Aftercall: calls and contacts",
		Description: "Contacts, their properties and their calls, as telli's API has them, and the report of calls that were made elsewhere. " +
			"The key of an account stands in the header Authorization.",
		Version:  "1",
		Errors:   map[string]reflect.Type{"4XX": reflect.TypeFor[errorBody](), "5XX": reflect.TypeFor[errorBody]()},
		Webhooks: openapi.Events(),
	})
	return mux
}

// routesV2 adds the routes of the newer version.
func (a *API) routesV2(face *web.API, mux *web.Mux) {
	mux.Handle("POST /v2/contacts", "contacts.create", web.Handle(face, 201, a.createContactV2))
	mux.Handle("GET /v2/contacts", "contacts.list", web.Handle(face, 200, a.listContactsV2))
	mux.Handle("GET /v2/contacts/{id}", "contacts.get", web.Handle(face, 200, a.getContactV2))
	mux.Handle("PATCH /v2/contacts/{id}", "contacts.update", web.Handle(face, 200, a.updateContactV2))
	mux.Handle("PUT /v2/contacts/{id}", "contacts.replace", web.Handle(face, 200, a.replaceContactV2))
	mux.Handle("DELETE /v2/contacts/{id}", "contacts.delete", web.Handle(face, 204, a.deleteContactV2))
	mux.Handle("GET /v2/external/contacts/{externalId}", "contacts.getByExternalID", web.Handle(face, 200, a.getContactV2ByExternalID))
	mux.Handle("GET /v2/properties/contacts", "properties.list", web.Handle(face, 200, a.listProperties))
	mux.Handle("POST /v2/properties/contacts", "properties.create", web.Handle(face, 201, a.createProperty))
	mux.Handle("GET /v2/properties/contacts/{key}", "properties.get", web.Handle(face, 200, a.getProperty))
	mux.Handle("PATCH /v2/properties/contacts/{key}", "properties.update", web.Handle(face, 200, a.updateProperty))

	mux.Handle("GET /v2/agents", "agents.list", web.Handle(face, 200, a.listAgents))
	mux.Handle("POST /v2/agents", "agents.create", web.Handle(face, 201, a.createAgent))
	mux.Handle("GET /v2/agents/{id}", "agents.get", web.Handle(face, 200, a.getAgent))
	mux.Handle("PATCH /v2/agents/{id}", "agents.update", web.Handle(face, 200, a.updateAgent))
	mux.Handle("DELETE /v2/agents/{id}", "agents.delete", web.Handle(face, 204, a.deleteAgent))
	mux.Handle("POST /v2/agents/{id}/rotate-secret", "agents.rotateSecret", web.Handle(face, 200, a.rotateAgentSecret))

	mux.Handle("GET /v2/call-schedulers", "callSchedulers.list", web.Handle(face, 200, a.listSchedulers))
	mux.Handle("POST /v2/call-schedulers", "callSchedulers.create", web.Handle(face, 201, a.createScheduler))
	mux.Handle("GET /v2/call-schedulers/{id}", "callSchedulers.get", web.Handle(face, 200, a.getScheduler))
	mux.Handle("PATCH /v2/call-schedulers/{id}", "callSchedulers.update", web.Handle(face, 200, a.updateScheduler))
	mux.Handle("DELETE /v2/call-schedulers/{id}", "callSchedulers.delete", web.Handle(face, 204, a.deleteScheduler))
	mux.Handle("POST /v2/call-schedulers/{id}/enrol-existing", "callSchedulers.enrolExisting", web.Handle(face, 202, a.enrolExisting))
}

const accountKeyRequired = "ACCOUNT_KEY_REQUIRED"

// identify takes accounts' keys only: the operator has no contacts.
func identify(keys *auth.Keys) func(context.Context, string) (auth.Caller, error) {
	full := keys.Allow(auth.Full)
	return func(ctx context.Context, authorization string) (auth.Caller, error) {
		c, err := full(ctx, authorization)
		if err == nil && c.AccountID == "" {
			return c, aftercall.Errorf(aftercall.Forbidden, "this needs an account's API key, not the operator's").WithCode(accountKeyRequired)
		}
		return c, err
	}
}

// errorBody is telli's form of an error. Fields names what is wrong with each input.
type errorBody struct {
	Message string            `json:"message"`
	Code    string            `json:"code"`
	Fields  map[string]string `json:"fields,omitempty"`
}

// statuses is the table from kinds of errors to this dialect.
var statuses = [...]struct {
	status int
	code   string
}{
	aftercall.Internal:        {http.StatusInternalServerError, "INTERNAL_ERROR"},
	aftercall.Invalid:         {http.StatusBadRequest, "INVALID_REQUEST"},
	aftercall.Unauthenticated: {http.StatusUnauthorized, "INVALID_API_KEY"},
	aftercall.Forbidden:       {http.StatusForbidden, "FORBIDDEN"},
	aftercall.NotFound:        {http.StatusNotFound, "NOT_FOUND"},
	aftercall.Conflict:        {http.StatusConflict, "CONFLICT"},
	aftercall.TooLarge:        {http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE"},
	aftercall.Unavailable:     {http.StatusServiceUnavailable, "UNAVAILABLE"},
	aftercall.Throttled:       {http.StatusTooManyRequests, "TOO_MANY_REQUESTS"},
}

func bodyOf(e *aftercall.Error) (status int, body errorBody) {
	row := statuses[e.Kind]
	body = errorBody{Message: e.Message, Code: row.code}
	switch {
	case e.Code == web.MethodNotAllowed:
		row.status, body.Code = http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED"
	case e.Code != "" && e.Code == strings.ToUpper(e.Code): // those of the dialer are in this dialect
		body.Code = e.Code
	}
	if len(e.Fields) > 0 {
		body.Fields = map[string]string{}
		for _, f := range e.Fields {
			body.Fields[f.Path] = f.Message
		}
	}
	return row.status, body
}

func writeError(w http.ResponseWriter, e *aftercall.Error) {
	status, body := bodyOf(e)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	web.WriteJSON(w, status, body)
}

// messageOut is an answer with nothing to tell but that it went well.
type messageOut struct {
	Message string `json:"message"`
}

func (a *API) verifyKey(_ context.Context, _ auth.Caller, _ *struct{}) (messageOut, error) {
	return messageOut{"API key is valid"}, nil
}
