package portal

import (
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) dialingRoutes() {
	p.do("/portal/{account}/contacts/{contact}/schedule", auth.Full, p.schedule, p.contact)
	p.do("/portal/{account}/contacts/{contact}/call", auth.Full, p.callNow, p.contact)
	p.do("/portal/{account}/contacts/{contact}/remove", auth.Full, p.removeFromDialer, p.contact)
	p.do("/portal/{account}/contacts/{contact}/block", auth.Full, p.blockContact, p.contact)
}

// runsShown is how many runs of a contact are shown.
const runsShown = 10

// dialing is how a contact stands with the auto-dialer.
type dialing struct {
	Run     aftercall.Run              // the open one; zero when there is none
	Before  []aftercall.Run            // those that ended, newest first
	Agent   aftercall.Agent            // of the open run, else of the last, else the default one
	Choice  []aftercall.Agent          // those that the contact may be called by
	Agents  map[string]aftercall.Agent // by id
	Live    []aftercall.LiveCall
	Blocked bool
	There   clock // as the contact's wall tells the time
	Zone    string
}

// simulated reports whether what is shown of calls is only played.
func (d dialing) simulated() bool {
	return d.Agent.Engine.Kind == aftercall.SimulatorEngine && (d.Run.ID != "" || len(d.Before)+len(d.Live) > 0)
}

// dialing reads how a contact stands.
func (v *visit) dialing(tx *store.Tx, c aftercall.Contact) (d dialing, err error) {
	d.Zone, d.There = thereOf(c, v)
	if d.Choice, err = tx.Agents(v.account.ID, store.Page{Limit: agentsShown}); err != nil {
		return d, err
	}
	d.Agents = byID(d.Choice)
	if d.Live, err = tx.LiveCallsOf(v.account.ID, c.ID); err != nil {
		return d, err
	}
	runs, err := tx.ContactRuns(v.account.ID, c.ID, runsShown+1)
	if err != nil {
		return d, err
	}
	for i, r := range runs {
		if i == 0 {
			d.Agent = d.Agents[r.AgentID]
		}
		if r.Open() {
			d.Run, d.Agent = r, d.Agents[r.AgentID]
		} else {
			d.Before = append(d.Before, r)
		}
	}
	for _, a := range d.Choice {
		if d.Agent.ID == "" && a.Default {
			d.Agent = a
		}
	}
	blocked, err := tx.Blocked(v.account.ID, []string{aftercall.NumberHash(v.account.ID, c.PhoneNumber)})
	d.Blocked = len(blocked) > 0
	return d, err
}

func byID(list []aftercall.Agent) map[string]aftercall.Agent {
	agents := make(map[string]aftercall.Agent, len(list))
	for _, a := range list {
		agents[a.ID] = a
	}
	return agents
}

// thereOf is the clock where a contact most likely is, and its zone.
func thereOf(c aftercall.Contact, v *visit) (string, clock) {
	name := c.ZoneNames(v.account.Timezone)[0]
	zone, err := time.LoadLocation(name)
	if err != nil { // of a newer table of numbers than the program knows
		name, zone = "UTC", time.UTC
	}
	return name, clock{zone, v.now}
}

// wanted is who is to be called, by which agent; without one, by that of the open run,
// or the default one.
func (v *visit) wanted() dialer.Wanted {
	return dialer.Wanted{ContactID: v.PathValue("contact"), AgentID: v.typed("agent")}
}

func (p *Portal) schedule(v *visit) (done, error) {
	_, failed, err := p.Dialer.Schedule(v.Context(), v.account.ID, []dialer.Wanted{v.wanted()})
	if err == nil {
		err = failed[0]
	}
	return done{To: v.at("contacts", v.PathValue("contact")), Said: "In the auto-dialer. Below is when the next call is due."}, err
}

func (p *Portal) callNow(v *visit) (done, error) {
	_, err := p.Dialer.Initiate(v.Context(), v.account.ID, v.wanted())
	return done{To: v.at("contacts", v.PathValue("contact")), Said: "The call is being placed."}, err
}

func (p *Portal) removeFromDialer(v *visit) (done, error) {
	id := v.PathValue("contact")
	failed, err := p.Dialer.Remove(v.Context(), v.account.ID, []string{id})
	if err == nil {
		err = failed[0]
	}
	return done{To: v.at("contacts", id), Said: "Taken out of the auto-dialer. A call in progress goes on."}, err
}

