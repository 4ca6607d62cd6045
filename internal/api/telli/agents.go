package telli

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/web"
)

// AgentIn is what is sent of an agent. What is not sent stays as it is, field by field,
// also within voiceEngine, autoDialer and hours; lists are sent whole.
type AgentIn struct {
	Title         web.Optional[string]                   `json:"title" doc:"required in a POST"`
	Language      web.Optional[string]                   `json:"language" doc:"a language tag such as en or de-AT; en unless it is said"`
	VoiceEngine   VoiceEngineIn                          `json:"voiceEngine"`
	AutoDialer    AutoDialerIn                           `json:"autoDialer"`
	Preset        web.Optional[aftercall.Preset]         `json:"preset" enum:"us,de,uk" doc:"fills autoDialer.hours with what is customary there; days that are sent, too, are as they are sent. It is no legal advice."`
	FromNumbers   web.Optional[[]string]                 `json:"fromNumbers" doc:"calls take turns; none means the voice engine's own"`
	OutcomeFields web.Optional[[]aftercall.OutcomeField] `json:"outcomeFields"`
}

// VoiceEngineIn is what is sent of an agent's voice engine.
type VoiceEngineIn struct {
	Type                       web.Optional[aftercall.EngineKind] `json:"type" enum:"simulator,http"`
	URL                        web.Optional[string]               `json:"url" doc:"of an http engine"`
	Agent                      web.Optional[string]               `json:"agent" doc:"the engine's own name of the agent"`
	RingTimeoutSeconds         web.Optional[int]                  `json:"ringTimeoutSeconds"`
	MaxDurationSeconds         web.Optional[int]                  `json:"maxDurationSeconds"`
	MaxLiveCalls               web.Optional[int]                  `json:"maxLiveCalls" doc:"0 for no limit, as of the other limits"`
	MaxCallsPerSecond          web.Optional[float64]              `json:"maxCallsPerSecond"`
	MaxLiveCallsPerNumber      web.Optional[int]                  `json:"maxLiveCallsPerNumber"`
	MaxCallsPerSecondPerNumber web.Optional[float64]              `json:"maxCallsPerSecondPerNumber"`
}

// AutoDialerIn is what is sent of how an agent dials.
type AutoDialerIn struct {
	Enabled              web.Optional[bool]                `json:"enabled"`
	Strategy             web.Optional[aftercall.Strategy]  `json:"strategy" enum:"smart,intervals"`
	Intensity            web.Optional[aftercall.Intensity] `json:"intensity" enum:"aggressive,moderate,conservative" doc:"of the strategy smart"`
	IntervalsSeconds     web.Optional[[]int]               `json:"intervalsSeconds" doc:"of the strategy intervals: the wait after each attempt; the last one is repeated"`
	MaxRetryDays         web.Optional[*int]                `json:"maxRetryDays" doc:"calendar days after that of the first attempt; null for no limit, where maxAttempts is one"`
	MaxAttempts          web.Optional[*int]                `json:"maxAttempts" doc:"null for no limit, where maxRetryDays is one"`
	Hours                HoursIn                           `json:"hours" doc:"when contacts may be called, by the clock at their place; in a POST, days that are not sent are closed if any is"`
	Holidays             web.Optional[[]string]            `json:"holidays" doc:"days without calls: 2026-12-25, or 12-25 for every year"`
	MaxAttemptsPerNumber web.Optional[int]                 `json:"maxAttemptsPerNumber" doc:"in any 24 hours, of whichever agent"`
}

// HoursIn is what is sent of the hours of a week. A day without ranges is closed.
type HoursIn struct {
	Monday    web.Optional[[]aftercall.RangeView] `json:"monday"`
	Tuesday   web.Optional[[]aftercall.RangeView] `json:"tuesday"`
	Wednesday web.Optional[[]aftercall.RangeView] `json:"wednesday"`
	Thursday  web.Optional[[]aftercall.RangeView] `json:"thursday"`
	Friday    web.Optional[[]aftercall.RangeView] `json:"friday"`
	Saturday  web.Optional[[]aftercall.RangeView] `json:"saturday"`
	Sunday    web.Optional[[]aftercall.RangeView] `json:"sunday"`
}

// week is the days in the order of time.Weekday.
func (in HoursIn) week() [7]web.Optional[[]aftercall.RangeView] {
	return [7]web.Optional[[]aftercall.RangeView]{in.Sunday, in.Monday, in.Tuesday, in.Wednesday, in.Thursday, in.Friday, in.Saturday}
}

// sent reports whether any day is.
func (in HoursIn) sent() bool {
	for _, day := range in.week() {
		if day.Set {
			return true
		}
	}
	return false
}

func (in HoursIn) into(week *[7][]aftercall.Range) {
	for weekday, day := range in.week() {
		if !day.Set {
			continue
		}
		ranges := make([]aftercall.Range, len(day.Value))
		for i, v := range day.Value {
			ranges[i] = v.Range()
		}
		week[weekday] = ranges
	}
}

