package portal

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
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
	case row.Sum.Failed > 0:
		return badge{"Some failed", "bad"}
	case row.Sum.Retrying > 0:
		return badge{"Retrying", "warn"}
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

// callTone tells statuses apart in a chart.
func callTone(s aftercall.CallStatus) string {
	switch s {
	case aftercall.CallCompleted:
		return "good"
	case aftercall.CallAnswered:
		return "warn"
	case aftercall.CallVoicemail:
		return "other"
	case aftercall.CallError:
		return "bad"
	}
	return ""
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

// dayOf tells an endpoint's last day.
func dayOf(s store.Stats) string {
	text := strconv.Itoa(s.Succeeded) + " delivered, "
	if s.Retrying > 0 {
		text += strconv.Itoa(s.Retrying) + " retrying, "
	}
	return text + strconv.Itoa(s.Failed) + " failed in 24 h"
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

// summaryOf is what a call was about, if its analysis says so.
func summaryOf(c aftercall.Call) string {
	for _, f := range fieldsOf(c.Analysis) {
		if f.Name == "summary" {
			return f.Details
		}
	}
	return ""
}

func speaker(role aftercall.Role) string {
	if role == aftercall.RoleAgent {
		return "Agent"
	}
	return "Contact"
}

// factsOf is what is known of a contact, without what is not.
func factsOf(c aftercall.Contact) []outcomeField {
	all := []outcomeField{
		{Name: "Salutation", Value: c.Salutation}, {Name: "Email", Value: c.Email}, {Name: "Gender", Value: c.Gender},
		{Name: "Time zone", Value: c.Timezone}, {Name: "External id", Value: c.ExternalID}, {Name: "In your CRM", Value: c.ExternalURL},
		{Name: "Id", Value: c.ID},
	}
	return slices.DeleteFunc(all, func(f outcomeField) bool { return f.Value == "" })
}

// agentOf shortens what a browser calls itself to what people know.
func agentOf(agent string) string {
	browser := "A program"
	for _, name := range []struct{ sign, name string }{
		{"Firefox/", "Firefox"}, {"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	} {
		if strings.Contains(agent, name.sign) {
			browser = name.name
			break
		}
	}
	for _, name := range []struct{ sign, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS", "Mac"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, name.sign) {
			return browser + " on " + name.name
		}
	}
	return browser
}

// lateAfter is when a delivery that is due is late: retries are due to the second, and
// an endpoint that is throttled or slow is behind a little all the time.
const lateAfter = time.Minute

// atLeast tells a count that stopped.
func atLeast(n int, stopped bool) string {
	if stopped {
		return strconv.Itoa(n) + " or more"
	}
	return strconv.Itoa(n)
}

func taskBadge(t store.Task) badge {
	switch t.Status {
	case store.TaskRunning:
		return badge{"Running", "warn"}
	case store.TaskFinished:
		return badge{"Done", "good"}
	case store.TaskFailed:
		return badge{"Ended", "bad"}
	}
	return badge{string(t.Status), ""}
}

// accountHealth is the worst of an account's endpoints.
func accountHealth(row accountRow) badge {
	worst := badge{"No endpoint", ""}
	rank := map[string]int{"": 0, "good": 1, "warn": 2, "bad": 3}
	for i, e := range row.Endpoints {
		if b := healthOf(e); i == 0 || rank[b.Tone] > rank[worst.Tone] {
			worst = b
		}
	}
	return worst
}
