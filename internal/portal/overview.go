package portal

import (
	"strconv"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// overviewView tells an account's owner whether last night's calls reached the CRM.
type overviewView struct {
	*visit
	Range      span24
	Endpoints  int
	Parts      []store.Stats
	Sum        store.Stats
	OldestDue  time.Time
	Needs      []need
	Calls      chartData
	CallsTotal int
	Contacts   map[aftercall.ContactStatus]int
	ReachRate  string
	Live, Soon int  // calls in progress, and those due within the hour
	SoonMore   bool // than were counted
	Next       time.Time
}

// need is something to be mended, and where.
type need struct {
	Badge     badge
	What, Why string
	Mend, To  string
}

// endpointsOverview is how many endpoints an overview looks at.
const endpointsOverview = 100

func (p *Portal) overview(v *visit) (view, error) {
	over := spanOf(v.Request)
	shown := overviewView{visit: v, Range: over, Parts: make([]store.Stats, over.N)}
	begin := beginOf(v.now, over.Part, over.N)
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		endpoints, err := tx.Endpoints(v.account.ID, store.Page{Limit: endpointsOverview})
		if err != nil {
			return err
		}
		counted, err := p.tallies.of(tx, v.now, over.Part, over.N, endpoints...)
		if err != nil {
			return err
		}
		shown.Endpoints = len(endpoints)
		for i, e := range endpoints {
			for part, stats := range counted[i] {
				shown.Parts[part] = sum([]store.Stats{shown.Parts[part], stats})
			}
			shown.Needs = append(shown.Needs, needsOf(v, e, sum(counted[i]), begin)...)
		}
		shown.Sum = sum(shown.Parts)
		if shown.OldestDue, err = tx.OldestDue(v.account.ID); err != nil {
			return err
		}
		if shown.Contacts, err = tx.CountContacts(v.account.ID); err != nil {
			return err
		}
		if err := shown.dialing(tx); err != nil {
			return err
		}
		calls, err := tx.CountCalls(v.account.ID, begin, over.Part, over.N)
		shown.Calls, shown.CallsTotal = callChart(v.clock, over, begin, calls)
		return err
	})
	shown.ReachRate = reachRate(shown.Contacts)
	return view{Title: "Overview", Section: "Overview", Body: overviewPage(shown)}, err
}

// soonCounted is up to how many of an agent's calls are counted that are due soon.
const soonCounted = 1000

// dialing counts what the agents are doing and what they will.
func (v *overviewView) dialing(tx *store.Tx) error {
	agents, err := tx.Agents(v.account.ID, store.Page{Limit: agentsShown})
	if err != nil {
		return err
	}
	live, err := tx.CountLive(v.account.ID)
	for _, n := range live {
		v.Live += n
	}
	for _, a := range agents {
		if err != nil {
			return err
		}
		if !a.Dialing.Enabled {
			continue
		}
		var due int
		if due, err = tx.CountWaiting(agentRef(a), v.now.Add(soon), soonCounted); err != nil {
			return err
		}
		v.Soon, v.SoonMore = v.Soon+due, v.SoonMore || due == soonCounted
		var next time.Time
		if next, err = tx.NextRun(agentRef(a)); err == nil && !next.IsZero() && (v.Next.IsZero() || next.Before(v.Next)) {
			v.Next = next
		}
	}
	return err
}

// needsOf tells what is wrong with an endpoint.
func needsOf(v *visit, e aftercall.Endpoint, counted store.Stats, since time.Time) (list []need) {
	page := v.at("webhooks", "endpoints", e.ID)
	switch {
	case e.Disabled && e.Reason != aftercall.DisabledByOwner:
		return []need{{badge{"Disabled", "bad"}, e.URL, sentence(string(e.Reason)), "Enable", page}}
	case e.Disabled:
		return nil // as its owner wants it
	case !e.Health.FailingSince.IsZero():
		list = append(list, need{badge{"Failing", "bad"}, e.URL, "Every attempt has failed since " + v.short(e.Health.FirstFailureAt) + ".",
			"See why", page + "?state=retrying"})
	case counted.Retrying > 0:
		list = append(list, need{badge{"Retrying", "warn"}, e.URL, plural(counted.Retrying, "message was", "messages were") + " not taken, and will be tried again.",
			"See why", page + "?state=retrying"})
	}
	if counted.Failed > 0 {
		list = append(list, need{badge{"Failed", "bad"}, e.URL, plural(counted.Failed, "message was", "messages were") + " given up.",
			"Recover", page + "/recover?kind=recover&since=" + since.UTC().Format(time.RFC3339)})
	}
	return list
}

// reachRate is how many of the contacts that were tried were reached.
func reachRate(contacts map[aftercall.ContactStatus]int) string {
	reached := contacts[aftercall.ContactReached]
	tried := reached + contacts[aftercall.ContactPending] + contacts[aftercall.ContactClosed]
	if tried == 0 {
		return "—"
	}
	return strconv.Itoa((100*reached+tried/2)/tried) + " %"
}

func callChart(c clock, over span24, begin time.Time, counted []store.CallCount) (chartData, int) {
	out := newChart(c, "Calls by status over "+over.Name, begin, over.Part, over.N)
	total := 0
	for _, status := range callStatuses() {
		series := chartSeries{callBadge(status).Text, callTone(status), make([]int, over.N)}
		for _, n := range counted {
			if n.Status == status && n.Part < over.N {
				series.Values[n.Part] += n.Calls
				total += n.Calls
			}
		}
		out.Series = append(out.Series, series)
	}
	return out, total
}
