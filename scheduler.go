package aftercall

import (
	"strings"
	"time"
)

// CallScheduler enrols contacts by itself: when a contact is added that its filter picks,
// it opens a run for it. It dials nobody itself.
type CallScheduler struct {
	AccountID string
	ID        string // sorts by time: of several that pick a contact, the oldest enrols it
	Title     string
	AgentID   string
	Enabled   bool
	Filter    Filter
	Delay     time.Duration // from when the contact is added; the agent's hours apply after it
	Enrolment Enrolment
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Enrolment is a pass over the contacts that are new already, which is made when somebody
// asks for it.
type Enrolment struct {
	Running   bool
	After     string // the id of the contact that was looked at last
	Enrolled  int    // runs that it opened
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs, and when there was none
}

// maxDelay is the longest delay of a scheduler.
const maxDelay = 365 * 24 * time.Hour

// Validate checks what a caller may set.
func (s CallScheduler) Validate() error {
	var f fieldErrors
	if strings.TrimSpace(s.Title) == "" {
		f.add("title", "is required")
	}
	validateText(&f, "title", s.Title, maxTitle)
	if s.Delay < 0 || s.Delay > maxDelay {
		f.add("delaySeconds", "must be 0 to %d", int(maxDelay.Seconds()))
	}
	s.Filter.validate(&f, "filter")
	return f.err()
}

// Enrol returns the scheduler with a pass that begins; one that runs goes on. Error:
// Invalid when the scheduler is not enabled.
func (s CallScheduler) Enrol(now time.Time) (CallScheduler, error) {
	if !s.Enabled {
		return s, Errorf(Invalid, "the call scheduler is not enabled").WithCode("CALL_SCHEDULER_OFF")
	}
	if !s.Enrolment.Running {
		s.Enrolment = Enrolment{Running: true, StartedAt: now}
	}
	return s, nil
}

// Disable returns the scheduler as one that enrols nobody; a pass ends where it is.
func (s CallScheduler) Disable(now time.Time) CallScheduler {
	s.Enabled = false
	if s.Enrolment.Running {
		s.Enrolment.Running, s.Enrolment.EndedAt = false, now
	}
	return s
}

// Enrolled returns the scheduler after a part of its pass: of the contacts that were
// looked at, some were enrolled. Fewer than were asked for are the last.
func (s CallScheduler) Enrolled(looked []Contact, asked, enrolled int, now time.Time) CallScheduler {
	e := &s.Enrolment
	e.Enrolled += enrolled
	if len(looked) > 0 {
		e.After = looked[len(looked)-1].ID
	}
	if len(looked) < asked {
		e.Running, e.EndedAt = false, now
	}
	return s
}

// SchedulerFor returns the first of some schedulers that picks a contact.
func SchedulerFor(list []CallScheduler, c Contact) (CallScheduler, bool) {
	picked := &filtered{contact: c}
	for _, s := range list {
		if s.Enabled && s.Filter.matches(picked) {
			return s, true
		}
	}
	return CallScheduler{}, false
}
