package dialer

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// maxProperties is how many an account may have: all of them are read for a contact.
const maxProperties = 500

// AddProperty stores a new property; its times are set. Errors: Invalid, Conflict for a
// key that is taken.
func (d *Dialer) AddProperty(ctx context.Context, p *aftercall.Property) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx *store.Tx) error {
		list, err := tx.Properties(p.AccountID)
		if err != nil {
			return err
		}
		if len(list) >= maxProperties {
			return aftercall.InvalidField("key", "would be one property too many: an account has at most %d", maxProperties)
		}
		p.CreatedAt, p.UpdatedAt = tx.Now(), tx.Now()
		return tx.InsertProperty(*p)
	})
}

// UpdateProperty changes what may change of a property: not its key, nor its type. Apply
// may run more than once. Errors: Invalid, NotFound.
func (d *Dialer) UpdateProperty(ctx context.Context, accountID, key string, apply func(*aftercall.Property)) (p aftercall.Property, err error) {
	if !possible(key) {
		return p, noProperty()
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if p, err = tx.TakeProperty(accountID, key); err != nil {
			return err
		}
		apply(&p)
		if err := p.Validate(); err != nil {
			return err
		}
		return tx.UpdateProperty(p)
	})
	return p, err
}

// Property finds a property.
func (d *Dialer) Property(ctx context.Context, accountID, key string) (p aftercall.Property, err error) {
	if !possible(key) {
		return p, noProperty()
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		p, err = tx.Property(accountID, key)
		return err
	})
	return p, err
}

// Properties lists all properties of an account by key.
func (d *Dialer) Properties(ctx context.Context, accountID string) (list aftercall.Properties, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Properties(accountID)
		return err
	})
	return list, err
}

func noProperty() error { return aftercall.Errorf(aftercall.NotFound, "property not found") }
