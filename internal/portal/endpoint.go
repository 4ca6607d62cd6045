package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// endpointHead is what all pages about one endpoint show of it.
type endpointHead struct {
	*visit
	aftercall.Endpoint
}

func (h endpointHead) page(parts ...string) string {
	return h.at(append([]string{"webhooks", "endpoints", h.Endpoint.ID}, parts...)...)
}

// endpointView is an endpoint with its deliveries.
type endpointView struct {
	endpointHead
	pager
	Range    span24
	Parts    []store.Stats
	Sum      store.Stats
	Messages []store.MessageDelivery
	Filter   deliveryFilter
	Tries    []time.Time // when what fails now is tried again
	Types    []aftercall.EventType
}

// span24 is a time that figures are shown over.
type span24 struct {
	Name string
	Part time.Duration
	N    int
}

// spans are those to choose from; the first is what is shown unasked.
func spans() []span24 {
	return []span24{{"24 hours", time.Hour, 24}, {"7 days", 6 * time.Hour, 28}, {"30 days", 24 * time.Hour, 30}}
}

func spanOf(r *http.Request) span24 {
	i := slices.IndexFunc(spans(), func(s span24) bool { return s.Name == r.URL.Query().Get("over") })
	return spans()[max(i, 0)]
}

// deliveryFilter narrows the list of an endpoint's deliveries, as its form says.
type deliveryFilter struct {
	State, EventType string
	Since, Until     time.Time
}

// deliveryStates are the words of the filter.
func deliveryStates() []string { return []string{"waiting", "retrying", "succeeded", "failed"} }

func (v *visit) deliveryFilter() (f deliveryFilter, err error) {
	query := v.URL.Query()
	f.State, f.EventType = query.Get("state"), query.Get("type")
	f.Since, f.Until, err = v.window()
	if err == nil && f.State != "" && !slices.Contains(deliveryStates(), f.State) {
		err = aftercall.InvalidField("state", "must be one of %s", strings.Join(deliveryStates(), ", "))
	}
	return f, err
}

// window reads since and until from the query.
func (v *visit) window() (since, until time.Time, err error) {
	var ok bool
	if since, ok = v.parse(v.URL.Query().Get("since")); !ok {
		return since, until, aftercall.InvalidField("since", "is not a time, such as 2026-03-18T15:30, or 24h ago written as 24h")
	}
	if until, ok = v.parse(v.URL.Query().Get("until")); !ok {
		return since, until, aftercall.InvalidField("until", "is not a time, such as 2026-03-18T15:30")
	}
	return since, until, nil
}

// store is the filter in the store's terms.
func (f deliveryFilter) store() store.DeliveryFilter {
	out := store.DeliveryFilter{Message: store.MessageFilter{Since: f.Since, Before: f.Until}}
	if f.EventType != "" {
		out.Message.EventTypes = []string{f.EventType}
	}
	states := map[string]aftercall.DeliveryState{
		"waiting": aftercall.Pending, "retrying": aftercall.Pending, "succeeded": aftercall.Succeeded, "failed": aftercall.Failed,
	}
	if state, ok := states[f.State]; ok {
		out.State = &state
	}
	if f.State == "waiting" || f.State == "retrying" {
		attempted := f.State == "retrying"
		out.Attempted = &attempted
	}
	return out
}

// head finds the endpoint of the address.
func (v *visit) head(tx *store.Tx) (endpointHead, error) {
	e, err := tx.Endpoint(v.account.ID, v.PathValue("endpoint"))
	return endpointHead{v, e}, err
}

func refOf(e aftercall.Endpoint) store.EndpointRef {
	return store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}
}

