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

// EndpointIn is what is sent of an endpoint. PATCH sends some of it.
type EndpointIn struct {
	URL          web.Optional[string]            `json:"url"`
	UID          web.Optional[string]            `json:"uid"`
	Description  web.Optional[string]            `json:"description"`
	Disabled     web.Optional[bool]              `json:"disabled"`
	EventTypes   web.Optional[[]string]          `json:"eventTypes"`
	FilterTypes  web.Optional[[]string]          `json:"filterTypes" doc:"The name of eventTypes in v1 SDKs."` // the name of eventTypes in v1 SDKs
	Channels     web.Optional[[]string]          `json:"channels"`
	ThrottleRate web.Optional[*int]              `json:"throttleRate"`
	RateLimit    web.Optional[*int]              `json:"rateLimit"` // the name of throttleRate in v1 SDKs
	Metadata     web.Optional[map[string]string] `json:"metadata"`
	Headers      web.Optional[map[string]string] `json:"headers"`
	Version      web.Optional[int]               `json:"version"`                                                                                                        // v1 SDKs
	Secret       web.Optional[string]            `json:"secret" doc:"whsec_ and base64, or whsk_ and base64 of an Ed25519 private key; one is made unless it is given."` // only when it is created

	// Our additions.
	Signature     web.Optional[aftercall.Signature] `json:"signature" enum:"hmac,ed25519,both" doc:"What its messages are signed with; both at once is possible."`
	RetrySchedule web.Optional[[]int]               `json:"retrySchedule" doc:"Waits between attempts in seconds; null means the server's."` // seconds; null means the server's
}

// into sets what was sent. An empty list of event types means all, as Svix's React
// hooks send it.
func (in EndpointIn) into(e *aftercall.Endpoint) {
	in.URL.Into(&e.URL)
	in.UID.Into(&e.UID)
	in.Description.Into(&e.Description)
	in.Disabled.Into(&e.Disabled)
	web.First(in.EventTypes, in.FilterTypes).Into(&e.EventTypes)
	in.Channels.Into(&e.Channels)
	rateInto(web.First(in.ThrottleRate, in.RateLimit), &e.ThrottleRate)
	in.Metadata.Into(&e.Metadata)
	in.Headers.Into(&e.Headers)
	in.Version.Into(&e.Version)
	in.Signature.Into(&e.Signature)
	if in.RetrySchedule.Set {
		e.Schedule = scheduleIn(in.RetrySchedule.Value)
	}
}

// scheduleIn reads waits in seconds. Those of absurd length stay absurd: they are
// refused with the rest of an endpoint.
func scheduleIn(waits []int) *aftercall.Schedule {
	if waits == nil {
		return nil
	}
	schedule := make(aftercall.Schedule, len(waits))
	for i, wait := range waits {
		schedule[i] = time.Duration(max(-1, min(wait, maxSeconds))) * time.Second
	}
	return &schedule
}

func scheduleOut(s *aftercall.Schedule) []int {
	if s == nil {
		return nil
	}
	waits := make([]int, len(*s))
	for i, wait := range *s {
		waits[i] = int(wait.Seconds())
	}
	return waits
}

// EndpointOut is what is shown of an endpoint, with the names of v1 and v2 SDKs.
type EndpointOut struct {
	ID           string            `json:"id"`
	UID          *string           `json:"uid"`
	URL          string            `json:"url"`
	Description  string            `json:"description"`
	Disabled     bool              `json:"disabled"`
	EventTypes   []string          `json:"eventTypes"`
	FilterTypes  []string          `json:"filterTypes"`
	Channels     []string          `json:"channels"`
	ThrottleRate *int              `json:"throttleRate"`
	RateLimit    *int              `json:"rateLimit"`
	Version      int               `json:"version"`
	Metadata     map[string]string `json:"metadata"`
	CreatedAt    time.Time         `json:"createdAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`

	// Our additions.
	DisabledReason *string             `json:"disabledReason,omitempty"`
	Signature      aftercall.Signature `json:"signature"`
	RetrySchedule  []int               `json:"retrySchedule,omitempty"`

	created bool
}

// Status tells a new endpoint from one that existed.
func (e EndpointOut) Status() int {
	if e.created {
		return http.StatusCreated
	}
	return http.StatusOK
}

func endpointOut(e aftercall.Endpoint) EndpointOut {
	return EndpointOut{
		ID: e.ID, UID: orNil(e.UID), URL: e.URL, Description: e.Description,
		Disabled: e.Disabled, DisabledReason: orNil(string(e.Reason)), Signature: e.Signature, RetrySchedule: scheduleOut(e.Schedule),
		EventTypes: e.EventTypes, FilterTypes: e.EventTypes, Channels: e.Channels,
		ThrottleRate: rateOrNil(e.ThrottleRate), RateLimit: rateOrNil(e.ThrottleRate), Version: e.Version,
		Metadata: metadataOut(e.Metadata), CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
}

func (a *API) listEndpoints(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Paging
}) (List[EndpointOut], error) {
	var list List[EndpointOut]
	page, err := in.page(true, iteratorOf(aftercall.EndpointPrefix))
	if err != nil {
		return list, err
	}
	err = a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		rows, err := tx.Endpoints(account.ID, page)
		list = listOf(rows, page, func(e aftercall.Endpoint) string { return e.ID }, endpointOut)
		return err
	})
	return list, err
}

