package portal

import (
	"slices"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) operatorRoutes() {
	p.show("/portal/operator", operator, p.accounts)
	p.show("/portal/operator/health", operator, p.health)
	p.show("/portal/operator/audit", operator, p.audits)
	p.show("/portal/operator/sessions", operator, p.operatorSessions)
	p.do("/portal/operator/sessions/end", operator, p.endOperatorSession, p.operatorSessions)
}

// operator is what only the operator may: pages that belong to no account are found for
// nobody else.
const operator = auth.Full

// accountsView is the list of all accounts.
type accountsView struct {
	*visit
	pager
	Rows []accountRow
	ID   string
}

type accountRow struct {
	aftercall.Account
	Endpoints []endpointRow
}

// accountEndpoints is how many endpoints of an account its row looks at.
const accountEndpoints = 20

func (p *Portal) accounts(v *visit) (view, error) {
	shown := accountsView{visit: v, ID: strings.TrimSpace(v.URL.Query().Get("id"))}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		list, err := p.accountsOf(tx, v, &shown)
		if err != nil {
			return err
		}
		for _, a := range list {
			endpoints, err := tx.Endpoints(a.ID, store.Page{Limit: accountEndpoints})
			if err != nil {
				return err
			}
			rows, err := p.rowsOf(tx, v.now, endpoints)
			if err != nil {
				return err
			}
			shown.Rows = append(shown.Rows, accountRow{a, rows})
		}
		return nil
	})
	return view{Title: "Accounts", Section: "Accounts", Body: accountsPage(shown)}, err
}

// accountsOf are those on the page, or the one that was looked up.
func (p *Portal) accountsOf(tx *store.Tx, v *visit, shown *accountsView) ([]aftercall.Account, error) {
	if shown.ID != "" {
		a, err := tx.Account(shown.ID)
		if aftercall.KindOf(err) == aftercall.NotFound {
			return nil, nil
		}
		return []aftercall.Account{a}, err
	}
	list, err := tx.Accounts(store.AccountFilter{}, v.part())
	list, shown.pager = paged(v, list, func(a aftercall.Account) string { return a.ID })
	return list, err
}

// healthView is how the whole is.
type healthView struct {
	*visit
	Oldest  time.Time
	Pending int
	Most    bool          // Pending is as far as was counted
	Behind  int           // endpoints with overdue deliveries
	Due     []dueEndpoint // those that wait longest
	Tasks   []store.Task
}

type dueEndpoint struct {
	aftercall.Endpoint
	At time.Time
}

const (
	// pendingCounted is up to how many deliveries are counted.
	pendingCounted = 100_000
	// dueShown is how many endpoints with overdue deliveries are shown.
	dueShown = 20
)

func (p *Portal) health(v *visit) (view, error) {
	shown := healthView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		if shown.Oldest, shown.Pending, err = tx.Backlog(pendingCounted); err != nil {
			return err
		}
		shown.Most = shown.Pending == pendingCounted
		due, err := tx.DueEndpoints()
		if err != nil {
			return err
		}
		due = slices.DeleteFunc(due, func(d store.Due) bool { return !d.At.Before(v.now) })
		slices.SortFunc(due, func(a, b store.Due) int { return a.At.Compare(b.At) })
		shown.Behind = len(due)
		for _, d := range due[:min(len(due), dueShown)] {
			e, err := tx.Endpoint(d.Endpoint.AccountID, d.Endpoint.EndpointID)
			if err != nil {
				return err
			}
			shown.Due = append(shown.Due, dueEndpoint{e, d.At})
		}
		shown.Tasks, err = tx.Tasks(store.TaskFilter{}, store.Page{Limit: timelineShown, Descending: true})
		return err
	})
	return view{Title: "Health", Section: "Health", Body: healthPage(shown)}, err
}

// auditsView is who did what.
type auditsView struct {
	*visit
	pager
	Rows []store.Audit
}

func (p *Portal) audits(v *visit) (view, error) {
	shown := auditsView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		list, err := tx.Audits(v.part())
		shown.Rows, shown.pager = paged(v, list, func(a store.Audit) string { return a.ID })
		return err
	})
	return view{Title: "Audit log", Section: "Audit log", Body: auditsPage(shown)}, err
}

// sessionsView is where the operator is signed in.
type sessionsView struct {
	*visit
	Sessions []store.Session
}

func (p *Portal) operatorSessions(v *visit) (view, error) {
	shown := sessionsView{visit: v}
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		shown.Sessions, err = tx.Sessions("")
		return err
	})
	return view{Title: "Sessions", Section: "Sessions", Body: operatorSessionsPage(shown)}, err
}

func (p *Portal) endOperatorSession(v *visit) (done, error) {
	err := p.Keys.EndSession(v.Context(), "", v.typed("session"))
	return done{To: "/portal/operator/sessions", Said: "Signed out there."}, err
}
