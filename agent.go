package aftercall

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// DefaultAgentTitle is the title of the agent that every account begins with. Where
// an agent is named, "default" names it.
const DefaultAgentTitle = "default"

// Agent makes and takes calls: by which voice engine, when, and how often.
type Agent struct {
	AccountID     string
	ID            string
	Title         string
	Language      string // BCP 47, such as "en" or "de-AT"
	Default       bool   // the one that requests mean which name none
	Engine        EngineSettings
	Dialing       Dialing
	FromNumbers   []string // E.164; calls take turns. Empty: the voice engine's own
	OutcomeFields []OutcomeField
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// EngineKind names a voice engine.
type EngineKind string

// The voice engines.
const (
	SimulatorEngine EngineKind = "simulator" // calls nobody
	HTTPEngine      EngineKind = "http"      // docs/voice-engine.md
)

// EngineSettings say which voice engine an agent's calls go through, and how fast.
type EngineSettings struct {
	Kind        EngineKind    `json:"kind"`
	URL         string        `json:"url,omitempty"`   // of an HTTP engine
	Agent       string        `json:"agent,omitempty"` // the engine's own name of the agent
	RingTimeout time.Duration `json:"ring_timeout"`
	MaxDuration time.Duration `json:"max_duration"`
	Pace        Pace          `json:"pace"`
	Secret      Secret        `json:"-"` // signs what is sent to an HTTP engine, and what it calls back with
}

// Line names what the calls of these settings go through. Agents that share a line
// share what it can carry.
func (s EngineSettings) Line() string {
	if s.URL == "" {
		return string(s.Kind)
	}
	return string(s.Kind) + " " + s.URL
}

// Strategy is how the times of attempts are found.
type Strategy string

// The strategies of the reference.
const (
	SmartCalling     Strategy = "smart"     // by day since the first attempt, see Intensity
	DefinedIntervals Strategy = "intervals" // by a list of waits
)

// Dialing is how an agent dials.
type Dialing struct {
	Enabled      bool            `json:"enabled"` // contacts may be scheduled, and are dialled
	Strategy     Strategy        `json:"strategy"`
	Intensity    Intensity       `json:"intensity"`
	Intervals    []time.Duration `json:"intervals,omitempty"`
	MaxRetryDays *int            `json:"max_retry_days,omitempty"` // calendar days after that of the first attempt
	MaxAttempts  *int            `json:"max_attempts,omitempty"`
	Hours        Hours           `json:"hours"`
	// PerNumber is how many attempts a number may get in any 24 hours, from whichever
	// agent. Florida's and Oklahoma's telephone acts allow three.
	PerNumber int `json:"per_number"`
}

// Preset names hours that are customary somewhere. They are a beginning for settings,
// not legal advice.
type Preset string

// The presets.
const (
	PresetUS Preset = "us" // Monday to Saturday 8 to 20: the strictest of the large states' rules
	PresetDE Preset = "de" // Monday to Friday 9 to 20, Saturday 10 to 16
	PresetUK Preset = "uk" // Monday to Friday 9 to 20, Saturday 9 to 17
)

// Hours are those of a preset; it reports false when there is none of that name.
func (p Preset) Hours() (Hours, bool) {
	var workday, saturday Range
	switch p {
	case PresetUS:
		workday, saturday = Range{8 * 60, 20 * 60}, Range{8 * 60, 20 * 60}
	case PresetDE:
		workday, saturday = Range{9 * 60, 20 * 60}, Range{10 * 60, 16 * 60}
	case PresetUK:
		workday, saturday = Range{9 * 60, 20 * 60}, Range{9 * 60, 17 * 60}
	default:
		return Hours{}, false
	}
	var h Hours
	for day := time.Monday; day <= time.Friday; day++ {
		h.Week[day] = []Range{workday}
	}
	h.Week[time.Saturday] = []Range{saturday}
	return h, true
}

// OutcomeType is the type of a field that is read from a transcript.
type OutcomeType string

// The types of the reference ("Custom call outcomes").
const (
	OutcomeBoolean  OutcomeType = "boolean"
	OutcomeText     OutcomeType = "text"
	OutcomeNumber   OutcomeType = "number"
	OutcomeCategory OutcomeType = "category"
)

// OutcomeField is one of the customer's own fields.
type OutcomeField struct {
	Name         string      `json:"name"`
	Type         OutcomeType `json:"type"`
	Instructions string      `json:"instructions,omitempty"`
	Options      []string    `json:"options,omitempty"` // of a category
	Reason       bool        `json:"reason,omitempty"`  // whether a short explanation is wanted, too
}

// Schema is the field's JSON Schema, as payloads show it.
func (o OutcomeField) Schema() map[string]any {
	schema := map[string]any{"type": []string{"string", "null"}}
	switch o.Type {
	case OutcomeBoolean:
		schema["type"] = []string{"boolean", "null"}
	case OutcomeNumber:
		schema["type"] = []string{"number", "null"}
	case OutcomeCategory:
		schema["enum"] = o.Options
	case OutcomeText:
	}
	return schema
}

// Defaults of an agent.
const (
	defaultRingTimeout  = 30 * time.Second
	defaultMaxDuration  = 10 * time.Minute
	defaultMaxRetryDays = 7
	defaultPerNumber    = 3
)

// NewAgent is an agent with the defaults: the simulator, Smart Calling with moderate
// intensity for seven days, in the strictest preset's hours.
func NewAgent(accountID string, now time.Time) Agent {
	hours, _ := PresetUS.Hours()
	days := defaultMaxRetryDays
	return Agent{
		AccountID: accountID, ID: NewUUID(), Language: "en",
		Engine: EngineSettings{
			Kind: SimulatorEngine, RingTimeout: defaultRingTimeout, MaxDuration: defaultMaxDuration,
			Secret: NewSecret(HMAC, now), Pace: Pace{Live: 100},
		},
		Dialing: Dialing{
			Enabled: true, Strategy: SmartCalling, Intensity: Moderate, MaxRetryDays: &days, Hours: hours, PerNumber: defaultPerNumber,
		},
		CreatedAt: now, UpdatedAt: now,
	}
}

// NewDefaultAgent is the agent that an account begins with.
func NewDefaultAgent(accountID string, now time.Time) Agent {
	a := NewAgent(accountID, now)
	a.Title, a.Default = DefaultAgentTitle, true
	return a
}

// Limits on the fields of an agent.
const (
	maxTitle          = 256 // characters
	maxFromNumbers    = 1000
	maxIntervals      = 100
	maxInterval       = 60 * 24 * time.Hour
	maxRetryDays      = 365
	maxAttempts       = 100
	maxPerNumber      = 100
	maxOutcomeFields  = 100
	maxInstructions   = 4000 // characters
	maxOutcomeOptions = 100
	minRing           = 15 * time.Second // shorter is no chance to answer; the FCC's rule for telemarketers
	maxRing           = 2 * time.Minute
	minDuration       = 10 * time.Second
	maxDuration       = 2 * time.Hour
)

// languagePattern is a language tag's outline; which languages there are, the voice
// engine knows.
var languagePattern = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,4}$`)

// outcomeName is the form of a field's name, which becomes a key of payloads.
var outcomeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$`)

