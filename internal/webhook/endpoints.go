package webhook

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// CreateEndpoint stores a new endpoint; its ID and times are set. Without a secret
// one is made. What signs it is, unless it is said, of the secret's kind. Errors:
// Invalid, Conflict for a uid that is taken.
func (e *Engine) CreateEndpoint(ctx context.Context, endpoint *aftercall.Endpoint, secret string) error {
	given, err := parseSecret(secret)
	if err != nil {
		return err
	}
	if endpoint.Signature == "" {
		_, endpoint.Signature = aftercall.SignHMAC.Rotate(given)
	}
	if err := e.valid(*endpoint); err != nil {
		return err
	}
	kinds := endpoint.Signature.Kinds()
	if given != nil && !slices.Contains(kinds, given.Kind) {
		return aftercall.InvalidField("secret", "is not of the kind that signature %s needs", endpoint.Signature)
	}
	return e.store.Update(ctx, func(tx *store.Tx) error {
		if err := knownEventTypes(tx, endpoint.AccountID, endpoint.EventTypes); err != nil {
			return err
		}
		endpoint.ID = aftercall.NewID(aftercall.EndpointPrefix, tx.Now())
		endpoint.CreatedAt, endpoint.UpdatedAt = tx.Now(), tx.Now()
		if endpoint.Disabled {
			endpoint.Reason = aftercall.DisabledByOwner
		}
		if err := tx.InsertEndpoint(*endpoint, aftercall.NewSecrets(kinds, given, tx.Now())...); err != nil {
			return err
		}
		return tellOfEndpoint(tx, aftercall.EndpointCreated, *endpoint)
	})
}

// valid checks what a caller may set, here.
func (e *Engine) valid(endpoint aftercall.Endpoint) error {
	if err := endpoint.Validate(); err != nil {
		return err
	}
	if e.cfg.HTTPSOnly && !strings.HasPrefix(strings.ToLower(endpoint.URL), "https:") {
		return aftercall.InvalidField("url", "must begin with https://: this server sends nothing in the clear")
	}
	return nil
}

// parseSecret reads a secret that may be given, or is to be made.
func parseSecret(text string) (*aftercall.Secret, error) {
	if text == "" {
		return nil, nil
	}
	secret, err := aftercall.ParseSecret(text)
	return &secret, err
}

