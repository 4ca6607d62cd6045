package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/voice/wire"
)

// Config says how calls are simulated.
type Config struct {
	Seed      uint64
	Speed     float64 // 1 is real time, 60 a minute in a second, 0 at once
	AnyNumber bool    // play calls to numbers that are not set aside for fiction, too
	BaseURL   string  // where callbacks go to: this server, as it reaches itself
	Transport http.RoundTripper
	Log       *slog.Logger
}

// Engine is the voice engine that calls nobody. It tells of its calls as a real one
// does, by signed callbacks over HTTP.
type Engine struct {
	cfg     Config
	client  *http.Client
	sending chan struct{} // bounds callbacks in flight

	mu    sync.Mutex
	calls map[string]*playing
	ended bool
	done  chan struct{}
	work  sync.WaitGroup
}

// playing is a call that is being played.
type playing struct {
	live     aftercall.LiveCall
	agent    aftercall.Agent
	scene    Scene
	start    time.Time
	callback string
}

const (
	maxCallbacks    = 64
	callbackTimeout = 15 * time.Second
	// analysisTime is what a real engine takes to have the transcript ready.
	analysisTime = 2 * time.Second
	// lateness is how late the calls are told of that are told of late.
	lateness = 15 * time.Minute
)

// New makes an engine. It plays until its Run ends.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{
		cfg: cfg, client: &http.Client{Transport: cfg.Transport, Timeout: callbackTimeout},
		sending: make(chan struct{}, maxCallbacks), calls: map[string]*playing{}, done: make(chan struct{}),
	}
}

// Run keeps the engine playing until the context ends. Calls that are being played then
// are gone, as those of a real engine that crashes; their ends can still be fetched.
func (e *Engine) Run(ctx context.Context) {
	<-ctx.Done()
	e.mu.Lock()
	e.ended = true
	close(e.done)
	e.mu.Unlock()
	e.work.Wait()
}

// refPrefix begins the engine's ids of calls; what follows is when they were started,
// so that any process can tell what became of a call.
const refPrefix = "sim-"

// Accepts implements dialer.VoiceEngine: nobody shall take a simulated call for a real
// one, so only numbers that are nobody's are called.
func (e *Engine) Accepts(_ aftercall.Agent, number string) error {
	if e.cfg.AnyNumber || Fictional(number) {
		return nil
	}
	return aftercall.Errorf(aftercall.Invalid, "the simulator only calls numbers that are set aside for fiction, such as +12025550101: "+
		"give the agent a real voice engine, or the server --simulator-any-number")
}

// Start implements dialer.VoiceEngine.
func (e *Engine) Start(_ context.Context, agent aftercall.Agent, r dialer.StartRequest) (string, error) {
	if err := e.Accepts(agent, r.Call.ToNumber); err != nil {
		return "", &dialer.StartError{Refusal: dialer.InvalidNumber, Err: err}
	}
	now := time.Now()
	if now.After(r.NotAfter) {
		return "", &dialer.StartError{Refusal: dialer.Throttled, Err: errors.New("it is too late for this call")}
	}
	c := &playing{live: r.Call, agent: agent, start: now, callback: e.callback(r.CallbackURL)}
	c.live.Ref = refPrefix + strconv.FormatInt(now.UnixMicro(), 10)
	c.scene = Play(e.cfg.Seed, Request{
		CallID: r.Call.ID, To: r.Call.ToNumber, Language: r.Language, Vars: r.Variables, Zone: r.Zone, At: r.Call.TriggeredAt,
	})
	return e.play(c, 0)
}

// callback is an address of this server, as it reaches itself.
func (e *Engine) callback(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return e.cfg.BaseURL + u.Path
}

