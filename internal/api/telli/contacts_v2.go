package telli

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/web"
)

// ContactV2In is what is sent of a contact. A PATCH sends some of it; what a PUT does not
// send is cleared.
type ContactV2In struct {
	ExternalID  web.Optional[string]                    `json:"externalId"`
	ExternalURL web.Optional[string]                    `json:"externalUrl"`
	Salutation  web.Optional[string]                    `json:"salutation"`
	FirstName   web.Optional[string]                    `json:"firstName" doc:"1 to 50 characters; required but in a PATCH"`
	LastName    web.Optional[string]                    `json:"lastName" doc:"1 to 50 characters; required but in a PATCH"`
	PhoneNumber web.Optional[string]                    `json:"phoneNumber" doc:"international, such as +14155552671; required but in a PATCH"`
	Timezone    web.Optional[string]                    `json:"timezoneIana"`
	Email       web.Optional[string]                    `json:"email"`
	Properties  web.Optional[[]aftercall.PropertyValue] `json:"properties" doc:"a value that is null is cleared; a key without a property is ignored"`
}

func (in ContactV2In) into(c *aftercall.Contact, values map[string]json.RawMessage) {
	in.ExternalID.Into(&c.ExternalID)
	in.ExternalURL.Into(&c.ExternalURL)
	in.FirstName.Into(&c.FirstName)
	in.LastName.Into(&c.LastName)
	in.PhoneNumber.Into(&c.PhoneNumber)
	in.Email.Into(&c.Email)
	in.Salutation.Into(&c.Salutation)
	in.Timezone.Into(&c.Timezone)
	c.SetDetails(values)
}

// maxNameV2 is v2's limit on a name, in characters. It is this dialect's only: contacts
// that came by others may have longer names.
const maxNameV2 = 50

// check finds what v2 refuses and other dialects do not. Whole input has to name the
// contact and its number.
func (in ContactV2In) check(whole bool) error {
	name := func(path string, o web.Optional[string]) error {
		if n := utf8.RuneCountInString(strings.TrimSpace(o.Value)); (whole || o.Set) && (n < 1 || n > maxNameV2) {
			return aftercall.InvalidField(path, "must be 1 to %d characters", maxNameV2)
		}
		return nil
	}
	wrong := []error{name("firstName", in.FirstName), name("lastName", in.LastName)}
	if whole && in.PhoneNumber.Value == "" {
		wrong = append(wrong, aftercall.InvalidField("phoneNumber", "is required"))
	}
	return aftercall.AllInvalid(wrong...)
}

// ContactV2Out is a contact as v2 shows it.
type ContactV2Out struct {
	ID               string     `json:"id"`
	Type             string     `json:"type" enum:"contact"`
	ExternalID       *string    `json:"externalId"`
	ExternalURL      *string    `json:"externalUrl"`
	Salutation       *string    `json:"salutation"`
	FirstName        string     `json:"firstName"`
	LastName         string     `json:"lastName"`
	PhoneNumber      string     `json:"phoneNumber"`
	Timezone         *string    `json:"timezoneIana"`
	Email            *string    `json:"email"`
	AutoDialerStatus *string    `json:"autoDialerStatus" enum:"in_dialer"`
	Properties       []ValueOut `json:"properties"`
	CreatedAt        *string    `json:"createdAt"`
	UpdatedAt        *string    `json:"updatedAt"`
}

// ValueOut is the value that a contact has of a property.
type ValueOut struct {
	Key      string                 `json:"key"`
	DataType aftercall.PropertyType `json:"dataType" enum:"string,number,boolean,date,datetime,select,multi_select,phone_number,email"`
	Value    json.RawMessage        `json:"value"`
	Label    string                 `json:"label"`
	Options  []aftercall.Option     `json:"options"`
}

// contactV2Out shows a contact with those of its details that have a property.
func contactV2Out(c aftercall.Contact, properties aftercall.Properties) ContactV2Out {
	out := ContactV2Out{
		ID: c.ID, Type: "contact", ExternalID: orNull(c.ExternalID), ExternalURL: orNull(c.ExternalURL), Salutation: orNull(c.Salutation),
		FirstName: c.FirstName, LastName: c.LastName, PhoneNumber: c.PhoneNumber, Timezone: orNull(c.Timezone), Email: orNull(c.Email),
		Properties: []ValueOut{}, CreatedAt: aftercall.ISOMillis(c.CreatedAt), UpdatedAt: aftercall.ISOMillis(c.UpdatedAt),
	}
	// The reference shows no status in v2, only this; of its values no other is known.
	if c.Status == aftercall.ContactPending {
		out.AutoDialerStatus = orNull("in_dialer")
	}
	for _, p := range properties.Of(c) {
		out.Properties = append(out.Properties, ValueOut{p.Key, p.Type, p.Value, p.Label, listOut(p.Options)})
	}
	return out
}

