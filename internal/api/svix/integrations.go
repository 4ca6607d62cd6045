package svix

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// IntegrationIn is what is sent of an integration.
type IntegrationIn struct {
	Name         string   `json:"name" required:"true"`
	FeatureFlags []string `json:"featureFlags"`
}

// IntegrationOut is what is shown of an integration.
type IntegrationOut struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	FeatureFlags []string  `json:"featureFlags"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
}

// KeyOut is the key of an integration, shown when it is made and never again.
type KeyOut struct {
	Key string `json:"key"`
}

func integrationOut(i store.Integration) IntegrationOut {
	return IntegrationOut{i.ID, i.Name, i.FeatureFlags, i.CreatedAt, i.UpdatedAt}
}

type integrationPath struct {
	applicationPath
	Integration string `path:"integration"`
}

func (a *API) listIntegrations(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Paging
}) (List[IntegrationOut], error) {
	var list List[IntegrationOut]
	page, err := in.page(false, auth.ValidIntegrationID)
	if err != nil {
		return list, err
	}
	err = a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		rows, err := tx.Integrations(account.ID, page)
		list = listOf(rows, page, func(i store.Integration) string { return i.ID }, integrationOut)
		return err
	})
	return list, err
}

func (a *API) createIntegration(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Body IntegrationIn
}) (IntegrationOut, error) {
	return a.putIntegration(ctx, c, integrationPath{in.applicationPath, ""}, in.Body)
}

func (a *API) updateIntegration(ctx context.Context, c auth.Caller, in *struct {
	integrationPath
	Body IntegrationIn
}) (IntegrationOut, error) {
	return a.putIntegration(ctx, c, in.integrationPath, in.Body)
}

func (a *API) putIntegration(ctx context.Context, c auth.Caller, path integrationPath, in IntegrationIn) (IntegrationOut, error) {
	accountID, err := a.accountID(ctx, c, path.App)
	if err != nil {
		return IntegrationOut{}, err
	}
	i, err := a.keys.PutIntegration(ctx, store.Integration{AccountID: accountID, ID: path.Integration, Name: in.Name, FeatureFlags: in.FeatureFlags})
	return integrationOut(i), err
}

func (a *API) getIntegration(ctx context.Context, c auth.Caller, in *integrationPath) (IntegrationOut, error) {
	var out IntegrationOut
	err := a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		i, err := tx.Integration(account.ID, in.Integration)
		out = integrationOut(i)
		return err
	})
	return out, err
}

func (a *API) deleteIntegration(ctx context.Context, c auth.Caller, in *integrationPath) (web.Empty, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return web.Empty{}, err
	}
	return web.Empty{}, a.keys.DeleteIntegration(ctx, accountID, in.Integration)
}

func (a *API) rotateIntegrationKey(ctx context.Context, c auth.Caller, in *integrationPath) (KeyOut, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return KeyOut{}, err
	}
	key, err := a.keys.RotateIntegrationKey(ctx, accountID, in.Integration)
	return KeyOut{key}, err
}
