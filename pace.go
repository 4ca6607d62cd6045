package aftercall

import "time"

// Pace is how much a line may carry, and each of the numbers that calls come from. 0
// is unlimited.
type Pace struct {
	Live               int     `json:"live,omitempty"` // calls at the same time
	PerSecond          float64 `json:"per_second,omitempty"`
	LivePerNumber      int     `json:"live_per_number,omitempty"`
	PerSecondPerNumber float64 `json:"per_second_per_number,omitempty"`
}

func (p Pace) validate(f *fieldErrors, path string) {
	for _, limit := range []struct {
		name  string
		value float64
		most  float64
	}{
		{"maxLiveCalls", float64(p.Live), 10_000}, {"maxCallsPerSecond", p.PerSecond, 10_000},
		{"maxLiveCallsPerNumber", float64(p.LivePerNumber), 10_000}, {"maxCallsPerSecondPerNumber", p.PerSecondPerNumber, 10_000},
	} {
		if limit.value < 0 || limit.value > limit.most || limit.value > 0 && limit.value < 0.001 {
			f.add(path+"."+limit.name, "must be 0.001 to %d, or 0 for no limit", int(limit.most))
		}
	}
}

// Line is what the calls of some settings go through, with what it carries now.
type Line struct {
	AccountID string
	ID        string
	// Free is when the line, by "", and each number, by itself, may begin another call.
	Free map[string]time.Time
	// ClosedUntil is when calls may be tried again, after the voice engine refused them;
	// Reason says why.
	ClosedUntil time.Time
	Reason      string
	// Live is how many calls there are now by the number that they come from.
	Live map[string]int
}

// burst is how many calls a rate lets begin at once after a pause, in seconds of it.
const burst = 1

// Take begins a call from one of some numbers, the one with the fewest calls, and
// reports it. When the line is full it reports false, and the time at which a call may
// begin; zero when that is for the end of another call to tell.
func (l *Line) Take(p Pace, numbers []string, now time.Time) (number string, free time.Time, ok bool) {
	if full, free := l.Full(p, now); full {
		return "", free, false
	}
	if len(numbers) == 0 {
		numbers = []string{""}
	}
	best, found := "", false
	for _, candidate := range numbers {
		if candidate != "" {
			if p.LivePerNumber > 0 && l.Live[candidate] >= p.LivePerNumber {
				continue
			}
			if at := l.free(candidate, p.PerSecondPerNumber, now); at.After(now) {
				if free.IsZero() || at.Before(free) {
					free = at
				}
				continue
			}
		}
		if !found || l.Live[candidate] < l.Live[best] {
			best, found = candidate, true
		}
	}
	if !found {
		return "", free, false
	}
	l.spend("", p.PerSecond, now)
	if best != "" {
		l.spend(best, p.PerSecondPerNumber, now)
	}
	l.Live[best]++
	return best, time.Time{}, true
}

// Full reports whether no call may begin now, from whichever number, and when one may;
// zero when that is for the end of another call to tell.
func (l *Line) Full(p Pace, now time.Time) (full bool, free time.Time) {
	total := 0
	for _, n := range l.Live {
		total += n
	}
	switch at := l.free("", p.PerSecond, now); {
	case now.Before(l.ClosedUntil):
		return true, l.ClosedUntil
	case p.Live > 0 && total >= p.Live:
		return true, time.Time{}
	case at.After(now):
		return true, at
	}
	return false, time.Time{}
}

// free is when a call may begin at a rate; zero when at once.
func (l *Line) free(who string, rate float64, now time.Time) time.Time {
	if rate <= 0 {
		return time.Time{}
	}
	at := l.Free[who].Add(-allowance(rate))
	if at.After(now) {
		return at
	}
	return time.Time{}
}

func (l *Line) spend(who string, rate float64, now time.Time) {
	if rate > 0 {
		l.Free[who] = later(l.Free[who], now).Add(gap(rate))
	}
}

func gap(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }

// allowance is how far a line may run ahead of its rate: a burst, but always less
// than one call more than that.
func allowance(rate float64) time.Duration {
	return max(0, time.Duration(burst*float64(time.Second))-gap(rate))
}
