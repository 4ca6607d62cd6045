package portal

import (
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
)

// engineText names the voice engine of an agent.
func engineText(e aftercall.EngineSettings) string {
	switch e.Kind {
	case aftercall.SimulatorEngine:
		return "Simulator: calls nobody"
	case aftercall.HTTPEngine:
		return "HTTP engine"
	}
	return string(e.Kind)
}

// engineBadge marks what calls nobody, and what cannot call at all.
func engineBadge(a aftercall.Agent, dials bool) badge {
	switch {
	case !dials:
		return badge{engineText(a.Engine) + ", not running", "bad"}
	case a.Engine.Kind == aftercall.SimulatorEngine:
		return badge{engineText(a.Engine), "warn"}
	}
	return badge{engineText(a.Engine), "good"}
}

func dialerBadge(d aftercall.Dialing) badge {
	if d.Enabled {
		return badge{"Auto-dialer on", "good"}
	}
	return badge{"Auto-dialer off", ""}
}

// strategyText tells in a line when an agent calls again.
func strategyText(d aftercall.Dialing) string {
	if d.Strategy == aftercall.DefinedIntervals {
		return "After " + waitsText(d.Intervals)
	}
	return "Smart Calling, " + string(d.Intensity)
}

// limitsText tells when an agent gives up.
func limitsText(d aftercall.Dialing) string {
	var parts []string
	if d.MaxAttempts != nil {
		parts = append(parts, "after "+plural(*d.MaxAttempts, "call", "calls"))
	}
	if d.MaxRetryDays != nil {
		if *d.MaxRetryDays == 0 {
			parts = append(parts, "after the first day")
		} else {
			parts = append(parts, plural(*d.MaxRetryDays, "day", "days")+" after the first call")
		}
	}
	return strings.Join(parts, ", or ")
}

// intensity is a choice of Smart Calling's, with what it means.
type intensity struct {
	Value      aftercall.Intensity
	Name, Note string
}

// intensityChoices tell the phases of [aftercall.Intensity] in words.
func intensityChoices() []intensity {
	return []intensity{
		{aftercall.Aggressive, "Aggressive", "For hot leads: up to 3 calls on the first day, 2 a day for nine days, then 1 a day."},
		{aftercall.Moderate, "Moderate", "Up to 3 calls on the first day, 2 a day for three days, 1 a day for a week, then 1 a week."},
		{aftercall.Conservative, "Conservative", "Up to 2 calls on the first day, 1 a day for three days, 1 every other day for a week, then 1 a week."},
	}
}

// outcomeTypes are the types of outcome fields, with what they hold.
func outcomeTypes() []struct {
	Value      aftercall.OutcomeType
	Name, Note string
} {
	return []struct {
		Value      aftercall.OutcomeType
		Name, Note string
	}{
		{aftercall.OutcomeBoolean, "Yes or no", "True or false."}, {aftercall.OutcomeText, "Text", "A short text."},
		{aftercall.OutcomeNumber, "Number", "With or without a fraction."}, {aftercall.OutcomeCategory, "Category", "One of a list of options."},
	}
}

func outcomeTypeText(t aftercall.OutcomeType) string {
	for _, known := range outcomeTypes() {
		if known.Value == t {
			return known.Name
		}
	}
	return string(t)
}

// liveBadge tells how far a call in progress has come.
func liveBadge(l aftercall.LiveCall) badge {
	switch {
	case l.State == aftercall.Over:
		return badge{"Over", ""}
	case l.Answered():
		return badge{"In call", "good"}
	case !l.Progress.RangAt.IsZero():
		return badge{"Ringing", "warn"}
	case l.State == aftercall.Placed:
		return badge{"Dialling", ""}
	}
	return badge{"Being placed", ""}
}

// liveSince is since when a call has been as its badge says.
func liveSince(l aftercall.LiveCall) time.Time {
	switch {
	case l.State == aftercall.Over:
		return l.Progress.EndedAt
	case l.Answered():
		return l.Progress.AnsweredAt
	case !l.Progress.RangAt.IsZero():
		return l.Progress.RangAt
	}
	return l.TriggeredAt
}

