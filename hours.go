package aftercall

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Hours are when people may be dialled: for each day of the week some ranges of the
// clock at the contact's place, and days on which nobody is.
type Hours struct {
	Week     [7][]Range // by time.Weekday
	Holidays []string   // "2026-12-25", or "12-25" for that day of every year
}

// Range is a part of a day, in minutes of its clock from midnight; To is not part of
// it, and 1440 is the end of the day.
type Range struct{ From, To int }

// Span is a part of time; To is not part of it.
type Span struct{ From, To time.Time }

// Date is a day of the calendar, whatever the zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateIn is the day of a moment in a zone.
func DateIn(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return Date{y, m, d}
}

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Add is the day that many days later.
func (d Date) Add(days int) Date { return DateIn(d.midnight().AddDate(0, 0, days), time.UTC) }

// Since is how many days d is after another.
func (d Date) Since(before Date) int {
	return int(d.midnight().Sub(before.midnight()) / (24 * time.Hour))
}

func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// maxDaysAhead is how far hours are searched for a moment to dial: longer than any
// row of holidays.
const maxDaysAhead = 60

// Next is the first moment from t on that is within the hours of all zones. It
// reports false when there is none within two months.
func (h Hours) Next(t time.Time, zones []*time.Location) (time.Time, bool) {
	day := DateIn(t, zones[0])
	for range maxDaysAhead {
		for _, open := range h.Day(day, zones) {
			if open.To.After(t) {
				return later(open.From, t), true
			}
		}
		day = day.Add(1)
	}
	return time.Time{}, false
}

// Open reports whether a moment is within the hours of all zones.
func (h Hours) Open(t time.Time, zones []*time.Location) bool {
	for _, open := range h.Day(DateIn(t, zones[0]), zones) {
		if !t.Before(open.From) && t.Before(open.To) {
			return true
		}
	}
	return false
}

// Day is what is open of a day of the first zone's calendar: the parts of it that
// are within the hours of every zone, in order.
func (h Hours) Day(day Date, zones []*time.Location) []Span {
	spans := h.spansIn(day, zones[0])
	for _, zone := range zones[1:] {
		var theirs []Span // the day before and the one after reach into this one
		for _, d := range []Date{day.Add(-1), day, day.Add(1)} {
			theirs = append(theirs, h.spansIn(d, zone)...)
		}
		spans = intersect(spans, theirs)
	}
	return spans
}

// spansIn is what is open of a day in one zone.
func (h Hours) spansIn(day Date, zone *time.Location) []Span {
	name := day.String()
	if slices.Contains(h.Holidays, name) || slices.Contains(h.Holidays, name[len("2006-"):]) {
		return nil
	}
	var spans []Span
	for _, r := range h.Week[day.midnight().Weekday()] {
		// Where the clock shows a time twice, only what is open both times is.
		_, from := clockTimes(day, r.From, zone)
		to, _ := clockTimes(day, r.To, zone)
		if from.Before(to) {
			spans = append(spans, Span{from, to})
		}
	}
	return spans
}

// clockTimes is when a zone's clock shows a minute of a day: twice, when it is set
// back then; when it is set forward over that minute, the moment it is.
func clockTimes(day Date, minute int, zone *time.Location) (first, last time.Time) {
	wall := day.midnight().Add(time.Duration(minute) * time.Minute)
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	first = wall.Add(-time.Duration(before) * time.Second)
	last = wall.Add(-time.Duration(after) * time.Second)
	_, atFirst := first.In(zone).Zone()
	_, atLast := last.In(zone).Zone()
	switch shownFirst, shownLast := atFirst == before, atLast == after; {
	case shownFirst && shownLast:
	case shownFirst:
		last = first
	case shownLast:
		first = last
	default: // neither: the clock jumps over it, between the two
		_, jump := last.In(zone).ZoneBounds()
		first, last = jump.UTC(), jump.UTC()
	}
	return first, last
}

// intersect is what both lists cover, in order; each is in order.
func intersect(a, b []Span) []Span {
	var both []Span
	for _, x := range a {
		for _, y := range b {
			from, to := later(x.From, y.From), x.To
			if y.To.Before(to) {
				to = y.To
			}
			if from.Before(to) {
				both = append(both, Span{from, to})
			}
		}
	}
	return both
}

