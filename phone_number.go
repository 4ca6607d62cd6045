package aftercall

import (
	"regexp"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// PhoneNumber is a number of an account, to call from and to be called at.
type PhoneNumber struct {
	AccountID string
	ID        string // a UUID
	Number    string // E.164, unique in the account
	Outbound  bool   // whether calls may be made from it
	Trunk     Trunk
	CreatedAt time.Time
}

// Trunk is the SIP trunk that the calls of a number go through, and who we are there.
type Trunk struct {
	URI      string // where calls are sent: "trunk.example.com", or "sip:trunk.example.com:5061;transport=tls"
	Username string
	Password string // must not reach a log, nor an answer
}

// PhoneType is what kind of line a number is.
type PhoneType string

const (
	PhoneLocal  PhoneType = "local"
	PhoneMobile PhoneType = "mobile"
)

// Type is what the numbering plan says of the number: empty for what is neither local
// nor mobile, and where the plan does not tell, as in North America.
func (n PhoneNumber) Type() PhoneType {
	number, err := phonenumbers.Parse(n.Number, "")
	if err != nil {
		return ""
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.FIXED_LINE:
		return PhoneLocal
	case phonenumbers.MOBILE:
		return PhoneMobile
	}
	return ""
}

const maxTrunkField = 256 // characters

// trunkURI is a host, with or without a scheme, a user, a port and parameters.
var trunkURI = regexp.MustCompile(`^(sips?:)?([^@\s/]+@)?([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?(;[^\s@/]+)?$`)

// Validate checks what a caller may set. It brings the number into E.164.
func (n *PhoneNumber) Validate() error {
	var f fieldErrors
	if number, ok := ParsePhone(n.Number); ok {
		n.Number = number
	} else {
		f.add("phoneNumber", notPhone)
	}
	if !trunkURI.MatchString(n.Trunk.URI) {
		f.add("terminationUri", "is not the address of a SIP trunk such as trunk.example.com or sip:trunk.example.com:5060")
	}
	validateText(&f, "terminationUri", n.Trunk.URI, maxTrunkField)
	validateLogin(&f, "authUsername", n.Trunk.Username)
	validateLogin(&f, "authPassword", n.Trunk.Password)
	return f.err()
}

func validateLogin(f *fieldErrors, path, text string) {
	if text == "" {
		f.add(path, "is required")
	}
	validateText(f, path, text, maxTrunkField)
}
