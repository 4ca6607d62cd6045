package aftercall

import (
	"time"
	"unicode/utf8"
)

// Account is the tenant: every row of the store carries its id. On the Svix API
// an account is an application.
type Account struct {
	ID           string
	UID          string // the caller's own id, unique among accounts; may be empty
	Name         string
	Timezone     string // IANA name; a contact without one uses it
	ThrottleRate int    // messages a second for endpoints without a rate of their own; 0 is unlimited
	Metadata     map[string]string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Validate checks what a caller may set.
func (a Account) Validate() error {
	var f fieldErrors
	if n := utf8.RuneCountInString(a.Name); n < 1 || n > 256 {
		f.add("name", "must be 1 to 256 characters")
	}
	validateUID(&f, "uid", a.UID, AccountPrefix)
	validateTimezone(&f, "timezone", a.Timezone)
	validateThrottleRate(&f, a.ThrottleRate)
	validateMetadata(&f, a.Metadata)
	return f.err()
}

// validateTimezone accepts an IANA name or nothing. "Local" would depend on the
// machine, so it is no time zone of anybody.
func validateTimezone(f *fieldErrors, path, name string) {
	if name == "" {
		return
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		f.add(path, "is not an IANA time zone such as Europe/Berlin")
	}
}

func validateThrottleRate(f *fieldErrors, rate int) {
	if rate < 0 || rate > 65535 {
		f.add("throttleRate", "must be 1 to 65535 messages a second")
	}
}

// maxMetadata is Svix's limit on the metadata of a thing, keys and values, in bytes.
const maxMetadata = 4096

func validateMetadata(f *fieldErrors, metadata map[string]string) {
	size := 0
	for key, value := range metadata {
		size += len(key) + len(value)
	}
	if size > maxMetadata {
		f.add("metadata", "must not exceed %d bytes", maxMetadata)
	}
}
