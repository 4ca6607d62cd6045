package store

import "github.com/aftercall/aftercall"

// PretendVersion makes the schema look like that of a later program.
func (tx *Tx) PretendVersion(version int64) error {
	_, err := tx.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, TRUE)`, version)
	return err
}

// BodyOf is the answer that is known of a request.
func BodyOf(d *Done) []byte { return d.body }

// URL is where the store was opened.
func (s *Store) URL() string { return s.url }

// CopySecret puts the sealed secret of one endpoint in the place of another's.
func (tx *Tx) CopySecret(from, to EndpointRef) error {
	if _, err := tx.exec(`DELETE FROM secret WHERE account_id = $1 AND endpoint_id = $2`, to.AccountID, to.EndpointID); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO secret (`+secretColumns+`) SELECT account_id, $3, kind, created_at, key, master_key, expires_at
		FROM secret WHERE account_id = $1 AND endpoint_id = $2`, from.AccountID, from.EndpointID, to.EndpointID)
	return err
}

// CopyTrunk puts the sealed password of one number's trunk in the place of another's.
func (tx *Tx) CopyTrunk(from, to aftercall.PhoneNumber) error {
	r, err := one(tx, readSealedPassword, `SELECT `+sealedColumns+` FROM phone_number WHERE account_id = $1 AND id = $2`, from.AccountID, from.ID)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE phone_number SET auth_password = $3, master_key = $4 WHERE account_id = $1 AND id = $2`,
		to.AccountID, to.ID, r.password, r.masterKey)
	return err
}
