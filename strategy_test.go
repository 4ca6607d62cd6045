package aftercall

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// everyDay is open from one hour to another, every day.
func everyDay(from, to int) (h Hours) {
	for day := range h.Week {
		h.Week[day] = []Range{{from * 60, to * 60}}
	}
	return h
}

// attempts plays a run whose calls end for a reason, and returns when they were made.
func attempts(rules Dialing, zones []*time.Location, start time.Time, reason func(n int) EndReason) []time.Time {
	at, _ := rules.Hours.Next(start, zones)
	r := Run{ID: NewUUID(), DueAt: at, MaxRetryDays: rules.MaxRetryDays}
	var made []time.Time
	for r.Open() && len(made) < 500 {
		at := r.DueAt
		made = append(made, at)
		call := Call{TriggeredAt: at, EndedAt: at.Add(20 * time.Second), Direction: Outbound, EndReason: reason(len(made))}
		r, _ = r.After(call, rules, DialFacts{Zones: zones}, call.EndedAt)
	}
	return made
}

func unanswered(int) EndReason { return EndNoAnswer }

// The numbers of calls that follow from the reference's frequencies.
func TestSmartCallingCounts(t *testing.T) {
	berlin := []*time.Location{zone(t, "Europe/Berlin")}
	start := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	for intensity, counts := range map[Intensity]map[int]int{
		Moderate:     {0: 3, 1: 5, 2: 7, 3: 9, 4: 10, 7: 13, 10: 16, 17: 17, 24: 18},
		Aggressive:   {0: 3, 1: 5, 7: 17, 9: 21, 10: 22, 30: 42},
		Conservative: {0: 2, 1: 3, 3: 5, 4: 5, 5: 6, 7: 7, 9: 8, 15: 8, 16: 9, 23: 10},
	} {
		for days, want := range counts {
			rules := Dialing{Strategy: SmartCalling, Intensity: intensity, MaxRetryDays: &days, Hours: everyDay(8, 20)}
			if got := len(attempts(rules, berlin, start, unanswered)); got != want {
				t.Errorf("%s with %d days: %d calls, want %d", intensity, days, got, want)
			}
		}
	}
}

// The first retry comes after an hour, and the same run has the same times.
func TestSmartCallingTimes(t *testing.T) {
	utc := []*time.Location{time.UTC}
	days := 2
	rules := Dialing{Strategy: SmartCalling, Intensity: Moderate, MaxRetryDays: &days, Hours: everyDay(8, 20)}
	r := Run{ID: "11111111-1111-4111-8111-111111111111", MaxRetryDays: &days}
	call := Call{TriggeredAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), EndReason: EndNoAnswer}
	first, status := r.After(call, rules, DialFacts{Zones: utc}, call.TriggeredAt.Add(time.Minute))
	if first.DueAt != call.TriggeredAt.Add(time.Hour) || status.Status != CallNotReached {
		t.Errorf("due %s after %s", first.DueAt, status.Status)
	}
	again, _ := r.After(call, rules, DialFacts{Zones: utc}, call.TriggeredAt.Add(time.Minute))
	if again.DueAt != first.DueAt {
		t.Errorf("the same run is due %s and %s", first.DueAt, again.DueAt)
	}
	call.EndReason = EndBusy
	if busy, _ := r.After(call, rules, DialFacts{Zones: utc}, call.TriggeredAt); busy.DueAt.Before(call.TriggeredAt.Add(busyFrom)) || busy.DueAt.After(call.TriggeredAt.Add(busyTo)) {
		t.Errorf("who was busy is due %s", busy.DueAt)
	}
	// On the next days, one call in each half of the hours, and not all runs at once.
	spread := map[int]int{}
	for range 200 {
		made := attempts(rules, utc, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), unanswered)
		if noon := time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC); made[3].After(noon) || made[4].Before(noon) {
			t.Fatalf("on the second day at %s and %s", made[3], made[4])
		}
		spread[made[3].Hour()]++
	}
	for hour := 8; hour < 14; hour++ {
		if n := spread[hour]; n < 10 || n > 70 {
			t.Errorf("%d of 200 calls between %d and %d", n, hour, hour+1)
		}
	}
}

