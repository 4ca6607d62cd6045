package simulator

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata anew")

// sample is a call to a contact of whom everything is known.
func sample(to, language, id string) Request {
	return Request{
		CallID: id, To: to, Language: language, Zone: time.UTC, At: time.Date(2025, 2, 17, 15, 30, 0, 0, time.UTC),
		Vars: map[string]string{
			"first_name": "Frida", "last_name": "Kahlo", "salutation": "Ms.", "company": "Casa Azul", "notes": "Wants solar panels. Has a flat roof.",
			"agent": "Emma", "account": "Sunny Roofs",
		},
	}
}

// spokenOutcomes lists the last digits that force them, by outcome.
func spokenOutcomes() map[Outcome]string {
	return map[Outcome]string{
		Booked: "00", Interested: "01", NotInterested: "02", Callback: "03", DoNotCall: "04", WrongPerson: "05", ShortPickup: "06",
		Voicemail: "20", IVR: "22",
	}
}

// call is the scene as it would be reported.
func call(s Scene, at time.Time) aftercall.Call {
	c := aftercall.Call{
		TriggeredAt: at, EndedAt: at.Add(s.Ring + s.Talk), EndReason: s.Reason, FollowUpAt: s.FollowUp, BookedSlotFor: s.BookedSlot,
		Direction: aftercall.Outbound, FromNumber: "+12025550142", ToNumber: "+12025550143",
	}
	if s.Talk > 0 {
		c.StartedAt = at.Add(s.Ring)
	}
	for _, turn := range s.Turns {
		c.Turns = append(c.Turns, aftercall.Turn{Content: turn.Text, Role: turn.Role})
	}
	return c
}

// request draws a call, to a contact of whom little or much is known.
func request(zones []*time.Location) *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		vars := map[string]string{}
		for _, field := range [][]string{
			{"first_name", "Frida", "María José", "L"}, {"last_name", "Kahlo", "O'Brien-Müller", "De la Cruz y Fernández de Córdoba"},
			{"salutation", "Ms.", "Herr", "Dr", "frau"}, {"company", "Casa Azul", "Müller & Söhne GmbH"},
			{"notes", "Wants solar panels", "Hat ein Flachdach. Ruft gern zurück.", "line\nbreak", strings.Repeat("very long note ", 100)},
			{"agent", "Emma", "Solar outbound DE"}, {"account", "Sunny Roofs", "Sonnenhaus AG"}, {"other", "x"},
		} {
			if rapid.Bool().Draw(t, field[0]) {
				vars[field[0]] = rapid.SampledFrom(field[1:]).Draw(t, field[0])
			}
		}
		digits := rapid.IntRange(0, 99).Draw(t, "digits")
		return Request{
			CallID: rapid.StringN(0, 8, 20).Draw(t, "id"), To: fmt.Sprintf("+120255501%02d", digits), Vars: vars,
			Language: rapid.SampledFrom([]string{"en", "de", "de-AT", "DE_ch", "fr", ""}).Draw(t, "language"),
			Zone:     rapid.SampledFrom(append(zones, nil)).Draw(t, "zone"),
			At:       time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "at"), 0),
		}
	})
}

func TestScenes(t *testing.T) {
	requests := request(zones(t))
	rapid.Check(t, func(rt *rapid.T) {
		r, seed := requests.Draw(rt, "request"), rapid.Uint64().Draw(rt, "seed")
		s := Play(seed, r)
		if again := Play(seed, r); !reflect.DeepEqual(s, again) {
			rt.Fatalf("played again: %v", again)
		}
		checkReport(rt, s, r)
		checkTurns(rt, s)
		checkWords(rt, s, isGerman(r.Language))
		checkGold(rt, s)
	})
}

