package portal

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
)

// reading takes the values of a form as people type them, and gathers what is wrong.
type reading struct {
	*visit
	errs []error
}

func (r *reading) refuse(field, format string, args ...any) {
	r.errs = append(r.errs, aftercall.InvalidField(field, format, args...))
}

// allWrong is all that is wrong: what could not be read, and what the rules say of the rest.
func (r *reading) allWrong(rules error) error {
	all := r.errs
	if e, ok := errors.AsType[*aftercall.Error](rules); ok {
		for _, f := range e.Fields {
			if !r.refused(f.Path) {
				all = append(all, aftercall.InvalidField(f.Path, "%s", f.Message))
			}
		}
	}
	return aftercall.AllInvalid(all...)
}

// refused reports whether a field could not be read.
func (r *reading) refused(field string) bool {
	return slices.ContainsFunc(r.errs, func(err error) bool {
		e, ok := errors.AsType[*aftercall.Error](err)
		return ok && len(e.Fields) > 0 && e.Fields[0].Path == field
	})
}

// whole reads a number without a fraction; nothing is zero.
func (r *reading) whole(field string) int {
	n := r.optional(field)
	if n == nil {
		return 0
	}
	return *n
}

// optional reads a number without a fraction; nothing is none.
func (r *reading) optional(field string) *int {
	text := r.typed(field)
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.refuse(field, "must be a whole number")
		return nil
	}
	return &n
}

// rate reads a number; nothing is zero.
func (r *reading) rate(field string) float64 {
	text := strings.ReplaceAll(r.typed(field), ",", ".")
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.refuse(field, "must be a number such as 2 or 0.5")
	}
	return n
}

func (r *reading) seconds(field string) time.Duration {
	return time.Duration(r.whole(field)) * time.Second
}

func (r *reading) waits(field string) []time.Duration {
	list, err := parseWaits(r.typed(field))
	if err != nil {
		r.refuse(field, "%s", err)
	}
	return list
}

func (r *reading) ranges(field string) []aftercall.Range {
	list, err := parseRanges(r.typed(field))
	if err != nil {
		r.refuse(field, "%s", err)
	}
	return list
}

// lines are the lines of a text that say something.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// waitParts is what a wait is made of, largest first.
func waitParts() []struct {
	unit string
	of   time.Duration
} {
	return []struct {
		unit string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
}

// waitPattern is a part of a wait, in the words for its unit that people use.
var waitPattern = regexp.MustCompile(`^\s*(\d{1,6})\s*(days|day|d|hours|hour|hrs|hr|h|minutes|minute|mins|min|m|seconds|second|secs|sec|s)\b`)

// parseWaits reads a list of waits such as "20 min, 1 h, 2 h 30 min".
func parseWaits(text string) (list []time.Duration, err error) {
	for item := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		wait, err := parseWait(item)
		if err != nil {
			return nil, err
		}
		list = append(list, wait)
	}
	return list, nil
}

func parseWait(text string) (wait time.Duration, err error) {
	rest := strings.ToLower(text)
	for strings.TrimSpace(rest) != "" {
		// Units may stand close to the next number: "2h30min".
		part := waitPattern.FindStringSubmatch(digitsApart(rest))
		if part == nil {
			return 0, fmt.Errorf("must be waits such as 20 min, 1 h, 2 h 30 min; %q is none", strings.TrimSpace(text))
		}
		n, err := strconv.Atoi(part[1])
		if err != nil {
			return 0, err
		}
		for _, p := range waitParts() {
			if strings.HasPrefix(part[2], p.unit[:1]) {
				wait += time.Duration(n) * p.of
			}
		}
		rest = digitsApart(rest)[len(part[0]):]
	}
	return wait, nil
}

