// Package simulator plays phone calls that never take place: who answers, what is
// said, and what an analysis should find in it. The same seed and call always play
// the same scene.
package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
)

// Request is what the simulator knows of a call that it plays.
type Request struct {
	CallID string // every choice follows from it, the number and the seed
	To     string // E.164; if it is Fictional, its last two digits may force the outcome

	// "en", "de", or a tag such as "de-AT"; others are played in English.
	Language string

	// What is said about the contact, as far as it is known: first_name, last_name,
	// salutation, company, notes; and about who calls: agent, account.
	Vars map[string]string

	Zone *time.Location // the contact's, in which times are spoken; nil for UTC
	At   time.Time      // when it is dialled
}

// Scene is what a simulated call comes to, as on a timeline from its dialling.
type Scene struct {
	Outcome    Outcome
	Reason     aftercall.EndReason
	Ring       time.Duration // until somebody answered, or it was over
	Talk       time.Duration // from then on; 0 when nobody answered
	AnsweredBy string        // human, machine, unknown, or "" for nobody
	Turns      []Turn
	BookedSlot time.Time // the appointment, in the contact's zone
	FollowUp   time.Time // when the contact wants to be called again, in the contact's zone
	Summary    string    // in the language of the call; empty when nobody answered

	// Gold is what an analysis should find. All names are always there; nil is what was
	// not said.
	//
	//	appointment   string  RFC 3339 in UTC: BookedSlot
	//	follow_up     string  RFC 3339 in UTC: FollowUp
	//	interest      bool    of the contact in what is offered
	//	lost_reason   string  one of the reference's example: CUSTOMER_NOT_INTERESTED,
	//	                      CUSTOMER_PREVIOUSLY_CONTACTED, PRODUCT_TOO_EXPENSIVE
	//	sentiment     string  of the contact: positive, neutral, negative
	//	do_not_call   bool    never nil
	//	wrong_person  bool    never nil
	//	voicemail     bool    never nil; whether a mailbox answered
	Gold map[string]any

	Fault Fault
}

// Turn is what one speaker says, in seconds from when the call was answered.
// Whatever answers has the contact's role, machines too.
type Turn struct {
	Role       aftercall.Role
	Text       string
	Start, End float64
}

// Play tells what a call comes to.
func Play(seed uint64, r Request) Scene {
	rng := stream(seed, "call", r.CallID, r.To)
	outcome, fault := choose(seed, r.To, rng)
	s := Scene{Outcome: outcome, Fault: fault}
	s.Reason, s.AnsweredBy = ending(outcome, rng)
	s.Ring = ringing(outcome, rng)
	german := isGerman(r.Language)

	now := r.At.UTC()
	if r.Zone != nil {
		now = r.At.In(r.Zone)
	}
	var agreed, refused time.Time
	switch outcome {
	case Booked:
		agreed, refused = twoOf(rng, openings(now, 1, 9))
		s.BookedSlot = agreed
	case Callback:
		agreed, refused = twoOf(rng, openings(now, 0, 4))
		s.FollowUp = agreed
	}
	var played script
	if choices := scripts(german, outcome); len(choices) > 0 {
		played = choices[rng.IntN(len(choices))]
		times := spoken{german: german, now: now, words: rng.IntN(2) == 0}
		fill := fillings(r.Vars, german, times, agreed, refused)
		s.Turns, s.Talk = perform(rng, played, fill)
		s.Summary = fill.in(played.summary)
	} else if outcome == Fax {
		s.Talk = between(rng, 3*time.Second, 8*time.Second) // of whistling
	}
	s.Gold = gold(s, played)
	return s
}

// stream is a source of choices that only the given words decide.
func stream(seed uint64, words ...string) *rand.Rand {
	all := binary.BigEndian.AppendUint64(nil, seed)
	for _, word := range words {
		all = append(binary.BigEndian.AppendUint64(all, uint64(len(word))), word...)
	}
	sum := sha256.Sum256(all) // ids that differ by a digit should have nothing in common
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}

func isGerman(language string) bool {
	primary, _, _ := strings.Cut(strings.ReplaceAll(language, "_", "-"), "-")
	return strings.EqualFold(primary, "de")
}

// ending is why a call ends, and what answered it.
func ending(o Outcome, rng *rand.Rand) (aftercall.EndReason, string) {
	const human, machine, unknown = "human", "machine", "unknown"
	switch o {
	case ShortPickup:
		if rng.IntN(4) == 0 { // too little was heard
			return aftercall.EndContactHangup, unknown
		}
		return aftercall.EndContactHangup, human
	case DoNotCall:
		return aftercall.EndContactHangup, human
	case Voicemail:
		return aftercall.EndVoicemail, machine
	case Fax:
		return aftercall.EndFax, machine
	case IVR:
		return aftercall.EndIVR, machine
	case NoAnswer:
		return aftercall.EndNoAnswer, ""
	case Busy:
		return aftercall.EndBusy, ""
	case Rejected:
		return aftercall.EndRejected, ""
	case InvalidNumber:
		return aftercall.EndInvalidNumber, ""
	case EngineError:
		return aftercall.EndEngineError, ""
	}
	if rng.IntN(3) == 0 {
		return aftercall.EndContactHangup, human
	}
	return aftercall.EndAgentHangup, human
}

// ringing is how long it takes until somebody answers, or the network says why not.
func ringing(o Outcome, rng *rand.Rand) time.Duration {
	switch o {
	case NoAnswer:
		return between(rng, 22*time.Second, 35*time.Second)
	case Voicemail:
		return between(rng, 15*time.Second, 25*time.Second)
	case Busy, InvalidNumber, EngineError:
		return between(rng, time.Second, 4*time.Second)
	case Fax, IVR:
		return between(rng, 2*time.Second, 7*time.Second)
	}
	return between(rng, 4*time.Second, 16*time.Second)
}

// tick is the smallest step of a scene's times.
const tick = 100 * time.Millisecond

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + tick*time.Duration(rng.IntN(int((high-low)/tick)+1))
}

// gold is what an analysis should find in a scene that was played by a script.
func gold(s Scene, played script) map[string]any {
	g := map[string]any{
		"appointment": instant(s.BookedSlot), "follow_up": instant(s.FollowUp), "interest": nil,
		"lost_reason": orNil(played.lost), "sentiment": orNil(played.sentiment),
		"do_not_call": s.Outcome == DoNotCall, "wrong_person": s.Outcome == WrongPerson, "voicemail": s.Outcome == Voicemail,
	}
	switch s.Outcome {
	case Booked, Interested:
		g["interest"] = true
	case NotInterested, DoNotCall:
		g["interest"] = false
	}
	return g
}

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
