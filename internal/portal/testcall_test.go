package portal

import (
	"testing"

	"github.com/aftercall/aftercall/internal/voice/simulator"
)

// The numbers of test calls are nobody's, and each decides how its call goes.
func TestSimulations(t *testing.T) {
	seen := map[simulator.Outcome]string{}
	for _, s := range simulations() {
		for _, area := range fictionalAreas() {
			number := fictional(area, s.Ending)
			if !simulator.Fictional(number) {
				t.Errorf("%s may be somebody's", number)
			}
			first := simulator.Play(0, simulator.Request{To: number}).Outcome
			for seed := range uint64(20) {
				if got := simulator.Play(seed, simulator.Request{To: number}).Outcome; got != first {
					t.Errorf("%s is %s, and %s", number, first, got)
				}
			}
			if seen[first] != "" && seen[first] != s.Ending {
				t.Errorf("%s and %s are both %s", seen[first], s.Ending, first)
			}
			seen[first] = s.Ending
		}
	}
}
