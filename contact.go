package aftercall

import (
	"encoding/json"
	"net/mail"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// ContactStatus is where a contact stands in being reached.
type ContactStatus string

// The statuses of the reference ("Contact Statuses").
const (
	ContactNew     ContactStatus = "new"     // has not been called yet
	ContactPending ContactStatus = "pending" // is being tried
	ContactReached ContactStatus = "reached" // had a conversation
	ContactClosed  ContactStatus = "closed"  // is not tried any more
)

// Contact is a person with a phone number.
type Contact struct {
	AccountID       string
	ID              string
	ExternalID      string // the customer's own id, unique in the account; may be empty
	ExternalURL     string
	FirstName       string
	LastName        string
	PhoneNumber     string // E.164
	Email           string
	Salutation      string
	Gender          string          // never guessed
	Timezone        string          // IANA name; empty means the account's
	Details         json.RawMessage // an object of the customer's own
	Status          ContactStatus
	StatusUpdatedAt time.Time
	CallAttempts    int // outbound calls, over all runs
	InCallSince     time.Time
	ReachedAt       time.Time // the last conversation; zero when never
	NextCallAt      time.Time // zero when none is planned
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// ParsePhone reads an international number, "+" and digits with the usual
// separators, and returns it as E.164. A number without its country is refused,
// since guessing would call somebody else.
func ParsePhone(text string) (string, bool) {
	if len(text) > 40 {
		return "", false
	}
	number, err := phonenumbers.Parse(text, "")
	if err != nil || !phonenumbers.IsPossibleNumber(number) || number.GetExtension() != "" {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}

// Limits on the fields of a contact, in characters unless it says bytes.
const (
	maxName        = 256
	maxExternalID  = 256
	maxEmail       = 320
	maxContactURL  = 2048
	maxDetailBytes = 64 << 10
)

// Validate checks what a caller may set, and brings the phone number into E.164.
func (c *Contact) Validate() error {
	var f fieldErrors
	if number, ok := ParsePhone(c.PhoneNumber); ok {
		c.PhoneNumber = number
	} else {
		f.add("phone_number", "is not an international phone number such as +14155552671")
	}
	atMost(&f, "external_contact_id", c.ExternalID, maxExternalID)
	atMost(&f, "first_name", c.FirstName, maxName)
	atMost(&f, "last_name", c.LastName, maxName)
	atMost(&f, "salutation", c.Salutation, maxName)
	atMost(&f, "external_url", c.ExternalURL, maxContactURL)
	if u, err := url.Parse(c.ExternalURL); c.ExternalURL != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		f.add("external_url", "is not a URL")
	}
	atMost(&f, "email", c.Email, maxEmail)
	if address, err := mail.ParseAddress(c.Email); c.Email != "" && (err != nil || address.Address != c.Email) {
		f.add("email", "is not an e-mail address")
	}
	validateTimezone(&f, "timezone", c.Timezone)
	validateObject(&f, "contact_details", c.Details, maxDetailBytes)
	return f.err()
}

// ValidateNew checks a contact that a caller adds, who has to know its name.
func (c *Contact) ValidateNew() error {
	var f fieldErrors
	if c.FirstName == "" {
		f.add("first_name", "is required")
	}
	if c.LastName == "" {
		f.add("last_name", "is required")
	}
	if err := f.err(); err != nil {
		return err
	}
	return c.Validate()
}

func atMost(f *fieldErrors, path, text string, most int) {
	if utf8.RuneCountInString(text) > most {
		f.add(path, "must not exceed %d characters", most)
	}
	if !utf8.ValidString(text) {
		f.add(path, "must be UTF-8")
	}
	for _, r := range text {
		if r == 0 {
			f.add(path, "must not hold a null character")
			return
		}
	}
}

// validateObject accepts nothing, null, or a JSON object of limited size.
func validateObject(f *fieldErrors, path string, raw json.RawMessage, most int) {
	if len(raw) > most {
		f.add(path, "must not exceed %d bytes", most)
		return
	}
	var object map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &object) != nil {
		f.add(path, "must be an object")
	}
}

// After returns the contact after a call has ended, and the events that tell of it.
// It is the only place that knows which call leads to which status.
//
// This is the rule for calls made elsewhere, whose dialer goes on by itself: what
// did not reach a new contact makes it pending, and nothing takes back that a
// contact was reached. A number that does not exist ends the trying.
func (c Contact) After(call Call, now time.Time) (Contact, []Event) {
	before := c.Status
	c.InCallSince = time.Time{}
	if call.Direction == Outbound {
		c.CallAttempts++
	}
	switch {
	case call.Status == CallCompleted:
		c.Status, c.NextCallAt = ContactReached, time.Time{}
		c.ReachedAt = call.EndedAt
		if c.ReachedAt.IsZero() {
			c.ReachedAt = now
		}
	case c.Status == ContactReached || call.Direction == Inbound:
		// It stays as it is: an inbound call never begins trying.
	case call.EndReason == EndInvalidNumber:
		c.Status, c.NextCallAt = ContactClosed, time.Time{}
	case c.Status == ContactClosed:
	default:
		c.Status, c.NextCallAt = ContactPending, call.FollowUpAt
	}
	c.UpdatedAt = now
	var events []Event
	if c.Status != before {
		c.StatusUpdatedAt = now
		events = append(events, statusChangedEvent(c))
	}
	return c, append(events, callEndedEvent(call, c))
}
