package telli

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/web"
)

// PropertyIn is a new property.
type PropertyIn struct {
	Key         string                 `json:"key" required:"true" doc:"1 to 64 letters, digits, - or _, the first of them a letter or digit. It never changes."`
	DataType    aftercall.PropertyType `json:"dataType" required:"true" enum:"string,number,boolean,date,datetime,select,multi_select,phone_number,email"`
	Label       string                 `json:"label" required:"true"`
	Description string                 `json:"description"`
	Options     []aftercall.Option     `json:"options" doc:"what can be selected; of select and multi_select only"`
}

// PropertyPatch is what may change of a property.
type PropertyPatch struct {
	Label       web.Optional[string]             `json:"label"`
	Description web.Optional[string]             `json:"description"`
	Options     web.Optional[[]aftercall.Option] `json:"options" doc:"all of them; values that contacts have stay"`
}

// PropertyOut is a property as v2 shows it.
type PropertyOut struct {
	Key         string                 `json:"key"`
	DataType    aftercall.PropertyType `json:"dataType" enum:"string,number,boolean,date,datetime,select,multi_select,phone_number,email"`
	Label       string                 `json:"label"`
	Description *string                `json:"description"`
	Options     []aftercall.Option     `json:"options"`
	CreatedAt   *string                `json:"createdAt"`
	UpdatedAt   *string                `json:"updatedAt"`
}

func propertyOut(p aftercall.Property) PropertyOut {
	return PropertyOut{
		Key: p.Key, DataType: p.Type, Label: p.Label, Description: orNull(p.Description), Options: listOut(p.Options),
		CreatedAt: aftercall.ISOMillis(p.CreatedAt), UpdatedAt: aftercall.ISOMillis(p.UpdatedAt),
	}
}

func (a *API) listProperties(ctx context.Context, c auth.Caller, _ *struct{}) (All[PropertyOut], error) {
	list, err := a.dialer.Properties(ctx, c.AccountID)
	return allOf(list, propertyOut), err
}

func (a *API) createProperty(ctx context.Context, c auth.Caller, in *struct{ Body PropertyIn }) (PropertyOut, error) {
	p := aftercall.Property{
		AccountID: c.AccountID, Key: in.Body.Key, Type: in.Body.DataType, Label: in.Body.Label, Description: in.Body.Description, Options: in.Body.Options,
	}
	err := a.dialer.AddProperty(ctx, &p)
	return propertyOut(p), err
}

func (a *API) getProperty(ctx context.Context, c auth.Caller, in *struct {
	Key string `path:"key"`
}) (PropertyOut, error) {
	p, err := a.dialer.Property(ctx, c.AccountID, in.Key)
	return propertyOut(p), err
}

func (a *API) updateProperty(ctx context.Context, c auth.Caller, in *struct {
	Key  string `path:"key"`
	Body PropertyPatch
}) (PropertyOut, error) {
	p, err := a.dialer.UpdateProperty(ctx, c.AccountID, in.Key, func(p *aftercall.Property) {
		in.Body.Label.Into(&p.Label)
		in.Body.Description.Into(&p.Description)
		in.Body.Options.Into(&p.Options)
	})
	return propertyOut(p), err
}