// checkReport holds what the rest of the program makes of a scene.
func checkReport(t *rapid.T, s Scene, r Request) {
	c := call(s, r.At)
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	status := map[Outcome]aftercall.CallStatus{
		Booked: aftercall.CallCompleted, Interested: aftercall.CallCompleted, NotInterested: aftercall.CallCompleted,
		DoNotCall: aftercall.CallCompleted, Callback: aftercall.CallAnswered, ShortPickup: aftercall.CallAnswered,
		Voicemail: aftercall.CallVoicemail, Fax: aftercall.CallVoicemail, IVR: aftercall.CallVoicemail, NoAnswer: aftercall.CallNotReached,
		Busy: aftercall.CallNotReached, Rejected: aftercall.CallNotReached, InvalidNumber: aftercall.CallError, EngineError: aftercall.CallError,
	}
	if got, want := s.Reason.Status(c.Conversation()), status[s.Outcome]; got != want && s.Outcome != WrongPerson {
		t.Fatalf("%s is %s, want %s: %v", s.Outcome, got, want, s.Turns)
	}
	if answered := s.AnsweredBy != ""; answered != (s.Talk > 0) || s.Ring <= 0 || answered != (s.Summary != "" || s.Outcome == Fax) {
		t.Fatalf("answered by %q after %v, for %v: %q", s.AnsweredBy, s.Ring, s.Talk, s.Summary)
	}
	for _, at := range []time.Time{s.BookedSlot, s.FollowUp} {
		if !at.IsZero() && (!at.After(c.EndedAt) || !inOfficeHours(at) || r.Zone != nil && at.Location() != r.Zone) {
			t.Fatalf("%v, in a call at %v", at, r.At)
		}
	}
	if s.BookedSlot.IsZero() != (s.Outcome != Booked) || s.FollowUp.IsZero() != (s.Outcome != Callback) {
		t.Fatalf("%s: %v, %v", s.Outcome, s.BookedSlot, s.FollowUp)
	}
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	checkTimes(t, s, r.At.In(zone))
}

// checkTimes listens for times: the last one that is said is the one agreed on, and
// nobody mentions one where none is agreed on.
func checkTimes(t *rapid.T, s Scene, now time.Time) {
	agreed := s.BookedSlot
	if agreed.IsZero() {
		agreed = s.FollowUp
	}
	last, confirmed := time.Time{}, false
	for _, turn := range s.Turns {
		for _, at := range heard(t, turn.Text, now) {
			last, confirmed = at, turn.Role == aftercall.RoleAgent
			if !at.After(now) || !inOfficeHours(at) {
				t.Fatalf("%v is said on %v: %q", at, now, turn.Text)
			}
		}
	}
	if !last.Equal(agreed) || confirmed == agreed.IsZero() {
		t.Fatalf("heard %v, agreed on %v: %v", last, agreed, s.Turns)
	}
}

func checkTurns(t *rapid.T, s Scene) {
	end := 0.0
	for i, turn := range s.Turns {
		if turn.Start <= end || turn.End <= turn.Start || turn.End >= s.Talk.Seconds() {
			t.Fatalf("turn %d of %v s: %v", i, s.Talk.Seconds(), s.Turns)
		}
		end = turn.End
		if want := []aftercall.Role{aftercall.RoleUser, aftercall.RoleAgent}[i%2]; turn.Role != want { // who answers speaks first
			t.Fatalf("turn %d: %v", i, s.Turns)
		}
	}
	least, most := map[Outcome]float64{
		Booked: 30, Interested: 30, NotInterested: 30, Callback: 30, DoNotCall: 20, WrongPerson: 20, ShortPickup: 3,
	}[s.Outcome], 90.0
	if talk := s.Talk.Seconds(); talk < least || talk > most {
		t.Fatalf("%s takes %v s", s.Outcome, talk)
	}
}

