package aftercall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ContactLookup is where an account's own system is asked who is calling, before a call
// from a number that no contact has is connected: the "Contact Lookup Webhook" of the
// reference.
type ContactLookup struct {
	AccountID string
	Enabled   bool
	URL       string
	Timeout   time.Duration     // for the whole answer; the caller hears it ring for as long
	Headers   map[string]string // sent besides ours
	Query     map[string]string // added to the URL's own parameters
	Secret    Secret
	CreatedAt time.Time
	UpdatedAt time.Time
}

const (
	// DefaultLookupTimeout is that of the reference.
	DefaultLookupTimeout = 3 * time.Second
	minLookupTimeout     = time.Second
	maxLookupTimeout     = 10 * time.Second
	maxLookupQuery       = 50
	// MaxLookupAnswer is the longest answer that is read, in bytes.
	MaxLookupAnswer = 256 << 10
)

// NewContactLookup is one with the defaults, but where to ask.
func NewContactLookup(accountID string, now time.Time) ContactLookup {
	return ContactLookup{
		AccountID: accountID, Enabled: true, Timeout: DefaultLookupTimeout, Secret: NewSecret(HMAC, now), CreatedAt: now, UpdatedAt: now,
	}
}

// Validate checks what a caller may set. Whether the URL's address may be reached is
// checked when it is dialled.
func (l ContactLookup) Validate() error {
	var f fieldErrors
	validateURL(&f, l.URL)
	validateText(&f, "url", l.URL, maxContactURL)
	if l.Timeout < minLookupTimeout || l.Timeout > maxLookupTimeout {
		f.add("timeout_seconds", "must be %d to %d", int(minLookupTimeout.Seconds()), int(maxLookupTimeout.Seconds()))
	}
	validateHeaders(&f, l.Headers)
	if len(l.Query) > maxLookupQuery {
		f.add("query", "must not hold more than %d parameters", maxLookupQuery)
	}
	for name, value := range l.Query {
		if name == "" {
			f.add("query", "must have a name for each parameter")
		}
		validateText(&f, "query", name, maxName)
		validateText(&f, "query", value, maxContactURL)
	}
	return f.err()
}

// Address is the URL with all its parameters.
func (l ContactLookup) Address() string {
	if len(l.Query) == 0 {
		return l.URL
	}
	added := url.Values{}
	for name, value := range l.Query {
		added.Set(name, value)
	}
	separator := "?"
	if strings.Contains(l.URL, "?") { // Validate refuses fragments, which would come after
		separator = "&"
	}
	return l.URL + separator + added.Encode()
}

// Question is the body that is posted, for a call from one number to another; to may be
// empty when it is not known.
func (l ContactLookup) Question(from, to string) []byte {
	return encode(struct {
		Event string `json:"event"`
		From  string `json:"phone_number"`
		To    string `json:"to_number,omitempty"`
	}{"contact_lookup", from, to})
}

// LookupSignature is the header of what Sign returns.
const LookupSignature = "X-Telli-Signature"

// Sign returns the signature of a body: the lower-case hex HMAC-SHA256 of it, keyed with
// the secret's text as it is shown, "whsec_" included. The reference keys it with an API
// key's text in the same way, so that a receiver has one line to change.
func (l ContactLookup) Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(l.Secret.Reveal()))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Found is who is calling, as a lookup answers. Empty fields were not told.
type Found struct {
	FirstName   string
	LastName    string
	Salutation  string
	Email       string
	ExternalID  string
	ExternalURL string
	PhoneNumber string
	Details     map[string]json.RawMessage // by key; nil clears one
	Ignored     []string                   // names of what was told wrongly, and is left out
}

// maxFoundName is the reference's limit on each name, in characters.
const maxFoundName = 50

