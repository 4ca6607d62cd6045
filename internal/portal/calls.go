package portal

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) callRoutes() {
	p.show("/portal/{account}/calls", auth.Full, p.calls)
	p.show("/portal/{account}/calls/{call}", auth.Full, p.call)
}

// callsView is the list of an account's calls.
type callsView struct {
	*visit
	pager
	Live     []liveRow // on the first page
	Rows     []dialer.ContactCall
	Filter   store.CallFilter
	Filtered bool
}

func callStatuses() []aftercall.CallStatus {
	return []aftercall.CallStatus{
		aftercall.CallCompleted, aftercall.CallAnswered, aftercall.CallNotReached, aftercall.CallVoicemail, aftercall.CallError,
	}
}

func (p *Portal) calls(v *visit) (view, error) {
	query := v.URL.Query()
	shown := callsView{visit: v, Filter: store.CallFilter{
		Status: aftercall.CallStatus(query.Get("status")), Direction: aftercall.Direction(query.Get("direction")),
		AgentID: query.Get("agent"), Text: query.Get("text"), Outcome: query.Get("field"), Value: query.Get("value"),
	}}
	var err error
	if shown.Filter.Since, shown.Filter.Until, err = v.window(); err != nil {
		return view{}, err
	}
	shown.Filtered = shown.Filter != store.CallFilter{}
	at, id, err := readCursor(query.Get("after"))
	if err != nil {
		return view{}, err
	}
	filter := shown.Filter
	if _, ok := spokenOf(filter.Value); ok {
		filter.Value = "" // it is not stored as it is shown
	}
	list, err := p.Dialer.Calls(v.Context(), v.account.ID, store.CallPage{Limit: rowsShown + 1, Filter: filter, TriggeredAt: at, ID: id})
	if err != nil {
		return view{}, err
	}
	if id != "" {
		shown.Newer = v.with("after", "")
	}
	if len(list) > rowsShown {
		list = list[:rowsShown]
		last := list[rowsShown-1]
		shown.Older = v.with("after", strconv.FormatInt(last.TriggeredAt.UnixMicro(), 10)+"."+last.Call.ID)
	}
	if !shown.Filtered && id == "" {
		err = p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
			shown.Live, err = liveRows(tx, v.account.ID)
			return err
		})
	}
	shown.Rows = slices.DeleteFunc(list, func(c dialer.ContactCall) bool { return !holds(c.Call, shown.Filter.Outcome, shown.Filter.Value) })
	return view{Title: "Calls", Section: "Calls", Body: callsPage(shown)}, err
}

// readCursor reads where a page of calls begins: the time and the id of the call before.
func readCursor(text string) (at time.Time, id string, err error) {
	if text == "" {
		return at, "", nil
	}
	when, id, _ := strings.Cut(text, ".")
	micros, err := strconv.ParseInt(when, 10, 64)
	if err != nil || id == "" {
		return at, "", aftercall.InvalidField("after", "is not where a page begins")
	}
	return time.UnixMicro(micros), id, nil
}

// holds reports whether a field of a call's outcome or analysis has a value that contains
// a text; the store finds only calls where both are somewhere.
func holds(c aftercall.Call, name, text string) bool {
	if name == "" && text == "" {
		return true
	}
	if spoken, ok := spokenOf(text); ok {
		text = spoken
	}
	for _, f := range append(fieldsOf(c.Outcome), fieldsOf(c.Analysis)...) {
		if (name == "" || strings.EqualFold(f.Name, name)) && strings.Contains(strings.ToLower(f.Value+"\n"+f.Details), strings.ToLower(text)) {
			return true
		}
	}
	return false
}

// outcomeField is a field of a call's outcome or of its analysis, as text.
type outcomeField struct{ Name, Value, Details string }

// fieldsOf reads the fields of an outcome or an analysis in the order of their names.
func fieldsOf(raw json.RawMessage) []outcomeField {
	var fields map[string]struct{ Value, Details json.RawMessage }
	if json.Unmarshal(raw, &fields) != nil { // what a caller gave: an object, of whatever
		return nil
	}
	list := make([]outcomeField, 0, len(fields))
	for name, f := range fields {
		list = append(list, outcomeField{name, plain(f.Value), plain(f.Details)})
	}
	slices.SortFunc(list, func(a, b outcomeField) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// spokenOf tells how a truth value is shown, however it was typed.
func spokenOf(text string) (spoken string, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes":
		return "yes", true
	case "false", "no":
		return "no", true
	}
	return text, false
}

// plain writes a JSON value as people would.
func plain(raw json.RawMessage) string {
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return text
	case string(raw) == "true":
		return "yes"
	case string(raw) == "false":
		return "no"
	}
	return string(raw)
}

