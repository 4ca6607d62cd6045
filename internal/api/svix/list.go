package svix

import (
	"slices"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	defaultLimit = 50
	maxLimit     = 250
	// listWindow is how far lists of messages and attempts look back.
	listWindow = 90 * 24 * time.Hour
)

// Paging is the query of every list.
type Paging struct {
	Limit    *int   `query:"limit" doc:"1 to 250; 50 unless it is said."`
	Iterator string `query:"iterator" doc:"Of the answer before; with prevIterator the list is walked back."`
	Order    string `query:"order" enum:"ascending,descending"`
}

// List is the answer of every list. Iterator goes on after it; with PrevIterator,
// before it.
type List[T any] struct {
	Data         []T     `json:"data"`
	Iterator     *string `json:"iterator"`
	PrevIterator *string `json:"prevIterator"`
	Done         bool    `json:"done"`
}

// page reads the query. An iterator is the id of the last item seen; with a "-"
// before it, the list is walked backwards from that item.
func (p Paging) page(descending bool, valid func(iterator string) bool) (store.Page, error) {
	page := store.Page{Limit: defaultLimit, Descending: descending}
	if p.Limit != nil {
		page.Limit = *p.Limit
	}
	if page.Limit < 1 || page.Limit > maxLimit {
		return page, aftercall.InvalidField("query.limit", "must be 1 to %d", maxLimit)
	}
	switch p.Order {
	case "":
	case "ascending":
		page.Descending = false
	case "descending":
		page.Descending = true
	default:
		return page, aftercall.InvalidField("query.order", "must be ascending or descending")
	}
	id, backwards := strings.CutPrefix(p.Iterator, "-")
	switch {
	case p.Iterator == "":
	case !valid(id):
		return page, aftercall.InvalidField("query.iterator", "is not an iterator of this list")
	case backwards:
		page.Before = id
	default:
		page.After = id
	}
	page.Limit++ // one more tells whether the list goes on
	return page, nil
}

func iteratorOf(prefix string) func(string) bool {
	return func(id string) bool { return aftercall.ValidID(prefix, id) }
}

// listOf turns the rows of a page into the answer.
func listOf[Row, Out any](rows []Row, page store.Page, id func(Row) string, out func(Row) Out) List[Out] {
	list := List[Out]{Data: []Out{}, Done: len(rows) < page.Limit}
	if !list.Done {
		rows = rows[:page.Limit-1]
	}
	if page.Before != "" {
		slices.Reverse(rows)
	}
	for _, row := range rows {
		list.Data = append(list.Data, out(row))
	}
	if len(rows) > 0 {
		last, first := id(rows[len(rows)-1]), "-"+id(rows[0])
		list.Iterator, list.PrevIterator = &last, &first
	}
	return list
}

// Window is the time window of lists of messages and attempts.
type Window struct {
	Before time.Time `query:"before" doc:"Made before this time."`
	After  time.Time `query:"after" doc:"Made after this time; 90 days ago unless it is said."`
}

func (w Window) since() time.Time {
	if w.After.IsZero() {
		return time.Now().Add(-listWindow)
	}
	return w.After
}
