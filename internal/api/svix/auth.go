package svix

import (
	"context"
	"net/url"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// PortalAccessIn says what a token of the portal may do. All of it may be left out.
type PortalAccessIn struct {
	Application  *ApplicationIn `json:"application"` // made if there is none
	FeatureFlags []string       `json:"featureFlags"`
	Capabilities []string       `json:"capabilities"`
	Expiry       *int           `json:"expiry" doc:"Seconds until it expires: 3600 to 604800."` // seconds
	ReadOnly     bool           `json:"readOnly"`                                               // the name of two capabilities in older SDKs
	SessionID    string         `json:"sessionId"`
	Origins      []string       `json:"origins" doc:"Whose pages may show the portal inside them: origins, scheme and host. Not in Svix."`
}

// PortalAccessOut opens the portal: by its link, or its API by the token.
type PortalAccessOut struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

func (a *API) portalAccess(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Body PortalAccessIn
}) (PortalAccessOut, error) {
	var out PortalAccessOut
	if in.Body.Application != nil {
		if err := a.provide(ctx, c, in.App, *in.Body.Application); err != nil {
			return out, err
		}
	}
	life, err := seconds("expiry", in.Body.Expiry)
	if err != nil {
		return out, err
	}
	err = a.change(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		token, err := auth.CreatePortalToken(tx, store.PortalToken{
			AccountID: account.ID, SessionID: in.Body.SessionID, Capabilities: in.Body.capabilities(), FeatureFlags: in.Body.FeatureFlags,
			Origins: in.Body.Origins,
		}, life)
		// Behind a "#" it is not sent to servers, and so in nobody's log.
		out = PortalAccessOut{URL: a.base + "/portal/webhooks#" + url.Values{"token": {token}}.Encode(), Token: token}
		return err
	})
	return out, err
}

// capabilities are those that were asked for; none means all.
func (in PortalAccessIn) capabilities() []string {
	if in.ReadOnly && len(in.Capabilities) == 0 {
		return []string{string(auth.ViewBase), string(auth.ViewEndpointSecret)}
	}
	return in.Capabilities
}

// expireAll ends the tokens of the portal, those of some sessions or all.
func (a *API) expireAll(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Body struct {
		Expiry     *int     `json:"expiry"` // in so many seconds
		SessionIDs []string `json:"sessionIds"`
	}
}) (web.Empty, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return web.Empty{}, err
	}
	wait, err := seconds("expiry", in.Body.Expiry)
	if err != nil {
		return web.Empty{}, err
	}
	return web.Empty{}, a.keys.ExpirePortalTokens(ctx, accountID, in.Body.SessionIDs, wait)
}

func (a *API) logout(ctx context.Context, c auth.Caller, _ *struct{}) (web.Empty, error) {
	return web.Empty{}, a.keys.Logout(ctx, c)
}

// maxSeconds keeps a duration from overflowing; what it may be is decided elsewhere.
const maxSeconds = 366 * 24 * 60 * 60

// seconds reads a duration; absent is zero.
func seconds(field string, n *int) (time.Duration, error) {
	if n == nil {
		return 0, nil
	}
	if *n < 0 || *n > maxSeconds {
		return 0, aftercall.InvalidField(field, "must be a number of seconds")
	}
	return time.Duration(*n) * time.Second, nil
}