// seconds is a time that was sent. What no setting may be is as good as any other such,
// and not more than a duration can hold.
func seconds(n int) time.Duration {
	const none = 1 << 30
	return time.Duration(min(max(n, -none), none)) * time.Second
}

// secondsInto sets dest if a time was sent.
func secondsInto(sent web.Optional[int], dest *time.Duration) {
	if sent.Set {
		*dest = seconds(sent.Value)
	}
}

func (in VoiceEngineIn) into(s *aftercall.EngineSettings) {
	in.Type.Into(&s.Kind)
	in.URL.Into(&s.URL)
	in.Agent.Into(&s.Agent)
	secondsInto(in.RingTimeoutSeconds, &s.RingTimeout)
	secondsInto(in.MaxDurationSeconds, &s.MaxDuration)
	in.MaxLiveCalls.Into(&s.Pace.Live)
	in.MaxCallsPerSecond.Into(&s.Pace.PerSecond)
	in.MaxLiveCallsPerNumber.Into(&s.Pace.LivePerNumber)
	in.MaxCallsPerSecondPerNumber.Into(&s.Pace.PerSecondPerNumber)
}

func (in AutoDialerIn) into(d *aftercall.Dialing) {
	in.Enabled.Into(&d.Enabled)
	in.Strategy.Into(&d.Strategy)
	in.Intensity.Into(&d.Intensity)
	if in.IntervalsSeconds.Set {
		d.Intervals = nil
		for _, n := range in.IntervalsSeconds.Value {
			d.Intervals = append(d.Intervals, seconds(n))
		}
	}
	in.MaxRetryDays.Into(&d.MaxRetryDays)
	in.MaxAttempts.Into(&d.MaxAttempts)
	in.Hours.into(&d.Hours.Week)
	in.Holidays.Into(&d.Hours.Holidays)
	in.MaxAttemptsPerNumber.Into(&d.PerNumber)
}

// into changes an agent by what was sent.
func (in AgentIn) into(a *aftercall.Agent) {
	in.Title.Into(&a.Title)
	in.Language.Into(&a.Language)
	in.VoiceEngine.into(&a.Engine)
	if hours, ok := in.Preset.Value.Hours(); ok {
		a.Dialing.Hours.Week = hours.Week // holidays are the customer's own
	}
	in.AutoDialer.into(&a.Dialing)
	in.FromNumbers.Into(&a.FromNumbers)
	in.OutcomeFields.Into(&a.OutcomeFields)
}

func (in AgentIn) check() error {
	if _, ok := in.Preset.Value.Hours(); in.Preset.Value != "" && !ok {
		return aftercall.InvalidField("preset", "must be us, de or uk")
	}
	return nil
}

func (a *API) listAgents(ctx context.Context, c auth.Caller, in *struct{ Paging }) (Paged[AgentOut], error) {
	page, err := in.page()
	if err != nil {
		return Paged[AgentOut]{}, err
	}
	agents, err := a.dialer.Agents(ctx, c.AccountID, page)
	return pagedOf(agents, page, func(a aftercall.Agent) string { return a.ID }, agentOut), err
}

// AgentPath names an agent.
type AgentPath struct {
	ID string `path:"id" doc:"or default"`
}

func (a *API) getAgent(ctx context.Context, c auth.Caller, in *AgentPath) (AgentOut, error) {
	agent, err := a.dialer.Agent(ctx, c.AccountID, in.ID)
	return withSecret(agent), err
}

func (a *API) createAgent(ctx context.Context, c auth.Caller, in *struct{ Body AgentIn }) (AgentOut, error) {
	if err := in.Body.check(); err != nil {
		return AgentOut{}, err
	}
	agent := aftercall.NewAgent(c.AccountID, time.Now())
	if in.Body.AutoDialer.Hours.sent() { // whoever says when to call does not mean other days, too
		agent.Dialing.Hours.Week = [7][]aftercall.Range{}
	}
	in.Body.into(&agent)
	err := a.dialer.AddAgent(ctx, &agent)
	return withSecret(agent), err
}

func (a *API) updateAgent(ctx context.Context, c auth.Caller, in *struct {
	AgentPath
	Body AgentIn
}) (AgentOut, error) {
	if err := in.Body.check(); err != nil {
		return AgentOut{}, err
	}
	agent, err := a.dialer.UpdateAgent(ctx, c.AccountID, in.ID, in.Body.into)
	return agentOut(agent), err
}

func (a *API) deleteAgent(ctx context.Context, c auth.Caller, in *AgentPath) (web.Empty, error) {
	return web.Empty{}, a.dialer.DeleteAgent(ctx, c.AccountID, in.ID)
}

func (a *API) rotateAgentSecret(ctx context.Context, c auth.Caller, in *AgentPath) (AgentOut, error) {
	agent, err := a.dialer.RotateAgentSecret(ctx, c.AccountID, in.ID)
	return withSecret(agent), err
}
