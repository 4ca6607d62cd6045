package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// openings lists the times that people agree on: half hours in office hours, without
// lunch, on working days from one number of days ahead to another, and at least an
// hour away.
func openings(now time.Time, from, to int) []time.Time {
	var list []time.Time
	year, month, today := now.Date()
	for day := today + from; day <= today+to; day++ {
		for _, hour := range []int{9, 10, 11, 13, 14, 15, 16, 17} {
			for _, minute := range []int{0, 30} {
				t := time.Date(year, month, day, hour, minute, 0, 0, now.Location())
				working := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
				if working && t.Hour() == hour && t.Sub(now) >= time.Hour {
					list = append(list, t)
				}
			}
		}
	}
	return list
}

// twoOf draws two different times.
func twoOf(rng *rand.Rand, list []time.Time) (time.Time, time.Time) {
	i, j := rng.IntN(len(list)), rng.IntN(len(list)-1)
	if j >= i {
		j++
	}
	return list[i], list[j]
}

// spoken says times as people do on a day: "tomorrow at half past two". All times are
// in office hours, so that nobody has to say which half of the day is meant.
type spoken struct {
	german bool
	now    time.Time
	words  bool // "half past two" rather than "2:30 pm"
}

// when says a time as seen from now; nothing for none.
func (s spoken) when(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case s.german:
		return s.dayDE(t) + " um " + s.clockDE(t)
	}
	return s.dayEN(t) + " at " + s.clockEN(t)
}

// date says a time with its date, to be sure.
func (s spoken) date(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case s.german:
		return fmt.Sprintf("%s, den %d. %s, um %s", weekdayDE(t), t.Day(), monthDE(t), s.clockDE(t))
	}
	return fmt.Sprintf("%s, %s %s at %s", t.Weekday(), t.Month(), ordinal(t.Day()), s.clockEN(t))
}

// ahead counts the days from now, by the calendar.
func (s spoken) ahead(t time.Time) int {
	midnight := func(t time.Time) time.Time { // in UTC, where all days are of one length
		year, month, day := t.Date()
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(t).Sub(midnight(s.now)) / (24 * time.Hour))
}

func (s spoken) dayEN(t time.Time) string {
	switch n := s.ahead(t); {
	case n == 0 && !s.words:
		return "today"
	case n == 0 && t.Hour() < 12:
		return "this morning"
	case n == 0:
		return "this afternoon"
	case n == 1:
		return "tomorrow"
	case n < 7:
		return t.Weekday().String()
	}
	return t.Weekday().String() + " the " + ordinal(t.Day())
}

func (s spoken) clockEN(t time.Time) string {
	switch {
	case s.words && t.Minute() == 30:
		return "half past " + numberEN(t.Hour())
	case s.words:
		return numberEN(t.Hour())
	case t.Minute() == 30:
		return t.Format("3:04 pm")
	}
	return t.Format("3 pm")
}

func ordinal(n int) string {
	suffix := "th"
	if n < 11 || n > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}

func (s spoken) dayDE(t time.Time) string {
	switch n := s.ahead(t); {
	case n == 0:
		return "heute"
	case n == 1 && t.Hour() == 9 && s.words:
		return "morgen früh"
	case n == 1:
		return "morgen"
	case n == 2 && s.words:
		return "übermorgen"
	case n < 7:
		return "am " + weekdayDE(t)
	}
	return fmt.Sprintf("am %s, dem %d. %s,", weekdayDE(t), t.Day(), monthDE(t))
}

// clockDE says half past two as "halb drei", and hours after noon by their number.
func (s spoken) clockDE(t time.Time) string {
	switch {
	case s.words && t.Minute() == 30:
		return "halb " + numberDE(t.Hour()+1)
	case s.words && t.Hour() < 12:
		return numberDE(t.Hour()) + " Uhr"
	case t.Minute() == 30:
		return fmt.Sprintf("%d:30 Uhr", t.Hour())
	}
	return fmt.Sprintf("%d Uhr", t.Hour())
}

func numberEN(hour int) string {
	return [...]string{
		"twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
	}[hour%12]
}

func numberDE(hour int) string {
	return [...]string{
		"zwölf", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
	}[hour%12]
}

func weekdayDE(t time.Time) string {
	return [...]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}[t.Weekday()]
}

func monthDE(t time.Time) string {
	return [...]string{
		"Januar", "Februar", "März", "April", "Mai", "Juni",
		"Juli", "August", "September", "Oktober", "November", "Dezember",
	}[t.Month()-1]
}
