package portal

import (
	"time"

	"github.com/a-h/templ"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) agentRoutes() {
	p.show("/portal/{account}/agents", auth.Full, p.agents)
	p.show("/portal/{account}/agents/new", auth.Full, p.newAgent)
	p.do("/portal/{account}/agents/new", auth.Full, p.addAgent, p.newAgent)
	p.show("/portal/{account}/agents/{agent}", auth.Full, p.agent)
	p.do("/portal/{account}/agents/{agent}/on", auth.Full, p.switchAgent(true), p.agent)
	p.do("/portal/{account}/agents/{agent}/off", auth.Full, p.switchAgent(false), p.agent)
	p.do("/portal/{account}/agents/{agent}/delete", auth.Full, p.deleteAgent, p.agent)
	p.agentForm("general", "General", generalPage, readGeneral)
	p.agentForm("engine", "Voice engine", enginePage, readEngine)
	p.agentForm("dialer", "Auto-dialer", dialerPage, readDialer)
	p.agentForm("hours", "Dialling hours", hoursPage, readHours)
	p.agentForm("numbers", "From-numbers", numbersPage, readNumbers)
	p.do("/portal/{account}/agents/{agent}/rotate", auth.Full, p.rotateAgentSecret, p.agentPage("Voice engine", enginePage))
	p.outcomeRoutes()
}

const (
	// agentsShown is how many agents are looked at where all of an account's are.
	agentsShown = 100
	// waitingCounted is up to how many waiting runs are counted.
	waitingCounted = 10_000
	// soon is how far ahead calls are counted that are due.
	soon = time.Hour
	// nextShown is how many of the next calls, or of the calls in progress, are shown.
	nextShown = 10
)

// agentRow is an agent with what it is doing.
type agentRow struct {
	aftercall.Agent
	Dials   bool // whether its voice engine runs here
	Waiting int
	Live    int
	Next    time.Time
}

// agentsView is the list of an account's agents.
type agentsView struct {
	*visit
	pager
	Rows []agentRow
}

// simulated reports whether one of the agents calls nobody.
func (v agentsView) simulated() bool {
	for _, row := range v.Rows {
		if row.Engine.Kind == aftercall.SimulatorEngine {
			return true
		}
	}
	return false
}

func (p *Portal) agents(v *visit) (view, error) {
	shown := agentsView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		part := v.part()
		part.Descending = false // the default one came first
		list, err := tx.Agents(v.account.ID, part)
		if err != nil {
			return err
		}
		list, shown.pager = paged(v, list, func(a aftercall.Agent) string { return a.ID })
		live, err := tx.CountLive(v.account.ID)
		if err != nil {
			return err
		}
		for _, a := range list {
			row, err := p.agentRow(tx, a)
			if err != nil {
				return err
			}
			row.Live = live[a.ID]
			shown.Rows = append(shown.Rows, row)
		}
		return nil
	})
	return ofAgents("Agents", agentsPage(shown)), err
}

// ofAgents is a page of the agents' part.
func ofAgents(title string, body templ.Component) view {
	return view{Title: title, Section: "Agents", Body: body}
}

func (p *Portal) agentRow(tx *store.Tx, a aftercall.Agent) (row agentRow, err error) {
	row = agentRow{Agent: a, Dials: p.Dialer.Dials(a.Engine.Kind)}
	if row.Waiting, err = tx.CountWaiting(agentRef(a), time.Time{}, waitingCounted); err != nil {
		return row, err
	}
	row.Next, err = tx.NextRun(agentRef(a))
	return row, err
}

func agentRef(a aftercall.Agent) store.AgentRef {
	return store.AgentRef{AccountID: a.AccountID, AgentID: a.ID}
}

// agentHead is what all pages about one agent show of it.
type agentHead struct {
	*visit
	aftercall.Agent
	Dials bool // whether its voice engine runs here
}

func (h agentHead) page(parts ...string) string {
	return h.at(append([]string{"agents", h.Agent.ID}, parts...)...)
}

func (p *Portal) agentHead(v *visit) (agentHead, error) {
	a, err := p.Dialer.Agent(v.Context(), v.account.ID, v.PathValue("agent"))
	return agentHead{v, a, p.Dialer.Dials(a.Engine.Kind)}, err
}

// agentView is an agent with what it is doing and what it will.
type agentView struct {
	agentHead
	Row    agentRow
	Soon   int // calls due within the hour
	Line   aftercall.Line
	Coming []comingRow
}

// comingRow is a run that waits for its next call.
type comingRow struct {
	aftercall.Run
	Contact aftercall.Contact
}

func (p *Portal) agent(v *visit) (view, error) {
	head, err := p.agentHead(v)
	if err != nil {
		return view{}, err
	}
	shown := agentView{agentHead: head}
	err = p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.Row, err = p.agentRow(tx, head.Agent); err != nil {
			return err
		}
		if shown.Soon, err = tx.CountWaiting(agentRef(head.Agent), v.now.Add(soon), waitingCounted); err != nil {
			return err
		}
		live, err := tx.CountLive(v.account.ID)
		if err != nil {
			return err
		}
		shown.Row.Live = live[head.Agent.ID]
		lines, err := tx.Lines(v.account.ID)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if line.ID == head.Engine.Line() {
				shown.Line = line
			}
		}
		shown.Coming, err = coming(tx, head.Agent)
		return err
	})
	return ofAgents(head.Title, agentPage(shown)), err
}

// coming are an agent's next calls.
func coming(tx *store.Tx, a aftercall.Agent) ([]comingRow, error) {
	runs, err := tx.OpenRunsOf(agentRef(a), nextShown)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(runs))
	for i, r := range runs {
		ids[i] = r.ContactID
	}
	contacts, err := tx.Contacts(a.AccountID, ids)
	rows := make([]comingRow, len(runs))
	for i, r := range runs {
		rows[i] = comingRow{r, contacts[r.ContactID]}
	}
	return rows, err
}

// newAgentView is what a new agent begins with, as it is typed.
type newAgentView struct {
	*visit
	Language string
}

func (p *Portal) newAgent(v *visit) (view, error) {
	return ofAgents("Add agent", newAgentPage(newAgentView{v, v.filled("language", "en")})), nil
}

func (p *Portal) addAgent(v *visit) (done, error) {
	a := aftercall.NewAgent(v.account.ID, v.now)
	readGeneral(&reading{visit: v}, &a)
	err := p.Dialer.AddAgent(v.Context(), &a)
	return done{To: v.at("agents", a.ID), Said: "Agent added. It begins with the simulator, which calls nobody."}, asTyped(err)
}

func (p *Portal) switchAgent(on bool) action {
	said := "Auto-dialer off: nobody is called any more. Calls in progress go on, and what waits goes on waiting."
	if on {
		said = "Auto-dialer on."
	}
	return func(v *visit) (done, error) {
		a, err := p.Dialer.UpdateAgent(v.Context(), v.account.ID, v.PathValue("agent"), func(a *aftercall.Agent) { a.Dialing.Enabled = on })
		return done{To: v.at("agents", a.ID), Said: said}, err
	}
}

func (p *Portal) deleteAgent(v *visit) (done, error) {
	err := p.Dialer.DeleteAgent(v.Context(), v.account.ID, v.PathValue("agent"))
	return done{To: v.at("agents"), Said: "Agent deleted, and its runs ended."}, err
}

// filled is what was typed into a field of a form that is shown again, else what is
// stored.
func (v *visit) filled(field, stored string) string {
	if v.problem != nil {
		return v.FormValue(field)
	}
	return stored
}
