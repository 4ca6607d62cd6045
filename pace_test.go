package aftercall

import (
	"testing"
	"time"
)

// A line never carries more than it may, in a moment and over time, and takes numbers
// in turn.
func TestLineKeepsItsPace(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	line := &Line{Free: map[string]time.Time{}, Live: map[string]int{}}
	pace := Pace{Live: 3, LivePerNumber: 2}
	numbers := []string{"+12025550100", "+12025550101"}
	var got []string
	for {
		number, _, ok := line.Take(pace, numbers, now)
		if !ok {
			break
		}
		got = append(got, number)
	}
	if len(got) != 3 || got[0] == got[1] || line.Live[numbers[0]] > 2 {
		t.Errorf("took %v", got)
	}
	line = &Line{Free: map[string]time.Time{}, Live: map[string]int{}}
	made, at := 0, now
	for at.Before(now.Add(10 * time.Second)) {
		_, free, ok := line.Take(Pace{PerSecond: 5}, nil, at)
		if ok {
			made++
			continue
		}
		if !free.After(at) {
			t.Fatalf("free at %s, asked at %s", free, at)
		}
		at = free
	}
	if made < 50 || made > 55 {
		t.Errorf("%d calls in 10 s at 5 a second", made)
	}
	line = &Line{Free: map[string]time.Time{}, Live: map[string]int{}}
	slow := Pace{PerSecondPerNumber: 0.5}
	_, _, first := line.Take(slow, numbers, now)
	_, _, second := line.Take(slow, numbers, now)
	_, free, third := line.Take(slow, numbers, now)
	if !first || !second || third || free != now.Add(2*time.Second) {
		t.Errorf("two numbers at half a call a second: %v %v %v, free at %s", first, second, third, free.Sub(now))
	}
	line.ClosedUntil = now.Add(time.Minute)
	if _, free, ok := line.Take(Pace{}, nil, now); ok || free != line.ClosedUntil {
		t.Errorf("a closed line: %v, free at %s", ok, free)
	}
}
