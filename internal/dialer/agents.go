package dialer

import (
	"context"
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// AddAgent stores a new agent; its ID and times are set. Error: Invalid.
func (d *Dialer) AddAgent(ctx context.Context, a *aftercall.Agent) error {
	if err := a.Validate(); err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx *store.Tx) error {
		a.CreatedAt, a.UpdatedAt = tx.Now(), tx.Now()
		return tx.InsertAgent(*a)
	})
}

// Agent finds an agent, with its secret. The id "default" is that of the default one.
func (d *Dialer) Agent(ctx context.Context, accountID, id string) (a aftercall.Agent, err error) {
	if id, err = agentID(id); err != nil {
		return a, err
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		a, err = tx.AgentWithSecret(accountID, id)
		return err
	})
	return a, err
}

// agentID checks the id of an agent; an empty one is that of the default agent.
func agentID(id string) (string, error) {
	if id == "" || id == store.DefaultAgent {
		return store.DefaultAgent, nil
	}
	id, ok := uuidOf(id)
	if !ok {
		return "", noAgent()
	}
	return id, nil
}

// Agents lists agents by id.
func (d *Dialer) Agents(ctx context.Context, accountID string, p store.Page) (list []aftercall.Agent, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Agents(accountID, p)
		return err
	})
	return list, err
}

// UpdateAgent changes an agent and returns it as it is then. Calls that are planned
// stay so, and are checked against the new rules when their time comes. Errors: Invalid,
// NotFound.
func (d *Dialer) UpdateAgent(ctx context.Context, accountID, id string, change func(*aftercall.Agent)) (a aftercall.Agent, err error) {
	if id, err = agentID(id); err != nil {
		return a, err
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if a, err = tx.TakeAgent(accountID, id); err != nil {
			return err
		}
		change(&a)
		if err := a.Validate(); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		return tx.UpdateAgent(a)
	})
	return a, err
}

// Dials reports whether a voice engine runs here. The calls of agents whose engine does
// not, wait.
func (d *Dialer) Dials(kind aftercall.EngineKind) bool { return d.engines[kind] != nil }

// RotateAgentSecret gives an agent a new secret and returns the agent with it; the old one
// ends at once. What its voice engine still signs with it is refused, and asked for later.
// Error: NotFound.
func (d *Dialer) RotateAgentSecret(ctx context.Context, accountID, id string) (a aftercall.Agent, err error) {
	if id, err = agentID(id); err != nil {
		return a, err
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if a, err = tx.TakeAgent(accountID, id); err != nil {
			return err
		}
		a.Engine.Secret, a.UpdatedAt = aftercall.NewSecret(aftercall.HMAC, tx.Now()), tx.Now()
		if err := tx.ReplaceAgentSecret(store.AgentRef{AccountID: accountID, AgentID: a.ID}, a.Engine.Secret); err != nil {
			return err
		}
		return tx.UpdateAgent(a)
	})
	return a, err
}

// DeleteAgent removes an agent. Its open runs end, and their contacts are closed; its
// calls in progress are taken as they end; its call schedulers are disabled. Errors: NotFound, Conflict for the default
// agent, which stays.
func (d *Dialer) DeleteAgent(ctx context.Context, accountID, id string) error {
	a, err := d.Agent(ctx, accountID, id)
	if err != nil {
		return err
	}
	if a.Default {
		return aftercall.Errorf(aftercall.Conflict, "the default agent cannot be deleted: requests that name no agent mean it")
	}
	ref := store.AgentRef{AccountID: accountID, AgentID: a.ID}
	for more := true; more; { // not all at once: there may be many
		err := d.store.Update(ctx, func(tx *store.Tx) error {
			more = false
			if _, err := tx.HoldAgent(accountID, a.ID); err != nil { // whoever opens a run waits, and then finds no agent
				return err
			}
			if live, err := tx.CountLiveOf(ref); err != nil || live > 0 {
				if err == nil {
					err = errTalking()
				}
				return err
			}
			if err := disableSchedulers(tx, ref); err != nil { // before its runs, so that no more are opened
				return err
			}
			waiting, err := tx.OpenRunsOf(ref, maxPlan)
			if err != nil {
				return err
			}
			if len(waiting) > 0 {
				more = true
				return removeRuns(tx, accountID, waiting, aftercall.RunAgentRemoved)
			}
			return tx.DeleteAgent(ref)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func errTalking() *aftercall.Error {
	return aftercall.Errorf(aftercall.Conflict, "the agent has calls in progress: switch its auto-dialer off, and delete it when they have ended").WithCode("CALLS_IN_PROGRESS")
}

// removeRuns ends runs without a call, and closes their contacts.
func removeRuns(tx *store.Tx, accountID string, runs []aftercall.Run, why aftercall.RunEnd) error {
	ids := make([]string, len(runs))
	for i, r := range runs {
		ids[i] = r.ContactID
	}
	contacts, err := tx.TakeContacts(accountID, ids)
	if err != nil {
		return err
	}
	open, err := tx.OpenRuns(accountID, ids) // as they are now that their contacts are held
	if err != nil {
		return err
	}
	w := newWrites(tx, accountID)
	for _, before := range runs {
		r, ok := open[before.ContactID]
		if !ok || r.ID != before.ID { // ended meanwhile, and perhaps begun anew
			continue
		}
		w.end(contacts[r.ContactID], r.Removed(why, tx.Now()))
	}
	return w.flush()
}

// EnsureAgents gives a default agent to accounts that are older than agents.
func (d *Dialer) EnsureAgents(ctx context.Context) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		ids, err := tx.AccountsWithoutAgent()
		for _, id := range ids {
			if err := tx.InsertAgent(aftercall.NewDefaultAgent(id, tx.Now())); err != nil {
				return err
			}
		}
		return err
	})
}

// agentCache remembers agents for a moment: each callback needs its agent's secret.
type agentCache struct {
	mu    sync.Mutex
	known map[store.AgentRef]cachedAgent
}

type cachedAgent struct {
	agent aftercall.Agent
	at    time.Time
}

const (
	// agentTrust is how long a remembered agent is believed. It bounds how long a secret
	// goes on working after another process has changed it.
	agentTrust = time.Second
	// maxCachedAgents bounds the memory.
	maxCachedAgents = 10_000
)

func (c *agentCache) forget(ref store.AgentRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, ref)
}

// agent is Agent from memory.
func (d *Dialer) agent(ctx context.Context, ref store.AgentRef) (aftercall.Agent, error) {
	c := &d.agents
	c.mu.Lock()
	cached, ok := c.known[ref]
	c.mu.Unlock()
	if ok && time.Since(cached.at) < agentTrust {
		return cached.agent, nil
	}
	at := time.Now() // before it is read, so that it is not believed for longer
	a, err := d.Agent(ctx, ref.AccountID, ref.AgentID)
	if err != nil {
		return a, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCachedAgents {
		c.known = map[store.AgentRef]cachedAgent{}
	}
	c.known[ref] = cachedAgent{a, at}
	return a, nil
}