// Validate checks what a caller may set, and brings numbers into E.164.
func (a *Agent) Validate() error {
	var f fieldErrors
	if strings.TrimSpace(a.Title) == "" {
		f.add("title", "is required")
	}
	validateText(&f, "title", a.Title, maxTitle)
	if !languagePattern.MatchString(a.Language) {
		f.add("language", "must be a language tag such as en or de-AT")
	}
	a.Engine.validate(&f, "voiceEngine")
	a.Dialing.validate(&f, "autoDialer")
	if len(a.FromNumbers) > maxFromNumbers {
		f.add("fromNumbers", "must not hold more than %d numbers", maxFromNumbers)
	}
	for i, number := range a.FromNumbers {
		a.FromNumbers[i] = validatePhone(&f, fmt.Sprintf("fromNumbers.%d", i), number)
	}
	a.validateOutcomeFields(&f)
	return f.err()
}

func (s EngineSettings) validate(f *fieldErrors, path string) {
	switch s.Kind {
	case SimulatorEngine:
		if s.URL != "" {
			f.add(path+".url", "is for engines of kind http only")
		}
	case HTTPEngine:
		u, err := url.Parse(s.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || len(s.URL) > maxContactURL {
			f.add(path+".url", "must be the engine's address, such as https://bot.example.com/voice")
		}
	default:
		f.add(path+".type", "must be simulator or http")
	}
	validateText(f, path+".agent", s.Agent, maxTitle)
	if s.RingTimeout < minRing || s.RingTimeout > maxRing {
		f.add(path+".ringTimeoutSeconds", "must be %d to %d", int(minRing.Seconds()), int(maxRing.Seconds()))
	}
	if s.MaxDuration < minDuration || s.MaxDuration > maxDuration {
		f.add(path+".maxDurationSeconds", "must be %d to %d", int(minDuration.Seconds()), int(maxDuration.Seconds()))
	}
	s.Pace.validate(f, path)
}

func (d Dialing) validate(f *fieldErrors, path string) {
	if !slices.Contains(intensities(), d.Intensity) {
		f.add(path+".intensity", "must be aggressive, moderate or conservative")
	}
	switch d.Strategy {
	case SmartCalling:
	case DefinedIntervals:
		if n := len(d.Intervals); n < 1 || n > maxIntervals {
			f.add(path+".intervalsSeconds", "must hold 1 to %d waits", maxIntervals)
		}
		for i, wait := range d.Intervals {
			if wait < time.Minute || wait > maxInterval {
				f.add(fmt.Sprintf("%s.intervalsSeconds.%d", path, i), "must be %d to %d", 60, int(maxInterval.Seconds()))
			}
		}
	default:
		f.add(path+".strategy", "must be smart or intervals")
	}
	if d.MaxRetryDays == nil && d.MaxAttempts == nil {
		f.add(path+".maxRetryDays", "is required, or maxAttempts: without either the calls would never end")
	}
	validateMaxRetryDays(f, path+".maxRetryDays", d.MaxRetryDays)
	if d.MaxAttempts != nil && (*d.MaxAttempts < 1 || *d.MaxAttempts > maxAttempts) {
		f.add(path+".maxAttempts", "must be 1 to %d", maxAttempts)
	}
	if d.PerNumber < 1 || d.PerNumber > maxPerNumber {
		f.add(path+".maxAttemptsPerNumber", "must be 1 to %d in 24 hours", maxPerNumber)
	}
	d.Hours.validate(f, path+".hours", path+".holidays")
	if d.Hours.Empty() {
		f.add(path+".hours", "must be open at some time of the week")
	}
}

// ValidMaxRetryDays checks the days of a request that overrides its agent's.
func ValidMaxRetryDays(path string, days int) error {
	var f fieldErrors
	validateMaxRetryDays(&f, path, &days)
	return f.err()
}

func validateMaxRetryDays(f *fieldErrors, path string, days *int) {
	if days != nil && (*days < 0 || *days > maxRetryDays) {
		f.add(path, "must be 0 to %d", maxRetryDays)
	}
}

func (a *Agent) validateOutcomeFields(f *fieldErrors) {
	if len(a.OutcomeFields) > maxOutcomeFields {
		f.add("outcomeFields", "must not hold more than %d fields", maxOutcomeFields)
		return
	}
	seen := map[string]bool{}
	for i, o := range a.OutcomeFields {
		path := fmt.Sprintf("outcomeFields.%d", i)
		switch {
		case !outcomeName.MatchString(o.Name):
			f.add(path+".name", "must be 1 to 64 letters, digits, or one of _ -, such as lead_conversion")
		case seen[o.Name]:
			f.add(path+".name", "is the name of another field")
		}
		seen[o.Name] = true
		if utf8.RuneCountInString(o.Instructions) > maxInstructions {
			f.add(path+".instructions", "must not exceed %d characters", maxInstructions)
		}
		validateSpoken(f, path+".instructions", o.Instructions)
		switch o.Type {
		case OutcomeBoolean, OutcomeText, OutcomeNumber:
			if len(o.Options) > 0 {
				f.add(path+".options", "are for categories only")
			}
		case OutcomeCategory:
			o.validateOptions(f, path)
		default:
			f.add(path+".type", "must be boolean, text, number or category")
		}
	}
}

func (o OutcomeField) validateOptions(f *fieldErrors, path string) {
	if n := len(o.Options); n < 1 || n > maxOutcomeOptions {
		f.add(path+".options", "must hold 1 to %d options", maxOutcomeOptions)
	}
	seen := map[string]bool{}
	for i, option := range o.Options {
		at := fmt.Sprintf("%s.options.%d", path, i)
		if option == "" || seen[option] {
			f.add(at, "must be a text of its own")
		}
		seen[option] = true
		validateText(f, at, option, maxName)
	}
}