func (a *API) createEndpoint(ctx context.Context, c auth.Caller, in *struct {
	applicationPath
	Body EndpointIn
}) (EndpointOut, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return EndpointOut{}, err
	}
	return a.newEndpoint(ctx, aftercall.Endpoint{AccountID: accountID, Version: 1}, in.Body)
}

func (a *API) newEndpoint(ctx context.Context, e aftercall.Endpoint, in EndpointIn) (EndpointOut, error) {
	in.into(&e)
	err := a.engine.CreateEndpoint(ctx, &e, in.Secret.Value)
	out := endpointOut(e)
	out.created = true
	return out, err
}

type endpointPath struct {
	applicationPath
	Endpoint string `path:"endpoint" doc:"The endpoint's id or uid."`
}

// endpoint reads the endpoint that a path names.
func (a *API) endpoint(ctx context.Context, c auth.Caller, in endpointPath, fn func(*store.Tx, aftercall.Endpoint) error) error {
	return a.read(ctx, c, in.App, func(tx *store.Tx, account aftercall.Account) error {
		endpoint, err := tx.Endpoint(account.ID, in.Endpoint)
		if err != nil {
			return err
		}
		return fn(tx, endpoint)
	})
}

func (a *API) getEndpoint(ctx context.Context, c auth.Caller, in *endpointPath) (EndpointOut, error) {
	var out EndpointOut
	err := a.endpoint(ctx, c, *in, func(_ *store.Tx, e aftercall.Endpoint) error {
		out = endpointOut(e)
		return nil
	})
	return out, err
}

type endpointChange struct {
	endpointPath
	Body EndpointIn
}

// allowed refuses who may change endpoints and not their secrets.
func (in *endpointChange) allowed(c auth.Caller) error {
	if in.Body.Secret.Value == "" && !in.Body.Signature.Set {
		return nil
	}
	return c.Need(auth.ManageEndpointSecret)
}

// changeEndpoint changes the endpoint that a path names.
func (a *API) changeEndpoint(ctx context.Context, c auth.Caller, in endpointPath, secret string, change func(*aftercall.Endpoint) error) (EndpointOut, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return EndpointOut{}, err
	}
	e, err := a.engine.UpdateEndpoint(ctx, accountID, in.Endpoint, secret, change)
	return endpointOut(e), err
}

// putEndpoint replaces an endpoint; its secrets and what signs it stay, and its
// headers unless they are sent. An unknown one is created, with the path as its uid.
func (a *API) putEndpoint(ctx context.Context, c auth.Caller, in *endpointChange) (EndpointOut, error) {
	if err := in.allowed(c); err != nil {
		return EndpointOut{}, err
	}
	out, err := a.changeEndpoint(ctx, c, in.endpointPath, "", func(e *aftercall.Endpoint) error {
		headers := e.Headers
		e.URL, e.UID, e.Description, e.Disabled = "", "", "", false
		e.EventTypes, e.Channels, e.ThrottleRate, e.Metadata, e.Schedule = nil, nil, 0, nil, nil
		in.Body.into(e)
		if !in.Body.Headers.Set {
			e.Headers = headers
		}
		return nil
	})
	if aftercall.KindOf(err) != aftercall.NotFound || aftercall.ValidID(aftercall.EndpointPrefix, in.Endpoint) {
		return out, err
	}
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return out, err
	}
	return a.newEndpoint(ctx, aftercall.Endpoint{AccountID: accountID, UID: in.Endpoint, Version: 1}, in.Body)
}

func (a *API) patchEndpoint(ctx context.Context, c auth.Caller, in *endpointChange) (EndpointOut, error) {
	if err := in.allowed(c); err != nil {
		return EndpointOut{}, err
	}
	return a.changeEndpoint(ctx, c, in.endpointPath, in.Body.Secret.Value, func(e *aftercall.Endpoint) error {
		in.Body.into(e)
		return nil
	})
}

func (a *API) deleteEndpoint(ctx context.Context, c auth.Caller, in *endpointPath) (web.Empty, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return web.Empty{}, err
	}
	return web.Empty{}, a.engine.DeleteEndpoint(ctx, accountID, in.Endpoint)
}

// SecretOut is the current secret of an endpoint: of an asymmetric one the public
// half.
type SecretOut struct {
	Key       string `json:"key"`
	PublicKey string `json:"publicKey,omitempty"` // our addition: there are both
}

