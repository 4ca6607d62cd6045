package telli

import (
	"time"

	"github.com/aftercall/aftercall"
)

// AgentOut is an agent as v2 shows it.
type AgentOut struct {
	ID            string                   `json:"id"`
	Type          string                   `json:"type" enum:"agent"`
	Title         string                   `json:"title"`
	Language      string                   `json:"language"`
	IsDefault     bool                     `json:"isDefault" doc:"whether requests that name no agent mean it"`
	VoiceEngine   VoiceEngineOut           `json:"voiceEngine"`
	AutoDialer    AutoDialerOut            `json:"autoDialer"`
	FromNumbers   []string                 `json:"fromNumbers"`
	OutcomeFields []aftercall.OutcomeField `json:"outcomeFields"`
	CreatedAt     *string                  `json:"createdAt"`
	UpdatedAt     *string                  `json:"updatedAt"`
}

// VoiceEngineOut is an agent's voice engine as v2 shows it.
type VoiceEngineOut struct {
	Type                       aftercall.EngineKind `json:"type" enum:"simulator,http"`
	URL                        *string              `json:"url"`
	Agent                      *string              `json:"agent"`
	RingTimeoutSeconds         int                  `json:"ringTimeoutSeconds"`
	MaxDurationSeconds         int                  `json:"maxDurationSeconds"`
	MaxLiveCalls               int                  `json:"maxLiveCalls"`
	MaxCallsPerSecond          float64              `json:"maxCallsPerSecond"`
	MaxLiveCallsPerNumber      int                  `json:"maxLiveCallsPerNumber"`
	MaxCallsPerSecondPerNumber float64              `json:"maxCallsPerSecondPerNumber"`
	Secret                     string               `json:"secret,omitempty" doc:"signs what is sent to an http engine, and what it calls back with; not in lists, nor in the answer to a PATCH"`
}

// AutoDialerOut is how an agent dials, as v2 shows it.
type AutoDialerOut struct {
	Enabled              bool                `json:"enabled"`
	Strategy             aftercall.Strategy  `json:"strategy" enum:"smart,intervals"`
	Intensity            aftercall.Intensity `json:"intensity" enum:"aggressive,moderate,conservative"`
	IntervalsSeconds     []int               `json:"intervalsSeconds"`
	MaxRetryDays         *int                `json:"maxRetryDays"`
	MaxAttempts          *int                `json:"maxAttempts"`
	Hours                HoursOut            `json:"hours"`
	Holidays             []string            `json:"holidays"`
	MaxAttemptsPerNumber int                 `json:"maxAttemptsPerNumber"`
}

// HoursOut are the hours of a week.
type HoursOut struct {
	Monday    []aftercall.RangeView `json:"monday"`
	Tuesday   []aftercall.RangeView `json:"tuesday"`
	Wednesday []aftercall.RangeView `json:"wednesday"`
	Thursday  []aftercall.RangeView `json:"thursday"`
	Friday    []aftercall.RangeView `json:"friday"`
	Saturday  []aftercall.RangeView `json:"saturday"`
	Sunday    []aftercall.RangeView `json:"sunday"`
}

func hoursOut(h aftercall.Hours) HoursOut {
	var week [7][]aftercall.RangeView
	for weekday, ranges := range h.Week {
		week[weekday] = []aftercall.RangeView{}
		for _, r := range ranges {
			week[weekday] = append(week[weekday], r.View())
		}
	}
	return HoursOut{week[1], week[2], week[3], week[4], week[5], week[6], week[0]}
}

// agentOut shows an agent without its secret.
func agentOut(a aftercall.Agent) AgentOut {
	e, d := a.Engine, a.Dialing
	out := AgentOut{
		ID: a.ID, Type: "agent", Title: a.Title, Language: a.Language, IsDefault: a.Default,
		VoiceEngine: VoiceEngineOut{
			Type: e.Kind, URL: orNull(e.URL), Agent: orNull(e.Agent),
			RingTimeoutSeconds: wholeSeconds(e.RingTimeout), MaxDurationSeconds: wholeSeconds(e.MaxDuration),
			MaxLiveCalls: e.Pace.Live, MaxCallsPerSecond: e.Pace.PerSecond,
			MaxLiveCallsPerNumber: e.Pace.LivePerNumber, MaxCallsPerSecondPerNumber: e.Pace.PerSecondPerNumber,
		},
		AutoDialer: AutoDialerOut{
			Enabled: d.Enabled, Strategy: d.Strategy, Intensity: d.Intensity, IntervalsSeconds: []int{},
			MaxRetryDays: d.MaxRetryDays, MaxAttempts: d.MaxAttempts, Hours: hoursOut(d.Hours),
			Holidays: listOut(d.Hours.Holidays), MaxAttemptsPerNumber: d.PerNumber,
		},
		FromNumbers: listOut(a.FromNumbers), OutcomeFields: listOut(a.OutcomeFields),
		CreatedAt: aftercall.ISOMillis(a.CreatedAt), UpdatedAt: aftercall.ISOMillis(a.UpdatedAt),
	}
	for _, wait := range d.Intervals {
		out.AutoDialer.IntervalsSeconds = append(out.AutoDialer.IntervalsSeconds, wholeSeconds(wait))
	}
	return out
}

// withSecret shows an agent with its secret.
func withSecret(a aftercall.Agent) AgentOut {
	out := agentOut(a)
	if len(a.Engine.Secret.Key) > 0 {
		out.VoiceEngine.Secret = a.Engine.Secret.Reveal()
	}
	return out
}

func wholeSeconds(d time.Duration) int { return int(d / time.Second) }
