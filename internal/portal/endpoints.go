package portal

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/webhook"
)

func (p *Portal) endpointRoutes() {
	p.show("/portal/{account}/webhooks", auth.ViewBase, p.endpoints)
	p.show("/portal/{account}/webhooks/endpoints/new", auth.ManageEndpoint, p.newEndpoint)
	p.do("/portal/{account}/webhooks/endpoints/new", auth.ManageEndpoint, p.addEndpoint, p.newEndpoint)
	p.show("/portal/{account}/webhooks/endpoints/{endpoint}", auth.ViewBase, p.endpoint)
	p.show("/portal/{account}/webhooks/endpoints/{endpoint}/edit", auth.ManageEndpoint, p.editEndpoint)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/edit", auth.ManageEndpoint, p.changeEndpoint, p.editEndpoint)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/enable", auth.ManageEndpoint, p.enableEndpoint(true), p.endpoint)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/disable", auth.ManageEndpoint, p.enableEndpoint(false), p.endpoint)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/delete", auth.ManageEndpoint, p.deleteEndpoint, p.endpoint)
	p.show("/portal/{account}/webhooks/endpoints/{endpoint}/secret", auth.ViewEndpointSecret, p.secret)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/secret", auth.ManageEndpointSecret, p.rotateSecret, p.secret)
	p.show("/portal/{account}/webhooks/endpoints/{endpoint}/test", auth.CreateAttempts, p.test)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/test", auth.CreateAttempts, p.sendTest, p.test)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/call", auth.Full, p.testCall, p.test)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/simulate", auth.Full, p.simulateCall, p.test)
	p.show("/portal/{account}/webhooks/endpoints/{endpoint}/recover", auth.CreateAttempts, p.recover)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/recover", auth.CreateAttempts, p.startRecover, p.recover)
	p.do("/portal/{account}/webhooks/endpoints/{endpoint}/cancel", auth.CreateAttempts, p.cancelTask, p.recover)
}

// sparkParts and sparkPart are what a sparkline tells: a day, by the hour.
const (
	sparkParts = 24
	sparkPart  = time.Hour
)

// endpointsView is the list of an account's endpoints.
type endpointsView struct {
	*visit
	pager
	Rows []endpointRow
}

// endpointRow is an endpoint, and how its deliveries of the last day went.
type endpointRow struct {
	aftercall.Endpoint
	Parts []store.Stats
	Sum   store.Stats
}

// rowsOf counts the last day of endpoints.
func (p *Portal) rowsOf(tx *store.Tx, now time.Time, list []aftercall.Endpoint) ([]endpointRow, error) {
	counted, err := p.tallies.of(tx, now, sparkPart, sparkParts, list...)
	if err != nil {
		return nil, err
	}
	rows := make([]endpointRow, len(list))
	for i, e := range list {
		rows[i] = endpointRow{e, counted[i], sum(counted[i])}
	}
	return rows, nil
}

func sum(parts []store.Stats) (all store.Stats) {
	for _, part := range parts {
		all.Succeeded += part.Succeeded
		all.Waiting += part.Waiting
		all.Retrying += part.Retrying
		all.Failed += part.Failed
	}
	return all
}

func (p *Portal) endpoints(v *visit) (view, error) {
	shown := endpointsView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		list, err := tx.Endpoints(v.account.ID, v.part())
		if err != nil {
			return err
		}
		list, shown.pager = paged(v, list, func(e aftercall.Endpoint) string { return e.ID })
		shown.Rows, err = p.rowsOf(tx, v.now, list)
		return err
	})
	return webhooks(v, "Endpoints", endpointsPage(shown)), err
}

// endpointForm is what can be chosen about an endpoint, as it is typed.
type endpointForm struct {
	*visit
	ID          string // empty for a new one
	URL         string
	Description string
	All         bool // every event type
	Chosen      []string
	Types       []aftercall.EventType
	Signature   aftercall.Signature
	Throttle    string
	Headers     string
	Schedule    string
	Default     aftercall.Schedule
}

func (p *Portal) newEndpoint(v *visit) (view, error) {
	form := endpointForm{visit: v, Signature: aftercall.SignHMAC, All: true, Default: p.Schedule}
	if v.problem != nil {
		form.typedIn(v)
	}
	err := p.chooseTypes(v, &form)
	return webhooks(v, "Add Endpoint", endpointFormPage(form)), err
}

// typedIn fills the form with what was sent, to be mended.
func (f *endpointForm) typedIn(v *visit) {
	f.URL, f.Description, f.Throttle = v.typed("url"), v.typed("description"), v.typed("throttleRate")
	f.All, f.Chosen = v.typed("all") != "", v.Form["eventTypes"]
	f.Signature, f.Headers, f.Schedule = aftercall.Signature(v.typed("signature")), v.FormValue("headers"), v.typed("retrySchedule")
}

// chooseTypes offers the event types of the catalogue.
func (p *Portal) chooseTypes(v *visit, f *endpointForm) error {
	return p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		f.Types, err = shownTypes(tx, v)
		return err
	})
}

// shownTypes are the event types that the caller is to see, in the order of their names.
func shownTypes(tx *store.Tx, v *visit) ([]aftercall.EventType, error) {
	list, err := webhook.AllEventTypes(tx)
	return slices.DeleteFunc(list, func(t aftercall.EventType) bool {
		return t.Archived || v.caller.Portal != nil && !t.Shown(v.caller.Portal.FeatureFlags)
	}), err
}

