package store

import "github.com/aftercall/aftercall"

const eventTypeColumns = `name, description, schemas, group_name, feature_flags, archived, deprecated, created_at, updated_at`

func readEventType(s scan) (t aftercall.EventType, err error) {
	var schemas string
	err = s(&t.Name, &t.Description, textAt(&schemas), &t.GroupName, jsonAt(&t.FeatureFlags), &t.Archived, &t.Deprecated,
		timeAt(&t.CreatedAt), timeAt(&t.UpdatedAt))
	if schemas != "" {
		t.Schemas = []byte(schemas)
	}
	return t, err
}

// EventType finds an event type, archived or not.
func (tx *Tx) EventType(name string) (aftercall.EventType, error) {
	t, err := one(tx, readEventType, `SELECT `+eventTypeColumns+` FROM event_type WHERE name = $1`, name)
	return t, notFound(err, "event type")
}

// EventTypeFilter narrows the list of event types.
type EventTypeFilter struct {
	Archived bool // archived ones, too
	Gated    bool // only those without feature flags, or with one of Flags
	Flags    []string
}

// EventTypes lists event types by name.
func (tx *Tx) EventTypes(f EventTypeFilter, p Page) ([]aftercall.EventType, error) {
	where := newFilter()
	if !f.Archived {
		where.conditions = append(where.conditions, "NOT archived")
	}
	if f.Gated {
		shown := "feature_flags IS NULL"
		for _, flag := range f.Flags {
			shown += " OR " + where.held("feature_flags", flag)
		}
		where.conditions = append(where.conditions, "("+shown+")")
	}
	where.page("name", p)
	return all(tx, readEventType, `SELECT `+eventTypeColumns+` FROM event_type`+where.sql(), where.args...)
}

// PutEventType stores an event type, new or not.
func (tx *Tx) PutEventType(t aftercall.EventType) error {
	_, err := tx.exec(`INSERT INTO event_type (`+eventTypeColumns+`) VALUES `+tuples(1, 1, bare(9)...)+`
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, schemas = excluded.schemas,
		group_name = excluded.group_name, feature_flags = excluded.feature_flags, archived = excluded.archived,
		deprecated = excluded.deprecated, updated_at = excluded.updated_at`,
		t.Name, t.Description, text(string(t.Schemas)), t.GroupName, jsonOrNull(t.FeatureFlags), t.Archived, t.Deprecated,
		micros(t.CreatedAt), micros(t.UpdatedAt))
	return err
}

// DeleteEventType removes an event type from the catalogue for good.
func (tx *Tx) DeleteEventType(name string) error {
	_, err := tx.exec(`DELETE FROM event_type WHERE name = $1`, name)
	return err
}
