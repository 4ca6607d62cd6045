package webhook

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// PutEventType stores an event type of the catalogue. It reports whether it is new.
// With onlyNew, one that exists is a Conflict, unless it is archived: then it is
// brought back, as Svix does.
func (e *Engine) PutEventType(ctx context.Context, t *aftercall.EventType, onlyNew bool) (created bool, err error) {
	if err := t.Validate(); err != nil {
		return false, err
	}
	err = e.store.Update(ctx, func(tx *store.Tx) error {
		before, err := tx.EventType(t.Name)
		created = aftercall.KindOf(err) == aftercall.NotFound
		if err != nil && !created {
			return err
		}
		if onlyNew && !created && !before.Archived {
			return aftercall.Errorf(aftercall.Conflict, "event type %s exists", t.Name).WithCode("event_type_exists")
		}
		t.CreatedAt, t.UpdatedAt = before.CreatedAt, tx.Now()
		if created {
			t.CreatedAt = tx.Now()
		}
		return tx.PutEventType(*t)
	})
	return created, err
}

// PutEventTypes stores event types, new or not, all or none of them. With only, all
// others are archived.
func (e *Engine) PutEventTypes(ctx context.Context, types []aftercall.EventType, only bool) error {
	kept := make(map[string]bool, len(types))
	for _, t := range types {
		if err := t.Validate(); err != nil {
			return err
		}
		kept[t.Name] = true
	}
	return e.store.Update(ctx, func(tx *store.Tx) error {
		for _, t := range types {
			before, err := tx.EventType(t.Name)
			if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
				return err
			}
			t.CreatedAt, t.UpdatedAt = tx.Now(), tx.Now()
			if err == nil {
				t.CreatedAt = before.CreatedAt
			}
			if err := tx.PutEventType(t); err != nil {
				return err
			}
		}
		if !only {
			return nil
		}
		known, err := AllEventTypes(tx)
		if err != nil {
			return err
		}
		for _, t := range known {
			if kept[t.Name] || t.Archived {
				continue
			}
			t.Archived, t.UpdatedAt = true, tx.Now()
			if err := tx.PutEventType(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// AllEventTypes returns the whole catalogue by name, with what is archived.
func AllEventTypes(tx *store.Tx) ([]aftercall.EventType, error) {
	const page = 1000
	var types []aftercall.EventType
	for after := ""; ; {
		more, err := tx.EventTypes(store.EventTypeFilter{Archived: true}, store.Page{Limit: page, After: after})
		types = append(types, more...)
		if err != nil || len(more) < page {
			return types, err
		}
		after = more[len(more)-1].Name
	}
}

// UpdateEventType changes an event type and returns it as it is then.
func (e *Engine) UpdateEventType(ctx context.Context, name string, change func(*aftercall.EventType)) (aftercall.EventType, error) {
	var t aftercall.EventType
	err := e.store.Update(ctx, func(tx *store.Tx) (err error) {
		if t, err = tx.EventType(name); err != nil {
			return err
		}
		change(&t)
		if err := t.Validate(); err != nil {
			return err
		}
		t.UpdatedAt = tx.Now()
		return tx.PutEventType(t)
	})
	return t, err
}

// DeleteEventType removes an event type for good. Endpoints that want it keep its
// name, and messages of it go on being delivered.
func (e *Engine) DeleteEventType(ctx context.Context, name string) error {
	return e.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.EventType(name); err != nil {
			return err
		}
		return tx.DeleteEventType(name)
	})
}