// ReadFound reads the answer of a lookup. It returns nil when nobody is known by the
// number. Values of properties must be as their properties want them; those of other
// keys are taken as they are. The error is why the answer cannot be used, and repeats
// nothing of it.
func ReadFound(body []byte, typed Properties) (*Found, error) {
	switch {
	case len(body) > MaxLookupAnswer:
		return nil, errors.New("the answer is too long")
	case !utf8.Valid(body):
		return nil, errors.New("the answer is no UTF-8")
	}
	var answer struct {
		Contact json.RawMessage `json:"contact"`
	}
	var told map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return nil, errors.New("the answer is no JSON object")
	}
	if isNull(answer.Contact) {
		return nil, nil
	}
	if json.Unmarshal(answer.Contact, &told) != nil {
		return nil, errors.New("contact is no object")
	}
	f := &Found{}
	for _, name := range []struct {
		key  string
		dest *string
	}{{"first_name", &f.FirstName}, {"last_name", &f.LastName}} {
		text, ok := textOf(told[name.key])
		text = strings.TrimSpace(text)
		var wrong fieldErrors
		validateText(&wrong, name.key, text, maxFoundName)
		if !ok || text == "" || len(wrong) > 0 {
			return nil, errors.New(name.key + " must be 1 to 50 characters")
		}
		*name.dest = text
	}
	f.readOptional(told)
	f.readDetails(told["properties"], typed)
	slices.Sort(f.Ignored)
	return f, nil
}

// textOf reads a JSON string; nothing and null are an empty one.
func textOf(raw json.RawMessage) (text string, ok bool) {
	if isNull(raw) {
		return "", true
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// readOptional takes the fields that may be missing, by the rules for those of contacts.
func (f *Found) readOptional(told map[string]json.RawMessage) {
	c := Contact{PhoneNumber: "+14155552671"} // stands in for one that is not told
	fields := map[string]struct {
		from     string
		dest     *string
		accepted *string
	}{
		"salutation":          {"salutation", &c.Salutation, &f.Salutation},
		"email":               {"email", &c.Email, &f.Email},
		"external_contact_id": {"external_id", &c.ExternalID, &f.ExternalID},
		"external_url":        {"external_url", &c.ExternalURL, &f.ExternalURL},
		"phone_number":        {"phone_number", &c.PhoneNumber, &f.PhoneNumber},
	}
	wrong := map[string]bool{}
	for path, field := range fields {
		text, ok := textOf(told[field.from])
		wrong[path] = !ok
		if text != "" && ok {
			*field.dest, *field.accepted = text, text
		}
	}
	if e, ok := errors.AsType[*Error](c.Validate()); ok {
		for _, field := range e.Fields {
			wrong[field.Path] = true
		}
	}
	for path, field := range fields {
		switch {
		case wrong[path]:
			*field.accepted = ""
			f.Ignored = append(f.Ignored, field.from)
		case *field.accepted != "":
			*field.accepted = *field.dest // the number as E.164
		}
	}
}

// readDetails takes the properties.
func (f *Found) readDetails(raw json.RawMessage, typed Properties) {
	if isNull(raw) {
		return
	}
	if len(raw) > maxDetailBytes || json.Unmarshal(raw, &f.Details) != nil {
		f.Details, f.Ignored = nil, append(f.Ignored, "properties")
		return
	}
	for _, p := range typed {
		switch sent, ok := f.Details[p.Key]; {
		case !ok, isNull(sent):
		default:
			value, err := p.Value(p.Key, sent)
			if err != nil {
				delete(f.Details, p.Key)
				f.Ignored = append(f.Ignored, "properties."+p.Key)
				continue
			}
			f.Details[p.Key] = value
		}
	}
	for key, value := range f.Details {
		if isNull(value) {
			f.Details[key] = nil
		}
	}
}

// Apply sets what was found on a contact. Details that would become too many stay as
// they are.
func (f Found) Apply(c *Contact) {
	c.FirstName, c.LastName = f.FirstName, f.LastName
	c.Salutation, c.Email = or(f.Salutation, c.Salutation), or(f.Email, c.Email)
	c.ExternalID, c.ExternalURL = or(f.ExternalID, c.ExternalID), or(f.ExternalURL, c.ExternalURL)
	c.PhoneNumber = or(f.PhoneNumber, c.PhoneNumber)
	before := c.Details
	c.SetDetails(maps.Clone(f.Details))
	if len(c.Details) > maxDetailBytes {
		c.Details = before
	}
}
