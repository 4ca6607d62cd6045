package aftercall

import (
	"bytes"
	"encoding/json"
	"net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"
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
// since guessing would call somebody else. Possible is enough: the stricter test
// refuses numbers that are set aside for fiction, and ranges younger than its data.
func ParsePhone(text string) (string, bool) { return ParsePhoneIn(text, "") }

// ParsePhoneIn also reads numbers without their country, as they are dialled in the
// country with this ISO code. One that only works within a town is refused.
func ParsePhoneIn(text, country string) (string, bool) {
	number, ok := parsePhone(text, country)
	if !ok || number == text {
		return number, ok
	}
	// The zeros of "+44 (0) 20" are dropped. Where that leaves more to drop, it is no
	// number, and reading it again would change it.
	again, ok := parsePhone(number, "")
	return number, ok && again == number
}

func parsePhone(text, country string) (string, bool) {
	if len(text) > 40 {
		return "", false
	}
	number, err := phonenumbers.Parse(text, country)
	if err != nil || !phonenumbers.IsPossibleNumber(number) || number.GetExtension() != "" {
		return "", false
	}
	if local := phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE; local && !strings.ContainsAny(text, "+＋") {
		return "", false
	}
	e164 := phonenumbers.Format(number, phonenumbers.E164)
	return e164, len(e164) <= len("+")+15 // some countries' plans allow more than E.164 does
}

// Limits on the fields of a contact, in characters unless it says bytes.
const (
	maxName        = 256
	maxExternalID  = 256
	maxGender      = 32
	maxEmail       = 320
	maxContactURL  = 2048
	maxDetailBytes = 64 << 10
)

// Validate checks what a caller may set. It brings the phone number into E.164 and
// the details into compact JSON.
func (c *Contact) Validate() error {
	var f fieldErrors
	c.validate(&f)
	return f.err()
}

func (c *Contact) validate(f *fieldErrors) {
	if number, ok := ParsePhone(c.PhoneNumber); ok {
		c.PhoneNumber = number
	} else {
		f.add("phone_number", notPhone)
	}
	validateText(f, "external_contact_id", c.ExternalID, maxExternalID)
	validateText(f, "first_name", c.FirstName, maxName)
	validateText(f, "last_name", c.LastName, maxName)
	validateText(f, "salutation", c.Salutation, maxName)
	validateText(f, "gender", c.Gender, maxGender)
	validateText(f, "external_url", c.ExternalURL, maxContactURL)
	if u, err := url.Parse(c.ExternalURL); c.ExternalURL != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		f.add("external_url", "is not a URL such as https://crm.example.com/leads/7")
	}
	validateText(f, "email", c.Email, maxEmail)
	if c.Email != "" && !isEmail(c.Email) {
		f.add("email", notEmail)
	}
	validateTimezone(f, "timezone", c.Timezone)
	c.Details = validateObject(f, "contact_details", c.Details, maxDetailBytes)
}

// notPhone and notEmail say what is wrong, without repeating it.
const (
	notPhone = "is not an international phone number such as +14155552671"
	notEmail = "is not an e-mail address"
)

// isEmail accepts an address alone, without a name.
func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// ValidateNew is Validate for a contact that a caller adds, who has to know its
// name.
func (c *Contact) ValidateNew() error {
	var f fieldErrors
	if strings.TrimSpace(c.FirstName) == "" {
		f.add("first_name", "is required")
	}
	if strings.TrimSpace(c.LastName) == "" {
		f.add("last_name", "is required")
	}
	if c.PhoneNumber == "" {
		f.add("phone_number", "is required")
		return f.err()
	}
	c.validate(&f)
	return f.err()
}