// digitsApart puts a space between a letter and a digit that follows it.
func digitsApart(text string) string {
	var b strings.Builder
	var before rune
	for _, r := range text {
		if r >= '0' && r <= '9' && before >= 'a' && before <= 'z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

// waitText writes a wait as it is typed: "2 h 30 min".
func waitText(wait time.Duration) string {
	var parts []string
	for _, p := range waitParts() {
		if n := wait / p.of; n > 0 {
			parts = append(parts, strconv.Itoa(int(n))+" "+p.unit)
			wait -= n * p.of
		}
	}
	return strings.Join(parts, " ")
}

func waitsText(list []time.Duration) string {
	texts := make([]string, len(list))
	for i, wait := range list {
		texts[i] = waitText(wait)
	}
	return strings.Join(texts, ", ")
}

// rangePattern is a part of a day: "9-12", "9:00–17:30", "9.00 to 17.30".
var rangePattern = regexp.MustCompile(`^(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.](\d{2}))?$`)

var errRanges = errors.New("must be times such as 9:00-12:00, 13:00-17:30; empty when nobody is called that day")

// parseRanges reads the hours of a day such as "9:00-12:00, 13:00-17:30".
func parseRanges(text string) (list []aftercall.Range, err error) {
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		part := rangePattern.FindStringSubmatch(item)
		if part == nil {
			return nil, errRanges
		}
		from, to := minuteOf(part[1], part[2]), minuteOf(part[3], part[4])
		if from < 0 || to < 0 {
			return nil, errRanges
		}
		list = append(list, aftercall.Range{From: from, To: to})
	}
	return list, nil
}

// minutesOfDay is the end of a day.
const minutesOfDay = 24 * 60

// minuteOf is a minute of the day; negative when there is none such.
func minuteOf(hour, minute string) int {
	h, err := strconv.Atoi(hour)
	m := 0
	if err == nil && minute != "" {
		m, err = strconv.Atoi(minute)
	}
	if err != nil || m > 59 || 60*h+m > minutesOfDay {
		return -1
	}
	return 60*h + m
}

// rangesText writes the hours of a day as they are typed.
func rangesText(list []aftercall.Range) string {
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = minuteText(r.From) + "-" + minuteText(r.To)
	}
	return strings.Join(texts, ", ")
}

func minuteText(minute int) string { return strconv.Itoa(minute/60) + ":" + twoDigits(minute%60) }

// weekdays are the days of a week in the order in which people plan them.
func weekdays() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
}

// dayField is the name of a weekday's field.
func dayField(day time.Weekday) string { return strings.ToLower(day.String()) }

// hoursText tells hours in a line: days that follow each other and are alike go together.
func hoursText(h aftercall.Hours) string {
	var parts []string
	days := weekdays()
	for i := 0; i < len(days); {
		end := i
		for end+1 < len(days) && slices.Equal(h.Week[days[end+1]], h.Week[days[i]]) {
			end++
		}
		if hours := rangesText(h.Week[days[i]]); hours != "" {
			name := days[i].String()[:3]
			if end > i {
				name += "–" + days[end].String()[:3]
			}
			parts = append(parts, name+" "+strings.ReplaceAll(hours, "-", "–"))
		}
		i = end + 1
	}
	if len(parts) == 0 {
		return "never"
	}
	return strings.Join(parts, "; ")
}

// numberText writes a limit as it is typed, where nothing stands for none.
func numberText[T int | float64](n T) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(n), 'f', -1, 64)
}

func optionalText(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// agentFields are what an agent's fields are called in forms, where that is not what
// requests call them.
func agentFields() map[string]string {
	return map[string]string{
		"ringTimeoutSeconds": "ring", "maxDurationSeconds": "longest", "maxLiveCalls": "live", "maxCallsPerSecond": "rate",
		"maxLiveCallsPerNumber": "number_live", "maxCallsPerSecondPerNumber": "number_rate", "intervalsSeconds": "intervals",
		"maxRetryDays": "days", "maxAttempts": "attempts", "maxAttemptsPerNumber": "per_number", "fromNumbers": "numbers", "type": "engine",
	}
}

// asTyped names the fields of an error as forms do, and says which line of a field is
// meant.
func asTyped(err error) error {
	e, ok := errors.AsType[*aftercall.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	var typed []error
	for _, f := range e.Fields {
		path, message := f.Path, f.Message
		for _, prefix := range []string{"voiceEngine.", "autoDialer.", "hours."} {
			path = strings.TrimPrefix(path, prefix)
		}
		name, rest, _ := strings.Cut(path, ".")
		if n, err := strconv.Atoi(rest); err == nil && (name == "fromNumbers" || name == "holidays") {
			message = "line " + strconv.Itoa(n+1) + " " + message
		}
		if name == "outcomeFields" { // of which a form has one
			name = "name"
			if parts := strings.Split(rest, "."); len(parts) > 1 {
				name = parts[1]
			}
		} else if known, ok := agentFields()[name]; ok {
			name = known
		}
		typed = append(typed, aftercall.InvalidField(name, "%s", message))
	}
	return aftercall.AllInvalid(typed...)
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }

// yesIf is the value of a box that is checked.
func yesIf(checked bool) string {
	if checked {
		return "yes"
	}
	return ""
}