func (p *Portal) endpoint(v *visit) (view, error) {
	shown := endpointView{Range: spanOf(v.Request)}
	var err error
	if shown.Filter, err = v.deliveryFilter(); err != nil {
		return view{}, err
	}
	err = p.Store.View(v.Context(), func(tx *store.Tx) error {
		if shown.endpointHead, err = v.head(tx); err != nil {
			return err
		}
		counted, err := p.tallies.of(tx, v.now, shown.Range.Part, shown.Range.N, shown.Endpoint)
		if err != nil {
			return err
		}
		shown.Parts, shown.Sum = counted[0], sum(counted[0])
		if shown.Types, err = shownTypes(tx, v); err != nil {
			return err
		}
		list, err := tx.EndpointMessages(refOf(shown.Endpoint), shown.Filter.store(), v.part())
		shown.Messages, shown.pager = paged(v, list, func(m store.MessageDelivery) string { return m.Message.ID })
		return err
	})
	shown.Tries = tries(p.scheduleOf(shown.Endpoint), 0, v.now)
	return webhooks(v, shown.URL, endpointPage(shown)), err
}

func (p *Portal) scheduleOf(e aftercall.Endpoint) aftercall.Schedule {
	if e.Schedule != nil {
		return *e.Schedule
	}
	return p.Schedule
}

// tries are when the attempts of a delivery are made that has used up steps of its
// schedule, if each fails at once and none is late.
func tries(schedule aftercall.Schedule, step int, from time.Time) (list []time.Time) {
	for {
		wait, ok := schedule.Wait(step, 0)
		if !ok {
			return list
		}
		from = from.Add(wait)
		list = append(list, from)
		step++
	}
}

// webhooks is a page of the webhook portal.
func webhooks(_ *visit, title string, body templ.Component) view {
	return view{Title: title, Section: "Settings", Body: body}
}

// secretView is how an endpoint's messages are signed.
type secretView struct {
	endpointHead
	Secrets aftercall.Secrets
	Snippet []snippet
}

func (p *Portal) secret(v *visit) (view, error) {
	var shown secretView
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.endpointHead, err = v.head(tx); err != nil {
			return err
		}
		shown.Secrets, err = tx.Secrets(refOf(shown.Endpoint))
		shown.Secrets = slices.DeleteFunc(shown.Secrets, func(s aftercall.Secret) bool { return !s.Signs(v.now) })
		return err
	})
	shown.Snippet = snippets(shown.Endpoint)
	return webhooks(v, "Signing secret", secretPage(shown)), err
}

func (p *Portal) rotateSecret(v *visit) (done, error) {
	grace, err := time.ParseDuration(v.typed("overlap"))
	if err != nil {
		return done{}, aftercall.InvalidField("overlap", "choose how long the old secret goes on signing")
	}
	err = p.Engine.RotateSecret(v.Context(), v.account.ID, v.PathValue("endpoint"), v.typed("secret"), grace)
	said := "Secret rotated. The old one signs too until you have put the new one in place."
	if grace == 0 {
		said = "Secret rotated. The old one no longer signs."
	}
	return done{To: v.at("webhooks", "endpoints", v.PathValue("endpoint"), "secret"), Said: said}, err
}

// testView is what an endpoint can be tried with.
type testView struct {
	endpointHead
	Types     []exampleType
	Chosen    string
	CanCall   bool
	Simulates bool // whether the dialer can make a simulated call
}

type exampleType struct {
	aftercall.EventType
	Example string
}

func (p *Portal) test(v *visit) (view, error) {
	shown := testView{CanCall: v.caller.Can(auth.Full), Chosen: v.typed("eventType")}
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.endpointHead, err = v.head(tx); err != nil {
			return err
		}
		types, err := shownTypes(tx, v)
		for _, t := range append(types, aftercall.Ping()) {
			if example, err := t.Example(0); err == nil { // those without an example cannot be sent
				shown.Types = append(shown.Types, exampleType{t, pretty(example)})
			}
		}
		return err
	})
	if shown.Chosen == "" && len(shown.Types) > 0 {
		shown.Chosen = shown.Types[0].Name
	}
	if err == nil && shown.CanCall {
		_, shown.Simulates, err = p.simulates(v)
	}
	return webhooks(v, "Send a test", testPage(shown)), err
}

func (p *Portal) sendTest(v *visit) (done, error) {
	m, err := p.Engine.SendExample(v.Context(), v.account.ID, v.PathValue("endpoint"), v.typed("eventType"), 0)
	return done{To: v.at("webhooks", "messages", m.ID), Said: "Test event sent."}, err
}
