package simulator

import (
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
)

// script is how a call may go. Its texts have slots:
//
//	{name}    the contact, as the agent says it; also "{ name}" and "{, name}", which
//	          vanish when it is not known
//	{full}    the contact's first and last name; {last} the last one alone
//	{contact} as {full}, or just "the contact"
//	{company} {notes} of the contact, {account} whose agent calls
//	{caller}  who calls, and that it is an AI
//	{when}    the time that is agreed on, as people say it; {date} with its date;
//	          {other} a time that is turned down
//
// A text with a slot of which nothing is known is not used.
type script struct {
	summary   string
	lost      string // the reason, of who is not won
	sentiment string // the contact's; empty for a machine
	lines     []line
}

// line is a turn in two or three wordings, each of which fits the turns around it.
type line struct {
	role     aftercall.Role
	wordings []string
}

func agent(wordings ...string) line   { return line{aftercall.RoleAgent, wordings} }
func contact(wordings ...string) line { return line{aftercall.RoleUser, wordings} }

// The contact's sentiments, and the reasons of the reference's example.
const (
	positive = "positive"
	neutral  = "neutral"
	negative = "negative"

	lostNotInterested = "CUSTOMER_NOT_INTERESTED"
	lostContacted     = "CUSTOMER_PREVIOUSLY_CONTACTED"
	lostExpensive     = "PRODUCT_TOO_EXPENSIVE"
)

// scripts lists how a call with an outcome may go; none when nobody speaks.
func scripts(german bool, o Outcome) []script {
	if german {
		return scriptsDE(o)
	}
	return scriptsEN(o)
}

// The pace of speech, and the pauses between turns and after the last one.
const (
	perWord   = 400 * time.Millisecond
	leastTurn = 600 * time.Millisecond
	shortest  = 300 * time.Millisecond
	longest   = 1200 * time.Millisecond
)

// perform speaks a script. It returns the turns and how long all took.
func perform(rng *rand.Rand, s script, f filling) ([]Turn, time.Duration) {
	var turns []Turn
	var now time.Duration
	for _, l := range s.lines {
		fitting := f.fitting(l.wordings)
		said := f.in(fitting[rng.IntN(len(fitting))])
		start := now + between(rng, shortest, longest)
		now = start + max(leastTurn, perWord*time.Duration(len(strings.Fields(said))))
		turns = append(turns, Turn{l.role, said, start.Seconds(), now.Seconds()})
	}
	return turns, now + between(rng, shortest, longest)
}

// filling is what slots are filled with: slot, text, slot, text ...
type filling []string

func fillings(vars map[string]string, german bool, times spoken, agreed, refused time.Time) filling {
	first, last := clean(vars["first_name"]), clean(vars["last_name"])
	account := clean(vars["account"])
	full := strings.TrimSpace(first + " " + last)
	name := address(german, clean(vars["salutation"]), first, last)
	spaced, comma := "", ""
	if name != "" {
		spaced, comma = " "+name, ", "+name
	}
	who := full
	switch {
	case who == "" && german:
		who = "Der Kontakt"
	case who == "":
		who = "The contact"
	}
	return filling{
		"{name}", name, "{ name}", spaced, "{, name}", comma, "{full}", full, "{last}", last, "{contact}", who,
		"{company}", clean(vars["company"]), "{notes}", note(vars["notes"]), "{account}", account,
		"{caller}", caller(german, clean(vars["agent"]), account),
		"{when}", times.when(agreed), "{date}", times.date(agreed), "{other}", times.when(refused),
	}
}

// fitting lists the wordings of whose slots something is known.
func (f filling) fitting(wordings []string) []string {
	var fit []string
wordings:
	for _, wording := range wordings {
		for i := 0; i < len(f); i += 2 {
			vanishes := strings.HasPrefix(f[i], "{ ") || strings.HasPrefix(f[i], "{,")
			if f[i+1] == "" && !vanishes && strings.Contains(wording, f[i]) {
				continue wordings
			}
		}
		fit = append(fit, wording)
	}
	return fit
}

func (f filling) in(text string) string { return strings.NewReplacer(f...).Replace(text) }

// address is how the agent says the contact's name: by the first one in English, and
// formally in German.
func address(german bool, salutation, first, last string) string {
	title := ""
	switch strings.ToLower(strings.TrimSuffix(salutation, ".")) {
	case "mr", "herr":
		title = "Mr."
		if german {
			title = "Herr"
		}
	case "ms", "mrs", "miss", "frau":
		title = "Ms."
		if german {
			title = "Frau"
		}
	}
	formal := title != "" && last != ""
	switch {
	case formal && (german || first == ""):
		return title + " " + last
	case german:
		return strings.TrimSpace(first + " " + last)
	case first != "":
		return first
	}
	return last
}

// caller is how the agent says who it is. That it is an AI is said in any case.
func caller(german bool, agent, account string) string {
	text, whose := "an AI assistant", " calling for "
	if german {
		text, whose = "eine KI-Assistenz", " von "
	}
	if agent != "" {
		text = agent + ", " + text
	}
	if account != "" {
		text += whose + account
	}
	return text
}

// maxSpoken is how much of a contact's field is said, in bytes.
const maxSpoken = 60

// clean makes a field fit to be said in one breath.
func clean(field string) string {
	field = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case r == utf8.RuneError:
			return -1
		}
		return r
	}, field)
	field = strings.Join(strings.Fields(field), " ")
	if len(field) <= maxSpoken {
		return field
	}
	cut := field[:maxSpoken]
	if space := strings.LastIndexByte(cut, ' '); space > 0 {
		cut = cut[:space]
	}
	return strings.ToValidUTF8(cut, "")
}

// note is what is said of the notes: the first sentence.
func note(notes string) string {
	notes, _, _ = strings.Cut(strings.TrimSpace(notes), "\n")
	notes, _, _ = strings.Cut(notes, ". ")
	return strings.TrimRight(clean(notes), " .,;:!?")
}
