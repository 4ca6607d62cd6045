package store

import (
	"fmt"

	"github.com/aftercall/aftercall"
)

const (
	numberColumns = `account_id, id, number, outbound, termination_uri, auth_username, created_at`
	sealedColumns = `account_id, id, auth_password, master_key`
)

// readNumber reads a number without the password of its trunk.
func readNumber(s scan) (n aftercall.PhoneNumber, err error) {
	err = s(&n.AccountID, &n.ID, &n.Number, &n.Outbound, &n.Trunk.URI, &n.Trunk.Username, timeAt(&n.CreatedAt))
	return n, err
}

// sealedPassword is the password of a number's trunk as it lies in the database.
type sealedPassword struct {
	accountID, id string
	password      []byte
	masterKey     string
}

func readSealedPassword(s scan) (r sealedPassword, err error) {
	err = s(&r.accountID, &r.id, &r.password, &r.masterKey)
	return r, err
}

// names are what the password is sealed under.
func (r sealedPassword) names() []string { return []string{"trunk", r.accountID, r.id} }

func (r sealedPassword) open(keys *masterKeys) ([]byte, error) {
	password, err := keys.open(r.masterKey, r.password, r.names()...)
	if err != nil {
		return nil, fmt.Errorf("trunk of phone number %s: %w", r.id, err)
	}
	return password, nil
}

// PhoneNumbers lists all numbers of an account from oldest to newest, without the
// passwords of their trunks.
func (tx *Tx) PhoneNumbers(accountID string) ([]aftercall.PhoneNumber, error) {
	return all(tx, readNumber, `SELECT `+numberColumns+` FROM phone_number WHERE account_id = $1 ORDER BY id`, accountID)
}

// TrunkPassword opens the password of a number's trunk. The error wraps [ErrSealed]
// when the master key is missing.
func (tx *Tx) TrunkPassword(accountID, id string) (string, error) {
	r, err := one(tx, readSealedPassword, `SELECT `+sealedColumns+` FROM phone_number WHERE account_id = $1 AND id = $2`, accountID, id)
	if err != nil {
		return "", notFound(err, "phone number")
	}
	password, err := r.open(tx.store.keys)
	return string(password), err
}

// InsertPhoneNumber stores a new number. One that the account has is a Conflict.
func (tx *Tx) InsertPhoneNumber(n aftercall.PhoneNumber) error {
	r := sealedPassword{accountID: n.AccountID, id: n.ID}
	id, password, err := tx.store.keys.seal([]byte(n.Trunk.Password), r.names()...)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO phone_number (`+numberColumns+`, auth_password, master_key) VALUES `+tuples(1, 1, bare(9)...),
		n.AccountID, n.ID, n.Number, n.Outbound, n.Trunk.URI, n.Trunk.Username, micros(n.CreatedAt), password, id)
	return taken(err, "this account has the phone number already")
}

// DeletePhoneNumber removes a number and its trunk.
func (tx *Tx) DeletePhoneNumber(accountID, id string) error {
	n, err := tx.exec(`DELETE FROM phone_number WHERE account_id = $1 AND id = $2`, accountID, id)
	if err == nil && n == 0 {
		err = aftercall.Errorf(aftercall.NotFound, "phone number not found")
	}
	return err
}

// resealTrunks seals up to limit passwords of an old master key with the current one.
func (tx *Tx) resealTrunks(old string, limit int) (int, error) {
	rows, err := all(tx, readSealedPassword, `SELECT `+sealedColumns+` FROM phone_number WHERE master_key = $1 LIMIT $2`+tx.store.dialect.skipLocked, old, limit)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		password, err := r.open(tx.store.keys)
		if err != nil {
			return 0, err
		}
		id, sealed, err := tx.store.keys.seal(password, r.names()...)
		if err != nil {
			return 0, err
		}
		_, err = tx.exec(`UPDATE phone_number SET auth_password = $3, master_key = $4 WHERE account_id = $1 AND id = $2`, r.accountID, r.id, sealed, id)
		if err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
