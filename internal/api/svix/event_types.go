package svix

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// EventTypeIn is what is sent of an event type. PATCH sends some of it.
type EventTypeIn struct {
	Name         string                        `json:"name"`
	Description  web.Optional[string]          `json:"description"`
	Schemas      web.Optional[json.RawMessage] `json:"schemas"`
	Archived     web.Optional[bool]            `json:"archived"`
	Deprecated   web.Optional[bool]            `json:"deprecated"`
	FeatureFlag  web.Optional[string]          `json:"featureFlag"` // the name of featureFlags in older SDKs, which had one
	FeatureFlags web.Optional[[]string]        `json:"featureFlags"`
	GroupName    web.Optional[string]          `json:"groupName"`
}

func (in EventTypeIn) into(t *aftercall.EventType) {
	in.Description.Into(&t.Description)
	if in.Schemas.Set {
		t.Schemas = in.Schemas.Value
	}
	in.Archived.Into(&t.Archived)
	in.Deprecated.Into(&t.Deprecated)
	if in.FeatureFlag.Set {
		t.FeatureFlags = nil
		if in.FeatureFlag.Value != "" {
			t.FeatureFlags = []string{in.FeatureFlag.Value}
		}
	}
	in.FeatureFlags.Into(&t.FeatureFlags)
	in.GroupName.Into(&t.GroupName)
}

// EventTypeOut is what is shown of an event type.
type EventTypeOut struct {
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	Schemas      json.RawMessage `json:"schemas"`
	Archived     bool            `json:"archived"`
	Deprecated   bool            `json:"deprecated"`
	FeatureFlag  *string         `json:"featureFlag"`
	FeatureFlags []string        `json:"featureFlags"`
	GroupName    *string         `json:"groupName"`
	CreatedAt    time.Time       `json:"createdAt"`
	UpdatedAt    time.Time       `json:"updatedAt"`
	created      bool
}

// Status tells a new event type from one that existed.
func (t EventTypeOut) Status() int {
	if t.created {
		return http.StatusCreated
	}
	return http.StatusOK
}

func eventTypeOut(withSchemas bool) func(aftercall.EventType) EventTypeOut {
	return func(t aftercall.EventType) EventTypeOut {
		out := EventTypeOut{
			Name: t.Name, Description: t.Description, Archived: t.Archived, Deprecated: t.Deprecated,
			FeatureFlags: t.FeatureFlags, GroupName: orNil(t.GroupName), CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		}
		if len(t.FeatureFlags) > 0 {
			out.FeatureFlag = &t.FeatureFlags[0]
		}
		if withSchemas {
			out.Schemas = t.Schemas
		}
		return out
	}
}

var iteratorName = regexp.MustCompile(`^[a-zA-Z0-9\-_.:+]{1,256}$`)

func (a *API) listEventTypes(ctx context.Context, c auth.Caller, in *struct {
	Paging
	IncludeArchived bool `query:"include_archived"`
	WithContent     bool `query:"with_content"`
}) (List[EventTypeOut], error) {
	var list List[EventTypeOut]
	page, err := in.page(false, iteratorName.MatchString)
	if err != nil {
		return list, err
	}
	err = a.store.View(ctx, func(tx *store.Tx) error {
		filter := store.EventTypeFilter{Archived: in.IncludeArchived}
		if c.Portal != nil {
			filter.Gated, filter.Flags = true, c.Portal.FeatureFlags
		}
		rows, err := tx.EventTypes(filter, page)
		list = listOf(rows, page, func(t aftercall.EventType) string { return t.Name }, eventTypeOut(in.WithContent))
		return err
	})
	return list, err
}

func (a *API) createEventType(ctx context.Context, c auth.Caller, in *struct{ Body EventTypeIn }) (EventTypeOut, error) {
	return a.storeEventType(ctx, c, in.Body.Name, in.Body, true)
}

type eventTypePath struct {
	Name string `path:"name"`
}

func (a *API) getEventType(ctx context.Context, c auth.Caller, in *eventTypePath) (EventTypeOut, error) {
	var out EventTypeOut
	err := a.store.View(ctx, func(tx *store.Tx) error {
		t, err := tx.EventType(in.Name)
		if err == nil && c.Portal != nil && !t.Shown(c.Portal.FeatureFlags) {
			return aftercall.Errorf(aftercall.NotFound, "event type not found")
		}
		out = eventTypeOut(true)(t)
		return err
	})
	return out, err
}

type eventTypeChange struct {
	eventTypePath
	Body EventTypeIn
}

func (a *API) putEventType(ctx context.Context, c auth.Caller, in *eventTypeChange) (EventTypeOut, error) {
	return a.storeEventType(ctx, c, in.Name, in.Body, false)
}

func (a *API) storeEventType(ctx context.Context, c auth.Caller, name string, in EventTypeIn, onlyNew bool) (EventTypeOut, error) {
	if err := onlyOperator(c); err != nil {
		return EventTypeOut{}, err
	}
	t := aftercall.EventType{Name: name}
	in.into(&t)
	created, err := a.engine.PutEventType(ctx, &t, onlyNew)
	out := eventTypeOut(true)(t)
	out.created = created || onlyNew
	return out, err
}

func (a *API) patchEventType(ctx context.Context, c auth.Caller, in *eventTypeChange) (EventTypeOut, error) {
	if err := onlyOperator(c); err != nil {
		return EventTypeOut{}, err
	}
	t, err := a.engine.UpdateEventType(ctx, in.Name, in.Body.into)
	return eventTypeOut(true)(t), err
}

// deleteEventType archives an event type, or, with expunge, removes it.
func (a *API) deleteEventType(ctx context.Context, c auth.Caller, in *struct {
	eventTypePath
	Expunge bool `query:"expunge"`
}) (web.Empty, error) {
	if err := onlyOperator(c); err != nil {
		return web.Empty{}, err
	}
	if in.Expunge {
		return web.Empty{}, a.engine.DeleteEventType(ctx, in.Name)
	}
	_, err := a.engine.UpdateEventType(ctx, in.Name, func(t *aftercall.EventType) { t.Archived = true })
	return web.Empty{}, err
}
