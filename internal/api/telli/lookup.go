package telli

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/web"
)

// ContactLookupIn changes where an account is asked who is calling; what is left out
// stays as it is.
type ContactLookupIn struct {
	URL          web.Optional[string]            `json:"url" doc:"is required the first time"`
	Timeout      web.Optional[int]               `json:"timeout_seconds" doc:"1 to 10, or 3"`
	Headers      web.Optional[map[string]string] `json:"headers" doc:"are sent, too"`
	Query        web.Optional[map[string]string] `json:"query" doc:"is added to the URL's own parameters"`
	Enabled      web.Optional[bool]              `json:"enabled"`
	RotateSecret bool                            `json:"rotate_secret" doc:"makes a new secret, which signs at once and alone"`
}

// ContactLookupOut is where an account is asked who is calling.
type ContactLookupOut struct {
	URL       string            `json:"url"`
	Timeout   int               `json:"timeout_seconds"`
	Headers   map[string]string `json:"headers"`
	Query     map[string]string `json:"query"`
	Enabled   bool              `json:"enabled"`
	Secret    string            `json:"secret" doc:"is the key of the header x-telli-signature: lower-case hex HMAC-SHA256 of the body"`
	CreatedAt *string           `json:"created_at"`
	UpdatedAt *string           `json:"updated_at"`
}

func contactLookupOut(l aftercall.ContactLookup, err error) (ContactLookupOut, error) {
	if err != nil {
		return ContactLookupOut{}, err
	}
	out := ContactLookupOut{
		URL: l.URL, Timeout: int(l.Timeout.Seconds()), Headers: l.Headers, Query: l.Query, Enabled: l.Enabled, Secret: l.Secret.Reveal(),
		CreatedAt: aftercall.ISOMillis(l.CreatedAt), UpdatedAt: aftercall.ISOMillis(l.UpdatedAt),
	}
	for _, m := range []*map[string]string{&out.Headers, &out.Query} {
		if *m == nil {
			*m = map[string]string{}
		}
	}
	return out, nil
}

func (a *API) getContactLookup(ctx context.Context, c auth.Caller, _ *struct{}) (ContactLookupOut, error) {
	return contactLookupOut(a.dialer.ContactLookup(ctx, c.AccountID))
}

func (a *API) putContactLookup(ctx context.Context, c auth.Caller, in *struct{ Body ContactLookupIn }) (ContactLookupOut, error) {
	return contactLookupOut(a.dialer.SetContactLookup(ctx, c.AccountID, func(l *aftercall.ContactLookup) {
		in.Body.URL.Into(&l.URL)
		in.Body.Headers.Into(&l.Headers)
		in.Body.Query.Into(&l.Query)
		in.Body.Enabled.Into(&l.Enabled)
		secondsInto(in.Body.Timeout, &l.Timeout)
		if in.Body.RotateSecret {
			l.Secret = aftercall.NewSecret(aftercall.HMAC, time.Now())
		}
	}))
}

func (a *API) deleteContactLookup(ctx context.Context, c auth.Caller, _ *struct{}) (web.Empty, error) {
	return web.Empty{}, a.dialer.DeleteContactLookup(ctx, c.AccountID)
}
