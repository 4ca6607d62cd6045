package portal

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

// fictionalNumber is set aside for fiction: it rings nowhere.
const fictionalNumber = "+14155550100"

func testNumber(v *visit) string {
	if typed := v.typed("phone_number"); typed != "" {
		return typed
	}
	return fictionalNumber
}

// testCall records a finished call, as if somebody had just been reached, and all that
// follows a real one follows.
func (p *Portal) testCall(v *visit) (done, error) {
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		_, err := v.head(tx) // of an endpoint that is not there nothing can be tried
		return err
	})
	if err != nil {
		return done{}, err
	}
	at := v.now.Truncate(time.Millisecond)
	call := aftercall.Call{
		ExternalID: "test-" + aftercall.NewUUID(), Direction: aftercall.Outbound, FromNumber: "+14155550199", ToNumber: testNumber(v),
		TriggeredAt: at.Add(-95 * time.Second), StartedAt: at.Add(-84 * time.Second), EndedAt: at,
		Status: aftercall.CallCompleted, EndReason: aftercall.EndContactHangup,
		Turns: []aftercall.Turn{
			{Role: aftercall.RoleAgent, Content: "Hello, this is a test call from Aftercall. Is now a good time?"},
			{Role: aftercall.RoleUser, Content: "Yes, please go ahead."},
			{Role: aftercall.RoleAgent, Content: "You asked about solar panels. Shall a colleague visit you on Tuesday at ten?"},
			{Role: aftercall.RoleUser, Content: "Tuesday at ten is fine, thank you."},
			{Role: aftercall.RoleAgent, Content: "It is booked. Goodbye!"},
		},
		Analysis: json.RawMessage(`{"appointment": {"value": true, "details": "Tuesday, 10:00"},` +
			` "interest": {"value": true, "details": "The customer is interested in solar panels"},` +
			` "summary": {"value": true, "details": "A test call: the customer agreed to a visit on Tuesday at ten"}}`),
	}
	finished, err := p.Dialer.Finish(v.Context(), v.account.ID, dialer.Report{Call: call, PhoneNumber: call.ToNumber})
	return done{To: v.at("calls", finished.CallID), Said: "Test call made. What it caused is below; see that your CRM record was updated."}, err
}

// simulation is a way in which the simulator lets a call go, which the end of the number
// asks for.
type simulation struct{ Ending, Text string }

func simulations() []simulation {
	return []simulation{
		{"00", "Agrees to an appointment"}, {"01", "Is interested"}, {"02", "Is not interested, and says why"}, {"03", "Asks to be called back"},
		{"04", "Asks not to be called again"}, {"05", "Is somebody else"}, {"06", "Hangs up after hello"}, {"10", "Does not answer"}, {"11", "Is busy"},
		{"12", "Rejects the call"}, {"20", "Has a mailbox that answers"}, {"30", "Has a number that does not exist"}, {"31", "Cannot be called: the voice engine fails"},
	}
}

// fictionalAreas are area codes in which a number is called. Each number may be called a
// few times a day only, and not again once it was asked not to be.
func fictionalAreas() []string {
	return []string{"202", "212", "303", "312", "404", "415", "503", "512", "602", "617", "702", "713"}
}

func fictional(area, ending string) string { return "+1" + area + "55501" + ending }

// simulates reports whether the account's default agent is on the simulator, and that
// runs here: nothing else may be made to call numbers that are made up.
func (p *Portal) simulates(v *visit) (aftercall.Agent, bool, error) {
	a, err := p.Dialer.Agent(v.Context(), v.account.ID, store.DefaultAgent)
	if aftercall.KindOf(err) == aftercall.NotFound {
		return a, false, nil
	}
	return a, err == nil && a.Engine.Kind == aftercall.SimulatorEngine && p.Dialer.Dials(a.Engine.Kind), err
}

// simulateCall has the dialer call a test contact, as it calls anybody, but through the
// simulator.
func (p *Portal) simulateCall(v *visit) (done, error) {
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		_, err := v.head(tx) // as for testCall
		return err
	})
	if err != nil {
		return done{}, err
	}
	ending := v.typed("ending")
	if !slices.ContainsFunc(simulations(), func(s simulation) bool { return s.Ending == ending }) {
		return done{}, aftercall.InvalidField("ending", "choose what the test contact does")
	}
	agent, ok, err := p.simulates(v)
	if err == nil && !ok {
		err = aftercall.Errorf(aftercall.Invalid, "the default agent is not on the simulator, so the call would not be simulated")
	}
	if err != nil {
		return done{}, err
	}
	var initiated dialer.Initiated
	for _, area := range fictionalAreas() {
		var contact string
		if contact, err = p.testPerson(v, fictional(area, ending)); err != nil {
			return done{}, err
		}
		initiated, err = p.Dialer.Initiate(v.Context(), v.account.ID, dialer.Wanted{ContactID: contact, AgentID: agent.ID})
		if !usedUp(err) {
			break
		}
	}
	return done{To: v.at("calls", initiated.Call.ID) + "?follow=yes", Said: "A simulated call is on its way. Nobody is called."}, err
}

// usedUp reports whether it is the number that keeps a call from being made, so that
// another one may do.
func usedUp(err error) bool {
	e, ok := errors.AsType[*aftercall.Error](err)
	return ok && slices.Contains([]string{"ATTEMPT_LIMIT", "NUMBER_BLOCKED", "IN_CALL", dialer.OpenRunExists}, e.Code)
}

// testPerson finds the contact with a number, or adds one.
func (p *Portal) testPerson(v *visit, number string) (id string, err error) {
	var c aftercall.Contact
	err = p.Store.View(v.Context(), func(tx *store.Tx) error {
		c, err = tx.Contact(v.account.ID, store.ByPhone, number)
		return err
	})
	if aftercall.KindOf(err) == aftercall.NotFound {
		c = aftercall.Contact{AccountID: v.account.ID, FirstName: "Test", LastName: "Person", PhoneNumber: number}
		err = p.Dialer.AddContact(v.Context(), &c)
	}
	return c.ID, err
}