// after is what of spans is not before t.
func after(spans []Span, t time.Time) []Span {
	var rest []Span
	for _, s := range spans {
		if s.To.After(t) {
			rest = append(rest, Span{later(s.From, t), s.To})
		}
	}
	return rest
}

// within is the moment at a share of the time that spans cover, from 0 up to 1.
func within(spans []Span, share float64) (time.Time, bool) {
	var total time.Duration
	for _, s := range spans {
		total += s.To.Sub(s.From)
	}
	at := time.Duration(share * float64(total))
	for _, s := range spans {
		if length := s.To.Sub(s.From); at < length {
			return s.From.Add(at), true
		} else {
			at -= length
		}
	}
	return time.Time{}, false
}

// hoursJSON is how hours are written: a list of ranges a weekday, by its name.
type hoursJSON struct {
	Sunday    []Range  `json:"sunday,omitempty"`
	Monday    []Range  `json:"monday,omitempty"`
	Tuesday   []Range  `json:"tuesday,omitempty"`
	Wednesday []Range  `json:"wednesday,omitempty"`
	Thursday  []Range  `json:"thursday,omitempty"`
	Friday    []Range  `json:"friday,omitempty"`
	Saturday  []Range  `json:"saturday,omitempty"`
	Holidays  []string `json:"holidays,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (h Hours) MarshalJSON() ([]byte, error) {
	w := h.Week
	return json.Marshal(hoursJSON{w[0], w[1], w[2], w[3], w[4], w[5], w[6], h.Holidays})
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *Hours) UnmarshalJSON(b []byte) error {
	var in hoursJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*h = Hours{[7][]Range{in.Sunday, in.Monday, in.Tuesday, in.Wednesday, in.Thursday, in.Friday, in.Saturday}, in.Holidays}
	return nil
}

// RangeView is a range as it is written: {"from":"09:00","to":"17:30"}.
type RangeView struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// View shows the range.
func (r Range) View() RangeView { return RangeView{clockText(r.From), clockText(r.To)} }

// Range reads what is written. What is no time of day becomes a range that Validate
// refuses.
func (v RangeView) Range() Range { return Range{clockMinute(v.From), clockMinute(v.To)} }

// MarshalJSON implements json.Marshaler.
func (r Range) MarshalJSON() ([]byte, error) { return json.Marshal(r.View()) }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Range) UnmarshalJSON(b []byte) error {
	var v RangeView
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*r = v.Range()
	return nil
}

func clockText(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// noMinute is what a text that is no time of day becomes.
const noMinute = -1

func clockMinute(text string) int {
	if text == "24:00" {
		return minutesOfDay
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return noMinute
	}
	return t.Hour()*60 + t.Minute()
}

const (
	minutesOfDay = 24 * 60
	maxRanges    = 10 // a day
	maxHolidays  = 400
)

// validate checks hours whose days are told of under a path, and its holidays under
// another.
func (h Hours) validate(f *fieldErrors, path, holidays string) {
	for weekday, ranges := range h.Week {
		name := path + "." + strings.ToLower(time.Weekday(weekday).String())
		if len(ranges) > maxRanges {
			f.add(name, "must not hold more than %d ranges", maxRanges)
			continue
		}
		end := 0
		for i, r := range ranges {
			at := fmt.Sprintf("%s.%d", name, i)
			switch {
			case r.From < 0 || r.To < 0:
				f.add(at, `must be times of day such as {"from":"09:00","to":"17:30"}`)
			case r.From >= r.To:
				f.add(at, "must end after it begins: what goes beyond midnight is two ranges")
			case r.From < end:
				f.add(at, "must begin after the range before it has ended")
			}
			end = r.To
		}
	}
	if len(h.Holidays) > maxHolidays {
		f.add(holidays, "must not hold more than %d days", maxHolidays)
		return
	}
	for i, day := range h.Holidays {
		_, dated := time.Parse(time.DateOnly, day)
		_, yearly := time.Parse("2006-01-02", "2024-"+day) // a leap year knows all days
		if dated != nil && yearly != nil {
			f.add(fmt.Sprintf("%s.%d", holidays, i), `must be a day such as "2026-12-25", or "12-25" for every year`)
		}
	}
}

// Empty reports whether nobody may ever be dialled.
func (h Hours) Empty() bool {
	return !slices.ContainsFunc(h.Week[:], func(ranges []Range) bool { return len(ranges) > 0 })
}
