package aftercall

import "time"

// RunEnd is why a run ended. It is not told in payloads.
type RunEnd string

// Why runs end. An open run has none.
const (
	RunReached      RunEnd = "reached"
	RunExhausted    RunEnd = "exhausted"      // its days or attempts are used up
	RunRemoved      RunEnd = "removed"        // somebody took the contact out
	RunBlocked      RunEnd = "blocked"        // the number is on the block list
	RunDoNotCall    RunEnd = "do_not_call"    // the contact asked for it
	RunWrongNumber  RunEnd = "invalid_number" // the number is nobody's
	RunContactGone  RunEnd = "contact_erased"
	RunAgentRemoved RunEnd = "agent_removed"
)

// Run is one campaign of attempts for one contact with one agent: "loop" in the
// reference's API. A contact has one open run at most.
type Run struct {
	AccountID    string
	ID           string
	ContactID    string
	AgentID      string
	End          RunEnd // empty as long as it is open
	Attempts     int    // calls that were placed
	Charged      int    // of those, what counts: technical failures do once in 24 hours
	DayAttempts  int    // of those, on the day of LastAt
	Errors       int    // technical failures in a row
	Unplaced     int    // calls in a row that were never placed
	FirstAt      time.Time
	LastAt       time.Time // the last attempt that counted
	ErrorAt      time.Time // the last technical failure that counted
	MaxRetryDays *int
	FromNumber   string    // to call from; empty: one of the agent's
	DueAt        time.Time // of the next attempt; zero while in a call, and when it has ended
	Asked        bool      // the contact asked for DueAt: hours do not apply
	CallID       string    // the call in progress
	CreatedAt    time.Time
	EndedAt      time.Time
}

// Open reports whether the run goes on.
func (r Run) Open() bool { return r.End == "" }

// ended is the run at its end.
func (r Run) ended(why RunEnd, now time.Time) Run {
	r.End, r.EndedAt, r.DueAt, r.Asked = why, now, time.Time{}, false
	return r
}

// technicalFailure reports whether the call says nothing of the contact.
func (c Call) technicalFailure() bool {
	if c.Status != "" {
		return c.Status == CallError && c.EndReason != EndInvalidNumber
	}
	return c.EndReason.Status(false) == CallError && c.EndReason != EndInvalidNumber
}

// day24 is the time in which a technical failure counts once.
const day24 = 24 * time.Hour

// count adds an attempt that was placed.
func (r Run) count(call Call, zone *time.Location) Run {
	r.Attempts++
	r.Unplaced = 0
	at := call.TriggeredAt
	if r.FirstAt.IsZero() {
		r.FirstAt = at
	}
	if call.technicalFailure() {
		r.Errors++
		if !r.ErrorAt.IsZero() && at.Sub(r.ErrorAt) < day24 {
			return r
		}
		r.ErrorAt = at
	} else {
		r.Errors = 0
	}
	r.Charged++
	if DateIn(at, zone) != DateIn(r.LastAt, zone) {
		r.DayAttempts = 0
	}
	r.DayAttempts++
	r.LastAt = later(r.LastAt, at)
	return r
}

// After returns the run after a call of it was over, and the call with its status,
// which depends on whether another follows. A call that was never placed leaves no trace but the
// time of the next try, which is the same if it was not asked to be later.
//
// Which reason leads where is decided here and in [EndReason.Status] and nowhere else.
func (r Run) After(call Call, rules Dialing, facts DialFacts, now time.Time) (Run, Call) {
	if r.CallID == call.ID {
		r.CallID = ""
	}
	if !call.Placed() {
		return r, call
	}
	r = r.count(call, facts.Zones[0])
	call.Attempt = r.Attempts
	if !r.Open() { // somebody ended it meanwhile: nothing follows
		return r, call.conclude(false)
	}
	at, another := rules.next(r, call.EndReason, facts, now)
	r.Asked = false
	if call.FollowUpAt.After(now) && call.FollowUpAt.Before(now.AddDate(0, 0, maxRetryDays)) { // who wants to be called is called, whatever the limits
		at, another, r.Asked = call.FollowUpAt, true, true
	}
	if call.EndReason == EndInvalidNumber {
		another = false
	}
	call = call.conclude(another)
	switch {
	case call.DoNotCall:
		return r.ended(RunDoNotCall, now), call
	case call.Status == CallCompleted:
		return r.ended(RunReached, now), call
	case call.EndReason == EndInvalidNumber:
		return r.ended(RunWrongNumber, now), call
	case !another:
		return r.ended(RunExhausted, now), call
	}
	r.DueAt = at
	return r, call
}