func TestDefinedIntervals(t *testing.T) {
	days := 1
	rules := Dialing{
		Strategy: DefinedIntervals, Intervals: []time.Duration{20 * time.Minute, time.Hour, 150 * time.Minute}, MaxRetryDays: &days, Hours: everyDay(9, 17),
	}
	var got []string
	for _, at := range attempts(rules, []*time.Location{time.UTC}, time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC), unanswered) {
		got = append(got, at.Format("2 15:04:05"))
	}
	want := "[2 09:00:00 2 09:20:20 2 10:20:40 2 12:51:00 2 15:21:20 3 09:00:00 3 11:30:20 3 14:00:40 3 16:31:00]"
	if fmt.Sprint(got) != want {
		t.Errorf("called at %v\nwant %s", got, want)
	}
	three := 3
	rules.MaxRetryDays, rules.MaxAttempts = nil, &three
	if n := len(attempts(rules, []*time.Location{time.UTC}, time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC), unanswered)); n != 3 {
		t.Errorf("%d attempts of three", n)
	}
}

// Technical failures count once in 24 hours, and are tried again after growing waits.
func TestErrorsCountOnceADay(t *testing.T) {
	one := 2
	rules := Dialing{Strategy: SmartCalling, Intensity: Moderate, MaxAttempts: &one, Hours: everyDay(0, 24)}
	made := attempts(rules, []*time.Location{time.UTC}, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), func(int) EndReason { return EndEngineError })
	if length := made[len(made)-1].Sub(made[0]); length < day24 || len(made) < 6 {
		t.Errorf("%d attempts in %s", len(made), length)
	}
	if first := made[1].Sub(made[0]); first != 20*time.Second+firstErrorWait {
		t.Errorf("again after %s", first)
	}
}

func TestRunAfter(t *testing.T) {
	rules := Dialing{Strategy: SmartCalling, Intensity: Moderate, Hours: everyDay(9, 17)}
	utc := []*time.Location{time.UTC}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	talk := func(text string) []Turn { return []Turn{{"Good morning, this is Ada.", RoleAgent}, {text, RoleUser}} }
	one, seven := 1, 7
	for name, test := range map[string]struct {
		call   Call
		most   *int
		status CallStatus
		end    RunEnd
		due    time.Time // zero: some time
	}{
		"conversation":             {Call{EndReason: EndContactHangup, Turns: talk("Yes please, come on Friday at ten")}, nil, CallCompleted, RunReached, at},
		"short pick-up":            {Call{EndReason: EndContactHangup, Turns: talk("Hello?")}, nil, CallAnswered, "", time.Time{}},
		"the last short pick-up":   {Call{EndReason: EndContactHangup, Turns: talk("Hello?")}, &one, CallNotReached, RunExhausted, at},
		"nobody":                   {Call{EndReason: EndNoAnswer}, nil, CallNotReached, "", time.Time{}},
		"the last nobody":          {Call{EndReason: EndNoAnswer}, &one, CallNotReached, RunExhausted, at},
		"mailbox":                  {Call{EndReason: EndVoicemail}, nil, CallVoicemail, "", time.Time{}},
		"invalid":                  {Call{EndReason: EndInvalidNumber}, nil, CallError, RunWrongNumber, at},
		"lost":                     {Call{EndReason: EndLost}, nil, CallError, "", time.Time{}},
		"something new":            {Call{EndReason: "alien_abduction"}, nil, CallError, "", time.Time{}},
		"callback":                 {Call{EndReason: EndContactHangup, Turns: talk("I am driving, please call me later"), FollowUpAt: at.Add(30 * time.Hour)}, nil, CallAnswered, "", at.Add(30 * time.Hour)},
		"callback after the limit": {Call{EndReason: EndContactHangup, Turns: talk("I am driving, please call me later"), FollowUpAt: at.AddDate(0, 1, 0)}, &one, CallAnswered, "", at.AddDate(0, 1, 0)},
		"wrong person":             {Call{EndReason: EndContactHangup, Turns: talk("I think you have the wrong number here, sorry about that")}, nil, CallAnswered, "", time.Time{}},
		"do not call":              {Call{EndReason: EndContactHangup, Turns: talk("Please don't call me again, I am not interested.")}, nil, CallCompleted, RunDoNotCall, at},
		"bitte nicht":              {Call{EndReason: EndContactHangup, Turns: talk("Rufen Sie mich bitte nicht mehr an!")}, nil, CallCompleted, RunDoNotCall, at},
		"not now":                  {Call{EndReason: EndContactHangup, Turns: talk("Don't call me before noon, I am a night owl")}, nil, CallCompleted, RunReached, at},
	} {
		test.call.ID, test.call.RunID, test.call.Direction, test.call.TriggeredAt = "c", "r", Outbound, at
		r := Run{ID: "r", CallID: "c", MaxRetryDays: &seven}
		rules.MaxAttempts = test.most
		got, call := r.After(test.call, rules, DialFacts{Zones: utc}, at.Add(time.Minute))
		if call.Status != test.status || got.End != test.end || call.Attempt != 1 || got.CallID != "" {
			t.Errorf("%s: %s and the run ended %q, want %s and %q", name, call.Status, got.End, test.status, test.end)
		}
		if test.end != "" && !got.DueAt.IsZero() || test.end == "" && (got.DueAt.IsZero() || !test.due.IsZero() && got.DueAt != test.due) {
			t.Errorf("%s: due %s, want %s", name, got.DueAt, test.due)
		}
		contact, _ := Contact{Status: ContactPending, NextCallAt: at}.After(call, &got, at)
		want := map[RunEnd]ContactStatus{"": ContactPending, RunReached: ContactReached}[test.end]
		if want == "" {
			want = ContactClosed
		}
		if contact.Status != want || contact.NextCallAt != got.DueAt {
			t.Errorf("%s: the contact is %s, next at %s; the run is due %s", name, contact.Status, contact.NextCallAt, got.DueAt)
		}
	}
}

