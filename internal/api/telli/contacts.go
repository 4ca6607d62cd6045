package telli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/web"
)

// maxBatch is how many contacts a batch may hold.
const maxBatch = 1000

// ContactIn is what is sent of a contact. An update sends some of it.
type ContactIn struct {
	ContactID        string                        `json:"contact_id"` // only in updates
	ExternalID       web.Optional[string]          `json:"external_contact_id"`
	ExternalURL      web.Optional[string]          `json:"external_url"`
	FirstName        web.Optional[string]          `json:"first_name"`
	LastName         web.Optional[string]          `json:"last_name"`
	PhoneNumber      web.Optional[string]          `json:"phone_number"`
	Email            web.Optional[string]          `json:"email"`
	Salutation       web.Optional[string]          `json:"salutation"`
	Gender           web.Optional[string]          `json:"gender"`
	Timezone         web.Optional[string]          `json:"timezone"`
	Details          web.Optional[json.RawMessage] `json:"contact_details"`
	DynamicVariables web.Optional[json.RawMessage] `json:"dynamic_variables"` // the old name of contact_details
}

// detailPrefix begins fields that are single details, "contact_details_company".
const detailPrefix = "contact_details_"

// UnmarshalJSON also gathers details that are sent as fields of their own.
func (in *ContactIn) UnmarshalJSON(b []byte) error {
	type plain ContactIn
	if err := json.Unmarshal(b, (*plain)(in)); err != nil || !strings.Contains(string(b), detailPrefix) {
		return err
	}
	var all, details map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if sent := web.First(in.Details, in.DynamicVariables); sent.Value != nil {
		if err := json.Unmarshal(sent.Value, &details); err != nil {
			return aftercall.InvalidField("contact_details", "must be an object")
		}
	}
	for name, v := range all {
		if key, ok := strings.CutPrefix(name, detailPrefix); ok && key != "" {
			if details == nil {
				details = map[string]json.RawMessage{}
			}
			details[key] = v
		}
	}
	if details != nil {
		in.Details = web.Optional[json.RawMessage]{Set: true, Value: web.Marshal(details)}
	}
	return nil
}

func (in ContactIn) into(c *aftercall.Contact) {
	in.ExternalID.Into(&c.ExternalID)
	in.ExternalURL.Into(&c.ExternalURL)
	in.FirstName.Into(&c.FirstName)
	in.LastName.Into(&c.LastName)
	in.PhoneNumber.Into(&c.PhoneNumber)
	in.Email.Into(&c.Email)
	in.Salutation.Into(&c.Salutation)
	in.Gender.Into(&c.Gender)
	in.Timezone.Into(&c.Timezone)
	web.First(in.Details, in.DynamicVariables).Into(&c.Details)
}

// contactIDOut names a contact.
type contactIDOut struct {
	ContactID string `json:"contact_id"`
}

func (a *API) addContact(ctx context.Context, c auth.Caller, in *struct{ Body ContactIn }) (contactIDOut, error) {
	contact := aftercall.Contact{AccountID: c.AccountID}
	in.Body.into(&contact)
	err := a.dialer.AddContact(ctx, &contact)
	return contactIDOut{contact.ID}, err
}

// batchOut tells what became of each contact of a batch.
type batchOut struct {
	Processed int        `json:"total_processed"`
	Success   int        `json:"total_success"`
	Failed    int        `json:"total_failed"`
	Result    []addedOut `json:"result"`
}

type addedOut struct {
	ExternalID *string `json:"external_contact_id"`
	Status     string  `json:"status"`
	ContactID  string  `json:"contact_id,omitempty"`
	Error      string  `json:"error,omitempty"`
	Code       string  `json:"code,omitempty"`
}

const (
	statusSuccess = "success"
	statusError   = "error"
)

func (a *API) addContacts(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		Contacts []json.RawMessage `json:"contacts"`
	}
}) (batchOut, error) {
	if err := batchSize("contacts", len(in.Body.Contacts)); err != nil {
		return batchOut{}, err
	}
	contacts := make([]*aftercall.Contact, len(in.Body.Contacts))
	unread := make([]error, len(contacts))
	var readable []*aftercall.Contact
	for i, raw := range in.Body.Contacts {
		item, err := decodeContact(raw)
		contacts[i], unread[i] = &aftercall.Contact{AccountID: c.AccountID}, err
		item.into(contacts[i])
		if err == nil {
			readable = append(readable, contacts[i])
		}
	}
	failed, err := a.dialer.AddContacts(ctx, readable)
	if err != nil {
		return batchOut{}, err
	}
	out := batchOut{Processed: len(contacts), Result: []addedOut{}}
	for i, contact := range contacts {
		reason := unread[i]
		if reason == nil {
			reason, failed = failed[0], failed[1:]
		}
		out.add(contact, reason)
	}
	return out, nil
}

