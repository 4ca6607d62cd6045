// Package dialer owns the verbs of calling: whom there is to call, and what a
// finished call means for them.
package dialer

import (
	"context"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Dialer keeps contacts and takes finished calls.
type Dialer struct{ store *store.Store }

// New makes a dialer on a store.
func New(s *store.Store) *Dialer { return &Dialer{s} }

// races is how often a transaction may lose a unique value to another one.
const races = 8

// update runs a function in a transaction, and again when it lost a unique value to
// another transaction at the same time: then it finds the other's, and decides anew.
func (d *Dialer) update(ctx context.Context, fn func(*store.Tx) error) (err error) {
	for range races {
		if err = d.store.Update(ctx, fn); aftercall.KindOf(err) != aftercall.Conflict {
			return err
		}
	}
	return err
}

// uuidOf brings an id that a caller sent into the form that is stored. What is no
// UUID is none of our ids, so it is not even looked up.
func uuidOf(id string) (string, bool) { return strings.ToLower(id), aftercall.ValidUUID(id) }

func noContact() error { return aftercall.Errorf(aftercall.NotFound, "contact not found") }

func noCall() error { return aftercall.Errorf(aftercall.NotFound, "call not found") }

// DuplicateExternalID is the code of the error for an external id that is taken.
const DuplicateExternalID = "DUPLICATE_EXTERNAL_ID"

func errTaken() error {
	return aftercall.Errorf(aftercall.Conflict, "external_contact_id: another contact has this id").WithCode(DuplicateExternalID)
}
