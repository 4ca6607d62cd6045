package dialer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const lookupAgent = "Aftercall-Lookup/1.0"

// ContactLookup returns where an account is asked who is calling. Error: NotFound.
func (d *Dialer) ContactLookup(ctx context.Context, accountID string) (l aftercall.ContactLookup, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		l, err = tx.ContactLookup(accountID)
		return err
	})
	return l, err
}

// SetContactLookup changes where an account is asked who is calling, or begins it with
// the defaults. Error: Invalid.
func (d *Dialer) SetContactLookup(ctx context.Context, accountID string, change func(*aftercall.ContactLookup)) (l aftercall.ContactLookup, err error) {
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		l, err = tx.ContactLookup(accountID)
		if aftercall.KindOf(err) == aftercall.NotFound {
			l, err = aftercall.NewContactLookup(accountID, tx.Now()), nil
		}
		if err != nil {
			return err
		}
		change(&l)
		l.UpdatedAt = tx.Now()
		if err := l.Validate(); err != nil {
			return err
		}
		return tx.PutContactLookup(l)
	})
	return l, err
}

// DeleteContactLookup ends it. Error: NotFound.
func (d *Dialer) DeleteContactLookup(ctx context.Context, accountID string) error {
	return d.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteContactLookup(accountID) })
}

// lookUp asks an account's own system who calls from a number, before any transaction.
// Whatever goes wrong is logged, and nobody is known by the number: no call fails for it.
func (d *Dialer) lookUp(ctx context.Context, accountID, from, to string) *aftercall.Found {
	var typed aftercall.Properties
	var l aftercall.ContactLookup
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		if l, err = tx.ContactLookup(accountID); err != nil || !l.Enabled {
			return err
		}
		typed, err = tx.Properties(accountID)
		return err
	})
	if aftercall.KindOf(err) == aftercall.NotFound || err == nil && (!l.Enabled || d.lookups.Transport == nil) {
		return nil
	}
	var found *aftercall.Found
	start := time.Now()
	if err == nil {
		found, err = d.askWho(ctx, l, from, to, typed)
	}
	switch {
	case err != nil:
		d.log.Warn("a contact lookup failed, the caller stays unknown", "account", accountID, "cause", err, "took", time.Since(start))
	case found != nil && len(found.Ignored) > 0:
		d.log.Warn("a contact lookup's answer is wrong in part, which is left out", "account", accountID, "fields", found.Ignored)
	}
	return found
}

// askWho sends the question. Its errors hold nothing of the answer.
func (d *Dialer) askWho(ctx context.Context, l aftercall.ContactLookup, from, to string, typed aftercall.Properties) (*aftercall.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	body := l.Question(from, to)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.Address(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address is no URL")
	}
	for name, value := range l.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", lookupAgent)
	r.Header.Set(aftercall.LookupSignature, l.Sign(body))
	response, err := d.lookups.Do(r)
	if err != nil {
		return nil, lookupFailure(err, l.Timeout)
	}
	defer response.Body.Close()
	switch status := response.StatusCode; {
	case status == http.StatusNoContent, status == http.StatusNotFound:
		return nil, nil
	case status/100 != 2:
		return nil, fmt.Errorf("the answer is %d %s", status, http.StatusText(status))
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, aftercall.MaxLookupAnswer+1))
	if err != nil {
		return nil, lookupFailure(err, l.Timeout)
	}
	return aftercall.ReadFound(answer, typed)
}

// lookupFailure says why there is no answer. What the program's HTTP client says of one
// that it does not understand may hold parts of it, and is left out.
func lookupFailure(err error, timeout time.Duration) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no complete answer within %s", timeout)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	return errors.New("the connection, or the answer, is not as HTTP has it")
}

// takeFound stores who a lookup says is calling: on the contact with their external id,
// else on a new one.
func takeFound(tx *store.Tx, accountID, number string, f aftercall.Found) (aftercall.Contact, error) {
	by, v := store.ByExternalID, f.ExternalID
	if v == "" { // known by another number, perhaps
		by, v = store.ByPhone, f.PhoneNumber
	}
	if v != "" {
		c, err := tx.TakeContact(accountID, by, v)
		if err == nil {
			f.Apply(&c)
			c.UpdatedAt = tx.Now()
			return c, tx.UpdateContact(c)
		}
		if aftercall.KindOf(err) != aftercall.NotFound {
			return c, err
		}
	}
	c := aftercall.Contact{AccountID: accountID, ID: aftercall.NewUUID(), PhoneNumber: number}
	f.Apply(&c)
	return addNamed(tx, c)
}
