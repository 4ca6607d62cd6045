// Package svix is the face that speaks Svix's API, so that its SDKs work against
// this server. It translates: applications are accounts, and all rules are elsewhere.
package svix

import (
	"context"
	"net/http"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
	"github.com/aftercall/aftercall/internal/webhook"
)

// API is the face.
type API struct {
	store  *store.Store
	engine *webhook.Engine
	keys   *auth.Keys
	base   string
}

// maxBody is Svix's limit on a request, in bytes.
const maxBody = 2 << 20

// New makes the handler of everything below /api/v1/. Base is the address at which
// people reach the server, for links.
func New(s *store.Store, engine *webhook.Engine, keys *auth.Keys, base string) http.Handler {
	return (&API{s, engine, keys, base}).routes()
}

// HTTPError is Svix's form of an error.
type HTTPError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// HTTPValidationError is its form for what is wrong with an input.
type HTTPValidationError struct {
	Detail []ValidationDetail `json:"detail"`
}

// ValidationDetail says what is wrong with one field.
type ValidationDetail struct {
	Loc  []string `json:"loc"`
	Msg  string   `json:"msg"`
	Type string   `json:"type"`
}

// statuses is the table from kinds of errors to this dialect.
var statuses = [...]struct {
	status int
	code   string
}{
	aftercall.Internal:        {http.StatusInternalServerError, "server_error"},
	aftercall.Invalid:         {http.StatusBadRequest, "generic_error"},
	aftercall.Unauthenticated: {http.StatusUnauthorized, "authentication_failed"},
	aftercall.Forbidden:       {http.StatusForbidden, "insufficient access"},
	aftercall.NotFound:        {http.StatusNotFound, "not_found"},
	aftercall.Conflict:        {http.StatusConflict, "conflict"},
	aftercall.TooLarge:        {http.StatusRequestEntityTooLarge, "payload_too_large"},
	aftercall.Unavailable:     {http.StatusServiceUnavailable, "unavailable"},
	aftercall.Throttled:       {http.StatusTooManyRequests, "rate_limit"},
}

func writeError(w http.ResponseWriter, e *aftercall.Error) {
	row := statuses[e.Kind]
	body := HTTPError{Code: row.code, Detail: e.Message}
	if e.Code != "" {
		body.Code = e.Code
	}
	switch {
	case e.Kind == aftercall.Unavailable, e.Kind == aftercall.Throttled:
		w.Header().Set("Retry-After", "1")
	case e.Code == web.MethodNotAllowed:
		row.status = http.StatusMethodNotAllowed
	case len(e.Fields) > 0 && e.Fields[0].Code != web.Malformed:
		web.WriteJSON(w, http.StatusUnprocessableEntity, validation(e.Fields))
		return
	}
	web.WriteJSON(w, row.status, body)
}

func validation(fields []aftercall.FieldError) HTTPValidationError {
	var body HTTPValidationError
	for _, f := range fields {
		loc := strings.Split(f.Path, ".")
		if loc[0] != "query" && loc[0] != "body" {
			loc = append([]string{"body"}, loc...)
		}
		kind := f.Code
		if kind == "" {
			kind = "value_error"
		}
		body.Detail = append(body.Detail, ValidationDetail{loc, f.Message, kind})
	}
	return body
}

// onlyOperator refuses accounts' keys where other accounts could be touched.
func onlyOperator(c auth.Caller) error {
	if !c.Operator {
		return aftercall.Errorf(aftercall.Forbidden, "this needs the operator's key")
	}
	return nil
}

// application finds the account that a path names, if the caller may see it. An
// account sees itself; others do not exist for it.
func application(tx *store.Tx, c auth.Caller, idOrUID string) (aftercall.Account, error) {
	account, err := tx.Account(idOrUID)
	if err == nil && !c.Operator && account.ID != c.AccountID {
		return aftercall.Account{}, aftercall.Errorf(aftercall.NotFound, "application not found")
	}
	return account, err
}

// accountID is application for verbs that open their own transaction. An account's
// own id needs no look-up.
func (a *API) accountID(ctx context.Context, c auth.Caller, idOrUID string) (string, error) {
	if !c.Operator && idOrUID == c.AccountID {
		return c.AccountID, nil
	}
	var account aftercall.Account
	err := a.store.View(ctx, func(tx *store.Tx) (err error) {
		account, err = application(tx, c, idOrUID)
		return err
	})
	return account.ID, err
}

// read runs a read of one account.
func (a *API) read(ctx context.Context, c auth.Caller, idOrUID string, fn func(*store.Tx, aftercall.Account) error) error {
	return a.store.View(ctx, func(tx *store.Tx) error {
		account, err := application(tx, c, idOrUID)
		if err != nil {
			return err
		}
		return fn(tx, account)
	})
}

// change runs an update of one account.
func (a *API) change(ctx context.Context, c auth.Caller, idOrUID string, fn func(*store.Tx, aftercall.Account) error) error {
	return a.store.Update(ctx, func(tx *store.Tx) error {
		account, err := application(tx, c, idOrUID)
		if err != nil {
			return err
		}
		return fn(tx, account)
	})
}
