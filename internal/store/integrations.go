package store

import "time"

// Integration is what a customer's integrator, a Zapier or a Make, holds a key to one
// account's application for.
type Integration struct {
	AccountID    string
	ID           string
	Name         string
	FeatureFlags []string // which gated event types it sees
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

const integrationColumns = `account_id, id, name, feature_flags, created_at, updated_at`

func readIntegration(s scan) (i Integration, err error) {
	err = s(&i.AccountID, &i.ID, &i.Name, jsonAt(&i.FeatureFlags), timeAt(&i.CreatedAt), timeAt(&i.UpdatedAt))
	return i, err
}

// Integration finds an integration of an account.
func (tx *Tx) Integration(accountID, id string) (Integration, error) {
	i, err := one(tx, readIntegration, `SELECT `+integrationColumns+` FROM integration WHERE account_id = $1 AND id = $2`, accountID, id)
	return i, notFound(err, "integration")
}

// IntegrationByHash finds the integration whose key has a hash.
func (tx *Tx) IntegrationByHash(hash []byte) (Integration, error) {
	return one(tx, readIntegration, `SELECT `+integrationColumns+` FROM integration WHERE hash = $1`, hash)
}

// Integrations lists integrations by id.
func (tx *Tx) Integrations(accountID string, p Page) ([]Integration, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.page("id", p)
	return all(tx, readIntegration, `SELECT `+integrationColumns+` FROM integration`+where.sql(), where.args...)
}

// PutIntegration stores an integration, new or not. Its key stays.
func (tx *Tx) PutIntegration(i Integration) error {
	_, err := tx.exec(`INSERT INTO integration (`+integrationColumns+`) VALUES `+tuples(1, 1, bare(6)...)+`
		ON CONFLICT (account_id, id) DO UPDATE SET name = excluded.name, feature_flags = excluded.feature_flags, updated_at = excluded.updated_at`,
		i.AccountID, i.ID, i.Name, jsonOrNull(i.FeatureFlags), micros(i.CreatedAt), micros(i.UpdatedAt))
	return err
}

// SetIntegrationKey replaces the key of an integration by the one with a hash.
func (tx *Tx) SetIntegrationKey(accountID, id string, hash []byte) error {
	_, err := tx.exec(`UPDATE integration SET hash = $3, updated_at = $4 WHERE account_id = $1 AND id = $2`, accountID, id, hash, micros(tx.now))
	return err
}

// DeleteIntegration removes an integration, and with it its key.
func (tx *Tx) DeleteIntegration(accountID, id string) error {
	_, err := tx.exec(`DELETE FROM integration WHERE account_id = $1 AND id = $2`, accountID, id)
	return err
}
