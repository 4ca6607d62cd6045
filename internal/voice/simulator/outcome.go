package simulator

import "math/rand/v2"

// Outcome is what a simulated call comes to.
type Outcome string

// The outcomes. In the first six somebody talks to the agent, in the next one only
// picks up; then come machines, nobody, and failures.
const (
	Booked        Outcome = "booked"
	Interested    Outcome = "interested"
	NotInterested Outcome = "not_interested" // and says why
	Callback      Outcome = "callback"
	WrongPerson   Outcome = "wrong_person"
	DoNotCall     Outcome = "do_not_call"
	ShortPickup   Outcome = "short_pickup"
	Voicemail     Outcome = "voicemail"
	Fax           Outcome = "fax"
	IVR           Outcome = "ivr"
	NoAnswer      Outcome = "no_answer"
	Busy          Outcome = "busy"
	Rejected      Outcome = "rejected"
	InvalidNumber Outcome = "invalid_number"
	EngineError   Outcome = "engine_error"
)

// Fault is what goes wrong with the reports of a call that itself goes well.
type Fault string

// The faults that engines are known for. NoFault is the zero value.
const (
	NoFault      Fault = ""
	NeverReports Fault = "never_reports" // and has to be asked
	Duplicate    Fault = "duplicate"     // tells the end twice
	BadSignature Fault = "bad_signature"
	OutOfOrder   Fault = "out_of_order" // tells the end before the answer
	Late         Fault = "late"         // tells the end long after it
)

// share is how many of the calls come to an outcome.
type share struct {
	outcome Outcome
	weight  int
}

// mix is what calls come to, in percent: a guess at what an outbound team sees. The
// missing 3 are invalid numbers: a number that is invalid, or another person's, is so
// in every call, and drawn apart.
func mix() []share {
	return []share{{talk, 35}, {ShortPickup, 8}, {NoAnswer, 30}, {Voicemail, 15}, {Busy, 7}, {EngineError, 2}}
}

// talks is what the conversations of mix are; the missing 3 are with other persons.
func talks() []share {
	return []share{{Booked, 9}, {Interested, 7}, {NotInterested, 9}, {Callback, 5}, {DoNotCall, 2}}
}

const talk Outcome = "talk" // one of talks

const (
	invalidPercent   = 3  // of all numbers
	strangerPerMille = 86 // of all other numbers: 3 of the 35 conversations
)

// sound is what a call whose reports go wrong comes to: one that leaves the contact
// reached, so that the fault is all that differs.
func sound() []share {
	return []share{{Booked, 1}, {Interested, 1}, {NotInterested, 1}}
}

// choose tells what a call comes to: what its number forces, or else what is drawn.
func choose(seed uint64, to string, rng *rand.Rand) (Outcome, Fault) {
	if outcome, fault := forced(to); outcome != "" {
		return outcome, NoFault
	} else if fault != NoFault {
		return draw(rng, sound()), fault
	}
	number := stream(seed, "number", to)
	if number.IntN(100) < invalidPercent {
		return InvalidNumber, NoFault
	}
	stranger := number.IntN(1000) < strangerPerMille
	outcome := draw(rng, mix())
	switch {
	case outcome != talk:
		return outcome, NoFault
	case stranger:
		return WrongPerson, NoFault
	}
	return draw(rng, talks()), NoFault
}

func draw(rng *rand.Rand, shares []share) Outcome {
	total := 0
	for _, s := range shares {
		total += s.weight
	}
	n := rng.IntN(total)
	for _, s := range shares {
		if n -= s.weight; n < 0 {
			return s.outcome
		}
	}
	return ""
}

// forced tells what the last two digits of a fictional number ask for, if they do.
func forced(to string) (Outcome, Fault) {
	if !Fictional(to) {
		return "", NoFault
	}
	switch to[len(to)-2:] {
	case "00":
		return Booked, NoFault
	case "01":
		return Interested, NoFault
	case "02":
		return NotInterested, NoFault
	case "03":
		return Callback, NoFault
	case "04":
		return DoNotCall, NoFault
	case "05":
		return WrongPerson, NoFault
	case "06":
		return ShortPickup, NoFault
	case "10":
		return NoAnswer, NoFault
	case "11":
		return Busy, NoFault
	case "12":
		return Rejected, NoFault
	case "20":
		return Voicemail, NoFault
	case "21":
		return Fax, NoFault
	case "22":
		return IVR, NoFault
	case "30":
		return InvalidNumber, NoFault
	case "31":
		return EngineError, NoFault
	case "32":
		return "", NeverReports
	case "33":
		return "", Duplicate
	case "34":
		return "", BadSignature
	case "35":
		return "", OutOfOrder
	case "36":
		return "", Late
	}
	return "", NoFault
}
