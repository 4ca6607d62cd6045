package portal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) messageRoutes() {
	p.show("/portal/{account}/webhooks/messages", auth.ViewBase, p.messages)
	p.show("/portal/{account}/webhooks/messages/{message}", auth.ViewBase, p.message)
	p.do("/portal/{account}/webhooks/messages/{message}/retry", auth.CreateAttempts, p.retry, p.message)
	p.mux.HandleFunc("GET /portal/{account}/webhooks/messages/{message}/payload", p.payload)
	p.show("/portal/{account}/webhooks/events", auth.ViewBase, p.events)
}

// messagesView is the list of what an account published.
type messagesView struct {
	*visit
	pager
	Rows         []aftercall.Message
	Types        []aftercall.EventType
	Type, Tag    string
	Since, Until time.Time
}

func (p *Portal) messages(v *visit) (view, error) {
	query := v.URL.Query()
	if id := strings.TrimSpace(query.Get("id")); id != "" { // a message is looked up by its id, or its sender's
		v.SetPathValue("message", id)
		return p.message(v)
	}
	shown := messagesView{visit: v, Type: query.Get("type"), Tag: query.Get("tag")}
	var err error
	if shown.Since, shown.Until, err = v.window(); err != nil {
		return view{}, err
	}
	filter := store.MessageFilter{Tag: shown.Tag, Since: shown.Since, Before: shown.Until}
	if shown.Type != "" {
		filter.EventTypes = []string{shown.Type}
	}
	err = p.Store.View(v.Context(), func(tx *store.Tx) error {
		if shown.Types, err = shownTypes(tx, v); err != nil {
			return err
		}
		list, err := tx.Messages(v.account.ID, filter, v.part())
		shown.Rows, shown.pager = paged(v, list, func(m aftercall.Message) string { return m.ID })
		return err
	})
	return webhooks(v, "Messages", messagesPage(shown)), err
}

// messageView is a message, and what became of it everywhere.
type messageView struct {
	*visit
	aftercall.Message
	Body        string // as people read it
	ContentType string
	To          []messageEndpoint
	Others      []aftercall.Endpoint // that it did not go to
}

// messageEndpoint is how a message fared at an endpoint.
type messageEndpoint struct {
	store.EndpointDelivery
	Attempts []aftercall.Attempt // newest first
	More     bool                // than are shown
	Tries    []time.Time         // when it is tried, if each attempt fails
	Curl     string
}

const (
	// endpointsOfMessage and attemptsOfMessage bound a message's page.
	endpointsOfMessage = 50
	attemptsOfMessage  = 30
)

func (p *Portal) message(v *visit) (view, error) {
	shown := messageView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.Message, err = tx.Message(v.account.ID, v.PathValue("message")); err != nil {
			return err
		}
		to, err := tx.MessageEndpoints(v.account.ID, shown.Message.ID, store.Page{Limit: endpointsOfMessage})
		if err != nil {
			return err
		}
		for _, e := range to {
			row, err := p.fared(tx, v, shown.Message, e)
			if err != nil {
				return err
			}
			shown.To = append(shown.To, row)
		}
		all, err := tx.Endpoints(v.account.ID, store.Page{Limit: endpointsOfMessage})
		shown.Others = slices.DeleteFunc(all, func(e aftercall.Endpoint) bool {
			return e.Disabled || slices.ContainsFunc(to, func(d store.EndpointDelivery) bool { return d.Endpoint.ID == e.ID })
		})
		return err
	})
	body, contentType := shown.Message.Body()
	shown.Body, shown.ContentType = pretty(body), contentType
	return webhooks(v, shown.Message.ID, messagePage(shown)), err
}

func (p *Portal) fared(tx *store.Tx, v *visit, m aftercall.Message, e store.EndpointDelivery) (messageEndpoint, error) {
	attempts, err := tx.Attempts(v.account.ID, store.AttemptFilter{MessageID: m.ID, EndpointID: e.Endpoint.ID},
		store.Page{Limit: attemptsOfMessage + 1, Descending: true})
	row := messageEndpoint{EndpointDelivery: e, More: len(attempts) > attemptsOfMessage, Curl: curl(e.Endpoint, m)}
	row.Attempts = attempts[:min(len(attempts), attemptsOfMessage)]
	if e.Delivery.State == aftercall.Pending {
		row.Tries = append([]time.Time{e.Delivery.DueAt}, tries(p.scheduleOf(e.Endpoint), e.Delivery.Step, e.Delivery.DueAt)...)
	}
	return row, err
}

func (p *Portal) retry(v *visit) (done, error) {
	err := p.Engine.Resend(v.Context(), v.account.ID, v.PathValue("message"), v.typed("endpoint"))
	return done{To: v.at("webhooks", "messages", v.PathValue("message")), Said: "It is being sent now."}, err
}

// payload is the body as receivers get it, byte for byte.
func (p *Portal) payload(w http.ResponseWriter, r *http.Request) {
	v, err := p.visit(r, auth.ViewBase)
	var m aftercall.Message
	if err == nil {
		err = p.Store.View(r.Context(), func(tx *store.Tx) (err error) {
			m, err = tx.Message(v.account.ID, r.PathValue("message"))
			return err
		})
	}
	if err == nil && m.Payload == nil {
		err = aftercall.Errorf(aftercall.NotFound, "the payload of this message was erased")
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	body, _ := m.Body()
	// Never as what its sender calls it: it is shown from our own address.
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+m.ID+`"`)
	w.Write(body)
}

// pretty indents JSON; anything else is shown as it is, as far as it is text.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") == nil {
		return b.String()
	}
	if utf8.Valid(body) {
		return string(body)
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// eventsView is the catalogue of event types.
type eventsView struct {
	*visit
	Types []eventView
}

type eventView struct {
	aftercall.EventType
	Example string
	Schema  string
}

func (p *Portal) events(v *visit) (view, error) {
	shown := eventsView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		types, err := shownTypes(tx, v)
		for _, t := range types {
			row := eventView{EventType: t, Schema: pretty(t.Schemas)}
			if example, err := t.Example(0); err == nil { // not every type of one's own has one
				row.Example = pretty(example)
			}
			shown.Types = append(shown.Types, row)
		}
		return err
	})
	return webhooks(v, "Event catalogue", eventsPage(shown)), err
}