// runEndBadge tells why a run ended.
func runEndBadge(why aftercall.RunEnd) badge {
	switch why {
	case "":
		return badge{"Open", "warn"}
	case aftercall.RunReached:
		return badge{"Reached", "good"}
	case aftercall.RunExhausted:
		return badge{"Days or attempts used up", ""}
	case aftercall.RunRemoved:
		return badge{"Taken out", ""}
	case aftercall.RunBlocked:
		return badge{"Number blocked", ""}
	case aftercall.RunDoNotCall:
		return badge{"Asked not to be called", "bad"}
	case aftercall.RunWrongNumber:
		return badge{"Number does not exist", "bad"}
	case aftercall.RunAgentRemoved:
		return badge{"Agent deleted", ""}
	case aftercall.RunContactGone:
		return badge{"Contact erased", ""}
	}
	return badge{strings.ReplaceAll(string(why), "_", " "), ""}
}

// attemptText names a run's next attempt.
func attemptText(r aftercall.Run, d aftercall.Dialing) string {
	text := "Attempt " + strconv.Itoa(r.Attempts+1)
	if d.MaxAttempts != nil {
		text += " of " + strconv.Itoa(max(*d.MaxAttempts, r.Attempts+1)) + " at most"
	}
	return text
}

// allowedBy tells why a call was made when it was.
func allowedBy(reason aftercall.DialReason) string {
	switch reason.By {
	case "schedule":
		return "The schedule"
	case "request":
		return "Somebody's request"
	case "wish":
		return "The contact's wish"
	}
	return sentence(reason.By)
}

// agentName is what an agent is called; of those that are gone, nothing is known.
func agentName(agents map[string]aftercall.Agent, id string) string {
	if a, ok := agents[id]; ok {
		return a.Title
	}
	return "a deleted agent"
}

// deletionText tells what the deletion of an agent ends.
func deletionText(waiting int) string {
	runs := atLeast(waiting, waiting == waitingCounted) + " open runs end, and their contacts are closed."
	switch waiting {
	case 0:
		runs = "No run of it is open."
	case 1:
		runs = "1 open run ends, and its contact is closed."
	}
	return runs + " Calls in progress are taken as they end; calls that were made stay. Its settings go for good."
}

func outcomeNames(fields []aftercall.OutcomeField) string {
	names := make([]string, len(fields))
	for i, o := range fields {
		names[i] = o.Name
	}
	return strings.Join(names, ", ")
}

// nextCallText tells when a run's next call is, as the contact's wall has it.
func nextCallText(d dialing, now time.Time) string {
	switch {
	case d.Run.DueAt.IsZero():
		return "its call is in progress"
	case !d.Agent.Dialing.Enabled:
		return "no call: the agent's auto-dialer is off"
	case !d.Run.DueAt.After(now):
		return "next call as soon as the line has room"
	}
	text := "next call " + d.There.from(d.Run.DueAt) + ", " + d.There.day(d.Run.DueAt) + " (contact's time, in " + zoneText(d.Zone) + ")"
	if d.Run.Asked {
		text += ", as the contact asked"
	}
	return text
}

// dueTitle names the next call's moment for who points at it.
func dueTitle(d dialing, c clock) string {
	if d.Run.DueAt.IsZero() {
		return ""
	}
	return c.exact(d.Run.DueAt)
}

// pastText tells what a run that ended came to.
func pastText(r aftercall.Run, c clock) string {
	text := plural(r.Attempts, "attempt", "attempts")
	if !r.FirstAt.IsZero() {
		text += ", from " + c.short(r.FirstAt) + " to " + c.short(r.LastAt)
	}
	return text
}

// choiceText names an agent among others.
func choiceText(a aftercall.Agent) string {
	if a.Engine.Kind == aftercall.SimulatorEngine {
		return a.Title + " (simulator: calls nobody)"
	}
	return a.Title
}
