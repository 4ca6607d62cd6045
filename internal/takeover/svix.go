// Package takeover brings what another server has into a database of ours, so that
// this one can take its place and receivers notice nothing.
package takeover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// Result says what came over.
type Result struct {
	EventTypes, Accounts, Endpoints int
	Present                         int      // accounts and endpoints that were here already, and stay as they are
	Notes                           []string // what could not come, for people
}

func (r *Result) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// count counts what is new, or was here.
func (r *Result) count(present bool, fresh *int) {
	if present {
		r.Present++
	} else {
		*fresh++
	}
}

// svixServer is a Svix server that is read by its API.
type svixServer struct {
	client *svix.Svix
	store  *store.Store
	result Result
}

// page is how much is asked for at once, the most that Svix gives.
const page = 250

// Svix reads event types, applications and endpoints, with their ids, uids, secrets and
// headers, over the API of a Svix server, and stores them. What is here already is left
// alone, so that an import which failed can be run again.
//
// Messages stay where they are. Svix does not tell the values of sensitive headers nor
// the private half of asymmetric keys: the result notes where those have to be set.
func Svix(ctx context.Context, s *store.Store, address *url.URL, token string) (Result, error) {
	base := *address
	base.Path = strings.TrimRight(base.Path, "/")
	client, err := svix.New(token, &svix.SvixOptions{ServerUrl: &base})
	if err != nil {
		return Result{}, err
	}
	from := &svixServer{client: client, store: s}
	if err := from.eventTypes(ctx); err != nil {
		return from.result, fmt.Errorf("event types: %w", told(err))
	}
	if err := from.applications(ctx); err != nil {
		return from.result, fmt.Errorf("applications: %w", told(err))
	}
	return from.result, nil
}

// told says what the server answered, which the client's error does not.
func told(err error) error {
	if e, ok := errors.AsType[*svix.Error](err); ok {
		return fmt.Errorf("the server answered %d: %s", e.Status(), e.Body())
	}
	return err
}

// pages reads a list to its end. Read asks for the part after an iterator and returns
// the next one, or nil at the end.
func pages(read func(iterator *string) (next *string, err error)) error {
	var iterator *string
	for {
		next, err := read(iterator)
		if err != nil || next == nil {
			return err
		}
		iterator = next
	}
}

// after is where a list goes on.
func after(done bool, iterator *string) *string {
	if done {
		return nil
	}
	return iterator
}