func (b *batchOut) add(contact *aftercall.Contact, failed error) {
	added := addedOut{Status: statusSuccess, ContactID: contact.ID}
	if contact.ExternalID != "" {
		added.ExternalID = &contact.ExternalID
	}
	if failed == nil {
		b.Success++
	} else {
		b.Failed++
		added.Status, added.ContactID = statusError, ""
		added.Error, added.Code = described(failed)
	}
	b.Result = append(b.Result, added)
}

func batchSize(field string, n int) error {
	if n == 0 || n > maxBatch {
		return aftercall.InvalidField(field, "must hold 1 to %d items, not %d", maxBatch, n)
	}
	return nil
}

// decodeContact reads one item of a batch, so that a wrong one spoils no other.
func decodeContact(raw json.RawMessage) (ContactIn, error) {
	var item ContactIn
	return item, web.BodyError(json.Unmarshal(raw, &item))
}

// described is an error as an item of a batch shows it.
func described(err error) (message, code string) {
	e, ok := errors.AsType[*aftercall.Error](err)
	if !ok {
		e = &aftercall.Error{Kind: aftercall.Internal, Message: "internal error"}
	}
	_, body := bodyOf(e)
	return body.Message, body.Code
}

func (a *API) getContact(ctx context.Context, c auth.Caller, in *struct {
	ContactID string `path:"contact_id"`
}) (aftercall.ContactView, error) {
	contact, err := a.dialer.Contact(ctx, c.AccountID, in.ContactID)
	return contact.View(), err
}

func (a *API) getContactByExternalID(ctx context.Context, c auth.Caller, in *struct {
	ExternalID string `path:"external_contact_id"`
}) (aftercall.ContactView, error) {
	contact, err := a.dialer.ContactByExternalID(ctx, c.AccountID, in.ExternalID)
	return contact.View(), err
}

// gotOut is an item of get-contacts-batch. The camelCase of contactId is telli's.
type gotOut struct {
	Status    string                 `json:"status"`
	Contact   *aftercall.ContactView `json:"contact,omitempty"`
	Error     string                 `json:"error,omitempty"`
	ContactID string                 `json:"contactId,omitempty"`
}

func (a *API) getContacts(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		ContactIDs []string `json:"contact_ids"`
	}
}) ([]gotOut, error) {
	if err := batchSize("contact_ids", len(in.Body.ContactIDs)); err != nil {
		return nil, err
	}
	contacts, err := a.dialer.Contacts(ctx, c.AccountID, in.Body.ContactIDs)
	out := make([]gotOut, len(contacts))
	for i, contact := range contacts {
		if contact == nil {
			out[i] = gotOut{Status: statusError, Error: "contact not found", ContactID: in.Body.ContactIDs[i]}
			continue
		}
		view := contact.View()
		out[i] = gotOut{Status: statusSuccess, Contact: &view}
	}
	return out, err
}

func (a *API) updateContact(ctx context.Context, c auth.Caller, in *struct{ Body ContactIn }) (contactIDOut, error) {
	if err := in.Body.named(); err != nil {
		return contactIDOut{}, err
	}
	err := a.dialer.UpdateContact(ctx, c.AccountID, dialer.Change{ContactID: in.Body.ContactID, Apply: in.Body.into})
	return contactIDOut{in.Body.ContactID}, err
}

// named checks that an update says of which contact.
func (in ContactIn) named() error {
	if in.ContactID == "" {
		return aftercall.InvalidField("contact_id", "is required")
	}
	return nil
}

// updatedOut is an item of update-contacts-batch.
type updatedOut struct {
	ContactID string `json:"contact_id"`
	Status    string `json:"status"`
	Error     string `json:"error,omitempty"`
	Code      string `json:"code,omitempty"`
}

func (a *API) updateContacts(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		Contacts []json.RawMessage `json:"contacts"`
	}
}) ([]updatedOut, error) {
	if err := batchSize("contacts", len(in.Body.Contacts)); err != nil {
		return nil, err
	}
	items := make([]ContactIn, len(in.Body.Contacts))
	unread := make([]error, len(items))
	var changes []dialer.Change
	for i, raw := range in.Body.Contacts {
		items[i], unread[i] = decodeContact(raw)
		if unread[i] == nil {
			unread[i] = items[i].named()
		}
		if unread[i] == nil {
			changes = append(changes, dialer.Change{ContactID: items[i].ContactID, Apply: items[i].into})
		}
	}
	failed, err := a.dialer.UpdateContacts(ctx, c.AccountID, changes)
	if err != nil {
		return nil, err
	}
	out := make([]updatedOut, len(items))
	for i, item := range items {
		reason := unread[i]
		if reason == nil {
			reason, failed = failed[0], failed[1:]
		}
		out[i] = updatedOut{ContactID: item.ContactID, Status: statusSuccess}
		if reason != nil {
			out[i].Status = statusError
			out[i].Error, out[i].Code = described(reason)
		}
	}
	return out, nil
}

func (a *API) deleteContact(ctx context.Context, c auth.Caller, in *struct {
	ContactID string `path:"contact_id"`
}) (contactIDOut, error) {
	return contactIDOut{in.ContactID}, a.dialer.EraseContact(ctx, c.AccountID, in.ContactID)
}
