package portal

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// liveEvery is how often the store is asked whether anything changed for somebody who
	// is looking. It is one query by keys; the page is fetched only when it says so.
	liveEvery = time.Second
	// liveBeat has pages fetched anew although nothing changed: what they say of times
	// would grow old. It keeps connections open through what ends idle ones, too.
	liveBeat = 15 * time.Second
	// liveEcho has pages fetched once more after the last change: figures that are
	// remembered for a while did not know of it the first time.
	liveEcho = tallyFresh + time.Second
	// liveFor ends a stream, so that who was signed out meanwhile is found out; browsers
	// connect again by themselves.
	liveFor = 10 * time.Minute
	// liveWrite is how long a reader may take nothing.
	liveWrite = 10 * time.Second

	changed = "event: changed\ndata:\n\n"
)

// seen is the state that a page is at least as new as.
func (p *Portal) seen(v *visit) (state string, err error) {
	if v.account.ID == "" {
		return "", nil
	}
	err = p.Store.View(v.Context(), func(tx *store.Tx) error {
		state, err = tx.AccountState(v.account.ID)
		return err
	})
	return state, err
}

// live tells a page, by server-sent events, that what it shows changed. The id of an
// event is the account's state: whoever connects again with the newest hears nothing.
func (p *Portal) live(w http.ResponseWriter, r *http.Request) {
	v, err := p.visit(r, auth.ViewBase)
	if err != nil {
		w.WriteHeader(http.StatusNoContent) // and no redirect to a page: it ends the stream for good
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	send := func(text string) bool {
		if err := out.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
			return false
		}
		fmt.Fprint(w, text)
		return out.Flush() == nil
	}
	if !send("retry: 2000\n\n") {
		return
	}
	tick, beat, end := time.NewTicker(liveEvery), time.NewTicker(liveBeat), time.NewTimer(liveFor)
	echo := time.NewTimer(liveEcho) // the page that opened the stream may have come too early as well
	defer tick.Stop()
	defer beat.Stop()
	defer end.Stop()
	defer echo.Stop()
	last := cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("seen"))
	for {
		switch state, err := p.seen(v); {
		case err != nil: // the database is away: the page stays as it is, and the stream with it
		case state != last:
			last = state
			echo.Reset(liveEcho)
			if !send("id: " + state + "\n" + changed) {
				return
			}
		}
		select {
		case <-tick.C:
			continue
		case <-echo.C:
		case <-beat.C: // times go on even where nothing happens
		case <-end.C:
			return
		case <-p.closing:
			return
		case <-r.Context().Done():
			return
		}
		if !send(changed) {
			return
		}
	}
}

// Shutdown ends what stays open by itself, so that a server that stops need not wait.
func (p *Portal) Shutdown() { p.ended.Do(func() { close(p.closing) }) }
