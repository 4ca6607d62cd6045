package aftercall

import "slices"

// Replay says which messages of a time window an endpoint gets again.
type Replay struct {
	Missing     bool           `json:"missing,omitempty"` // those that were never attempted there, and no others
	EventTypes  []string       `json:"eventTypes,omitempty"`
	Channel     string         `json:"channel,omitempty"`
	Tag         string         `json:"tag,omitempty"`
	State       *DeliveryState `json:"state,omitempty"`
	StatusClass *int           `json:"statusClass,omitempty"` // with an attempt answered so; 0 for none
}

// Picks reports whether a message is replayed whose delivery to the endpoint is d, or
// nil when there is none. What is pending arrives by itself, and an erased payload
// never again. Whether it had an attempt of the StatusClass is for the caller to find.
func (r Replay) Picks(e Endpoint, m Message, d *Delivery) bool {
	switch {
	case m.Payload == nil,
		len(r.EventTypes) > 0 && !slices.Contains(r.EventTypes, m.EventType),
		r.Channel != "" && !slices.Contains(m.Channels, r.Channel),
		r.Tag != "" && !slices.Contains(m.Tags, r.Tag):
		return false
	case r.Missing && d == nil:
		return e.Wants(m.EventType, m.Channels)
	case d == nil || d.State == Pending:
		return false
	case r.Missing:
		return d.State == Failed && d.Attempts == 0
	}
	return r.State == nil || *r.State == d.State
}