// What was never placed counts for nothing.
func TestNeverPlaced(t *testing.T) {
	r := Run{ID: "r", CallID: "c", DueAt: time.Unix(1, 0)}
	for _, reason := range []EndReason{EndThrottled, EndCanceled} {
		got, _ := r.After(Call{ID: "c", EndReason: reason}, Dialing{}, DialFacts{}, time.Unix(2, 0))
		if got.Attempts != 0 || got.CallID != "" || got.DueAt != r.DueAt || !got.Open() {
			t.Errorf("%s: %+v", reason, got)
		}
	}
}

// Whatever the hours, the zones, the clock changes and the reasons: no attempt outside
// hours, none before an hour has passed, never more than the limits.
func TestCampaignRules(t *testing.T) {
	names := []string{"Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "America/Sao_Paulo", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		var zones []*time.Location
		for range rapid.IntRange(1, 3).Draw(t, "zones") {
			zones = append(zones, zone(t, rapid.SampledFrom(names).Draw(t, "zone")))
		}
		var hours Hours
		for day := range hours.Week {
			end := 0
			for range rapid.IntRange(0, 2).Draw(t, "ranges") {
				from := rapid.IntRange(end, minutesOfDay-2).Draw(t, "from")
				end = rapid.IntRange(from+1, minutesOfDay-1).Draw(t, "to")
				hours.Week[day] = append(hours.Week[day], Range{from, end})
				if end >= minutesOfDay-2 {
					break
				}
			}
		}
		start := time.Unix(rapid.Int64Range(1_772_000_000, 1_800_000_000).Draw(t, "start"), 0).UTC() // a year with its changes
		hours.Holidays = []string{DateIn(start, zones[0]).Add(2).String(), "12-25"}
		days, most := rapid.IntRange(0, 30).Draw(t, "days"), rapid.IntRange(1, 40).Draw(t, "attempts")
		rules := Dialing{
			Strategy: rapid.SampledFrom([]Strategy{SmartCalling, DefinedIntervals}).Draw(t, "strategy"), Hours: hours,
			Intensity: rapid.SampledFrom(intensities()).Draw(t, "intensity"), MaxRetryDays: &days, MaxAttempts: &most,
			Intervals: []time.Duration{20 * time.Minute, time.Hour, 150 * time.Minute},
		}
		if _, ok := hours.Next(start, zones); !ok {
			return // closed all day for somebody
		}
		made := attempts(rules, zones, start, func(int) EndReason {
			return rapid.SampledFrom([]EndReason{EndNoAnswer, EndBusy, EndVoicemail, EndRejected}).Draw(t, "reason")
		})
		if len(made) == 0 || len(made) > most {
			t.Fatalf("%d attempts of %d", len(made), most)
		}
		perDay := map[Date]int{}
		for i, at := range made {
			if !hours.Open(at, zones) {
				t.Fatalf("at %s, outside hours", at)
			}
			for _, z := range zones {
				checkClock(t, hours, at.In(z))
			}
			day := DateIn(at, zones[0])
			perDay[day]++
			if since := day.Since(DateIn(made[0], zones[0])); since > days {
				t.Fatalf("on day %d of %d", since, days)
			}
			least := 20 * time.Minute
			if i > 0 && at.Sub(made[i-1]) < least {
				t.Fatalf("%s after the one before", at.Sub(made[i-1]))
			}
			if since := day.Since(DateIn(made[0], zones[0])); rules.Strategy == SmartCalling && perDay[day] > rules.Intensity.on(since).calls {
				t.Fatalf("%d calls on day %d", perDay[day], since)
			}
		}
	})
}

