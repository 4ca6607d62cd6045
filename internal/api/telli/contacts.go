package telli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
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
	if sent := web.First(in.Details, in.DynamicVariables); sent.Set {
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
	out := batchOut{Result: []addedOut{}}
	for _, raw := range in.Body.Contacts {
		contact := aftercall.Contact{AccountID: c.AccountID}
		item, err := decodeContact(raw)
		if err == nil {
			item.into(&contact)
			err = a.dialer.AddContact(ctx, &contact)
		}
		if aftercall.KindOf(err) == aftercall.Unavailable { // of the database, not of this contact
			return out, err
		}
		added := addedOut{Status: statusSuccess, ContactID: contact.ID}
		if item.ExternalID.Value != "" {
			added.ExternalID = &item.ExternalID.Value
		}
		out.Processed++
		if err != nil {
			out.Failed++
			added.Status, added.ContactID = statusError, ""
			added.Error, added.Code = described(err)
		} else {
			out.Success++
		}
		out.Result = append(out.Result, added)
	}
	return out, nil
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
	out := make([]gotOut, 0, len(in.Body.ContactIDs))
	for _, id := range in.Body.ContactIDs {
		contact, err := a.dialer.Contact(ctx, c.AccountID, id)
		switch {
		case aftercall.KindOf(err) == aftercall.Unavailable:
			return nil, err
		case err != nil:
			message, _ := described(err)
			out = append(out, gotOut{Status: statusError, Error: message, ContactID: id})
		default:
			view := contact.View()
			out = append(out, gotOut{Status: statusSuccess, Contact: &view})
		}
	}
	return out, nil
}

func (a *API) updateContact(ctx context.Context, c auth.Caller, in *struct{ Body ContactIn }) (contactIDOut, error) {
	return contactIDOut{in.Body.ContactID}, a.update(ctx, c, in.Body)
}

func (a *API) update(ctx context.Context, c auth.Caller, in ContactIn) error {
	if in.ContactID == "" {
		return aftercall.InvalidField("contact_id", "is required")
	}
	return a.dialer.UpdateContact(ctx, c.AccountID, in.ContactID, in.into)
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
	out := make([]updatedOut, 0, len(in.Body.Contacts))
	for _, raw := range in.Body.Contacts {
		item, err := decodeContact(raw)
		if err == nil {
			err = a.update(ctx, c, item)
		}
		if aftercall.KindOf(err) == aftercall.Unavailable {
			return nil, err
		}
		updated := updatedOut{ContactID: item.ContactID, Status: statusSuccess}
		if err != nil {
			updated.Status = statusError
			updated.Error, updated.Code = described(err)
		}
		out = append(out, updated)
	}
	return slices.Clip(out), nil
}

func (a *API) deleteContact(ctx context.Context, c auth.Caller, in *struct {
	ContactID string `path:"contact_id"`
}) (contactIDOut, error) {
	return contactIDOut{in.ContactID}, a.dialer.EraseContact(ctx, c.AccountID, in.ContactID)
}
