package store

import "time"

// Session is a person signed in at the portal: an account's owner or, with an empty
// account, the operator.
type Session struct {
	AccountID  string
	ID         string
	KeyID      string // the key it was opened with, and ends with; empty for a link
	Agent      string // what the browser calls itself
	CreatedAt  time.Time
	LastUsedAt time.Time // to a few minutes
	ExpiresAt  time.Time
}

const sessionColumns = `account_id, id, key_id, agent, created_at, last_used_at, expires_at`

func readSession(s scan) (v Session, err error) {
	err = s(&v.AccountID, &v.ID, &v.KeyID, &v.Agent, timeAt(&v.CreatedAt), timeAt(&v.LastUsedAt), timeAt(&v.ExpiresAt))
	return v, err
}

// InsertSession stores a new session by the hash that it is found by.
func (tx *Tx) InsertSession(s Session, hash []byte) error {
	_, err := tx.exec(`INSERT INTO session (`+sessionColumns+`, hash) VALUES `+tuples(1, 1, bare(8)...),
		s.AccountID, s.ID, s.KeyID, s.Agent, micros(s.CreatedAt), micros(s.LastUsedAt), micros(s.ExpiresAt), hash)
	return err
}

// SessionByHash finds a session that has not expired.
func (tx *Tx) SessionByHash(hash []byte) (Session, error) {
	return one(tx, readSession, `SELECT `+sessionColumns+` FROM session WHERE hash = $1 AND expires_at > $2`, hash, micros(tx.now))
}

// Sessions lists the sessions of an account, or the operator's, that have not expired.
func (tx *Tx) Sessions(accountID string) ([]Session, error) {
	return all(tx, readSession, `SELECT `+sessionColumns+` FROM session WHERE account_id = $1 AND expires_at > $2 ORDER BY id DESC`,
		accountID, micros(tx.now))
}

// TouchSession records when a session was last used.
func (tx *Tx) TouchSession(accountID, id string, at time.Time) error {
	_, err := tx.exec(`UPDATE session SET last_used_at = $3 WHERE account_id = $1 AND id = $2`, accountID, id, micros(at))
	return err
}

// DeleteSession ends a session. One that is over is passed over.
func (tx *Tx) DeleteSession(accountID, id string) error {
	_, err := tx.exec(`DELETE FROM session WHERE account_id = $1 AND id = $2`, accountID, id)
	return err
}

// DeleteSessionsOfKey ends the sessions that were opened with a key.
func (tx *Tx) DeleteSessionsOfKey(accountID, keyID string) error {
	_, err := tx.exec(`DELETE FROM session WHERE account_id = $1 AND key_id = $2`, accountID, keyID)
	return err
}

// DeleteExpiredSessions removes up to limit sessions that have expired, and reports how
// many it found.
func (tx *Tx) DeleteExpiredSessions(limit int) (int, error) {
	return tx.exec(`DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE expires_at <= $1 LIMIT $2)`, micros(tx.now), limit)
}

// InsertLogin stores a login link by the hash of its token; an empty account stands for
// the operator.
func (tx *Tx) InsertLogin(accountID string, hash []byte, expires time.Time) error {
	_, err := tx.exec(`INSERT INTO login (account_id, hash, expires_at) VALUES ($1, $2, $3)`, accountID, hash, micros(expires))
	return err
}

// TakeLogin uses a login link up, and returns whose it is; NotFound when it was used or
// has expired.
func (tx *Tx) TakeLogin(hash []byte) (accountID string, err error) {
	return one(tx, value[string], `DELETE FROM login WHERE hash = $1 AND expires_at > $2 RETURNING account_id`, hash, micros(tx.now))
}

// DeleteExpiredLogins removes up to limit links that nobody followed in time, and
// reports how many it found.
func (tx *Tx) DeleteExpiredLogins(limit int) (int, error) {
	return tx.exec(`DELETE FROM login WHERE hash IN (SELECT hash FROM login WHERE expires_at <= $1 LIMIT $2)`, micros(tx.now), limit)
}