// checkClock looks at the clock on the wall, without our arithmetic.
func checkClock(t *rapid.T, h Hours, at time.Time) {
	minute := at.Hour()*60 + at.Minute()
	for _, r := range h.Week[at.Weekday()] {
		if minute >= r.From && minute < r.To && at.Format(time.DateOnly) != h.Holidays[0] && at.Format("01-02") != "12-25" {
			return
		}
	}
	t.Fatalf("%s is outside %v", at, h.Week[at.Weekday()])
}

func TestHoursOverClockChanges(t *testing.T) {
	for _, test := range []struct {
		zone, day, spans string
		r                Range
	}{
		{"Europe/Berlin", "2026-03-29", "[00:30 01:30]", Range{90, 210}},            // 1:30 to 3:30, of which an hour is not there
		{"Europe/Berlin", "2026-03-29", "[01:00 01:30]", Range{150, 210}},           // from 2:30, which is not there
		{"Europe/Berlin", "2026-03-29", "[]", Range{130, 170}},                      // nothing of it is there
		{"Europe/Berlin", "2026-10-25", "[23:30 00:30]", Range{90, 150}},            // to 2:30, which is there twice: until the first
		{"Europe/Berlin", "2026-10-25", "[01:30 02:30]", Range{150, 210}},           // from 2:30: from the second
		{"America/New_York", "2026-11-01", "[13:00 01:00]", Range{8 * 60, 20 * 60}}, // after the change
		{"America/New_York", "2026-10-31", "[12:00 00:00]", Range{8 * 60, 20 * 60}}, // before it
		{"Asia/Kolkata", "2026-03-02", "[03:30 11:30]", Range{9 * 60, 17 * 60}},     // half hours
		{"Australia/Lord_Howe", "2026-10-04", "[22:00 06:00]", Range{540, 1020}},    // a change of half an hour
		{"America/Sao_Paulo", "2018-11-04", "[03:00 04:00]", Range{0, 120}},         // midnight is not there
		{"Europe/Berlin", "2026-03-02", "[23:00 23:00]", Range{0, minutesOfDay}},    // a whole day
		{"Europe/Berlin", "2026-10-25", "[22:00 23:00]", Range{0, minutesOfDay}},    // of 25 hours
	} {
		at, err := time.Parse(time.DateOnly, test.day)
		if err != nil {
			t.Fatal(err)
		}
		var h Hours
		h.Week[at.Weekday()] = []Range{test.r}
		var got []string
		for _, span := range h.Day(DateIn(at, time.UTC), []*time.Location{zone(t, test.zone)}) {
			got = append(got, span.From.UTC().Format("15:04"), span.To.UTC().Format("15:04"))
		}
		if fmt.Sprint(got) != test.spans {
			t.Errorf("%s on %s: open %v, want %s", test.zone, test.day, got, test.spans)
		}
	}
}

// A number of several zones is dialled only when it is day in all of them.
func TestZonesOfNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"+4930123456":   "[Europe/Berlin]",
		"+12125550100":  "[America/New_York]",
		"+914423456789": "[Asia/Calcutta]",
	} {
		if got := fmt.Sprint(Contact{PhoneNumber: number}.ZoneNames("UTC")); got != want {
			t.Errorf("%s is in %s, want %s", number, got, want)
		}
	}
	tollFree := Contact{PhoneNumber: "+18005550100"}.ZoneNames("UTC")
	if len(tollFree) < 5 {
		t.Errorf("a toll-free number is in %v", tollFree)
	}
	if got := (Contact{PhoneNumber: "+18005550100", Timezone: "America/Chicago"}).ZoneNames("UTC"); len(got) != 1 || got[0] != "America/Chicago" {
		t.Errorf("a zone of its own counts: %v", got)
	}
	both := []*time.Location{zone(t, "America/New_York"), zone(t, "America/Los_Angeles")}
	open := everyDay(9, 17).Day(Date{2026, 3, 2}, both)
	if len(open) != 1 || open[0].From.UTC().Hour() != 17 || open[0].To.UTC().Hour() != 22 {
		t.Errorf("open %v", open)
	}
}
