package portal

import (
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/webhook"
)

// recoverView is where an endpoint catches up with what it missed.
type recoverView struct {
	endpointHead
	Kind  string // "recover", "replay", or empty before a choice
	Since time.Time
	Count int // what it is about
	Tasks []store.Task
}

// tasksShown is how many recoveries are shown.
const tasksShown = 10

// maxBack is how far back a recovery and a replay may go.
const (
	recoverBack = 14 * 24 * time.Hour
	replayBack  = 90 * 24 * time.Hour
)

func (p *Portal) recover(v *visit) (view, error) {
	shown := recoverView{Kind: v.URL.Query().Get("kind")}
	since, _, err := v.window()
	if err != nil {
		return view{}, err
	}
	back, counted := map[string]time.Duration{"recover": recoverBack, "replay": replayBack}[shown.Kind]
	if counted && !since.IsZero() && since.Before(v.now.Add(-back-time.Minute)) { // a minute for who fills in the earliest
		return view{}, aftercall.InvalidField("since", "must be within the last %d days", int(back.Hours()/24))
	}
	shown.Since = since
	err = p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.endpointHead, err = v.head(tx); err != nil {
			return err
		}
		shown.Tasks, err = tx.Tasks(store.TaskFilter{AccountID: v.account.ID, EndpointID: shown.Endpoint.ID}, store.Page{Limit: tasksShown, Descending: true})
		if err != nil || since.IsZero() {
			return err
		}
		first := aftercall.FirstID(aftercall.MessagePrefix, since)
		last := aftercall.FirstID(aftercall.MessagePrefix, v.now.Add(aftercall.IDStep))
		switch shown.Kind {
		case "recover":
			shown.Count, err = tx.CountFailed(refOf(shown.Endpoint), first, last)
		case "replay":
			shown.Count, err = tx.CountMissing(refOf(shown.Endpoint), shown.EventTypes, first, last)
		}
		return err
	})
	return webhooks(v, "Recover", recoverPage(shown)), err
}

func (p *Portal) startRecover(v *visit) (done, error) {
	since, ok := v.parse(v.typed("since"))
	if !ok || since.IsZero() {
		return done{}, aftercall.InvalidField("since", "choose the time since when")
	}
	endpoint := v.PathValue("endpoint")
	next := done{To: v.at("webhooks", "endpoints", endpoint, "recover"), Said: "Started. What is live goes first; this follows at its own pace."}
	var err error
	switch v.typed("kind") {
	case "replay":
		_, err = p.Engine.Replay(v.Context(), v.account.ID, endpoint, since, time.Time{}, aftercall.Replay{Missing: true})
	case "recover":
		_, err = p.Engine.Recover(v.Context(), v.account.ID, endpoint, since, time.Time{})
	default:
		err = aftercall.InvalidField("kind", "must be recover or replay")
	}
	return next, err
}

func (p *Portal) cancelTask(v *visit) (done, error) {
	t, err := p.Engine.CancelTask(v.Context(), v.account.ID, v.typed("task"))
	return done{To: v.at("webhooks", "endpoints", t.EndpointID, "recover"), Said: "Canceled. What was started already goes on."}, err
}

// taskName is what people call a task.
func taskName(kind string) string {
	switch kind {
	case webhook.RecoverKind:
		return "Recover failed messages"
	case webhook.ReplayKind:
		return "Replay missing messages"
	case webhook.BulkReplayKind:
		return "Replay messages"
	}
	return kind
}
