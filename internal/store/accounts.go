package store

import (
	"time"

	"github.com/aftercall/aftercall"
)

const accountColumns = `id, uid, name, timezone, throttle_rate, metadata, created_at, updated_at`

func readAccount(s scan) (a aftercall.Account, err error) {
	err = s(&a.ID, textAt(&a.UID), &a.Name, &a.Timezone, &a.ThrottleRate, jsonAt(&a.Metadata),
		timeAt(&a.CreatedAt), timeAt(&a.UpdatedAt))
	return a, err
}

// Account finds an account by its id or its uid.
func (tx *Tx) Account(idOrUID string) (aftercall.Account, error) {
	a, err := one(tx, readAccount,
		`SELECT `+accountColumns+` FROM account WHERE id = $1 OR uid = $1`, idOrUID)
	return a, notFound(err, "application")
}

// InsertAccount stores a new account. A uid that is taken is a Conflict.
func (tx *Tx) InsertAccount(a aftercall.Account) error {
	_, err := tx.exec(`INSERT INTO account (`+accountColumns+`) VALUES `+tuples(1, 1, bare(8)...),
		a.ID, text(a.UID), a.Name, a.Timezone, a.ThrottleRate, jsonOf(a.Metadata), micros(a.CreatedAt), micros(a.UpdatedAt))
	return taken(err, "an application with this uid exists")
}

// UpdateAccount stores what a caller may change of an account.
func (tx *Tx) UpdateAccount(a aftercall.Account) error {
	if err := tx.endpointsChanged(a.ID); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE account SET uid = $2, name = $3, timezone = $4, throttle_rate = $5, metadata = $6, updated_at = $7
		WHERE id = $1`, a.ID, text(a.UID), a.Name, a.Timezone, a.ThrottleRate, jsonOf(a.Metadata), micros(a.UpdatedAt))
	return taken(err, "an application with this uid exists")
}

// accountTables hold rows of accounts, those that others refer to last.
var accountTables = []string{
	"attempt", "delivery", "message_event", "message", "task", "secret", "endpoint", "idempotency", "portal_token", "integration",
	"import_error", "import_file", "import", "voice_event", "live_call", "run", "line", "dial_record", "blocked_number", "call_scheduler",
	"agent", "call", "contact", "property", "phone_number",
	"contact_lookup", "login", "session", "api_key",
}

// DeleteAccount removes an account with everything it has.
func (tx *Tx) DeleteAccount(id string) error {
	if err := tx.endpointsChanged(id); err != nil {
		return err
	}
	for _, table := range accountTables {
		if _, err := tx.exec(`DELETE FROM `+table+` WHERE account_id = $1`, id); err != nil {
			return err
		}
	}
	_, err := tx.exec(`DELETE FROM account WHERE id = $1`, id)
	return err
}

// endpointsChanged forgets what is cached of all endpoints of an account.
func (tx *Tx) endpointsChanged(accountID string) error {
	clear(tx.audiences)
	ids, err := all(tx, value[string], `SELECT id FROM endpoint WHERE account_id = $1 AND deleted_at IS NULL`, accountID)
	for _, id := range ids {
		tx.endpointChanged(EndpointRef{accountID, id})
	}
	return err
}

// AccountFilter narrows the list of accounts.
type AccountFilter struct {
	WithEndpoints bool // only those that have one
	WithEnabled   bool // only those that have none, or one that is enabled
}

// Accounts lists accounts in the order of their ids, without the reserved one.
func (tx *Tx) Accounts(f AccountFilter, p Page) ([]aftercall.Account, error) {
	where := newFilter()
	const endpoints = `EXISTS (SELECT 1 FROM endpoint e WHERE e.account_id = account.id AND e.deleted_at IS NULL`
	if f.WithEndpoints {
		where.conditions = append(where.conditions, endpoints+`)`)
	}
	if f.WithEnabled {
		where.conditions = append(where.conditions, `(NOT `+endpoints+`) OR `+endpoints+` AND NOT e.disabled))`)
	}
	where.raw("id > ?", aftercall.OperationalAccountID)
	where.page("id", p)
	return all(tx, readAccount, `SELECT `+accountColumns+` FROM account`+where.sql(), where.args...)
}

// Key is an API key of an account. The key itself is stored nowhere.
type Key struct {
	AccountID  string
	ID         string
	Name       string
	Hint       string // the last characters of the key, to recognise it by
	CreatedAt  time.Time
	LastUsedAt time.Time // to the minute; zero when never
	RevokedAt  time.Time
}

const keyColumns = `account_id, id, name, hint, created_at, last_used_at, revoked_at`

func readKey(s scan) (k Key, err error) {
	err = s(&k.AccountID, &k.ID, &k.Name, &k.Hint, timeAt(&k.CreatedAt), timeAt(&k.LastUsedAt), timeAt(&k.RevokedAt))
	return k, err
}

// InsertKey stores a new key by the hash that it is found by.
func (tx *Tx) InsertKey(k Key, hash []byte) error {
	_, err := tx.exec(`INSERT INTO api_key (account_id, id, name, hint, created_at, hash) VALUES `+tuples(1, 1, bare(6)...),
		k.AccountID, k.ID, k.Name, k.Hint, micros(k.CreatedAt), hash)
	return err
}

// KeyByHash finds a key that has not been revoked.
func (tx *Tx) KeyByHash(hash []byte) (Key, error) {
	return one(tx, readKey, `SELECT `+keyColumns+` FROM api_key WHERE hash = $1 AND revoked_at IS NULL`, hash)
}

// Keys lists the keys of an account, revoked ones too.
func (tx *Tx) Keys(accountID string) ([]Key, error) {
	return all(tx, readKey, `SELECT `+keyColumns+` FROM api_key WHERE account_id = $1 ORDER BY id`, accountID)
}

// RevokeKey ends a key for good.
func (tx *Tx) RevokeKey(accountID, id string) error {
	n, err := tx.exec(`UPDATE api_key SET revoked_at = $3 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL`,
		accountID, id, micros(tx.now))
	if err == nil && n == 0 {
		return aftercall.Errorf(aftercall.NotFound, "key not found")
	}
	return err
}

// TouchKey records when a key was last used.
func (tx *Tx) TouchKey(accountID, id string, at time.Time) error {
	_, err := tx.exec(`UPDATE api_key SET last_used_at = $3 WHERE account_id = $1 AND id = $2`, accountID, id, micros(at))
	return err
}

// Setting reads a value of the installation; nil when it is not set.
func (tx *Tx) Setting(name string) ([]byte, error) {
	v, err := one(tx, value[[]byte], `SELECT value FROM setting WHERE name = $1`, name)
	if aftercall.KindOf(err) == aftercall.NotFound {
		return nil, nil
	}
	return v, err
}

// SetSetting stores a value of the installation unless it is set, and reports
// whether it did.
func (tx *Tx) SetSetting(name string, v []byte) (bool, error) {
	n, err := tx.exec(`INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, v)
	return n == 1, err
}

// taken replaces the bare Conflict of a unique index by one that says what is taken.
func taken(err error, message string) error {
	if aftercall.KindOf(err) == aftercall.Conflict {
		return &aftercall.Error{Kind: aftercall.Conflict, Code: "conflict", Message: message, Err: err}
	}
	return err
}