func (a *API) getSecret(ctx context.Context, c auth.Caller, in *endpointPath) (SecretOut, error) {
	var out SecretOut
	err := a.endpoint(ctx, c, *in, func(tx *store.Tx, e aftercall.Endpoint) error {
		secrets, err := tx.Secrets(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID})
		if err != nil {
			return err
		}
		out.Key = secrets[0].Reveal()
		if e.Signature == aftercall.SignBoth {
			public, _ := secrets.Current(aftercall.Ed25519)
			out.PublicKey = public.Reveal()
		}
		return nil
	})
	return out, err
}

func (a *API) rotateSecret(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body struct {
		Key                string             `json:"key"`
		GracePeriodSeconds web.Optional[*int] `json:"gracePeriodSeconds"`
	}
}) (web.Empty, error) {
	accountID, err := a.accountID(ctx, c, in.App)
	if err != nil {
		return web.Empty{}, err
	}
	grace := aftercall.DefaultGrace
	if seconds := in.Body.GracePeriodSeconds.Value; seconds != nil {
		if *seconds < 0 || *seconds > int(aftercall.MaxGrace.Seconds()) {
			return web.Empty{}, aftercall.InvalidField("gracePeriodSeconds", "must be 0 to %d", int(aftercall.MaxGrace.Seconds()))
		}
		grace = time.Duration(*seconds) * time.Second
	}
	return web.Empty{}, a.engine.RotateSecret(ctx, accountID, in.Endpoint, in.Body.Key, grace)
}

// HeadersOut is what is shown of an endpoint's own headers: of sensitive ones only
// the names.
type HeadersOut struct {
	Headers   map[string]string `json:"headers"`
	Sensitive []string          `json:"sensitive"`
}

func (a *API) getHeaders(ctx context.Context, c auth.Caller, in *endpointPath) (HeadersOut, error) {
	out := HeadersOut{Headers: map[string]string{}, Sensitive: []string{}}
	err := a.endpoint(ctx, c, *in, func(_ *store.Tx, e aftercall.Endpoint) error {
		for name, value := range e.Headers {
			if aftercall.SensitiveHeader(name) {
				out.Sensitive = append(out.Sensitive, name)
			} else {
				out.Headers[name] = value
			}
		}
		return nil
	})
	return out, err
}

func (a *API) putHeaders(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body struct {
		Headers map[string]string `json:"headers"`
	}
}) (web.Empty, error) {
	_, err := a.changeEndpoint(ctx, c, in.endpointPath, "", func(e *aftercall.Endpoint) error {
		e.Headers = in.Body.Headers
		return nil
	})
	return web.Empty{}, err
}

// patchHeaders merges headers; null removes one.
func (a *API) patchHeaders(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Body struct {
		Headers       map[string]*string `json:"headers"`
		DeleteHeaders []string           `json:"deleteHeaders"`
	}
}) (web.Empty, error) {
	_, err := a.changeEndpoint(ctx, c, in.endpointPath, "", func(e *aftercall.Endpoint) error {
		merged := map[string]string{}
		for name, value := range e.Headers {
			merged[name] = value
		}
		for _, name := range in.Body.DeleteHeaders {
			delete(merged, name)
		}
		for name, value := range in.Body.Headers {
			if value == nil {
				delete(merged, name)
			} else {
				merged[name] = *value
			}
		}
		e.Headers = merged
		return nil
	})
	return web.Empty{}, err
}

// StatsOut counts an endpoint's messages by what became of them.
type StatsOut struct {
	Success  int `json:"success"`
	Pending  int `json:"pending"`
	Sending  int `json:"sending"`
	Fail     int `json:"fail"`
	Canceled int `json:"canceled"`
}

// statsWindow is the longest window of statistics, and the default.
const statsWindow = 28 * 24 * time.Hour

func (a *API) getStats(ctx context.Context, c auth.Caller, in *struct {
	endpointPath
	Since time.Time `query:"since"`
	Until time.Time `query:"until"`
}) (StatsOut, error) {
	until := in.Until
	if until.IsZero() {
		until = time.Now().UTC()
	}
	since := in.Since
	if since.IsZero() {
		since = until.Add(-statsWindow)
	}
	if since.After(until) || until.Sub(since) > statsWindow {
		return StatsOut{}, aftercall.Errorf(aftercall.Invalid, "since must lie before until, by at most 28 days").WithCode("invalid_range")
	}
	var out StatsOut
	err := a.endpoint(ctx, c, in.endpointPath, func(tx *store.Tx, e aftercall.Endpoint) error {
		s, err := tx.EndpointStats(store.EndpointRef{AccountID: e.AccountID, EndpointID: e.ID}, since, until.Add(time.Second))
		out = StatsOut{Success: s.Succeeded, Pending: s.Waiting, Sending: s.Retrying, Fail: s.Failed}
		return err
	})
	return out, err
}