func (f *svixServer) eventTypes(ctx context.Context) error {
	return pages(func(iterator *string) (*string, error) {
		list, err := f.client.EventType.List(ctx, &svix.EventTypeListOptions{
			Limit: new(uint64(page)), Iterator: iterator, IncludeArchived: new(true), WithContent: new(true),
		})
		if err != nil {
			return nil, err
		}
		var types []aftercall.EventType
		for _, in := range list.Data {
			t, err := eventType(in)
			if err != nil {
				f.result.note("event type %s: %v", in.Name, err)
				continue
			}
			types = append(types, t)
		}
		f.result.EventTypes += len(types)
		return after(list.Done, list.Iterator), f.store.Update(ctx, func(tx *store.Tx) error {
			for _, t := range types {
				if err := tx.PutEventType(t); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func eventType(in models.EventTypeOut) (aftercall.EventType, error) {
	t := aftercall.EventType{
		Name: in.Name, Description: in.Description, GroupName: value(in.GroupName), FeatureFlags: in.FeatureFlags,
		Archived: value(in.Archived), Deprecated: in.Deprecated, CreatedAt: in.CreatedAt, UpdatedAt: in.UpdatedAt,
	}
	if flag := value(in.FeatureFlag); flag != "" && len(t.FeatureFlags) == 0 {
		t.FeatureFlags = []string{flag}
	}
	if in.Schemas != nil {
		schemas, err := json.Marshal(in.Schemas)
		if err != nil {
			return t, err
		}
		t.Schemas = schemas
	}
	return t, t.Validate()
}

func (f *svixServer) applications(ctx context.Context) error {
	return pages(func(iterator *string) (*string, error) {
		list, err := f.client.Application.List(ctx, &svix.ApplicationListOptions{Limit: new(uint64(page)), Iterator: iterator})
		if err != nil {
			return nil, err
		}
		for _, in := range list.Data {
			if err := f.application(ctx, in); err != nil {
				return nil, fmt.Errorf("%s: %w", in.Id, told(err))
			}
		}
		return after(list.Done, list.Iterator), nil
	})
}

func (f *svixServer) application(ctx context.Context, in models.ApplicationOut) error {
	account := aftercall.Account{
		ID: in.Id, UID: value(in.Uid), Name: in.Name, Timezone: "UTC", ThrottleRate: rate(in.ThrottleRate, in.RateLimit),
		Metadata: in.Metadata, CreatedAt: in.CreatedAt, UpdatedAt: in.UpdatedAt,
	}
	if err := errors.Join(account.Validate(), validID(aftercall.AccountPrefix, in.Id)); err != nil {
		f.result.note("application %s, with all it has: %v", in.Id, err)
		return nil
	}
	var present bool
	err := f.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Account(account.ID)
		if present = err == nil; aftercall.KindOf(err) != aftercall.NotFound {
			return err
		}
		return tx.InsertAccount(account)
	})
	if err != nil {
		return err
	}
	f.result.count(present, &f.result.Accounts)
	return pages(func(iterator *string) (*string, error) {
		list, err := f.client.Endpoint.List(ctx, account.ID, &svix.EndpointListOptions{Limit: new(uint64(page)), Iterator: iterator})
		if err != nil {
			return nil, err
		}
		for _, in := range list.Data {
			if err := f.endpoint(ctx, account.ID, in); err != nil {
				return nil, fmt.Errorf("%s: %w", in.Id, err)
			}
		}
		return after(list.Done, list.Iterator), nil
	})
}

func (f *svixServer) endpoint(ctx context.Context, accountID string, in models.EndpointOut) error {
	key, err := f.client.Endpoint.GetSecret(ctx, accountID, in.Id)
	if err != nil {
		return err
	}
	headers, err := f.client.Endpoint.GetHeaders(ctx, accountID, in.Id)
	if err != nil {
		return err
	}
	e := aftercall.Endpoint{
		AccountID: accountID, ID: in.Id, UID: value(in.Uid), URL: in.Url, Description: in.Description, EventTypes: in.FilterTypes,
		Channels: in.Channels, ThrottleRate: rate(in.ThrottleRate, in.RateLimit), Metadata: in.Metadata, Headers: headers.Headers,
		Version: max(1, int(in.Version)), Disabled: value(in.Disabled), Signature: aftercall.SignHMAC,
		CreatedAt: in.CreatedAt, UpdatedAt: in.UpdatedAt,
	}
	if e.Disabled {
		e.Reason = aftercall.DisabledByOwner
	}
	secret, err := aftercall.ParseSecret(key.Key)
	if err != nil { // Svix shows the public half of asymmetric keys only
		secret, e.Signature = aftercall.NewSecret(aftercall.Ed25519, e.CreatedAt), aftercall.SignEd25519
	}
	secret.CreatedAt = e.CreatedAt
	if err := errors.Join(e.Validate(), validID(aftercall.EndpointPrefix, in.Id)); err != nil {
		f.result.note("endpoint %s of %s: %v", in.Id, accountID, err)
		return nil
	}
	var present bool
	err = f.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Endpoint(accountID, e.ID)
		if present = err == nil; aftercall.KindOf(err) != aftercall.NotFound {
			return err
		}
		return tx.InsertEndpoint(e, secret)
	})
	if err != nil {
		return err
	}
	f.result.count(present, &f.result.Endpoints)
	if len(headers.Sensitive) > 0 && !present {
		f.result.note("endpoint %s of %s: the values of the headers %q are not shown: set them again", in.Id, accountID, headers.Sensitive)
	}
	if e.Signature == aftercall.SignEd25519 && !present {
		f.result.note("endpoint %s of %s: its private key is not shown, so it has a new one: give its receiver %s", in.Id, accountID, secret.Reveal())
	}
	return nil
}

func validID(prefix, id string) error {
	if !aftercall.ValidID(prefix, id) {
		return fmt.Errorf("%q is no id that this server can keep", id)
	}
	return nil
}

// value is what a pointer points to, zero for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func rate(throttle, old *uint16) int {
	if throttle == nil {
		throttle = old
	}
	return int(value(throttle))
}