func (a *API) createContactV2(ctx context.Context, c auth.Caller, in *struct{ Body ContactV2In }) (ContactV2Out, error) {
	properties, values, err := a.readV2(ctx, c, in.Body, true)
	if err != nil {
		return ContactV2Out{}, err
	}
	contact := aftercall.Contact{AccountID: c.AccountID}
	in.Body.into(&contact, values)
	err = a.dialer.AddContact(ctx, &contact)
	return contactV2Out(contact, properties), errorV2(err)
}

// readV2 checks what is sent of a contact, and returns the values of its properties.
func (a *API) readV2(ctx context.Context, c auth.Caller, in ContactV2In, whole bool) (aftercall.Properties, map[string]json.RawMessage, error) {
	properties, err := a.dialer.Properties(ctx, c.AccountID)
	if err != nil {
		return nil, nil, err
	}
	values, err := properties.Values(in.Properties.Value)
	return properties, values, aftercall.AllInvalid(in.check(whole), err)
}

func (a *API) listContactsV2(ctx context.Context, c auth.Caller, in *struct{ Paging }) (Paged[ContactV2Out], error) {
	page, err := in.page()
	if err != nil {
		return Paged[ContactV2Out]{}, err
	}
	properties, err := a.dialer.Properties(ctx, c.AccountID)
	if err != nil {
		return Paged[ContactV2Out]{}, err
	}
	contacts, err := a.dialer.ContactList(ctx, c.AccountID, page)
	out := func(c aftercall.Contact) ContactV2Out { return contactV2Out(c, properties) }
	return pagedOf(contacts, page, func(c aftercall.Contact) string { return c.ID }, out), err
}

// ContactPath names a contact.
type ContactPath struct {
	ID string `path:"id"`
}

func (a *API) getContactV2(ctx context.Context, c auth.Caller, in *ContactPath) (ContactV2Out, error) {
	contact, err := a.dialer.Contact(ctx, c.AccountID, in.ID)
	return a.shownV2(ctx, contact, err)
}

func (a *API) getContactV2ByExternalID(ctx context.Context, c auth.Caller, in *struct {
	ExternalID string `path:"externalId"`
}) (ContactV2Out, error) {
	contact, err := a.dialer.ContactByExternalID(ctx, c.AccountID, in.ExternalID)
	return a.shownV2(ctx, contact, err)
}

// shownV2 shows a contact that was found.
func (a *API) shownV2(ctx context.Context, contact aftercall.Contact, err error) (ContactV2Out, error) {
	if err != nil {
		return ContactV2Out{}, err
	}
	properties, err := a.dialer.Properties(ctx, contact.AccountID)
	return contactV2Out(contact, properties), err
}

func (a *API) updateContactV2(ctx context.Context, c auth.Caller, in *struct {
	ContactPath
	Body ContactV2In
}) (ContactV2Out, error) {
	_, values, err := a.readV2(ctx, c, in.Body, false)
	if err != nil {
		return ContactV2Out{}, err
	}
	return a.changeV2(ctx, c, in.ID, func(contact *aftercall.Contact) { in.Body.into(contact, values) })
}

// replaceContactV2 leaves what v2 does not show: the gender, and details without a
// property.
func (a *API) replaceContactV2(ctx context.Context, c auth.Caller, in *struct {
	ContactPath
	Body ContactV2In
}) (ContactV2Out, error) {
	properties, values, err := a.readV2(ctx, c, in.Body, true)
	if err != nil {
		return ContactV2Out{}, err
	}
	for _, p := range properties {
		if _, sent := values[p.Key]; !sent {
			values[p.Key] = nil
		}
	}
	return a.changeV2(ctx, c, in.ID, func(contact *aftercall.Contact) {
		contact.ExternalID, contact.ExternalURL, contact.Salutation, contact.Timezone, contact.Email = "", "", "", "", ""
		in.Body.into(contact, values)
	})
}

func (a *API) changeV2(ctx context.Context, c auth.Caller, id string, apply func(*aftercall.Contact)) (ContactV2Out, error) {
	if err := a.dialer.UpdateContact(ctx, c.AccountID, dialer.Change{ContactID: id, Apply: apply}); err != nil {
		return ContactV2Out{}, errorV2(err)
	}
	return a.getContactV2(ctx, c, &ContactPath{id})
}

func (a *API) deleteContactV2(ctx context.Context, c auth.Caller, in *ContactPath) (web.Empty, error) {
	return web.Empty{}, a.dialer.EraseContact(ctx, c.AccountID, in.ID)
}