// checkWords holds what is and is not said.
func checkWords(t *rapid.T, s Scene, german bool) {
	said := map[aftercall.Role]string{}
	for i, turn := range s.Turns {
		said[turn.Role] += turn.Text + "\n"
		if regexp.MustCompile(`[{}]|  | [.,?!]|^\s|\s$|^\p{Ll}|[.?!] \p{Ll}`).MatchString(turn.Text) || turn.Text == "" {
			t.Fatalf("written badly: %q", turn.Text)
		}
		ai := strings.Contains(turn.Text, "an AI assistant") || strings.Contains(turn.Text, "eine KI-Assistenz")
		if ai != (i == 1) {
			t.Fatalf("the agent says in its first turn, and only there, what it is: %v", s.Turns)
		}
	}
	agentSays := said[aftercall.RoleAgent]
	if isGerman := strings.Contains(agentSays, "KI-Assistenz"); agentSays != "" && isGerman != german {
		t.Fatalf("said in another language: %v", s.Turns)
	}
	contactSays := strings.ToLower(said[aftercall.RoleUser])
	for outcome, phrases := range map[Outcome][]string{
		DoNotCall:   {"don't call me again", "rufen sie mich nicht mehr an"},
		WrongPerson: {"wrong number", "falsch verbunden"},
	} {
		saysSo := slices.ContainsFunc(phrases, func(phrase string) bool { return strings.Contains(contactSays, phrase) })
		if saysSo != (s.Outcome == outcome) {
			t.Fatalf("%s: the contact says %q", s.Outcome, contactSays)
		}
	}
	if strings.ContainsAny(s.Summary, "{}") {
		t.Fatalf("summary %q", s.Summary)
	}
}

func checkGold(t *rapid.T, s Scene) {
	known := []string{"appointment", "do_not_call", "follow_up", "interest", "lost_reason", "sentiment", "voicemail", "wrong_person"}
	for _, name := range known {
		if _, ok := s.Gold[name]; !ok {
			t.Fatalf("%s is missing", name)
		}
	}
	if len(s.Gold) != len(known) {
		t.Fatalf("%v", s.Gold)
	}
	for name, at := range map[string]time.Time{"appointment": s.BookedSlot, "follow_up": s.FollowUp} {
		text, ok := s.Gold[name].(string)
		read, err := time.Parse(time.RFC3339, text)
		if ok == at.IsZero() || ok && (err != nil || !read.Equal(at)) {
			t.Fatalf("%s: %v of %v", name, s.Gold[name], at)
		}
	}
	lost := s.Outcome == NotInterested || s.Outcome == DoNotCall
	if lost != (s.Gold["lost_reason"] != nil) || lost != (s.Gold["interest"] == false) {
		t.Fatalf("%s: %v", s.Outcome, s.Gold)
	}
	if human := s.AnsweredBy == "human" || s.AnsweredBy == "unknown"; human != (s.Gold["sentiment"] != nil) {
		t.Fatalf("%s: %v", s.Outcome, s.Gold)
	}
}

// TestEveryWording plays each outcome often enough that each wording is said.
func TestEveryWording(t *testing.T) {
	for language, german := range map[string]bool{"en": false, "de": true} {
		count := 0
		for outcome, digits := range spokenOutcomes() {
			unsaid := map[string]*regexp.Regexp{}
			for _, s := range scripts(german, outcome) {
				count++
				for _, l := range s.lines {
					checkLine(t, german, l)
					for _, wording := range l.wordings {
						unsaid[wording] = wordingOf(wording)
					}
				}
			}
			for seed := uint64(0); seed < 1000 && len(unsaid) > 0; seed++ {
				for _, turn := range Play(seed, sample("+120255501"+digits, language, "call")).Turns {
					maps.DeleteFunc(unsaid, func(_ string, pattern *regexp.Regexp) bool { return pattern.MatchString(turn.Text) })
				}
			}
			for wording := range unsaid {
				t.Errorf("never said: %q", wording)
			}
		}
		if count < 12 {
			t.Errorf("only %d scripts", count)
		}
	}
}