// callView is a call with all that is known of it.
type callView struct {
	*visit
	dialer.ContactCall
	Outcome  []outcomeField
	Analysis []outcomeField
	Turns    []aftercall.Turn
	Steps    []step // for who follows the call; else none
	Agent    aftercall.Agent
	Timeline []dialer.ContactCall // the contact's calls, newest first
	Messages []causedMessage
}

// causedMessage is a message that a call caused, and where it went.
type causedMessage struct {
	aftercall.Message
	To []store.EndpointDelivery
}

// timelineShown is how many calls and messages of a contact are shown.
const timelineShown = 20

func (p *Portal) call(v *visit) (view, error) {
	live, err := p.liveCall(v) // first: it may end meanwhile, but does not begin anew
	if aftercall.KindOf(err) != aftercall.NotFound {
		return live, err
	}
	shown := callView{visit: v}
	if shown.ContactCall, err = p.Dialer.Call(v.Context(), v.account.ID, v.PathValue("call")); err != nil {
		return view{}, err
	}
	call := shown.Call
	shown.Outcome, shown.Analysis, shown.Turns = fieldsOf(call.Outcome), fieldsOf(call.Analysis), call.Turns
	shown.Timeline, err = p.Dialer.Calls(v.Context(), v.account.ID,
		store.CallPage{Limit: timelineShown, Filter: store.CallFilter{ContactID: call.ContactID}})
	if err != nil {
		return view{}, err
	}
	err = p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		shown.Messages, err = messagesAbout(tx, v.account.ID, call.ContactID, func(m *aftercall.Message) bool {
			return m.CreatedAt.Equal(call.CreatedAt) || bytes.Contains(m.Payload, []byte(call.ID))
		})
		if err != nil {
			return err
		}
		shown.Agent, err = tx.Agent(v.account.ID, call.AgentID)
		if aftercall.KindOf(err) == aftercall.NotFound { // a word of who reported the call, or of an agent that is gone
			err = nil
		}
		return err
	})
	if v.URL.Query().Get("follow") != "" {
		shown.Steps = stepsOf(call, time.Time{}, shown.Messages)
	}
	return view{Title: "Call with " + nameOf(shown.Contact, call), Section: "Calls", Body: callPage(shown), Media: originOf(call.RecordingURL)}, err
}

// messagesAbout are the newest messages about a contact that are wanted, newest first.
func messagesAbout(tx *store.Tx, accountID, contactID string, wanted func(*aftercall.Message) bool) ([]causedMessage, error) {
	ids, err := tx.ContactMessages(accountID, contactID)
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	found, err := tx.MessagesByID(accountID, ids[:min(len(ids), 10*timelineShown)])
	if err != nil {
		return nil, err
	}
	var list []causedMessage
	for _, id := range ids {
		m := found[id]
		if m == nil || !wanted(m) || len(list) == timelineShown {
			continue
		}
		to, err := tx.MessageEndpoints(accountID, id, store.Page{Limit: endpointsOfMessage})
		if err != nil {
			return nil, err
		}
		list = append(list, causedMessage{*m, to})
	}
	return list, nil
}

// originOf is the origin of an address that a recording may be played from, else empty.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsAny(u.Host, " ;,'\"*") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// nameOf is what people call a contact.
func nameOf(c aftercall.Contact, call aftercall.Call) string {
	if name := strings.TrimSpace(c.FirstName + " " + c.LastName); name != "" {
		return name
	}
	for _, number := range []string{c.PhoneNumber, call.ToNumber} {
		if number != "" {
			return number
		}
	}
	return "an erased contact"
}

// lengthOf is how long people spoke.
func lengthOf(c aftercall.Call) string {
	if c.StartedAt.IsZero() || c.EndedAt.IsZero() {
		return "—"
	}
	d := c.EndedAt.Sub(c.StartedAt).Round(time.Second)
	return strconv.Itoa(int(d.Minutes())) + ":" + twoDigits(int(d.Seconds())%60)
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
