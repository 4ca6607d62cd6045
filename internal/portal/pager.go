package portal

import (
	"slices"
	"strings"

	"github.com/aftercall/aftercall/internal/store"
)

// rowsShown is how many rows of a list are on a page.
const rowsShown = 50

// pager leads to the rows beside those on the page; empty where there are none.
type pager struct{ Newer, Older string }

// part is what the page shows of a list that is ordered by id, newest first: one more
// than it has room for, to learn whether there are more.
func (v *visit) part() store.Page {
	query := v.URL.Query()
	return store.Page{Limit: rowsShown + 1, After: query.Get("after"), Before: query.Get("before"), Descending: true}
}

// paged cuts what part asked for to the rows of the page.
func paged[T any](v *visit, list []T, id func(T) string) ([]T, pager) {
	var p pager
	query := v.URL.Query()
	backwards := query.Get("before") != ""
	more := len(list) > rowsShown
	list = list[:min(len(list), rowsShown)]
	if backwards {
		slices.Reverse(list) // they came nearest first
	}
	if len(list) == 0 {
		return list, p
	}
	if backwards || more {
		p.Older = v.with("after", id(list[len(list)-1]), "before", "")
	}
	if backwards && more || query.Get("after") != "" {
		p.Newer = v.with("before", id(list[0]), "after", "")
	}
	return list, p
}

// sentence makes a message of ours one.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?…") {
		text += "."
	}
	return text
}
