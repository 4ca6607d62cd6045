package simulator

import (
	"fmt"
	"math"
	"testing"
)

// fictionalEnding lists a number of each kind with the given last two digits.
func fictionalEnding(digits string) []string {
	return []string{
		"+120255501" + digits, "+190755501" + digits, "+4930231250" + digits, "+4989999984" + digits, "+49171392" + "00" + digits,
		"+49176040690" + digits, "+4420794601" + digits, "+4477009009" + digits,
	}
}

func TestForced(t *testing.T) {
	for digits, want := range map[string]Outcome{
		"00": Booked, "01": Interested, "02": NotInterested, "03": Callback, "04": DoNotCall, "05": WrongPerson, "06": ShortPickup,
		"10": NoAnswer, "11": Busy, "12": Rejected, "20": Voicemail, "21": Fax, "22": IVR, "30": InvalidNumber, "31": EngineError,
	} {
		for _, number := range fictionalEnding(digits) {
			for seed := range uint64(20) {
				if s := Play(seed, sample(number, "en", "call")); s.Outcome != want || s.Fault != NoFault {
					t.Fatalf("%s: %s %s", number, s.Outcome, s.Fault)
				}
			}
		}
	}
	for digits, want := range map[string]Fault{"32": NeverReports, "33": Duplicate, "34": BadSignature, "35": OutOfOrder, "36": Late} {
		for _, number := range fictionalEnding(digits) {
			for seed := range uint64(20) {
				s := Play(seed, sample(number, "de", "call"))
				if s.Fault != want || s.Outcome != Booked && s.Outcome != Interested && s.Outcome != NotInterested {
					t.Fatalf("%s: %s %s", number, s.Outcome, s.Fault)
				}
			}
		}
	}
	for _, number := range []string{"+14155552600", "+12025550107", "+12025550199", "+4915228817386"} { // force nothing
		seen := map[Outcome]bool{}
		for seed := range uint64(200) {
			s := Play(seed, sample(number, "en", "call"))
			if seen[s.Outcome] = true; s.Fault != NoFault {
				t.Errorf("%s: %s", number, s.Fault)
			}
		}
		if len(seen) < 6 {
			t.Errorf("%s: only %v", number, seen)
		}
	}
}

// TestMix counts what calls come to, over seeds, over calls, and over numbers.
func TestMix(t *testing.T) {
	const calls = 20_000
	want := map[Outcome]float64{
		Booked: 9, Interested: 7, NotInterested: 9, Callback: 5, WrongPerson: 3, DoNotCall: 2, // 35
		ShortPickup: 8, NoAnswer: 30, Voicemail: 15, Busy: 7, InvalidNumber: 3, EngineError: 2,
	}
	for name, play := range map[string]func(i int) Scene{
		"seeds":   func(i int) Scene { return Play(uint64(i), sample("+14155552671", "en", "call")) },
		"numbers": func(i int) Scene { return Play(7, sample(fmt.Sprintf("+1415556%04d", i%10_000), "de", fmt.Sprint(i))) },
	} {
		got := map[Outcome]float64{}
		for i := range calls {
			got[play(i).Outcome] += 100.0 / calls
		}
		for outcome, percent := range want {
			if math.Abs(got[outcome]-percent) > 1 {
				t.Errorf("%s: %s: %.1f %%, want %.1f %%", name, outcome, got[outcome], percent)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSameNumber holds that what a number is does not change from call to call.
func TestSameNumber(t *testing.T) {
	invalid, strangers := 0, 0
	for n := range 400 {
		number := fmt.Sprintf("+1415557%04d", n)
		seen := map[Outcome]int{}
		for i := range 30 {
			seen[Play(1, sample(number, "en", fmt.Sprint(n, i))).Outcome]++
		}
		if seen[InvalidNumber] > 0 {
			if invalid++; len(seen) > 1 {
				t.Errorf("%s is not always invalid: %v", number, seen)
			}
		}
		if seen[WrongPerson] > 0 {
			strangers++
			for _, o := range []Outcome{Booked, Interested, NotInterested, Callback, DoNotCall} {
				if seen[o] > 0 {
					t.Errorf("%s is another person's, and yet: %v", number, seen)
				}
			}
		}
	}
	if invalid == 0 || strangers == 0 {
		t.Errorf("%d invalid numbers, %d of strangers", invalid, strangers)
	}
}
