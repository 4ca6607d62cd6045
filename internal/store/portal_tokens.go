package store

import "time"

// PortalToken opens the portal of one account until it expires.
type PortalToken struct {
	AccountID    string
	SessionID    string   // names a person's session, so that it can be ended; may be empty
	Capabilities []string // what it may do
	FeatureFlags []string // which gated event types it sees
	Origins      []string // whose pages may show the portal inside them
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

const portalTokenColumns = `account_id, session_id, capabilities, feature_flags, origins, created_at, expires_at`

// InsertPortalToken stores a new token by the hash that it is found by.
func (tx *Tx) InsertPortalToken(t PortalToken, hash []byte) error {
	_, err := tx.exec(`INSERT INTO portal_token (`+portalTokenColumns+`, hash) VALUES `+tuples(1, 1, bare(8)...),
		t.AccountID, t.SessionID, jsonOf(t.Capabilities), jsonOf(t.FeatureFlags), jsonOrNull(t.Origins), micros(t.CreatedAt), micros(t.ExpiresAt), hash)
	return err
}

// PortalTokenByHash finds a token that has not expired.
func (tx *Tx) PortalTokenByHash(hash []byte) (PortalToken, error) {
	return one(tx, func(s scan) (t PortalToken, err error) {
		err = s(&t.AccountID, &t.SessionID, jsonAt(&t.Capabilities), jsonAt(&t.FeatureFlags), jsonAt(&t.Origins), timeAt(&t.CreatedAt), timeAt(&t.ExpiresAt))
		return t, err
	}, `SELECT `+portalTokenColumns+` FROM portal_token WHERE hash = $1 AND expires_at > $2`, hash, micros(tx.now))
}

// ExpirePortalTokens has the tokens of an account expire at a time, those of some
// sessions or, with none, all. What expires earlier still does.
func (tx *Tx) ExpirePortalTokens(accountID string, sessions []string, at time.Time) error {
	where := newFilter()
	where.eq("account_id", accountID)
	where.raw("expires_at > ?", micros(at))
	where.in("session_id", sessions)
	set := `UPDATE portal_token SET expires_at = ` + where.arg(micros(at))
	_, err := tx.exec(set+where.sql(), where.args...)
	return err
}

// DeletePortalToken ends a token.
func (tx *Tx) DeletePortalToken(accountID string, hash []byte) error {
	_, err := tx.exec(`DELETE FROM portal_token WHERE account_id = $1 AND hash = $2`, accountID, hash)
	return err
}

// DeleteExpiredPortalTokens removes up to limit tokens that have expired, and reports
// how many it found.
func (tx *Tx) DeleteExpiredPortalTokens(limit int) (int, error) {
	return tx.exec(`DELETE FROM portal_token WHERE hash IN (SELECT hash FROM portal_token WHERE expires_at <= $1 LIMIT $2)`,
		micros(tx.now), limit)
}
