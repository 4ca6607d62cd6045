package svix

import (
	"context"
	"net/http"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// ApplicationIn is what is sent of an application. PATCH sends some of it.
type ApplicationIn struct {
	Name         web.Optional[string]            `json:"name"`
	UID          web.Optional[string]            `json:"uid"`
	ThrottleRate web.Optional[*int]              `json:"throttleRate"`
	RateLimit    web.Optional[*int]              `json:"rateLimit"` // the name of throttleRate in v1 SDKs
	Metadata     web.Optional[map[string]string] `json:"metadata"`
}

func (in ApplicationIn) into(a *aftercall.Account) {
	in.Name.Into(&a.Name)
	in.UID.Into(&a.UID)
	rateInto(web.First(in.ThrottleRate, in.RateLimit), &a.ThrottleRate)
	in.Metadata.Into(&a.Metadata)
}

// noRate stands for a rate of 0, which is refused where null means none.
const noRate = -1

func rateInto(rate web.Optional[*int], dest *int) {
	switch {
	case !rate.Set:
	case rate.Value == nil:
		*dest = 0
	case *rate.Value == 0:
		*dest = noRate
	default:
		*dest = *rate.Value
	}
}

// ApplicationOut is what is shown of an application.
type ApplicationOut struct {
	ID           string            `json:"id"`
	UID          *string           `json:"uid"`
	Name         string            `json:"name"`
	ThrottleRate *int              `json:"throttleRate"`
	RateLimit    *int              `json:"rateLimit"`
	Metadata     map[string]string `json:"metadata"`
	CreatedAt    time.Time         `json:"createdAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`
	created      bool
}

// Status tells a new application from one that existed.
func (a ApplicationOut) Status() int {
	if a.created {
		return http.StatusCreated
	}
	return http.StatusOK
}

func applicationOut(a aftercall.Account) ApplicationOut {
	return ApplicationOut{
		ID: a.ID, UID: orNil(a.UID), Name: a.Name, ThrottleRate: rateOrNil(a.ThrottleRate), RateLimit: rateOrNil(a.ThrottleRate),
		Metadata: metadataOut(a.Metadata), CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

func (a *API) listApplications(ctx context.Context, c auth.Caller, in *struct {
	Paging
	NoEndpoints       bool `query:"exclude_apps_with_no_endpoints"`
	DisabledEndpoints bool `query:"exclude_apps_with_disabled_endpoints" doc:"Leaves out those that have endpoints, of which none is enabled."`
}) (List[ApplicationOut], error) {
	var list List[ApplicationOut]
	if err := onlyOperator(c); err != nil {
		return list, err
	}
	page, err := in.page(false, iteratorOf(aftercall.AccountPrefix))
	if err != nil {
		return list, err
	}
	err = a.store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Accounts(store.AccountFilter{WithEndpoints: in.NoEndpoints, WithEnabled: in.DisabledEndpoints}, page)
		list = listOf(rows, page, func(a aftercall.Account) string { return a.ID }, applicationOut)
		return err
	})
	return list, err
}

func (a *API) createApplication(ctx context.Context, c auth.Caller, in *struct {
	GetIfExists bool `query:"get_if_exists"`
	Body        ApplicationIn
}) (ApplicationOut, error) {
	if err := onlyOperator(c); err != nil {
		return ApplicationOut{}, err
	}
	var out ApplicationOut
	err := a.store.Update(ctx, func(tx *store.Tx) error {
		account, created, err := create(tx, in.Body, in.GetIfExists)
		out = applicationOut(account)
		out.created = created
		return err
	})
	return out, err
}

// create makes an account, unless one with its uid exists and that is as good.
func create(tx *store.Tx, in ApplicationIn, getIfExists bool) (account aftercall.Account, created bool, err error) {
	in.into(&account)
	if getIfExists && account.UID != "" {
		existing, err := tx.Account(account.UID)
		if aftercall.KindOf(err) != aftercall.NotFound {
			return existing, false, err
		}
	}
	err = auth.CreateAccount(tx, &account)
	return account, err == nil, err
}

// provide makes the application that a request brings along for its path, if there
// is none. Only the operator may make one.
func (a *API) provide(ctx context.Context, c auth.Caller, path string, in ApplicationIn) error {
	wrong := aftercall.FieldError{Path: "application.uid", Message: "must be the one in the path", Code: "application_uid_mismatch"}
	switch {
	case in.UID.Value == "":
		wrong.Message, wrong.Code = "is required", "application_uid_missing"
		fallthrough
	case in.UID.Value != path:
		return &aftercall.Error{Kind: aftercall.Invalid, Message: wrong.Path + ": " + wrong.Message, Fields: []aftercall.FieldError{wrong}}
	}
	_, err := a.accountID(ctx, c, path)
	if aftercall.KindOf(err) != aftercall.NotFound || !c.Operator {
		return err
	}
	// The request is claimed with its message: should that fail, it can be made again.
	return a.store.Update(store.WithOnce(ctx, nil), func(tx *store.Tx) error {
		_, _, err := create(tx, in, true)
		return err
	})
}

type applicationPath struct {
	App string `path:"app" doc:"The application's id or uid."`
}

func (a *API) getApplication(ctx context.Context, c auth.Caller, in *applicationPath) (ApplicationOut, error) {
	var out ApplicationOut
	err := a.read(ctx, c, in.App, func(_ *store.Tx, account aftercall.Account) error {
		out = applicationOut(account)
		return nil
	})
	return out, err
}

type applicationChange struct {
	applicationPath
	Body ApplicationIn
}

// putApplication replaces an application. An unknown one is created, with the path
// as its uid.
func (a *API) putApplication(ctx context.Context, c auth.Caller, in *applicationChange) (ApplicationOut, error) {
	if err := onlyOperator(c); err != nil {
		return ApplicationOut{}, err
	}
	account, err := a.keys.UpdateAccount(ctx, in.App, func(account *aftercall.Account) {
		account.Name, account.UID, account.ThrottleRate, account.Metadata = "", "", 0, nil
		in.Body.into(account)
	})
	out := applicationOut(account)
	if aftercall.KindOf(err) == aftercall.NotFound && !aftercall.ValidID(aftercall.AccountPrefix, in.App) {
		err = a.store.Update(ctx, func(tx *store.Tx) error {
			account := aftercall.Account{UID: in.App}
			in.Body.into(&account)
			err := auth.CreateAccount(tx, &account)
			out = applicationOut(account)
			out.created = true
			return err
		})
	}
	return out, err
}

func (a *API) patchApplication(ctx context.Context, c auth.Caller, in *applicationChange) (ApplicationOut, error) {
	if err := onlyOperator(c); err != nil {
		return ApplicationOut{}, err
	}
	account, err := a.keys.UpdateAccount(ctx, in.App, in.Body.into)
	return applicationOut(account), err
}

func (a *API) deleteApplication(ctx context.Context, c auth.Caller, in *applicationPath) (web.Empty, error) {
	if err := onlyOperator(c); err != nil {
		return web.Empty{}, err
	}
	return web.Empty{}, a.keys.DeleteAccount(ctx, in.App)
}
