package aftercall

import (
	"fmt"
	"strings"
	"time"
)

// Schedule is the list of waits between the attempts of a delivery, each counted
// from the failure before. A message is attempted once more than it has waits.
type Schedule []time.Duration

// MaxWait is the longest wait of a schedule, and the longest that a receiver's
// Retry-After is honoured for.
const MaxWait = 10 * time.Hour

// jitterShare is by how much a wait may be longer than the schedule says, so
// that receivers which fail together are not called together again.
const jitterShare = 0.10

// DefaultSchedule is the one of the reference ("Automatic Retries"): immediately,
// then after these waits, eight attempts in 27 h 35 min 5 s.
func DefaultSchedule() Schedule {
	return Schedule{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}
}

// ParseSchedule reads a schedule such as "5s,5m,30m". An empty string is the
// schedule without retries.
func ParseSchedule(text string) (Schedule, error) {
	s := Schedule{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		wait, err := time.ParseDuration(part)
		if err != nil {
			return nil, fmt.Errorf("retry schedule: %q is not a duration, such as 5m", part)
		}
		s = append(s, wait)
	}
	if problem := s.problem(); problem != "" {
		return nil, fmt.Errorf("retry schedule: %s", problem)
	}
	return s, nil
}

// maxWaits is how many waits a schedule may have.
const maxWaits = 20

// problem says what is wrong with a schedule; empty when nothing is.
func (s Schedule) problem() string {
	if len(s) > maxWaits {
		return fmt.Sprintf("must not hold more than %d waits", maxWaits)
	}
	for _, wait := range s {
		if wait < 0 || wait > MaxWait {
			return fmt.Sprintf("must hold waits from 0s to %s", MaxWait)
		}
	}
	return ""
}

func (s Schedule) String() string {
	parts := make([]string, len(s))
	for i, wait := range s {
		parts[i] = wait.String()
	}
	return strings.Join(parts, ",")
}

// Wait is how long to wait after the failure of an attempt that was number step
// of the schedule, counted from 0. Jitter, from 0 up to 1, only ever makes it
// longer. It reports false when the schedule is used up.
func (s Schedule) Wait(step int, jitter float64) (time.Duration, bool) {
	if step >= len(s) {
		return 0, false
	}
	wait := s[step]
	return wait + time.Duration(float64(wait)*jitterShare*jitter), true
}
