package svix

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
	"github.com/aftercall/aftercall/internal/webhook"
)

// EnvironmentOut is what can be taken to another server: the catalogue. Svix's has
// settings of its portal and connectors besides, which here there are none of.
type EnvironmentOut struct {
	CreatedAt  time.Time      `json:"createdAt"`
	Version    int            `json:"version"`
	EventTypes []EventTypeOut `json:"eventTypes"`
	Connectors []struct{}     `json:"connectors"`
	Settings   *struct{}      `json:"settings"`
}

// EnvironmentIn is what another server exported.
type EnvironmentIn struct {
	EventTypes []EventTypeIn              `json:"eventTypes"`
	Connectors []json.RawMessage          `json:"connectors"`
	Settings   map[string]json.RawMessage `json:"settings"` // of how Svix's portal looks: of no meaning here
}

func (a *API) exportEnvironment(ctx context.Context, c auth.Caller, _ *struct{}) (EnvironmentOut, error) {
	out := EnvironmentOut{CreatedAt: time.Now().UTC(), Version: 1, EventTypes: []EventTypeOut{}, Connectors: []struct{}{}}
	if err := onlyOperator(c); err != nil {
		return out, err
	}
	err := a.store.View(ctx, func(tx *store.Tx) error {
		types, err := webhook.AllEventTypes(tx)
		for _, t := range types {
			out.EventTypes = append(out.EventTypes, eventTypeOut(true)(t))
		}
		return err
	})
	return out, err
}

func (a *API) importEnvironment(ctx context.Context, c auth.Caller, in *struct{ Body EnvironmentIn }) (web.Empty, error) {
	if err := onlyOperator(c); err != nil {
		return web.Empty{}, err
	}
	if len(in.Body.Connectors) > 0 {
		return web.Empty{}, aftercall.InvalidField("connectors", "there are none here: an import without them works")
	}
	types := make([]aftercall.EventType, len(in.Body.EventTypes))
	for i, t := range in.Body.EventTypes {
		types[i].Name = t.Name
		t.into(&types[i])
	}
	return web.Empty{}, a.engine.PutEventTypes(ctx, types, false)
}

// ImportIn is an OpenAPI document whose webhooks are event types, as JSON or as text.
type ImportIn struct {
	Spec       json.RawMessage `json:"spec"`
	SpecRaw    string          `json:"specRaw"` // JSON or YAML
	DryRun     bool            `json:"dryRun"`
	ReplaceAll bool            `json:"replaceAll"` // archives all others
}

// ImportOut names the event types that were stored or, when nothing was to be, shows
// those that would be.
type ImportOut struct {
	Data struct {
		Modified []string           `json:"modified"`
		ToModify []ImportedEventOut `json:"to_modify,omitempty"`
	} `json:"data"`
}

// ImportedEventOut is an event type that was found in a document.
type ImportedEventOut struct {
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	Schemas      json.RawMessage `json:"schemas"`
	Deprecated   bool            `json:"deprecated"`
	FeatureFlags []string        `json:"featureFlags"`
	GroupName    *string         `json:"groupName"`
}

func (a *API) importOpenAPI(ctx context.Context, c auth.Caller, in *struct{ Body ImportIn }) (ImportOut, error) {
	var out ImportOut
	out.Data.Modified = []string{}
	if err := onlyOperator(c); err != nil {
		return out, err
	}
	types, err := eventTypesOf(in.Body)
	if err != nil {
		return out, err
	}
	if !in.Body.DryRun {
		if err := a.engine.PutEventTypes(ctx, types, in.Body.ReplaceAll); err != nil {
			return out, err
		}
	}
	for _, t := range types {
		out.Data.Modified = append(out.Data.Modified, t.Name)
		if in.Body.DryRun {
			out.Data.ToModify = append(out.Data.ToModify, ImportedEventOut{
				t.Name, t.Description, t.Schemas, t.Deprecated, t.FeatureFlags, orNil(t.GroupName),
			})
		}
	}
	return out, nil
}
