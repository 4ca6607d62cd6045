package simulator

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const weekdays = `Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|` +
	`Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag`

// spokenTime is a day, perhaps with its number, and a time of that day.
var spokenTime = regexp.MustCompile(
	`(today|this morning|this afternoon|tomorrow|heute|morgen(?: früh)?|übermorgen|` + weekdays + `)` +
		`(?: the (\d+)(?:st|nd|rd|th)|, (?:de[nm] )?(?:[A-Z]\pL+ )?(\d+)(?:st|nd|rd|th|\. \pL+),?)?` +
		` (?:at|um) (half past \pL+|halb \pL+|\d+:30 [ap]m|\d+ [ap]m|\d+:30 Uhr|\d+ Uhr|\pL+)`)

// heard reads the times in a text, as somebody understands them who hears it on that
// day. It is written apart from what says them.
func heard(t rapid.TB, said string, now time.Time) []time.Time {
	t.Helper()
	var times []time.Time
	for _, found := range spokenTime.FindAllStringSubmatch(said, -1) {
		date := dated(t, now, found[1], found[2]+found[3])
		hour, minute := clocked(t, found[4])
		times = append(times, time.Date(date.Year(), date.Month(), date.Day(), hour, minute, 0, 0, now.Location()))
	}
	return times
}

func dated(t rapid.TB, now time.Time, day, number string) time.Time {
	t.Helper()
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, now.Location())
	if number != "" { // the next day with that number
		n, _ := strconv.Atoi(number)
		for date := noon; ; date = date.AddDate(0, 0, 1) {
			if date.Day() == n {
				return date
			}
		}
	}
	switch day {
	case "today", "this morning", "this afternoon", "heute":
		return noon
	case "tomorrow", "morgen", "morgen früh":
		return noon.AddDate(0, 0, 1)
	case "übermorgen":
		return noon.AddDate(0, 0, 2)
	}
	for date := noon.AddDate(0, 0, 1); date.Before(noon.AddDate(0, 0, 8)); date = date.AddDate(0, 0, 1) {
		if day == date.Weekday().String() || day == weekdayDE(date) {
			return date
		}
	}
	t.Fatalf("no day is called %q", day)
	return noon
}

func clocked(t rapid.TB, said string) (int, int) {
	t.Helper()
	english := []string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
	german := []string{"", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"}
	words := strings.Fields(said)
	last := words[len(words)-1]
	hour, minute := 0, 0
	switch {
	case words[0] == "half":
		hour, minute = slices.Index(english, last), 30
	case words[0] == "halb":
		hour, minute = slices.Index(german, last)-1, 30
	case words[0][0] >= '0' && words[0][0] <= '9':
		digits, half, _ := strings.Cut(words[0], ":")
		hour, _ = strconv.Atoi(digits)
		minute, _ = strconv.Atoi(half)
		if last == "am" || last == "Uhr" || hour == 12 {
			return hour, minute
		}
		return hour + 12, minute
	default:
		hour = max(slices.Index(english, words[0]), slices.Index(german, words[0]))
	}
	if hour < 0 {
		t.Fatalf("no clock shows %q", said)
	}
	if hour < 8 { // in office hours
		hour += 12
	}
	return hour, minute
}

func TestHeard(t *testing.T) {
	now := time.Date(2025, 2, 26, 8, 5, 0, 0, time.UTC) // a Wednesday
	for said, want := range map[string]string{
		"Call me this afternoon at four, please.":     "2025-02-26 16:00",
		"What about tomorrow at half past two?":       "2025-02-27 14:30",
		"I have Friday, February 28th at 10 am.":      "2025-02-28 10:00",
		"I could do Thursday the 6th at 2:30 pm.":     "2025-03-06 14:30",
		"What about Wednesday at 9:30 am?":            "2025-03-05 09:30",
		"Ginge es morgen früh um halb zehn?":          "2025-02-27 09:30",
		"Besser übermorgen um elf.":                   "2025-02-28 11:00",
		"am Dienstag um halb zwei":                    "2025-03-04 13:30",
		"am Mittwoch, dem 5. März, um 15:30 Uhr":      "2025-03-05 15:30",
		"Ich trage Montag, den 3. März, um 9 Uhr ein": "2025-03-03 09:00",
		"Thank you, and have a nice day":              "",
	} {
		got := ""
		if times := heard(t, said, now); len(times) > 0 {
			got = times[0].Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("%s: heard %q, want %q", said, got, want)
		}
	}
}

// TestSpoken says every time that can be agreed on, on days all over a year, in every
// way, and listens.
func TestSpoken(t *testing.T) {
	for _, zone := range zones(t) {
		for day := 0; day < 365; day += 9 {
			now := time.Date(2025, 1, 1+day, day%24, 17, 0, 0, zone)
			for _, at := range openings(now, 0, 9) {
				for i := range 4 {
					s := spoken{german: i&1 == 1, now: now, words: i&2 == 2}
					for _, said := range []string{s.when(at), s.date(at)} {
						if times := heard(t, said, now); len(times) != 1 || !times[0].Equal(at) {
							t.Fatalf("on %v %v is said as %q and heard as %v", now, at, said, times)
						}
					}
				}
			}
		}
	}
}

func zones(t *testing.T) []*time.Location {
	t.Helper()
	var list []*time.Location
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Kiritimati"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, zone)
	}
	return list
}

func TestOpenings(t *testing.T) {
	for _, zone := range zones(t) {
		for hour := range 24 * 14 {
			now := time.Date(2025, 3, 3, hour, 41, 7, 0, zone)
			for _, from := range []int{0, 1} {
				list := openings(now, from, from+4)
				if len(list) < 2 {
					t.Fatalf("%v: %d openings", now, len(list))
				}
				for _, at := range list {
					if at.Before(now.Add(time.Hour)) || !inOfficeHours(at) || from == 1 && at.Day() == now.Day() {
						t.Errorf("%v: %v", now, at)
					}
				}
			}
		}
	}
	first, second := 0, 0
	list := openings(time.Date(2025, 3, 3, 16, 20, 0, 0, time.UTC), 0, 0) // 17:30 alone is left, and one more
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		a, b := twoOf(rng, append(list[:1:1], list[0].Add(time.Hour)))
		if a.Equal(b) {
			t.Fatal("the same time twice")
		}
		if a.Before(b) {
			first++
		} else {
			second++
		}
	}
	if first < 25 || second < 25 {
		t.Errorf("drawn %d and %d times", first, second)
	}
}

func inOfficeHours(at time.Time) bool {
	weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
	return !weekend && at.Hour() >= 9 && at.Hour() < 18
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 22: "22nd", 23: "23rd", 31: "31st"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
