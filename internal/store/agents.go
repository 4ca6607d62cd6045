package store

import (
	"github.com/aftercall/aftercall"
)

// AgentRef names an agent.
type AgentRef struct{ AccountID, AgentID string }

const agentColumns = `account_id, id, title, language, is_default, engine, dialing, from_numbers, outcome_fields, created_at, updated_at`

func readAgent(s scan) (a aftercall.Agent, err error) {
	err = s(&a.AccountID, &a.ID, &a.Title, &a.Language, &a.Default, jsonAt(&a.Engine), jsonAt(&a.Dialing), jsonAt(&a.FromNumbers),
		jsonAt(&a.OutcomeFields), timeAt(&a.CreatedAt), timeAt(&a.UpdatedAt))
	return a, err
}

// DefaultAgent stands for the id of an account's default agent.
const DefaultAgent = "default"

// Agent finds an agent by its id, or the default one, without its secret.
func (tx *Tx) Agent(accountID, id string) (aftercall.Agent, error) {
	condition, args := namedAgent(accountID, id)
	a, err := one(tx, readAgent, `SELECT `+agentColumns+` FROM agent WHERE `+condition, args...)
	return a, notFound(err, "agent")
}

// AgentWithSecret is Agent with the secret that signs to its voice engine and back. The
// error wraps [ErrSealed] when the master key is missing.
func (tx *Tx) AgentWithSecret(accountID, id string) (aftercall.Agent, error) {
	a, err := tx.Agent(accountID, id)
	if err != nil {
		return a, err
	}
	return tx.withSecret(a)
}

// HoldAgent is Agent for one that must stay as it is until the transaction ends, see
// TakeContact.
func (tx *Tx) HoldAgent(accountID, id string) (aftercall.Agent, error) {
	condition, args := namedAgent(accountID, id)
	a, err := one(tx, readAgent, `UPDATE agent SET updated_at = updated_at WHERE `+condition+` RETURNING `+agentColumns, args...)
	return a, notFound(err, "agent")
}

// TakeAgent finds an agent that is to be changed, with its secret.
func (tx *Tx) TakeAgent(accountID, id string) (aftercall.Agent, error) {
	a, err := tx.HoldAgent(accountID, id)
	if err != nil {
		return a, err
	}
	return tx.withSecret(a)
}

func namedAgent(accountID, id string) (condition string, args []any) {
	if id == DefaultAgent {
		return `account_id = $1 AND is_default`, []any{accountID}
	}
	return `account_id = $1 AND id = $2`, []any{accountID, id}
}

func (tx *Tx) withSecret(a aftercall.Agent) (aftercall.Agent, error) {
	secrets, err := tx.Secrets(EndpointRef{a.AccountID, a.ID})
	if err == nil && len(secrets) > 0 {
		a.Engine.Secret = secrets[0]
	}
	return a, err
}

// Agents lists agents by id, without their secrets.
func (tx *Tx) Agents(accountID string, p Page) ([]aftercall.Agent, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.page("id", p)
	return all(tx, readAgent, `SELECT `+agentColumns+` FROM agent`+where.sql(), where.args...)
}

// InsertAgent stores a new agent and the secret that its engine shares.
func (tx *Tx) InsertAgent(a aftercall.Agent) error {
	_, err := tx.exec(`INSERT INTO agent (`+agentColumns+`) VALUES `+tuples(1, 1, bare(11)...),
		a.AccountID, a.ID, a.Title, a.Language, a.Default, jsonOf(a.Engine), jsonOf(a.Dialing), jsonOf(a.FromNumbers),
		jsonOf(a.OutcomeFields), micros(a.CreatedAt), micros(a.UpdatedAt))
	if err != nil {
		return err
	}
	return tx.insertSecrets(EndpointRef{a.AccountID, a.ID}, []aftercall.Secret{a.Engine.Secret})
}

// UpdateAgent stores what may change of an agent.
func (tx *Tx) UpdateAgent(a aftercall.Agent) error {
	_, err := tx.exec(`UPDATE agent SET title = $3, language = $4, engine = $5, dialing = $6, from_numbers = $7, outcome_fields = $8,
			updated_at = $9
		WHERE account_id = $1 AND id = $2`,
		a.AccountID, a.ID, a.Title, a.Language, jsonOf(a.Engine), jsonOf(a.Dialing), jsonOf(a.FromNumbers), jsonOf(a.OutcomeFields),
		micros(a.UpdatedAt))
	tx.changes.Agents = append(tx.changes.Agents, AgentRef{a.AccountID, a.ID})
	return err
}

// ReplaceAgentSecret gives an agent another secret; the one before is gone. That others
// forget it, UpdateAgent sees to.
func (tx *Tx) ReplaceAgentSecret(ref AgentRef, secret aftercall.Secret) error {
	if err := tx.deleteAgentSecrets(ref); err != nil {
		return err
	}
	return tx.insertSecrets(EndpointRef{ref.AccountID, ref.AgentID}, []aftercall.Secret{secret})
}

func (tx *Tx) deleteAgentSecrets(ref AgentRef) error {
	_, err := tx.exec(`DELETE FROM secret WHERE account_id = $1 AND endpoint_id = $2`, ref.AccountID, ref.AgentID)
	return err
}

// DeleteAgent removes an agent and its secret. Its calls stay.
func (tx *Tx) DeleteAgent(ref AgentRef) error {
	if err := tx.deleteAgentSecrets(ref); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM agent WHERE account_id = $1 AND id = $2`, ref.AccountID, ref.AgentID)
	tx.changes.Agents = append(tx.changes.Agents, ref)
	return err
}

// AccountsWithoutAgent returns accounts that have no default agent: those that are
// older than agents.
func (tx *Tx) AccountsWithoutAgent() ([]string, error) {
	return all(tx, value[string], `SELECT id FROM account WHERE id > $1
		AND NOT EXISTS (SELECT 1 FROM agent a WHERE a.account_id = account.id AND a.is_default)`, aftercall.OperationalAccountID)
}
