package portal

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
)

func TestWaits(t *testing.T) {
	for text, want := range map[string][]time.Duration{
		"":                         nil,
		"20 min, 1 h, 2 h 30 min":  {20 * time.Minute, time.Hour, 150 * time.Minute},
		"20m,1h,2h30m":             {20 * time.Minute, time.Hour, 150 * time.Minute},
		" 3 Days , 1 day 2 hours,": {72 * time.Hour, 26 * time.Hour},
		"90 s":                     {90 * time.Second},
	} {
		got, err := parseWaits(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		again, err := parseWaits(waitsText(got))
		if err != nil || !slices.Equal(again, want) {
			t.Errorf("%q is written %q", text, waitsText(got))
		}
	}
	for _, text := range []string{"20", "soon", "1 h and more", "1 week", "-1 h", "1.5 h", "9999999 d"} {
		if got, err := parseWaits(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestRanges(t *testing.T) {
	for text, want := range map[string][]aftercall.Range{
		"":                        nil,
		"9:00-12:00, 13:00-17:30": {{From: 540, To: 720}, {From: 780, To: 1050}},
		"9-12; 13.00 to 17.30":    {{From: 540, To: 720}, {From: 780, To: 1050}},
		"00:00–24:00":             {{From: 0, To: 1440}},
		"17:00-9:00":              {{From: 1020, To: 540}}, // for the rules to refuse
		" 09:05 - 10:00 ,":        {{From: 545, To: 600}},
	} {
		got, err := parseRanges(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if again, err := parseRanges(rangesText(got)); err != nil || !slices.Equal(again, want) {
			t.Errorf("%q is written %q", text, rangesText(got))
		}
	}
	for _, text := range []string{"9", "9-25", "9:60-10:00", "24:01-24:30", "nine to five", "9-10-11"} {
		if got, err := parseRanges(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestHoursText(t *testing.T) {
	for preset, want := range map[aftercall.Preset]string{
		aftercall.PresetUS: "Mon–Sat 8:00–20:00", aftercall.PresetDE: "Mon–Fri 9:00–20:00; Sat 10:00–16:00", "none": "never",
	} {
		hours, _ := preset.Hours()
		if got := hoursText(hours); got != want {
			t.Errorf("%s: %q", preset, got)
		}
	}
}

// Errors stand at the fields of forms, and name the line that is meant.
func TestAsTyped(t *testing.T) {
	a := aftercall.NewDefaultAgent("app_1", time.Unix(1, 0))
	a.FromNumbers = []string{"+12025550100", "no number"}
	a.Engine.RingTimeout = time.Second
	a.Dialing.Hours.Week[time.Monday] = []aftercall.Range{{From: 600, To: 540}}
	a.OutcomeFields = []aftercall.OutcomeField{{Name: "a b", Type: aftercall.OutcomeText}}
	v := &visit{}
	v.problem, _ = errors.AsType[*aftercall.Error](asTyped(a.Validate()))
	for field, want := range map[string]string{
		"numbers": "line 2 is not an international phone number such as +14155552671", "ring": "must be 15 to 120",
		"monday": "must end after it begins: what goes beyond midnight is two ranges",
		"name":   "must be 1 to 64 letters, digits, or one of _ -, such as lead_conversion",
	} {
		if got := v.wrong(field); got != want {
			t.Errorf("%s: %q", field, got)
		}
	}
}
