package portal

import (
	"fmt"
	"time"
)

// clock tells times as the viewer's wall does.
type clock struct {
	zone *time.Location
	now  time.Time
}

// clockOf takes the first of these zones that exists, else UTC.
func clockOf(names ...string) clock {
	for _, name := range names {
		if zone, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return clock{zone, time.Now()}
		}
	}
	return clock{time.UTC, time.Now()}
}

// exact names a moment in full, for those who point at it.
func (c clock) exact(t time.Time) string {
	return t.In(c.zone).Format("Mon 2 Jan 2006, 15:04:05.000 MST")
}

// short names a moment by what differs from now.
func (c clock) short(t time.Time) string {
	local, now := t.In(c.zone), c.now.In(c.zone)
	switch {
	case local.Format(time.DateOnly) == now.Format(time.DateOnly):
		return local.Format("15:04:05")
	case local.Year() == now.Year():
		return local.Format("2 Jan 15:04")
	}
	return local.Format("2 Jan 2006")
}

// day names a moment with its day of the week, for what is planned.
func (c clock) day(t time.Time) string { return t.In(c.zone).Format("Mon 2 Jan 15:04") }

// from tells how far a moment is from now: "4 min ago", "in 2 h".
func (c clock) from(t time.Time) string {
	away := c.now.Sub(t)
	if away < 0 {
		if away > -time.Second {
			return "now"
		}
		return "in " + span(-away)
	}
	if away < time.Second {
		return "now"
	}
	return span(away) + " ago"
}

// span is a length of time in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "< 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// localLayout is how browsers write a date and time that have no zone.
const localLayout = "2006-01-02T15:04"

// local writes a moment for such a field.
func (c clock) local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.zone).Format(localLayout)
}

// parse reads such a field, or a moment in RFC 3339, or a length of time before now:
// "24h". Zero means that nothing was given; ok is false for anything else.
func (c clock) parse(text string) (t time.Time, ok bool) {
	if text == "" {
		return t, true
	}
	for _, layout := range []string{localLayout, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, c.zone); err == nil {
			return t, true
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return c.now.Add(-d), true
	}
	return t, false
}
