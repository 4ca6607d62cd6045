package aftercall

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// Intensity is how often Smart Calling tries.
type Intensity string

// The intensities of the reference.
const (
	Aggressive   Intensity = "aggressive"   // hot leads
	Moderate     Intensity = "moderate"     // the default
	Conservative Intensity = "conservative" // long nurture
)

func intensities() []Intensity { return []Intensity{Aggressive, Moderate, Conservative} }

// phase is how often a contact is called from a day on, counted from that of the
// first attempt, which is 0.
type phase struct {
	from  int
	calls int // on a day
	every int // days
}

// phases are the frequencies of the reference. It prints those of Aggressive, and an
// older page those that are Moderate's here; Conservative is ours.
func (i Intensity) phases() []phase {
	switch i {
	case Aggressive:
		return []phase{{0, 3, 1}, {1, 2, 1}, {10, 1, 1}}
	case Conservative:
		return []phase{{0, 2, 1}, {1, 1, 1}, {4, 1, 2}, {11, 1, 7}}
	case Moderate:
	}
	return []phase{{0, 3, 1}, {1, 2, 1}, {4, 1, 1}, {11, 1, 7}}
}

func (i Intensity) on(day int) phase {
	phases := i.phases()
	now := phases[0]
	for _, p := range phases {
		if p.from <= day {
			now = p
		}
	}
	return now
}

const (
	// leastGap is the least time between two attempts of Smart Calling: the reference's
	// "first retry after 1 hour".
	leastGap = time.Hour
	// Somebody who is on the phone may be free soon: between these, where Smart Calling
	// has a call left for the day.
	busyFrom, busyTo = 20 * time.Minute, 40 * time.Minute
	// A technical failure says nothing of the contact. It is tried again after a wait
	// that doubles with each in a row.
	firstErrorWait, lastErrorWait = 15 * time.Minute, 4 * time.Hour
)

// next is when to call again after an attempt that ended for a reason, and whether to
// at all.
func (d Dialing) next(r Run, reason EndReason, facts DialFacts, now time.Time) (time.Time, bool) {
	zones := facts.Zones
	if d.MaxAttempts != nil && r.Charged >= *d.MaxAttempts {
		return time.Time{}, false
	}
	var at time.Time
	var ok bool
	switch {
	case r.Errors > 0:
		at, ok = d.Hours.Next(now.Add(errorWait(r.Errors)), zones)
	case d.Strategy == DefinedIntervals:
		wait := d.Intervals[min(r.Charged, len(d.Intervals))-1]
		at, ok = d.Hours.Next(now.Add(wait), zones)
	default:
		at, ok = d.smart(r, reason, zones, now)
	}
	for free := d.free(facts.Dialled, at); ok && free.After(at); free = d.free(facts.Dialled, at) {
		at, ok = d.Hours.Next(free, zones)
	}
	return at, ok && r.withinDays(at, zones[0])
}

// free is from when on a number may get another attempt after those that it got, if that
// is later than a time.
func (d Dialing) free(dialled []time.Time, at time.Time) time.Time {
	n := len(dialled) - d.PerNumber
	if d.PerNumber <= 0 || n < 0 {
		return at
	}
	return later(at, dialled[n].Add(day24))
}

func errorWait(inARow int) time.Duration {
	wait := firstErrorWait
	for range inARow - 1 {
		wait = min(2*wait, lastErrorWait)
	}
	return wait
}

// withinDays reports whether a time is not later than the run's days allow.
func (r Run) withinDays(at time.Time, zone *time.Location) bool {
	return r.MaxRetryDays == nil || DateIn(at, zone).Since(DateIn(r.FirstAt, zone)) <= *r.MaxRetryDays
}

// smart finds the next time of Smart Calling. The calls of a day are spread over its
// hours, each somewhere in its share of them: where, follows from the run's id, so that
// it is the same whenever it is asked, and calls of many runs do not bunch.
func (d Dialing) smart(r Run, reason EndReason, zones []*time.Location, now time.Time) (time.Time, bool) {
	first, last := DateIn(r.FirstAt, zones[0]), DateIn(r.LastAt, zones[0])
	gap := leastGap
	if reason == EndBusy {
		gap = busyFrom + time.Duration(r.chance(r.Charged)*float64(busyTo-busyFrom))
	}
	earliest := later(now, r.LastAt.Add(gap))
	today := DateIn(now, zones[0])
	for day := today; day.Since(today) < maxDaysAhead; day = day.Add(1) {
		since := day.Since(first)
		phase := d.Intensity.on(since)
		made := 0
		switch {
		case day == last:
			made = r.DayAttempts
		case day.Since(last) < phase.every:
			continue
		}
		if made >= phase.calls {
			continue
		}
		open := d.Hours.Day(day, zones)
		rest := after(open, earliest)
		if len(rest) == 0 {
			continue
		}
		switch {
		case reason == EndBusy && day == last:
			return rest[0].From, true
		case since == 0:
			return d.firstDay(r, made, rest), true
		}
		for slot := made; slot < phase.calls; slot++ {
			share := (float64(slot) + r.chance(since*maxSlots+slot)) / float64(phase.calls)
			if at, ok := within(open, share); ok && !at.Before(earliest) {
				return at, true
			}
		}
		if at, ok := within(rest, r.chance(since*maxSlots+made)); ok { // its share of the day has passed
			return at, true
		}
	}
	return time.Time{}, false
}

// maxSlots is more than any phase has calls on a day.
const maxSlots = 8

// firstDay finds the time of a retry on the day of the first attempt: after an hour,
// then somewhere in what is left of the day. Aggressive goes on by the hour.
func (d Dialing) firstDay(r Run, made int, rest []Span) time.Time {
	if made == 1 && d.Intensity != Conservative || d.Intensity == Aggressive {
		return rest[0].From
	}
	at, _ := within(rest, r.chance(made))
	return at
}

// chance is a number from 0 up to 1 that follows from the run's id.
func (r Run) chance(n int) float64 {
	h := fnv.New64a()
	h.Write([]byte(r.ID))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	const bits = 53
	return float64(mix(h.Sum64())>>(64-bits)) / (1 << bits)
}

// mix spreads a hash's last bytes over all its bits: FNV leaves those of what was
// written last in its low ones.
func mix(h uint64) uint64 { // the finalizer of SplitMix64
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
