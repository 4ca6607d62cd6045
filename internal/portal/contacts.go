package portal

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) contactRoutes() {
	p.show("/portal/{account}/contacts", auth.Full, p.contacts)
	p.show("/portal/{account}/contacts/new", auth.Full, p.newContact)
	p.do("/portal/{account}/contacts/new", auth.Full, p.addContact, p.newContact)
	p.show("/portal/{account}/contacts/{contact}", auth.Full, p.contact)
	p.show("/portal/{account}/contacts/{contact}/edit", auth.Full, p.editContact)
	p.do("/portal/{account}/contacts/{contact}/edit", auth.Full, p.changeContact, p.editContact)
	p.do("/portal/{account}/contacts/{contact}/erase", auth.Full, p.eraseContact, p.contact)
	p.dialingRoutes()
	p.blockRoutes()
}

// contactsView is the list of an account's contacts.
type contactsView struct {
	*visit
	pager
	Rows   []aftercall.Contact
	Live   map[string]bool // those in a call
	Filter store.ContactFilter
}

func contactStatuses() []aftercall.ContactStatus {
	return []aftercall.ContactStatus{aftercall.ContactNew, aftercall.ContactPending, aftercall.ContactReached, aftercall.ContactClosed}
}

func (p *Portal) contacts(v *visit) (view, error) {
	query := v.URL.Query()
	shown := contactsView{visit: v, Filter: store.ContactFilter{
		Status: aftercall.ContactStatus(query.Get("status")), Text: strings.TrimSpace(query.Get("text")),
	}}
	if number, ok := aftercall.ParsePhone(shown.Filter.Text); ok { // however it is typed
		shown.Filter.Text = number
	}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		list, err := tx.ContactList(v.account.ID, shown.Filter, v.part())
		if err != nil {
			return err
		}
		shown.Rows, shown.pager = paged(v, list, func(c aftercall.Contact) string { return c.ID })
		ids := make([]string, len(shown.Rows))
		for i, c := range shown.Rows {
			ids[i] = c.ID
		}
		shown.Live, err = tx.LiveContacts(v.account.ID, ids)
		return err
	})
	return view{Title: "Contacts", Section: "Contacts", Body: contactsPage(shown)}, err
}

// contactView is a contact with what happened to them.
type contactView struct {
	*visit
	aftercall.Contact
	Details  string
	Dialing  dialing
	Calls    []dialer.ContactCall
	Messages []causedMessage
}

func (p *Portal) contact(v *visit) (view, error) {
	c, err := p.Dialer.Contact(v.Context(), v.account.ID, v.PathValue("contact"))
	if err != nil {
		return view{}, err
	}
	shown := contactView{visit: v, Contact: c, Details: pretty(c.Details)}
	shown.Calls, err = p.Dialer.Calls(v.Context(), v.account.ID, store.CallPage{Limit: timelineShown, Filter: store.CallFilter{ContactID: c.ID}})
	if err != nil {
		return view{}, err
	}
	err = p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.Dialing, err = v.dialing(tx, c); err != nil {
			return err
		}
		shown.Messages, err = messagesAbout(tx, v.account.ID, c.ID, func(*aftercall.Message) bool { return true })
		return err
	})
	return view{Title: nameOf(c, aftercall.Call{}), Section: "Contacts", Body: contactPage(shown)}, err
}

// contactForm is what can be said of a contact, as it is typed.
type contactForm struct {
	*visit
	aftercall.Contact
	Details string
}

func (p *Portal) newContact(v *visit) (view, error) {
	form := contactForm{visit: v}
	form.typedIn()
	return view{Title: "Add contact", Section: "Contacts", Body: contactFormPage(form)}, nil
}

func (p *Portal) editContact(v *visit) (view, error) {
	c, err := p.Dialer.Contact(v.Context(), v.account.ID, v.PathValue("contact"))
	form := contactForm{v, c, pretty(c.Details)}
	form.typedIn()
	return view{Title: "Edit contact", Section: "Contacts", Body: contactFormPage(form)}, err
}

// typedIn fills the form with what was sent, to be mended.
func (f *contactForm) typedIn() {
	if f.problem != nil {
		f.Details = f.FormValue("contact_details")
		f.readContact(&f.Contact)
	}
}

// readContact sets what the form says, but for the details, which may be no JSON.
func (v *visit) readContact(c *aftercall.Contact) {
	c.FirstName, c.LastName, c.PhoneNumber = v.typed("first_name"), v.typed("last_name"), v.typed("phone_number")
	c.Email, c.Salutation, c.Gender = v.typed("email"), v.typed("salutation"), v.typed("gender")
	c.Timezone, c.ExternalID, c.ExternalURL = v.typed("timezone"), v.typed("external_contact_id"), v.typed("external_url")
}

func (v *visit) readDetails() (json.RawMessage, error) {
	text := bytes.TrimSpace([]byte(v.FormValue("contact_details")))
	if len(text) == 0 {
		return nil, nil
	}
	if !json.Valid(text) || text[0] != '{' {
		return nil, aftercall.InvalidField("contact_details", "must be a JSON object, such as {\"company\": \"Art Studio Inc\"}")
	}
	var b bytes.Buffer
	err := json.Compact(&b, text)
	return b.Bytes(), err
}

func (p *Portal) addContact(v *visit) (done, error) {
	c := aftercall.Contact{AccountID: v.account.ID}
	v.readContact(&c)
	var err error
	if c.Details, err = v.readDetails(); err == nil {
		err = p.Dialer.AddContact(v.Context(), &c)
	}
	return done{To: v.at("contacts", c.ID), Said: "Contact added."}, err
}

func (p *Portal) changeContact(v *visit) (done, error) {
	id := v.PathValue("contact")
	details, err := v.readDetails()
	if err == nil {
		err = p.Dialer.UpdateContact(v.Context(), v.account.ID, dialer.Change{ContactID: id, Apply: func(c *aftercall.Contact) {
			v.readContact(c)
			c.Details = details
		}})
	}
	return done{To: v.at("contacts", id), Said: "Changes saved."}, err
}

func (p *Portal) eraseContact(v *visit) (done, error) {
	err := p.Dialer.EraseContact(v.Context(), v.account.ID, v.PathValue("contact"))
	return done{To: v.at("contacts"), Said: "Contact erased, with what was said and sent about them."}, err
}
