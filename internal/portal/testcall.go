package portal

import (
	"encoding/json"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

// fictionalNumber is set aside for fiction: it rings nowhere.
const fictionalNumber = "+14155550100"

func testNumber(v *visit) string {
	if typed := v.typed("phone_number"); typed != "" {
		return typed
	}
	return fictionalNumber
}

// testCall records a finished call, as if somebody had just been reached, and all that
// follows a real one follows.
func (p *Portal) testCall(v *visit) (done, error) {
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		_, err := v.head(tx) // of an endpoint that is not there nothing can be tried
		return err
	})
	if err != nil {
		return done{}, err
	}
	at := v.now.Truncate(time.Millisecond)
	call := aftercall.Call{
		ExternalID: "test-" + aftercall.NewUUID(), Direction: aftercall.Outbound, FromNumber: "+14155550199", ToNumber: testNumber(v),
		TriggeredAt: at.Add(-95 * time.Second), StartedAt: at.Add(-84 * time.Second), EndedAt: at,
		Status: aftercall.CallCompleted, EndReason: aftercall.EndContactHangup,
		Turns: []aftercall.Turn{
			{Role: aftercall.RoleAgent, Content: "Hello, this is a test call from Aftercall. Is now a good time?"},
			{Role: aftercall.RoleUser, Content: "Yes, please go ahead."},
			{Role: aftercall.RoleAgent, Content: "You asked about solar panels. Shall a colleague visit you on Tuesday at ten?"},
			{Role: aftercall.RoleUser, Content: "Tuesday at ten is fine, thank you."},
			{Role: aftercall.RoleAgent, Content: "It is booked. Goodbye!"},
		},
		Analysis: json.RawMessage(`{"appointment": {"value": true, "details": "Tuesday, 10:00"},` +
			` "interest": {"value": true, "details": "The customer is interested in solar panels"},` +
			` "summary": {"value": true, "details": "A test call: the customer agreed to a visit on Tuesday at ten"}}`),
	}
	finished, err := p.Dialer.Finish(v.Context(), v.account.ID, dialer.Report{Call: call, PhoneNumber: call.ToNumber})
	return done{To: v.at("calls", finished.CallID), Said: "Test call made. What it caused is below; see that your CRM record was updated."}, err
}