// play begins to tell of a call, from a time into it. A call that is being played goes on.
func (e *Engine) play(c *playing, from time.Duration) (ref string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return "", &dialer.StartError{Refusal: dialer.Down, Err: errors.New("the simulator is stopping")}
	}
	if already, ok := e.calls[c.live.ID]; ok {
		return already.live.Ref, nil
	}
	e.calls[c.live.ID] = c
	e.work.Go(func() { e.tell(c, from) })
	return c.live.Ref, nil
}

// step is an event at a time into the call.
type step struct {
	at    time.Duration
	event wire.Event
}

// tell sends the events of a call at their times.
func (e *Engine) tell(c *playing, from time.Duration) {
	told := true
	for _, s := range c.steps(e.cfg.Speed == 0) {
		if s.at < from && s.event.Type != wire.Ended && s.event.Type != wire.Enriched {
			continue
		}
		if !e.pause(s.at - from) {
			return
		}
		from = max(from, s.at)
		told = e.send(c, s.event) && told
	}
	if told {
		e.mu.Lock()
		delete(e.calls, c.live.ID)
		e.mu.Unlock()
	}
}

// pause waits for a time of the simulation; it reports false when the engine stops.
func (e *Engine) pause(d time.Duration) bool {
	if e.cfg.Speed == 0 || d <= 0 {
		return true
	}
	timer := time.NewTimer(time.Duration(float64(d) / e.cfg.Speed))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.done:
		return false
	}
}

// steps are what is told of the call, and when. Told briefly, all is in one event.
func (c *playing) steps(briefly bool) []step {
	s := c.scene
	ringing, ended := c.event(wire.Ringing, 0), c.event(wire.Ended, s.Ring+s.Talk)
	ended.Reason = s.Reason
	enriched := c.event(wire.Enriched, s.Ring+s.Talk+analysisTime)
	c.enrich(&enriched)
	list := []step{{0, ringing}}
	if s.Talk > 0 {
		answered := c.event(wire.Answered, s.Ring)
		answered.AnsweredBy = s.AnsweredBy
		ended.AnsweredBy, ended.AnsweredAt = s.AnsweredBy, answered.At
		list = append(list, step{s.Ring, answered}, step{s.Ring + s.Talk, ended}, step{s.Ring + s.Talk + analysisTime, enriched})
	} else {
		ended.Final = true
		list = append(list, step{s.Ring, ended})
	}
	switch s.Fault {
	case NeverReports:
		return nil
	case Duplicate:
		return append(list, list...)
	case OutOfOrder:
		end := list[len(list)-1].at
		for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
			list[i].event, list[j].event = list[j].event, list[i].event
		}
		for i := range list {
			list[i].at = end
		}
		return list
	case Late:
		list[len(list)-1].at += lateness
		for i := range list[:len(list)-1] {
			list[i].at = list[len(list)-1].at
		}
		return list
	case NoFault, BadSignature:
	}
	if briefly {
		c.enrich(&ended)
		return []step{{s.Ring + s.Talk, ended}}
	}
	return list
}

// event is one at a time into the call. Times are those of the simulation, whatever its
// speed.
func (c *playing) event(kind string, at time.Duration) wire.Event {
	return wire.Event{
		ID: c.live.ID + "-" + kind, Type: kind, CallID: c.live.ID, Ref: c.live.Ref, At: c.start.Add(at).UTC().Truncate(time.Millisecond),
	}
}

// enrich adds what is known once the call is over.
func (c *playing) enrich(e *wire.Event) {
	s := c.scene
	for _, turn := range s.Turns {
		role := "agent"
		if turn.Role == aftercall.RoleUser {
			role = "contact"
		}
		e.Turns = append(e.Turns, wire.Turn{Role: role, Text: turn.Text, Start: turn.Start, End: turn.End})
	}
	e.BookedSlotFor, e.FollowUpAt, e.Summary, e.Final = s.BookedSlot, s.FollowUp, s.Summary, true
	e.DoNotCall = s.Outcome == DoNotCall
	if fields, err := wire.Encode(s.Gold); err == nil && s.Talk > 0 {
		e.Fields = fields
	}
}