// checkLine holds that there is a choice, and something to say to somebody of whom
// nothing is known.
func checkLine(t *testing.T, german bool, l line) {
	t.Helper()
	if len(l.wordings) < 2 || len(l.wordings) > 3 {
		t.Errorf("%d wordings: %q", len(l.wordings), l.wordings)
	}
	nothing := fillings(nil, german, spoken{german: german, now: time.Unix(0, 0)}, time.Unix(1, 0), time.Unix(2, 0))
	if len(nothing.fitting(l.wordings)) == 0 {
		t.Errorf("nothing to say to an unknown contact: %q", l.wordings)
	}
}

func wordingOf(wording string) *regexp.Regexp {
	slot := regexp.MustCompile(`\\\{[^}]*\\\}`)
	return regexp.MustCompile("^" + slot.ReplaceAllString(regexp.QuoteMeta(wording), ".*") + "$")
}

// TestData holds that what callers wrote about a contact is said as it can be said.
func TestData(t *testing.T) {
	for in, want := range map[string]string{
		"Wants solar panels. Has a flat roof.": "Wants solar panels", "two\nlines": "two",
		" spaced \t out ": "spaced out", "a\x00b\xffc": "a bc", "bad \xff. And more": "bad", "...": "",
		"costs 3.50 a month": "costs 3.50 a month", strings.Repeat("ö", 100): strings.Repeat("ö", 30), "{name}": "{name}",
		strings.Repeat("word ", 30): strings.TrimSpace(strings.Repeat("word ", 12)),
	} {
		if got := note(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, c := range []struct {
		german                              bool
		salutation, first, last, name, full string
	}{
		{false, "Ms.", "Frida", "Kahlo", "Frida", "Frida Kahlo"}, {true, "Ms.", "Frida", "Kahlo", "Frau Kahlo", "Frida Kahlo"},
		{false, "Herr", "", "Kahlo", "Mr. Kahlo", "Kahlo"}, {true, "Herr", "", "Kahlo", "Herr Kahlo", "Kahlo"},
		{false, "", "", "Kahlo", "Kahlo", "Kahlo"}, {true, "", "Frida", "Kahlo", "Frida Kahlo", "Frida Kahlo"},
		{true, "Frau", "Frida", "", "Frida", "Frida"}, {true, "Frau", "", "", "", ""}, {false, "Mr", "", "", "", ""},
	} {
		vars := map[string]string{"salutation": c.salutation, "first_name": c.first, "last_name": c.last}
		f := fillings(vars, c.german, spoken{}, time.Time{}, time.Time{})
		if name, full := f.in("{name}"), f.in("{full}"); name != c.name || full != c.full {
			t.Errorf("%+v: %q, %q", c, name, full)
		}
	}
	injected := fillings(map[string]string{"first_name": "{notes}", "notes": "{full}"}, false, spoken{}, time.Time{}, time.Time{})
	if got := injected.in("{name} {notes}"); got != "{notes} {full}" {
		t.Errorf("filled twice: %q", got)
	}
}

// TestGolden holds scenes that must never change, since whoever plays a call again
// counts on it. They are also good to read.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, language := range []string{"en", "de-AT"} {
		for digits := range 40 {
			to := fmt.Sprintf("+120255501%02d", digits)
			s := Play(42, sample(to, language, "call_1"))
			fmt.Fprintf(&b, "== %s in %s: %s %s\n%s, answered by %q, rang %v, talked %v\n%s\n", to, language, s.Outcome, s.Fault,
				s.Reason, s.AnsweredBy, s.Ring, s.Talk, s.Summary)
			for _, turn := range s.Turns {
				fmt.Fprintf(&b, "%5.1f %5.1f %-5s %s\n", turn.Start, turn.End, turn.Role, turn.Text)
			}
			fmt.Fprintln(&b, s.Gold)
		}
	}
	const file = "testdata/scenes.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Error("the scenes are not those of testdata/scenes.txt: run with -update, and see what changed")
	}
}
