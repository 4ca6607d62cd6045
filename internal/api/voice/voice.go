// Package voice is the face that voice engines call back.
package voice

import (
	"net/http"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

// maxBody is the limit on a callback, in bytes: a long transcript with all its times.
const maxBody = 8 << 20

// New makes the handler of POST /voice/{engine}/{account}/{agent}, which engines call
// back, and of the same with /inbound, where they ask who is calling. Who they are is
// known by the signature alone. 2xx means stored.
func New(d *dialer.Dialer) http.Handler {
	face := &web.API{WriteError: writeError, MaxBody: maxBody}
	mux := web.NewMux(face)
	mux.HandleFunc("POST /voice/{engine}/{account}/{agent}", func(w http.ResponseWriter, r *http.Request) {
		body, err := face.Body(w, r)
		if err == nil {
			err = d.Hear(r.Context(), aftercall.EngineKind(r.PathValue("engine")), agentOf(r), r.Header, body)
		}
		if err != nil {
			face.Fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /voice/{engine}/{account}/{agent}/inbound", func(w http.ResponseWriter, r *http.Request) {
		body, err := face.Body(w, r)
		var caller dialer.Caller
		if err == nil {
			caller, err = d.Answer(r.Context(), aftercall.EngineKind(r.PathValue("engine")), agentOf(r), r.Header, body)
		}
		if err != nil {
			face.Fail(w, r, err)
			return
		}
		web.WriteJSON(w, http.StatusOK, callerOut(caller))
	})
	return mux
}

func agentOf(r *http.Request) store.AgentRef {
	return store.AgentRef{AccountID: r.PathValue("account"), AgentID: r.PathValue("agent")}
}

// CallerOut is what an engine is told of who is calling.
type CallerOut struct {
	CallID    *string                `json:"call_id"`
	Contact   *aftercall.ContactView `json:"contact"`
	Variables map[string]string      `json:"variables"`
}

func callerOut(c dialer.Caller) CallerOut {
	out := CallerOut{Variables: c.Variables}
	if c.CallID != "" {
		out.CallID = &c.CallID
	}
	if c.Contact != nil {
		view := c.Contact.View()
		out.Contact = &view
	}
	if out.Variables == nil {
		out.Variables = map[string]string{}
	}
	return out
}

// statuses is the table from kinds of errors to HTTP. Engines send again what was
// answered 5xx, and nothing else.
var statuses = [...]int{
	aftercall.Internal: http.StatusInternalServerError, aftercall.Invalid: http.StatusBadRequest,
	aftercall.Unauthenticated: http.StatusUnauthorized, aftercall.Forbidden: http.StatusForbidden,
	aftercall.NotFound: http.StatusNotFound, aftercall.Conflict: http.StatusConflict,
	aftercall.TooLarge: http.StatusRequestEntityTooLarge, aftercall.Unavailable: http.StatusServiceUnavailable,
	aftercall.Throttled: http.StatusTooManyRequests,
}

func writeError(w http.ResponseWriter, e *aftercall.Error) {
	status := statuses[e.Kind]
	if e.Code == web.MethodNotAllowed {
		status = http.StatusMethodNotAllowed
	}
	web.WriteJSON(w, status, map[string]string{"message": e.Message})
}