// send posts an event, and again if it is not taken. It reports whether it was.
func (e *Engine) send(c *playing, event wire.Event) bool {
	select {
	case e.sending <- struct{}{}:
		defer func() { <-e.sending }()
	case <-e.done:
		return false
	}
	for _, wait := range []time.Duration{0, time.Second, 5 * time.Second} {
		if wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-e.done:
				timer.Stop()
				return false
			}
		}
		status, err := e.post(c, event)
		switch {
		case err == nil && status/100 == 2:
			return true
		case err == nil && status/100 == 4:
			e.cfg.Log.Info("a simulated callback was refused", "call", c.live.ID, "status", status)
			return false
		}
	}
	return false
}

func (e *Engine) post(c *playing, event wire.Event) (status int, err error) {
	body, err := wire.Encode(event)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), callbackTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.callback, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	secret := c.agent.Engine.Secret
	if c.scene.Fault == BadSignature {
		secret = aftercall.NewSecret(aftercall.HMAC, time.Now())
	}
	wire.Sign(request, secret, event.ID, body, time.Now())
	response, err := e.client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// Fetch implements dialer.VoiceEngine. A call that was started by a process before this
// one goes on to be told of.
func (e *Engine) Fetch(_ context.Context, agent aftercall.Agent, live aftercall.LiveCall) (aftercall.Progress, error) {
	e.mu.Lock()
	c, ok := e.calls[live.ID]
	e.mu.Unlock()
	now := time.Now()
	if !ok {
		micros, err := strconv.ParseInt(strings.TrimPrefix(live.Ref, refPrefix), 10, 64)
		if err != nil { // never started
			return aftercall.Progress{}, dialer.ErrUnknownCall
		}
		c = &playing{live: live, agent: agent, start: time.UnixMicro(micros), callback: e.cfg.BaseURL + fmt.Sprintf("/voice/%s/%s/%s", aftercall.SimulatorEngine, live.AccountID, live.AgentID)}
		c.scene = Play(e.cfg.Seed, Request{CallID: live.ID, To: live.ToNumber, Language: agent.Language, At: live.TriggeredAt})
	}
	passed := time.Duration(float64(now.Sub(c.start)) * e.cfg.Speed)
	if over := c.scene.Ring + c.scene.Talk + analysisTime; e.cfg.Speed == 0 || passed >= over {
		event := c.event(wire.Ended, c.scene.Ring+c.scene.Talk)
		event.Reason, event.AnsweredBy = c.scene.Reason, c.scene.AnsweredBy
		if c.scene.Talk > 0 {
			event.AnsweredAt = c.start.Add(c.scene.Ring)
		}
		c.enrich(&event)
		e.mu.Lock()
		delete(e.calls, live.ID)
		e.mu.Unlock()
		return event.Progress(now), nil
	}
	if !ok {
		if _, err := e.play(c, passed); err != nil {
			return aftercall.Progress{}, err
		}
	}
	event := c.event(wire.Ringing, 0)
	if c.scene.Talk > 0 && passed >= c.scene.Ring {
		event = c.event(wire.Answered, c.scene.Ring)
	}
	return event.Progress(now), nil
}

// Cancel implements dialer.VoiceEngine.
func (e *Engine) Cancel(_ context.Context, _ aftercall.Agent, live aftercall.LiveCall) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.calls, live.ID)
	return nil
}

// Events implements dialer.VoiceEngine.
func (e *Engine) Events(agent aftercall.Agent, header http.Header, body []byte) ([]dialer.Event, error) {
	return wire.Events(agent, header, body)
}

// Inbound implements dialer.VoiceEngine: whoever knows the secret may play a caller.
func (e *Engine) Inbound(agent aftercall.Agent, header http.Header, body []byte) (dialer.Inbound, error) {
	return wire.Inbound(agent, header, body)
}
