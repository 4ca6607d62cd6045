package dialer

import (
	"context"
	"net/http"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Inbound is a call that somebody makes to an agent, as its voice engine asks about it
// before it connects them.
type Inbound struct {
	Ref  string // the engine's own id; may be empty
	Asks string // names the question: the same again is the same call
	From string // E.164; empty when the caller withholds it
	To   string // E.164; empty when it is not known
}

// Caller is what an agent may know of who is calling.
type Caller struct {
	CallID    string             // what is told of the call afterwards, names it; empty when nobody can be told of
	Contact   *aftercall.Contact // nil when the caller withholds the number, or was erased
	Variables map[string]string
}

// Answer takes a question of a voice engine who is calling. A number that no contact has
// is looked up at the account's own system, and becomes a contact in any case. The call
// is live from then on; the same question again answers the same. Errors: NotFound,
// Unauthenticated, Invalid.
func (d *Dialer) Answer(ctx context.Context, kind aftercall.EngineKind, ref store.AgentRef, header http.Header, body []byte) (Caller, error) {
	agent, engine, err := d.calledBack(ctx, kind, ref)
	if err != nil {
		return Caller{}, err
	}
	in, err := engine.Inbound(agent, header, body)
	if err != nil || in.From == "" {
		return Caller{}, err
	}
	known, err := d.knows(ctx, agent, in)
	if err != nil {
		return Caller{}, err
	}
	var found *aftercall.Found
	if !known {
		found = d.lookUp(ctx, agent.AccountID, in.From, in.To)
	}
	var caller Caller
	err = d.update(ctx, func(tx *store.Tx) (err error) {
		caller, err = called(tx, agent, in, found)
		return err
	})
	return caller, err
}

// knows reports whether an inbound call, or the number of its caller, was seen before.
func (d *Dialer) knows(ctx context.Context, agent aftercall.Agent, in Inbound) (known bool, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		id, err := tx.RememberedInbound(store.AgentRef{AccountID: agent.AccountID, AgentID: agent.ID}, in.Asks)
		if err != nil || id != "" {
			known = id != ""
			return err
		}
		known, err = hasNumber(tx, agent.AccountID, in.From)
		return err
	})
	return known, err
}

// hasNumber reports whether a contact has a number.
func hasNumber(tx *store.Tx, accountID, number string) (bool, error) {
	_, err := tx.Contact(accountID, store.ByPhone, number)
	if aftercall.KindOf(err) == aftercall.NotFound {
		return false, nil
	}
	return err == nil, err
}

// called stores an inbound call as a live one, unless it was before.
func called(tx *store.Tx, agent aftercall.Agent, in Inbound, found *aftercall.Found) (Caller, error) {
	id := aftercall.NewUUID()
	first, err := tx.RememberInbound(store.AgentRef{AccountID: agent.AccountID, AgentID: agent.ID}, in.Asks, id)
	if err != nil {
		return Caller{}, err
	}
	if first != id {
		return calledBefore(tx, agent.AccountID, first)
	}
	contact, err := takeContact(tx, agent.AccountID, Report{PhoneNumber: in.From, found: found})
	if err != nil {
		return Caller{}, err
	}
	l := agent.Called(contact, in.From, in.To, tx.Now())
	l.ID, l.Ref = id, in.Ref
	if err := tx.PutLiveCalls([]aftercall.LiveCall{l}); err != nil {
		return Caller{}, err
	}
	return callerOf(id, contact), nil
}

// calledBefore answers a question once more.
func calledBefore(tx *store.Tx, accountID, callID string) (Caller, error) {
	contactID := ""
	live, err := tx.LiveCall(accountID, callID)
	if err == nil {
		contactID = live.ContactID
	} else if aftercall.KindOf(err) == aftercall.NotFound {
		var over aftercall.Call
		over, err = tx.Call(accountID, callID)
		contactID = over.ContactID
	}
	if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
		return Caller{}, err
	}
	contacts, err := tx.Contacts(accountID, []string{contactID})
	if contact, ok := contacts[contactID]; ok {
		return callerOf(callID, contact), err
	}
	return Caller{CallID: callID}, err
}

func callerOf(callID string, contact aftercall.Contact) Caller {
	return Caller{CallID: callID, Contact: &contact, Variables: variables(placement{contact: contact})}
}