// read sets what the form says. Before are the endpoint's headers, some of which are
// shown to nobody and kept unless they are typed anew.
func (v *visit) readEndpoint(e *aftercall.Endpoint) (err error) {
	e.URL, e.Description, e.Signature = v.typed("url"), v.typed("description"), aftercall.Signature(v.typed("signature"))
	e.EventTypes = nil
	if v.typed("all") == "" {
		if e.EventTypes = v.Form["eventTypes"]; len(e.EventTypes) == 0 {
			return aftercall.InvalidField("eventTypes", "choose at least one event, or all of them")
		}
	}
	e.ThrottleRate = 0
	if text := v.typed("throttleRate"); text != "" {
		if e.ThrottleRate, err = strconv.Atoi(text); err != nil {
			return aftercall.InvalidField("throttleRate", "must be a number of messages a second")
		}
	}
	if e.Headers, err = readHeaders(v.FormValue("headers"), e.Headers); err != nil {
		return err
	}
	e.Schedule = nil
	if text := v.typed("retrySchedule"); text != "" {
		schedule, err := aftercall.ParseSchedule(text)
		if err != nil {
			return aftercall.InvalidField("retrySchedule", "%s", strings.TrimPrefix(err.Error(), "retry schedule: "))
		}
		e.Schedule = &schedule
	}
	return nil
}

// kept stands for a header's value that is shown to nobody.
const kept = "••••••"

// writeHeaders writes headers as lines of "Name: value".
func writeHeaders(headers map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		if aftercall.SensitiveHeader(name) {
			value = kept
		}
		b.WriteString(name + ": " + value + "\n")
	}
	return b.String()
}

func readHeaders(text string, before map[string]string) (map[string]string, error) {
	headers := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, aftercall.InvalidField("headers", "each line must be a name, a colon and a value")
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if value == kept {
			if value, ok = before[name]; !ok {
				return nil, aftercall.InvalidField("headers", "%s has no value", name)
			}
		}
		headers[name] = value
	}
	return headers, nil
}

func (p *Portal) addEndpoint(v *visit) (done, error) {
	e := aftercall.Endpoint{AccountID: v.account.ID, Version: 1}
	if err := v.readEndpoint(&e); err != nil {
		return done{}, err
	}
	err := p.Engine.CreateEndpoint(v.Context(), &e, "")
	return done{To: v.at("webhooks", "endpoints", e.ID), Said: "Endpoint added. Send it a test event to see that it arrives."}, err
}

func (p *Portal) editEndpoint(v *visit) (view, error) {
	form := endpointForm{visit: v, Default: p.Schedule}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		e, err := tx.Endpoint(v.account.ID, v.PathValue("endpoint"))
		if err != nil {
			return err
		}
		form.ID, form.URL, form.Description, form.Signature = e.ID, e.URL, e.Description, e.Signature
		form.All, form.Chosen, form.Headers = len(e.EventTypes) == 0, e.EventTypes, writeHeaders(e.Headers)
		if e.ThrottleRate > 0 {
			form.Throttle = strconv.Itoa(e.ThrottleRate)
		}
		if e.Schedule != nil {
			form.Schedule = e.Schedule.String()
		}
		form.Types, err = shownTypes(tx, v)
		return err
	})
	if v.problem != nil {
		form.typedIn(v)
	}
	return webhooks(v, "Edit endpoint", endpointFormPage(form)), err
}

func (p *Portal) changeEndpoint(v *visit) (done, error) {
	var shown []aftercall.EventType
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		shown, err = shownTypes(tx, v)
		return err
	})
	if err != nil {
		return done{}, err
	}
	e, err := p.Engine.UpdateEndpoint(v.Context(), v.account.ID, v.PathValue("endpoint"), "", func(e *aftercall.Endpoint) error {
		before := e.EventTypes
		if err := v.readEndpoint(e); err != nil || len(e.EventTypes) == 0 {
			return err
		}
		for _, name := range before { // what the form does not offer, it cannot take away
			if !slices.ContainsFunc(shown, func(t aftercall.EventType) bool { return t.Name == name }) {
				e.EventTypes = append(e.EventTypes, name)
			}
		}
		return nil
	})
	return done{To: v.at("webhooks", "endpoints", e.ID), Said: "Changes saved."}, err
}

func (p *Portal) enableEndpoint(enable bool) action {
	said := "Endpoint disabled: nothing is sent to it any more."
	if enable {
		said = "Endpoint enabled. What failed meanwhile can be recovered."
	}
	return func(v *visit) (done, error) {
		e, err := p.Engine.UpdateEndpoint(v.Context(), v.account.ID, v.PathValue("endpoint"), "", func(e *aftercall.Endpoint) error {
			e.Disabled = !enable
			return nil
		})
		return done{To: v.at("webhooks", "endpoints", e.ID), Said: said}, err
	}
}

func (p *Portal) deleteEndpoint(v *visit) (done, error) {
	err := p.Engine.DeleteEndpoint(v.Context(), v.account.ID, v.PathValue("endpoint"))
	return done{To: v.at("webhooks"), Said: "Endpoint deleted."}, err
}
