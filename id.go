package aftercall

import (
	"crypto/rand"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/ksuid"
)

// Prefixes of the ids that Svix's clients expect. The prefix and 27 base62
// characters make an id of 30 to 33 characters.
const (
	AccountPrefix  = "app_"
	EndpointPrefix = "ep_"
	MessagePrefix  = "msg_"
	AttemptPrefix  = "atmpt_"
	TaskPrefix     = "qtask_"
	KeyPrefix      = "key_"
	SessionPrefix  = "sess_"
	AuditPrefix    = "audit_"
)

// IDStep is the resolution of the time inside an id: an id that was made just now may
// sort after FirstID of a moment later.
const IDStep = 4 * time.Millisecond

// NewID makes an id that sorts by time: Svix's variant of KSUID, which holds 4
// bytes of seconds, 1 byte of 4-millisecond steps and 15 random bytes, so ids
// of the same step sort at random.
func NewID(prefix string, now time.Time) string {
	var payload [16]byte
	payload[0] = byte(now.Nanosecond() / int(IDStep))
	rand.Read(payload[1:])
	id, err := ksuid.FromParts(now, payload[:])
	if err != nil { // only for a payload of another length
		panic(err)
	}
	return prefix + id.String()
}

// FirstID is the smallest id of a prefix that NewID can make at or after t. It
// turns a time into a bound on ids, so that lists in a time window need no
// index on time.
func FirstID(prefix string, t time.Time) string {
	var payload [16]byte
	payload[0] = byte(t.Nanosecond() / int(IDStep))
	id, err := ksuid.FromParts(t, payload[:])
	if err != nil {
		panic(err)
	}
	return prefix + id.String()
}

// ValidID reports whether s has the form of an id with this prefix.
func ValidID(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return false
	}
	_, err := ksuid.Parse(rest)
	return err == nil
}

// NewUUID makes the kind of id that telli's API uses for contacts and calls. It
// is of version 7, so that it sorts by time.
func NewUUID() string { return uuid.Must(uuid.NewV7()).String() }

// ValidUUID reports whether s is a UUID in its usual form of 36 characters.
func ValidUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// uidPattern is what Svix allows in the ids that callers choose themselves, with
// the two characters that its hosted service added.
var uidPattern = regexp.MustCompile(`^[a-zA-Z0-9\-_.:+]{1,256}$`)

// validateUID checks a caller's own id. It must not look like one of ours, since
// paths accept either.
func validateUID(f *fieldErrors, path, uid, prefix string) {
	switch {
	case uid == "":
	case !uidPattern.MatchString(uid):
		f.add(path, "must be 1 to 256 letters, digits, or one of - _ . : +")
	case ValidID(prefix, uid):
		f.add(path, "must not look like an id of ours, which begin with %q", prefix)
	}
}