func (p *Portal) blockContact(v *visit) (done, error) {
	c, err := p.Dialer.Contact(v.Context(), v.account.ID, v.PathValue("contact"))
	if err != nil {
		return done{}, err
	}
	_, err = p.Dialer.BlockNumber(v.Context(), v.account.ID, c.PhoneNumber, v.typed("reason"))
	return done{To: v.at("contacts", c.ID), Said: "Number blocked: it is not dialled any more, whatever was planned."}, err
}

// liveRow is a call in progress with whom and what makes it.
type liveRow struct {
	aftercall.LiveCall
	Contact aftercall.Contact
	Agent   string
}

// liveShown is how many calls in progress are shown.
const liveShown = 50

// liveRows are the newest calls in progress.
func liveRows(tx *store.Tx, accountID string) ([]liveRow, error) {
	list, err := tx.LiveCalls(accountID, liveShown)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, l := range list {
		ids[i] = l.ContactID
	}
	contacts, err := tx.Contacts(accountID, ids)
	if err != nil {
		return nil, err
	}
	agents, err := tx.Agents(accountID, store.Page{Limit: agentsShown})
	rows := make([]liveRow, len(list))
	for i, l := range list {
		rows[i] = liveRow{l, contacts[l.ContactID], agentName(byID(agents), l.AgentID)}
	}
	return rows, err
}

// simulated reports whether a call in progress is only played.
func simulated(l aftercall.LiveCall) bool { return l.Line == string(aftercall.SimulatorEngine) }

// liveView is a call in progress.
type liveView struct {
	*visit
	liveRow
	Steps []step
}

// liveCall is the page of a call as long as it is in progress.
func (p *Portal) liveCall(v *visit) (view, error) {
	shown := liveView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.LiveCall, err = tx.LiveCall(v.account.ID, v.PathValue("call")); err != nil {
			return err
		}
		contacts, err := tx.Contacts(v.account.ID, []string{shown.ContactID})
		if err != nil {
			return err
		}
		shown.Contact = contacts[shown.ContactID]
		agent, err := tx.Agent(v.account.ID, shown.AgentID)
		if aftercall.KindOf(err) == aftercall.NotFound {
			err = nil
		}
		shown.Agent = agentName(map[string]aftercall.Agent{agent.ID: agent}, shown.AgentID)
		return err
	})
	l := shown.LiveCall
	shown.Steps = stepsOf(aftercall.Call{TriggeredAt: l.TriggeredAt, StartedAt: l.Progress.AnsweredAt, EndedAt: l.Progress.EndedAt, EndReason: l.Progress.Reason},
		l.Progress.RangAt, nil)
	return view{Title: "Call with " + nameOf(shown.Contact, aftercall.Call{}), Section: "Calls", Body: livePage(shown)}, err
}

// step is a part of a call that somebody follows.
type step struct {
	Name  string
	State badge
	At    time.Time
}

// stepsOf tells how far a call has come, and what it caused. A time that is zero has not
// come, or is not known.
func stepsOf(c aftercall.Call, rang time.Time, caused []causedMessage) []step {
	waiting, done := badge{"Not yet", ""}, badge{"Done", "good"}
	list := []step{{"Placed", done, c.TriggeredAt}, {"Ringing", waiting, rang}, {"Answered", waiting, c.StartedAt}, {"Ended", waiting, c.EndedAt}}
	over := !c.EndedAt.IsZero()
	switch {
	case !rang.IsZero(), !c.StartedAt.IsZero(), over && (c.EndReason == aftercall.EndNoAnswer || c.EndReason == aftercall.EndRejected):
		list[1].State = done
	case over:
		list[1].State = badge{"No", ""}
	}
	switch {
	case !c.StartedAt.IsZero():
		list[2].State = done
	case over:
		list[2].State = badge{"Nobody", ""}
	}
	if over {
		list[3].State = done
	}
	for i := range list[:3] {
		if !over && list[i].State == done && list[i+1].State != done {
			list[i].State = badge{"Now", "warn"}
		}
	}
	return append(list, webhookStep(caused))
}

// webhookStep tells whether a call's end has reached who wants to know it.
func webhookStep(caused []causedMessage) step {
	s := step{Name: "Webhook", State: badge{"Not yet", ""}}
	for _, m := range caused {
		if m.EventType != aftercall.CallEnded {
			continue
		}
		s.State = badge{"No endpoint wants it", ""}
		for _, to := range m.To {
			s.State = badgeOf(to.Delivery)
			if to.Delivery.State != aftercall.Succeeded {
				return s
			}
			s.State = badge{"Delivered", "good"}
		}
	}
	return s
}
