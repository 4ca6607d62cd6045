package aftercall

import "time"

// DialVerdict is what is to become of a run whose time has come.
type DialVerdict int

// The verdicts.
const (
	DialNow   DialVerdict = iota
	DialLater             // at the run's new DueAt
	DialNever             // the run has ended
)

// DialFacts is what a decision to dial is made from.
type DialFacts struct {
	Zones     []*time.Location // in which the contact may be
	Blocked   bool             // the number is on the block list
	InCall    bool             // the contact is on the phone with us
	Dialled   []time.Time      // when the number was, in the last 24 hours, in order
	Requested bool             // a person wants the call now: hours do not apply
}

const (
	// inCallWait is when somebody who is on the phone with us is tried again.
	inCallWait = time.Minute
	// closedWait is when to look again at hours that are not open within two months.
	closedWait = 24 * time.Hour
)

// Decide looks at a run right before its call is made. It is the last word: whatever
// was planned, a blocked number is not dialled, nor one more often than the rules
// allow, nor outside the hours, unless somebody asked for it.
func (r Run) Decide(rules Dialing, facts DialFacts, now time.Time) (Run, DialVerdict) {
	switch {
	case facts.Blocked:
		return r.ended(RunBlocked, now), DialNever
	case facts.InCall:
		r.DueAt = now.Add(inCallWait)
		return r, DialLater
	case rules.free(facts.Dialled, now).After(now):
		return r.postpone(rules, facts, rules.free(facts.Dialled, now), now)
	case !facts.Requested && !r.Asked && !rules.Hours.Open(now, facts.Zones):
		return r.postpone(rules, facts, now, now)
	}
	return r, DialNow
}

// postpone moves the next attempt to when it is allowed, from a time on.
func (r Run) postpone(rules Dialing, facts DialFacts, from, now time.Time) (Run, DialVerdict) {
	at := from
	if !r.Asked {
		var ok bool
		if at, ok = rules.Hours.Next(from, facts.Zones); !ok {
			at = now.Add(closedWait)
		}
		if !r.FirstAt.IsZero() && !r.withinDays(at, facts.Zones[0]) {
			return r.ended(RunExhausted, now), DialNever
		}
	}
	r.DueAt = at
	return r, DialLater
}

// Dialling returns the run in a call, and the call.
func (r Run) Dialling(contact Contact, line, number string, now time.Time) (Run, LiveCall) {
	r.DueAt, r.CallID = time.Time{}, NewUUID() // a wish is kept: the call may not be placed after all
	return r, LiveCall{
		AccountID: r.AccountID, ID: r.CallID, RunID: r.ID, ContactID: r.ContactID, AgentID: r.AgentID, Line: line,
		Direction: Outbound, Attempt: r.Attempts + 1, FromNumber: number, ToNumber: contact.PhoneNumber,
		TriggeredAt: now, DueAt: now.Add(StartWithin + startMargin),
	}
}

const (
	// StartWithin is how long after the decision a voice engine may begin a call. What it
	// did not begin by then, it never may: then its not knowing the call proves that
	// nobody was called.
	StartWithin = 15 * time.Second
	// startMargin is for clocks that differ.
	startMargin = 5 * time.Second
)

// Expired reports whether a call that its engine does not know can no longer begin.
func (l LiveCall) Expired(now time.Time) bool {
	return !now.Before(l.TriggeredAt.Add(StartWithin + startMargin))
}

const (
	// A call that was not placed is tried again after a wait that doubles with each in a
	// row: an engine may refuse one contact for ever.
	firstUnplacedWait, lastUnplacedWait = 5 * time.Second, time.Hour
)

// NotPlaced returns the run of a call that was never placed: it is tried again, not
// before a time, and nothing counts.
func (r Run) NotPlaced(callID string, earliest, now time.Time) Run {
	if r.CallID != callID {
		return r
	}
	r.CallID = ""
	if r.Open() {
		wait := firstUnplacedWait
		for range min(r.Unplaced, 20) {
			wait = min(2*wait, lastUnplacedWait)
		}
		r.Unplaced++
		r.DueAt = later(earliest, now.Add(wait))
	}
	return r
}

// Removed returns the run that somebody, or something, has ended. A call in progress
// goes on.
func (r Run) Removed(why RunEnd, now time.Time) Run { return r.ended(why, now) }

// Elsewhere returns an open run after a call that was not its own, such as one that the
// contact began.
func (r Run) Elsewhere(call Call, now time.Time) Run {
	switch {
	case call.DoNotCall:
		return r.ended(RunDoNotCall, now)
	case call.Status == CallCompleted:
		return r.ended(RunReached, now)
	case call.Direction == Outbound && call.EndReason == EndInvalidNumber:
		return r.ended(RunWrongNumber, now)
	case call.FollowUpAt.After(now) && !r.DueAt.IsZero():
		r.DueAt, r.Asked = call.FollowUpAt, true
	}
	return r
}

// OpenRun begins a run whose first call is at the earliest moment of the agent's hours
// from a time on. Error: Invalid when there is none.
func OpenRun(c Contact, a Agent, zones []*time.Location, from, now time.Time) (Run, error) {
	at, ok := a.Dialing.Hours.Next(from, zones)
	if !ok {
		return Run{}, Errorf(Invalid, "the agent's hours are never open where this contact may be: give the contact a time zone")
	}
	return Run{
		AccountID: c.AccountID, ID: NewUUID(), ContactID: c.ID, AgentID: a.ID, MaxRetryDays: a.Dialing.MaxRetryDays, DueAt: at, CreatedAt: now,
	}, nil
}