// knownEventTypes refuses names that would never arrive: that are not in the
// catalogue or, for the reserved account, not operational.
func knownEventTypes(tx *store.Tx, accountID string, names []string) error {
	for _, name := range names {
		if accountID == aftercall.OperationalAccountID {
			if !slices.Contains(aftercall.OperationalTypes(), name) {
				return aftercall.InvalidField("eventTypes", "must be among %s", strings.Join(aftercall.OperationalTypes(), ", "))
			}
			continue
		}
		if _, err := tx.EventType(name); aftercall.KindOf(err) == aftercall.NotFound {
			return aftercall.InvalidField("eventTypes", "there is no event type %q", name)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// UpdateEndpoint changes an endpoint, found by id or uid, and returns it as it is
// then. The change takes effect at once, also for what is queued. A secret that is
// given replaces the one before as [Engine.RotateSecret] does.
//
// To disable it stops its deliveries: those pending fail. To enable it begins with
// none: what failed can be recovered.
func (e *Engine) UpdateEndpoint(ctx context.Context, accountID, idOrUID, secret string, change func(*aftercall.Endpoint) error) (aftercall.Endpoint, error) {
	var after aftercall.Endpoint
	given, err := parseSecret(secret)
	if err != nil {
		return after, err
	}
	for {
		var left bool // deliveries of before it was disabled are still pending
		err := e.store.Update(ctx, func(tx *store.Tx) error {
			before, err := tx.Endpoint(accountID, idOrUID)
			if err != nil {
				return err
			}
			after = before
			if err := change(&after); err != nil {
				return err
			}
			if err := e.valid(after); err != nil {
				return err
			}
			if err := knownEventTypes(tx, accountID, after.EventTypes); err != nil {
				return err
			}
			if err := signedBy(tx, before, after.Signature); err != nil {
				return err
			}
			if given != nil {
				if after.Signature, err = rotate(tx, after, given, aftercall.DefaultGrace); err != nil {
					return err
				}
			}
			after.UpdatedAt = tx.Now()
			switch {
			case after.Disabled && !before.Disabled:
				after.Reason = aftercall.DisabledByOwner
				// The sweeper goes on where a batch is not enough.
				if _, err := tx.StopDeliveries(ref(before), aftercall.FailedDisabled, sweepBatch); err != nil {
					return err
				}
			case before.Disabled && !after.Disabled:
				after.Reason, after.Health = "", aftercall.Health{}
				stopped, err := tx.StopDeliveries(ref(before), aftercall.FailedDisabled, sweepBatch)
				if left = stopped == sweepBatch; err != nil || left {
					return err
				}
			}
			if err := tx.UpdateEndpoint(after); err != nil {
				return err
			}
			return tellOfEndpoint(tx, changeOf(before, after), after)
		})
		if err != nil || !left {
			return after, err
		}
	}
}

// changeOf names what became of an endpoint.
func changeOf(before, after aftercall.Endpoint) string {
	switch {
	case after.Disabled && !before.Disabled:
		return aftercall.EndpointDisabled
	case before.Disabled && !after.Disabled:
		return aftercall.EndpointEnabled
	}
	return aftercall.EndpointUpdated
}

// DeleteEndpoint removes an endpoint and stops its deliveries.
func (e *Engine) DeleteEndpoint(ctx context.Context, accountID, idOrUID string) error {
	return e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := tx.Endpoint(accountID, idOrUID)
		if err != nil {
			return err
		}
		if _, err := tx.StopDeliveries(ref(endpoint), aftercall.FailedDeleted, sweepBatch); err != nil {
			return err
		}
		if err := tx.DeleteEndpoint(ref(endpoint)); err != nil {
			return err
		}
		return tellOfEndpoint(tx, aftercall.EndpointDeleted, endpoint)
	})
}

// signedBy makes the secrets that an endpoint needs to be signed otherwise. Those it
// needs no longer go on signing as after a rotation.
func signedBy(tx *store.Tx, before aftercall.Endpoint, next aftercall.Signature) error {
	ended, begun := before.Signature.To(next)
	if len(ended)+len(begun) == 0 {
		return nil
	}
	return replace(tx, before, ended, aftercall.DefaultGrace, aftercall.NewSecrets(begun, nil, tx.Now()))
}

// rotate gives an endpoint new secrets, and returns what it is signed by then.
func rotate(tx *store.Tx, endpoint aftercall.Endpoint, given *aftercall.Secret, grace time.Duration) (aftercall.Signature, error) {
	replaced, next := endpoint.Signature.Rotate(given)
	kinds := replaced
	if next != endpoint.Signature {
		kinds = next.Kinds()
	}
	return next, replace(tx, endpoint, replaced, grace, aftercall.NewSecrets(kinds, given, tx.Now()))
}

// replace puts secrets in the place of the current ones of some kinds.
func replace(tx *store.Tx, endpoint aftercall.Endpoint, ended []aftercall.SecretKind, grace time.Duration, secrets []aftercall.Secret) error {
	known, err := tx.Secrets(ref(endpoint))
	if err != nil {
		return err
	}
	if grace > 0 && known.Old()+len(ended) > aftercall.MaxOldSecrets {
		return aftercall.Errorf(aftercall.Invalid, "%d old secrets are still valid: wait until one expires, or rotate with gracePeriodSeconds 0",
			aftercall.MaxOldSecrets).WithCode("limit_reached")
	}
	return tx.RotateSecrets(ref(endpoint), ended, tx.Now().Add(grace), secrets...)
}

// RotateSecret gives an endpoint new secrets, made unless one is given. The old ones
// sign too during the grace.
func (e *Engine) RotateSecret(ctx context.Context, accountID, idOrUID, secret string, grace time.Duration) error {
	if grace < 0 || grace > aftercall.MaxGrace {
		return aftercall.InvalidField("gracePeriodSeconds", "must be 0 to %d", int(aftercall.MaxGrace.Seconds()))
	}
	given, err := parseSecret(secret)
	if err != nil {
		return err
	}
	return e.store.Update(ctx, func(tx *store.Tx) error {
		endpoint, err := tx.Endpoint(accountID, idOrUID)
		if err != nil {
			return err
		}
		next, err := rotate(tx, endpoint, given, grace)
		if err != nil || endpoint.Signature == next {
			return err
		}
		endpoint.Signature, endpoint.UpdatedAt = next, tx.Now()
		return tx.UpdateEndpoint(endpoint)
	})
}

func ref(e aftercall.Endpoint) store.EndpointRef {
	return store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}
}

const (
	// sweepBatch is how many deliveries are stopped in one transaction: others must
	// get their turn in between.
	sweepBatch = 1000
	// sweepEvery finds what a process that died left pending, and what was published
	// at the moment of disabling.
	sweepEvery = 10 * time.Minute
)

// runSweeper fails what is pending at endpoints that are disabled or removed.
// Nothing of it is sent from the moment of disabling; the sweeper only writes it
// down, in batches, since there may be any number.
func (e *Engine) runSweeper(ctx context.Context) {
	for {
		if err := retry(ctx, func() error { return e.sweepAll(ctx) }); err != nil {
			return
		}
		timer := time.NewTimer(sweepEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-e.dispatcher.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (e *Engine) sweepAll(ctx context.Context) error {
	var stopped []store.EndpointRef
	err := e.store.View(ctx, func(tx *store.Tx) (err error) {
		stopped, err = tx.StoppedEndpoints()
		return err
	})
	if err != nil {
		return err
	}
	for _, ref := range stopped {
		for n := sweepBatch; n == sweepBatch; {
			err := e.store.Update(ctx, func(tx *store.Tx) (err error) {
				n, err = stopBatch(tx, ref)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// stopBatch fails a batch of what is pending at an endpoint, unless it was enabled
// meanwhile.
func stopBatch(tx *store.Tx, ref store.EndpointRef) (int, error) {
	reason := aftercall.FailedDisabled
	endpoint, err := tx.Endpoint(ref.AccountID, ref.EndpointID)
	switch {
	case aftercall.KindOf(err) == aftercall.NotFound:
		reason = aftercall.FailedDeleted
	case err != nil:
		return 0, err
	case !endpoint.Disabled:
		return 0, nil
	}
	return tx.StopDeliveries(ref, reason, sweepBatch)
}
