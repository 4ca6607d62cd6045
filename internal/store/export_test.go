package store

// PretendVersion makes the schema look like that of a later program.
func (tx *Tx) PretendVersion(version int64) error {
	_, err := tx.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, TRUE)`, version)
	return err
}
