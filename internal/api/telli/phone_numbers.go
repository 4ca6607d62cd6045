package telli

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// PhoneNumberIn is a number that comes with a SIP trunk of its own.
type PhoneNumberIn struct {
	PhoneNumber    string `json:"phoneNumber" required:"true"`
	TerminationURI string `json:"terminationUri" required:"true" doc:"where calls are sent: trunk.example.com, or sip:trunk.example.com:5060"`
	AuthUsername   string `json:"authUsername" required:"true"`
	AuthPassword   string `json:"authPassword" required:"true" doc:"is never shown again"`
}

// PhoneNumberOut is a number as telli's API shows it.
type PhoneNumberOut struct {
	ID             string               `json:"id"`
	PhoneNumber    string               `json:"phoneNumber"`
	InOutboundPool bool                 `json:"inOutboundPool"`
	Type           *aftercall.PhoneType `json:"phoneNumberType" enum:"local,mobile" doc:"null where the numbering plan does not tell"`
	CreatedAt      *string              `json:"createdAt"`
}

func phoneNumberOut(n aftercall.PhoneNumber) PhoneNumberOut {
	return PhoneNumberOut{
		ID: n.ID, PhoneNumber: n.Number, InOutboundPool: n.Outbound, Type: orNull(n.Type()), CreatedAt: aftercall.ISOMillis(n.CreatedAt),
	}
}

func (a *API) listPhoneNumbers(ctx context.Context, c auth.Caller, _ *struct{}) (All[PhoneNumberOut], error) {
	list, err := a.dialer.PhoneNumbers(ctx, c.AccountID)
	return allOf(list, phoneNumberOut), err
}

func (a *API) importPhoneNumber(ctx context.Context, c auth.Caller, in *struct{ Body PhoneNumberIn }) (PhoneNumberOut, error) {
	n := aftercall.PhoneNumber{AccountID: c.AccountID, Number: in.Body.PhoneNumber, Trunk: aftercall.Trunk{
		URI: in.Body.TerminationURI, Username: in.Body.AuthUsername, Password: in.Body.AuthPassword,
	}}
	err := a.dialer.AddPhoneNumber(ctx, &n)
	return phoneNumberOut(n), err
}

// phoneNumberIDOut names a number.
type phoneNumberIDOut struct {
	ID string `json:"id"`
}

func (a *API) deletePhoneNumber(ctx context.Context, c auth.Caller, in *struct {
	ID string `path:"id"`
}) (phoneNumberIDOut, error) {
	return phoneNumberIDOut{in.ID}, a.dialer.DeletePhoneNumber(ctx, c.AccountID, in.ID)
}
