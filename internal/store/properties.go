package store

import "github.com/aftercall/aftercall"

const propertyColumns = `account_id, key, data_type, label, description, options, created_at, updated_at`

func readProperty(s scan) (p aftercall.Property, err error) {
	err = s(&p.AccountID, &p.Key, &p.Type, &p.Label, &p.Description, jsonAt(&p.Options), timeAt(&p.CreatedAt), timeAt(&p.UpdatedAt))
	return p, err
}

// Properties lists all properties of an account by key.
func (tx *Tx) Properties(accountID string) (aftercall.Properties, error) {
	return all(tx, readProperty, `SELECT `+propertyColumns+` FROM property WHERE account_id = $1 ORDER BY key`, accountID)
}

// Property finds a property.
func (tx *Tx) Property(accountID, key string) (aftercall.Property, error) {
	p, err := one(tx, readProperty, `SELECT `+propertyColumns+` FROM property WHERE account_id = $1 AND key = $2`, accountID, key)
	return p, notFound(err, "property")
}

// TakeProperty finds a property that is to be changed; see [Tx.TakeContact].
func (tx *Tx) TakeProperty(accountID, key string) (aftercall.Property, error) {
	p, err := one(tx, readProperty, `UPDATE property SET updated_at = $3 WHERE account_id = $1 AND key = $2 RETURNING `+propertyColumns,
		accountID, key, micros(tx.now))
	return p, notFound(err, "property")
}

// InsertProperty stores a new property. A key that is taken is a Conflict.
func (tx *Tx) InsertProperty(p aftercall.Property) error {
	_, err := tx.exec(`INSERT INTO property (`+propertyColumns+`) VALUES `+tuples(1, 1, bare(8)...),
		p.AccountID, p.Key, string(p.Type), p.Label, p.Description, jsonOf(p.Options), micros(p.CreatedAt), micros(p.UpdatedAt))
	return taken(err, "a property with this key exists")
}

// UpdateProperty stores what may change of a property.
func (tx *Tx) UpdateProperty(p aftercall.Property) error {
	_, err := tx.exec(`UPDATE property SET label = $3, description = $4, options = $5, updated_at = $6 WHERE account_id = $1 AND key = $2`,
		p.AccountID, p.Key, p.Label, p.Description, jsonOf(p.Options), micros(p.UpdatedAt))
	return err
}
