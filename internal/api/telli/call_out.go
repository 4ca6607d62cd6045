package telli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
)

// CallOut is a call as telli's API shows it: as in the event, with its times in ISO
// too, and with what only the newest calls of the reference have. Events never have
// that. While a call goes on, what is not known yet is null, or empty.
type CallOut struct {
	aftercall.CallView
	Status       *aftercall.CallStatus `json:"call_status" enum:"COMPLETED,ANSWERED,NOT_REACHED,VOICEMAIL,ERROR"`
	TriggeredISO *string               `json:"triggered_at_iso"`
	StartedISO   *string               `json:"started_at_iso"`
	EndedISO     *string               `json:"ended_at_iso"`
	State        aftercall.CallState   `json:"state" enum:"queued,ringing,live,ended"`
	Connection   *string               `json:"status" enum:"connected,not_connected,voicemail,failed"`
	Outcomes     []OutcomeOut          `json:"outcomes" doc:"what is in call_outcome, as a list"`
}

func callOut(call dialer.ContactCall) CallOut {
	return CallOut{
		CallView:     call.View(call.Contact.ExternalID),
		Status:       orNull(call.Status),
		TriggeredISO: aftercall.ISOMillis(call.TriggeredAt),
		StartedISO:   aftercall.ISOMillis(call.StartedAt),
		EndedISO:     aftercall.ISOMillis(call.EndedAt),
		State:        call.State,
		Connection:   orNull(connection(call.Status)),
		Outcomes:     outcomesOut(call.Outcome),
	}
}

// connection is what the reference's newest calls say in the place of call_status.
func connection(s aftercall.CallStatus) string {
	switch s {
	case aftercall.CallCompleted, aftercall.CallAnswered:
		return "connected"
	case aftercall.CallNotReached:
		return "not_connected"
	case aftercall.CallVoicemail:
		return "voicemail"
	case aftercall.CallError:
		return "failed"
	}
	return ""
}

// OutcomeOut is one of the customer's own fields, as it was read from a call.
type OutcomeOut struct {
	Key      string          `json:"key"`
	DataType string          `json:"dataType" enum:"boolean,string,number,category"`
	Value    json.RawMessage `json:"value"`
	Reason   string          `json:"reason,omitempty"`
}

// outcomesOut lists by their names what is in a call_outcome. Of reports, which may say
// what they like, entries without the form of the reference are left out.
func outcomesOut(outcome json.RawMessage) []OutcomeOut {
	list := []OutcomeOut{}
	var entries map[string]json.RawMessage
	if len(outcome) == 0 || json.Unmarshal(outcome, &entries) != nil {
		return list
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		entry := struct {
			Value  json.RawMessage `json:"value"`
			Reason string          `json:"reason"`
			Schema fieldSchema     `json:"fieldSchema"`
		}{Value: json.RawMessage("null")}
		if json.Unmarshal(entries[name], &entry) == nil {
			list = append(list, OutcomeOut{name, entry.Schema.dataType(entry.Value), entry.Value, entry.Reason})
		}
	}
	return list
}

// fieldSchema is what matters of the schema of a field, see [aftercall.OutcomeField].
type fieldSchema struct {
	Type json.RawMessage `json:"type"` // a type, or a list of them
	Enum []any           `json:"enum"`
}

// dataType is the type of a field, by its schema or else by its value.
func (s fieldSchema) dataType(value json.RawMessage) string {
	types := string(s.Type)
	switch {
	case len(s.Enum) > 0:
		return "category"
	case strings.Contains(types, `"boolean"`):
		return "boolean"
	case strings.Contains(types, `"number"`), strings.Contains(types, `"integer"`):
		return "number"
	case types == "" && (value[0] == 't' || value[0] == 'f'):
		return "boolean"
	case types == "" && (value[0] == '-' || value[0] >= '0' && value[0] <= '9'):
		return "number"
	}
	return "string"
}