// validateText accepts one line of text of limited length.
func validateText(f *fieldErrors, path, text string, most int) {
	switch {
	case utf8.RuneCountInString(text) > most:
		f.add(path, "must not exceed %d characters", most)
	case !utf8.ValidString(text):
		f.add(path, "must be UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		f.add(path, "must not hold control characters")
	}
}

// validateObject accepts nothing, null, or a JSON object of limited size, and
// returns it compact; nothing and null are nil.
func validateObject(f *fieldErrors, path string, raw json.RawMessage, most int) json.RawMessage {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var compact bytes.Buffer
	switch {
	case len(raw) > most:
		f.add(path, "must not exceed %d bytes", most)
	case raw[0] != '{' || !utf8.Valid(raw) || json.Compact(&compact, raw) != nil:
		f.add(path, "must be an object")
	}
	return compact.Bytes()
}

// Tried reports whether more calls may follow by themselves.
func (c Contact) Tried() bool { return c.Status == ContactNew || c.Status == ContactPending }

// After returns the contact after a call has ended, and the events that tell of it,
// in the order they happened. It is the only place that knows which call leads to
// which status. The run is the contact's, as it is after the call; nil when it has
// none.
//
// Without a run the call was made elsewhere, by a dialer that goes on by itself: what
// did not reach a new contact makes it pending, and nothing takes back that a
// contact was reached. A number that does not exist ends the trying. A contact that
// calls by itself is reached or left as it is, since inbound calls are never retried.
func (c Contact) After(call Call, run *Run, now time.Time) (Contact, []Event) {
	c.InCallSince = time.Time{}
	if call.Direction == Outbound {
		c.CallAttempts++
	}
	status := c.Status
	switch {
	case call.DoNotCall:
		status = ContactClosed
	case call.Status == CallCompleted:
		status = ContactReached
		c.ReachedAt = later(c.ReachedAt, call.over(now))
	case run != nil && run.Open():
		status = ContactPending
	case run != nil && run.ID == call.RunID:
		if c.Tried() { // else somebody ended the run, and said how the contact stands
			status = ContactClosed
		}
	case c.Status == ContactReached || c.Status == ContactClosed:
	case call.Direction == Inbound && c.Status == ContactNew:
	case call.Direction == Outbound && call.EndReason == EndInvalidNumber:
		status = ContactClosed
	default:
		status = ContactPending
	}
	c.NextCallAt = c.nextCall(call, run, status)
	c, changed := c.become(status, now)
	return c, append(changed, callEndedEvent(call, c))
}

// nextCall is when the next call is planned after one that led to a status.
func (c Contact) nextCall(call Call, run *Run, status ContactStatus) time.Time {
	switch {
	case status == ContactReached, status == ContactClosed:
		return time.Time{}
	case run != nil:
		return run.DueAt
	case !call.FollowUpAt.IsZero() && status == ContactPending:
		return call.FollowUpAt
	case !c.NextCallAt.After(call.TriggeredAt): // this call was the planned one, or later
		return time.Time{}
	}
	return c.NextCallAt
}

// become gives the contact a status, and returns the event that tells of it when it is
// another than before.
func (c Contact) become(status ContactStatus, now time.Time) (Contact, []Event) {
	c.UpdatedAt = now
	if c.Status == status {
		return c, nil
	}
	c.Status, c.StatusUpdatedAt = status, now
	return c, []Event{statusChangedEvent(c)}
}

// Scheduled returns the contact as it is once a run was opened for it or goes on, and
// the events that tell of it.
func (c Contact) Scheduled(run Run, now time.Time) (Contact, []Event) {
	c.NextCallAt = run.DueAt
	return c.become(ContactPending, now)
}

// GivenUp returns the contact as it is once its run was ended without a call, and the
// events that tell of it.
func (c Contact) GivenUp(now time.Time) (Contact, []Event) {
	c.NextCallAt = time.Time{}
	return c.become(ContactClosed, now)
}

// ZoneNames are the time zones in which the contact may be: its own, else those of its
// number, else the account's. A number's prefix only hints at a place, but a better
// hint than none.
func (c Contact) ZoneNames(account string) []string {
	if c.Timezone != "" {
		return []string{c.Timezone}
	}
	if number, err := phonenumbers.Parse(c.PhoneNumber, ""); err == nil {
		names, err := phonenumbers.GetTimezonesForNumber(number)
		if err == nil && len(names) > 0 && names[0] != phonenumbers.UNKNOWN_TIMEZONE {
			return names
		}
	}
	if account == "" {
		account = "UTC"
	}
	return []string{account}
}

// later returns the later of two times: reports may come in any order.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
