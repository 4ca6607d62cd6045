package portal

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// agentForm adds a page about an agent that is a form, and the action that reads it.
func (p *Portal) agentForm(name, title string, body func(agentHead) templ.Component, read func(*reading, *aftercall.Agent)) {
	form := p.agentPage(title, body)
	pattern := "/portal/{account}/agents/{agent}/" + name
	p.show(pattern, auth.Full, form)
	p.do(pattern, auth.Full, p.changeAgent(name, read), form)
}

func (p *Portal) agentPage(title string, body func(agentHead) templ.Component) page {
	return func(v *visit) (view, error) {
		head, err := p.agentHead(v)
		return ofAgents(title+" of "+head.Title, body(head)), err
	}
}

// changeAgent stores what was typed into one of an agent's forms.
func (p *Portal) changeAgent(name string, read func(*reading, *aftercall.Agent)) action {
	return func(v *visit) (done, error) {
		a, err := p.Dialer.Agent(v.Context(), v.account.ID, v.PathValue("agent"))
		if err != nil {
			return done{}, err // first of all: of no agent nothing can be wrong
		}
		typed := reading{visit: v}
		if read(&typed, &a); len(typed.errs) > 0 {
			return done{}, typed.allWrong(asTyped(a.Validate()))
		}
		a, err = p.Dialer.UpdateAgent(v.Context(), v.account.ID, a.ID, func(a *aftercall.Agent) { read(&reading{visit: v}, a) })
		return done{To: v.at("agents", a.ID, name), Said: "Changes saved."}, asTyped(err)
	}
}

func readGeneral(r *reading, a *aftercall.Agent) {
	a.Title, a.Language = r.typed("title"), r.typed("language")
}

func readEngine(r *reading, a *aftercall.Agent) {
	e := &a.Engine
	e.Kind, e.URL, e.Agent = aftercall.EngineKind(r.typed("engine")), r.typed("url"), r.typed("agent")
	if e.Kind == aftercall.SimulatorEngine {
		e.URL = "" // left over from another choice
	}
	e.RingTimeout, e.MaxDuration = r.seconds("ring"), r.seconds("longest")
	e.Pace = aftercall.Pace{
		Live: r.whole("live"), PerSecond: r.rate("rate"), LivePerNumber: r.whole("number_live"), PerSecondPerNumber: r.rate("number_rate"),
	}
}

func readDialer(r *reading, a *aftercall.Agent) {
	d := &a.Dialing
	d.Enabled, d.Strategy, d.Intensity = r.typed("enabled") != "", aftercall.Strategy(r.typed("strategy")), aftercall.Intensity(r.typed("intensity"))
	d.Intervals = r.waits("intervals")
	d.MaxRetryDays, d.MaxAttempts, d.PerNumber = r.optional("days"), r.optional("attempts"), r.whole("per_number")
}

func readHours(r *reading, a *aftercall.Agent) {
	for _, day := range weekdays() {
		a.Dialing.Hours.Week[day] = r.ranges(dayField(day))
	}
	a.Dialing.Hours.Holidays = lines(r.FormValue("holidays"))
}

func readNumbers(r *reading, a *aftercall.Agent) { a.FromNumbers = lines(r.FormValue("numbers")) }

func (p *Portal) rotateAgentSecret(v *visit) (done, error) {
	id := v.PathValue("agent")
	_, err := p.Dialer.RotateAgentSecret(v.Context(), v.account.ID, id)
	return done{To: v.at("agents", id, "engine"), Said: "Secret rotated. The old one no longer signs: put the new one in place now."}, err
}

// preset is a choice of hours to fill a form with.
type preset struct {
	Name aftercall.Preset
	Text string
}

func presets() []preset {
	return []preset{{aftercall.PresetUS, "United States"}, {aftercall.PresetDE, "Germany"}, {aftercall.PresetUK, "United Kingdom"}}
}

// hours are those that the form shows: a preset's if one was asked for, else the agent's.
func (h agentHead) hours() aftercall.Hours {
	if hours, ok := aftercall.Preset(h.URL.Query().Get("preset")).Hours(); ok {
		hours.Holidays = h.Dialing.Hours.Holidays
		return hours
	}
	return h.Dialing.Hours
}

// opening tells when the hours are open next where the account is.
func (h agentHead) opening() string {
	name := h.account.Timezone
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" {
		name, zone = "UTC", time.UTC
	}
	hours, zones := h.hours(), []*time.Location{zone}
	at, ok := hours.Next(h.now, zones)
	switch {
	case !ok:
		return "These hours are not open within two months."
	case hours.Open(h.now, zones):
		return "Open now in " + zoneText(name) + "."
	}
	return "Open next on " + at.In(zone).Format("Monday 2 January at 15:04") + " in " + zoneText(name) + "."
}

// zoneText writes the name of a time zone as people read it.
func zoneText(name string) string { return strings.ReplaceAll(name, "_", " ") }
