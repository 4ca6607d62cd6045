package store

import (
	"slices"

	"github.com/aftercall/aftercall"
)

const endpointColumns = `account_id, id, uid, url, description, event_types, channels, throttle_rate, metadata, headers,
	schedule, signature, version, disabled, reason, first_failure_at, failing_since, created_at, updated_at`

func readEndpoint(s scan) (e aftercall.Endpoint, err error) {
	var schedule string
	err = s(&e.AccountID, &e.ID, textAt(&e.UID), &e.URL, &e.Description, jsonAt(&e.EventTypes), jsonAt(&e.Channels),
		&e.ThrottleRate, jsonAt(&e.Metadata), jsonAt(&e.Headers), textAt(&schedule), &e.Signature, &e.Version, &e.Disabled, &e.Reason,
		timeAt(&e.Health.FirstFailureAt), timeAt(&e.Health.FailingSince), timeAt(&e.CreatedAt), timeAt(&e.UpdatedAt))
	if err == nil && schedule != "" {
		var parsed aftercall.Schedule
		parsed, err = aftercall.ParseSchedule(schedule)
		e.Schedule = &parsed
	}
	return e, err
}

func scheduleText(s *aftercall.Schedule) any {
	if s == nil {
		return nil
	}
	return s.String() + "," // so that a schedule without retries is not read as none
}

// Endpoint finds an endpoint by its id or its uid.
func (tx *Tx) Endpoint(accountID, idOrUID string) (aftercall.Endpoint, error) {
	e, err := one(tx, readEndpoint, `SELECT `+endpointColumns+` FROM endpoint
		WHERE account_id = $1 AND (id = $2 OR uid = $2) AND deleted_at IS NULL`, accountID, idOrUID)
	return e, notFound(err, "endpoint")
}

// Endpoints lists endpoints by id.
func (tx *Tx) Endpoints(accountID string, p Page) ([]aftercall.Endpoint, error) {
	where := newFilter()
	where.eq("account_id", accountID)
	where.conditions = append(where.conditions, "deleted_at IS NULL")
	where.page("id", p)
	return all(tx, readEndpoint, `SELECT `+endpointColumns+` FROM endpoint`+where.sql(), where.args...)
}

// InsertEndpoint stores a new endpoint with its first secrets. A uid that is taken
// is a Conflict.
func (tx *Tx) InsertEndpoint(e aftercall.Endpoint, secrets ...aftercall.Secret) error {
	_, err := tx.exec(`INSERT INTO endpoint (`+endpointColumns+`) VALUES `+tuples(1, 1, bare(19)...),
		e.AccountID, e.ID, text(e.UID), e.URL, e.Description, jsonOf(e.EventTypes), jsonOf(e.Channels),
		e.ThrottleRate, jsonOf(e.Metadata), jsonOf(e.Headers), scheduleText(e.Schedule), string(e.Signature), e.Version, e.Disabled, string(e.Reason),
		maybe(e.Health.FirstFailureAt), maybe(e.Health.FailingSince), micros(e.CreatedAt), micros(e.UpdatedAt))
	if err != nil {
		return taken(err, "an endpoint with this uid exists")
	}
	tx.endpointChanged(EndpointRef{e.AccountID, e.ID})
	return tx.insertSecrets(EndpointRef{e.AccountID, e.ID}, secrets)
}

// UpdateEndpoint stores what may change of an endpoint.
func (tx *Tx) UpdateEndpoint(e aftercall.Endpoint) error {
	_, err := tx.exec(`UPDATE endpoint SET uid = $3, url = $4, description = $5, event_types = $6, channels = $7,
		throttle_rate = $8, metadata = $9, headers = $10, schedule = $11, signature = $12,
		version = $13, disabled = $14, reason = $15, first_failure_at = $16, failing_since = $17, updated_at = $18
		WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL`,
		e.AccountID, e.ID, text(e.UID), e.URL, e.Description, jsonOf(e.EventTypes), jsonOf(e.Channels),
		e.ThrottleRate, jsonOf(e.Metadata), jsonOf(e.Headers), scheduleText(e.Schedule), string(e.Signature), e.Version, e.Disabled, string(e.Reason),
		maybe(e.Health.FirstFailureAt), maybe(e.Health.FailingSince), micros(e.UpdatedAt))
	tx.endpointChanged(EndpointRef{e.AccountID, e.ID})
	return taken(err, "an endpoint with this uid exists")
}

// DeleteEndpoint removes an endpoint and its secrets. Its deliveries stay as a
// record; its uid may be used again.
func (tx *Tx) DeleteEndpoint(ref EndpointRef) error {
	if _, err := tx.exec(`DELETE FROM secret WHERE account_id = $1 AND endpoint_id = $2`, ref.AccountID, ref.EndpointID); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE endpoint SET deleted_at = $3, uid = NULL, disabled = TRUE WHERE account_id = $1 AND id = $2`,
		ref.AccountID, ref.EndpointID, micros(tx.now))
	tx.endpointChanged(ref)
	return err
}

// endpointChanged forgets what is cached of an endpoint, here and, after the
// commit, in the delivery engine.
func (tx *Tx) endpointChanged(ref EndpointRef) {
	clear(tx.audiences)
	if !slices.Contains(tx.changes.Endpoints, ref) {
		tx.changes.Endpoints = append(tx.changes.Endpoints, ref)
	}
}

// audience is an account with the endpoints that its messages may go to.
type audience struct {
	account   aftercall.Account
	endpoints []aftercall.Endpoint
}

// Wanted reports whether an enabled endpoint of an account wants such messages.
func (tx *Tx) Wanted(accountID, eventType string, channels []string) (bool, error) {
	to, err := tx.audience(accountID)
	return slices.ContainsFunc(to.endpoints, func(e aftercall.Endpoint) bool { return e.Wants(eventType, channels) }), err
}

// audience finds an account, by id or uid, with its enabled endpoints. It is asked
// once in a transaction; on SQLite the writer knows until something changes.
func (tx *Tx) audience(idOrUID string) (audience, error) {
	if a, ok := tx.audiences[idOrUID]; ok {
		return a, nil
	}
	account, err := tx.Account(idOrUID)
	if err != nil {
		return audience{}, err
	}
	endpoints, err := all(tx, readEndpoint, `SELECT `+endpointColumns+` FROM endpoint
		WHERE account_id = $1 AND NOT disabled AND deleted_at IS NULL ORDER BY id`, account.ID)
	a := audience{account, endpoints}
	if err == nil && tx.audiences != nil {
		tx.audiences[idOrUID], tx.audiences[account.ID] = a, a
	}
	return a, err
}
