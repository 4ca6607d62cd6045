package portal

import (
	"slices"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

func (p *Portal) outcomeRoutes() {
	p.show("/portal/{account}/agents/{agent}/outcomes", auth.Full, p.outcomes)
	p.do("/portal/{account}/agents/{agent}/outcomes", auth.Full, p.saveOutcome, p.outcomes)
	p.show("/portal/{account}/agents/{agent}/outcomes/{field}", auth.Full, p.outcome)
	p.do("/portal/{account}/agents/{agent}/outcomes/{field}", auth.Full, p.saveOutcome, p.outcome)
	p.do("/portal/{account}/agents/{agent}/outcomes/{field}/delete", auth.Full, p.deleteOutcome, p.outcome)
}

// outcomeView is an agent's outcome fields, and the form of one.
type outcomeView struct {
	agentHead
	Edited aftercall.OutcomeField // as stored; zero for a new one
}

func (p *Portal) outcomes(v *visit) (view, error) {
	head, err := p.agentHead(v)
	return ofAgents("Outcome fields of "+head.Title, outcomesPage(outcomeView{head, aftercall.OutcomeField{Type: aftercall.OutcomeBoolean}})), err
}

func (p *Portal) outcome(v *visit) (view, error) {
	head, err := p.agentHead(v)
	if err != nil {
		return view{}, err
	}
	i := outcomeIndex(head.OutcomeFields, v.PathValue("field"))
	if i < 0 {
		return view{}, noOutcome()
	}
	return ofAgents("Outcome field of "+head.Title, outcomePage(outcomeView{head, head.OutcomeFields[i]})), nil
}

func noOutcome() error {
	return aftercall.Errorf(aftercall.NotFound, "the agent has no such outcome field")
}

func outcomeIndex(fields []aftercall.OutcomeField, name string) int {
	return slices.IndexFunc(fields, func(o aftercall.OutcomeField) bool { return o.Name == name })
}

func (v *visit) readOutcome() aftercall.OutcomeField {
	o := aftercall.OutcomeField{
		Name: v.typed("name"), Type: aftercall.OutcomeType(v.typed("type")), Instructions: v.typed("instructions"), Reason: v.typed("reason") != "",
	}
	if o.Type == aftercall.OutcomeCategory { // else left over from another choice
		o.Options = lines(v.FormValue("options"))
	}
	return o
}

// saveOutcome adds a field, or changes the one of the address.
func (p *Portal) saveOutcome(v *visit) (done, error) {
	typed, name, found := v.readOutcome(), v.PathValue("field"), true
	a, err := p.Dialer.UpdateAgent(v.Context(), v.account.ID, v.PathValue("agent"), func(a *aftercall.Agent) {
		if name == "" {
			a.OutcomeFields = append(a.OutcomeFields, typed)
			return
		}
		i := outcomeIndex(a.OutcomeFields, name)
		if found = i >= 0; found {
			a.OutcomeFields[i] = typed
		}
	})
	if err == nil && !found {
		err = noOutcome()
	}
	return done{To: v.at("agents", a.ID, "outcomes"), Said: "Field saved. It is read from the calls that follow."}, asTyped(err)
}

func (p *Portal) deleteOutcome(v *visit) (done, error) {
	found := false
	a, err := p.Dialer.UpdateAgent(v.Context(), v.account.ID, v.PathValue("agent"), func(a *aftercall.Agent) {
		i := outcomeIndex(a.OutcomeFields, v.PathValue("field"))
		if found = i >= 0; found {
			a.OutcomeFields = slices.Delete(a.OutcomeFields, i, i+1)
		}
	})
	if err == nil && !found {
		err = noOutcome()
	}
	return done{To: v.at("agents", a.ID, "outcomes"), Said: "Field removed. Calls that have it keep it."}, err
}
