package portal

import (
	"strconv"
	"time"

	"github.com/aftercall/aftercall"
)

// badge is a state in a word, with a tone: "good", "warn", "bad", or none.
type badge struct{ Text, Tone string }

func badgeOf(d aftercall.Delivery) badge {
	switch {
	case d.State == aftercall.Succeeded:
		return badge{"Succeeded", "good"}
	case d.State == aftercall.Failed:
		return badge{"Failed", "bad"}
	case d.Attempts > 0:
		return badge{"Retrying", "warn"}
	}
	return badge{"Waiting", ""}
}

func attemptBadge(a aftercall.Attempt) badge {
	text := "No answer"
	if a.StatusCode != 0 {
		text = strconv.Itoa(a.StatusCode)
	}
	if a.Verdict == aftercall.Accepted {
		return badge{text, "good"}
	}
	return badge{text, "bad"}
}

func healthOf(row endpointRow) badge {
	switch {
	case row.Disabled:
		return badge{"Disabled", "bad"}
	case !row.Health.FailingSince.IsZero():
		return badge{"Failing", "bad"}
	case row.Sum.Failed+row.Sum.Retrying > 0:
		return badge{"Some failed", "warn"}
	case row.Sum.Succeeded > 0:
		return badge{"Healthy", "good"}
	}
	return badge{"Quiet", ""}
}

func callBadge(s aftercall.CallStatus) badge {
	switch s {
	case aftercall.CallCompleted:
		return badge{"Completed", "good"}
	case aftercall.CallAnswered:
		return badge{"Answered", "warn"}
	case aftercall.CallNotReached:
		return badge{"Not reached", ""}
	case aftercall.CallVoicemail:
		return badge{"Voicemail", ""}
	case aftercall.CallError:
		return badge{"Error", "bad"}
	}
	return badge{string(s), ""}
}

func contactBadge(s aftercall.ContactStatus) badge {
	switch s {
	case aftercall.ContactReached:
		return badge{"reached", "good"}
	case aftercall.ContactPending:
		return badge{"pending", "warn"}
	}
	return badge{string(s), ""}
}

func toneIf(yes bool, tone string) string {
	if yes {
		return tone
	}
	return ""
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// size is how large a message's body is.
func size(m aftercall.Message) string {
	switch n := m.Size(); {
	case m.Payload == nil:
		return "erased"
	case n < 1000:
		return strconv.Itoa(n) + " B"
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + " kB"
	default:
		return strconv.FormatFloat(float64(n)/1_000_000, 'f', 1, 64) + " MB"
	}
}

// sinceOf is what the form of a recovery shows: what was chosen, or a day ago.
func sinceOf(v recoverView, kind string) string {
	if v.Kind == kind && !v.Since.IsZero() {
		return v.local(v.Since)
	}
	return v.local(v.now.Add(-24 * time.Hour))
}
