package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
)

// Page asks for a part of a list that is ordered by id. The part begins after the
// id After, or ends before the id Before; both empty means the list's beginning.
type Page struct {
	Limit      int // how many rows at most; callers ask for one more to learn whether there are more
	After      string
	Before     string // walks backwards: rows come nearest first
	Descending bool
}

// filter builds the WHERE, ORDER BY and LIMIT of lists.
type filter struct {
	conditions []string
	args       []any
	tail       string
}

func newFilter() *filter { return &filter{} }

// arg adds an argument and returns its placeholder.
func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return "$" + strconv.Itoa(len(f.args))
}

// eq keeps rows whose column has a value.
func (f *filter) eq(column string, v any) {
	f.conditions = append(f.conditions, column+" = "+f.arg(v))
}

// in keeps rows whose column has one of these values; none keeps all rows.
func (f *filter) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	f.conditions = append(f.conditions, column+" IN ("+placeholders(len(values), len(f.args)+1)+")")
	f.args = append(f.args, anys(values)...)
}

// raw adds a condition whose argument stands where it says "?".
func (f *filter) raw(condition string, v any) {
	f.conditions = append(f.conditions, strings.ReplaceAll(condition, "?", f.arg(v)))
}

// window keeps rows whose id was made in a time window; zero times are open.
func (f *filter) window(column, prefix string, since, until time.Time) {
	if !since.IsZero() {
		f.conditions = append(f.conditions, column+" >= "+f.arg(aftercall.FirstID(prefix, since)))
	}
	if !until.IsZero() {
		f.conditions = append(f.conditions, column+" < "+f.arg(aftercall.FirstID(prefix, until)))
	}
}

// holds keeps rows whose column, a list stored as JSON, holds a name; an empty name
// keeps all.
func (f *filter) holds(column, name string) {
	if name != "" {
		f.conditions = append(f.conditions, f.held(column, name))
	}
}

// contains keeps rows one of whose columns contains a text, whatever its case; an
// empty text keeps all.
func (f *filter) contains(text string, columns ...string) {
	if text == "" {
		return
	}
	pattern := f.arg("%" + likeEscape().Replace(strings.ToLower(text)) + "%")
	conditions := make([]string, len(columns))
	for i, column := range columns {
		conditions[i] = "LOWER(" + column + ") LIKE " + pattern + ` ESCAPE '\'`
	}
	f.conditions = append(f.conditions, "("+strings.Join(conditions, " OR ")+")")
}

// likeEscape makes a text stand for itself in LIKE.
func likeEscape() *strings.Replacer { return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`) }

// held is the condition that a list stored as JSON holds a name. Names of channels,
// tags and flags hold no character that JSON escapes.
func (f *filter) held(column, name string) string {
	return column + " LIKE " + f.arg(`%"`+likeEscape().Replace(name)+`"%`) + ` ESCAPE '\'`
}

// page orders by the id column and keeps the rows of a page.
func (f *filter) page(column string, p Page) {
	forward := !p.Descending
	switch {
	case p.Before != "":
		forward = !forward
		f.bound(column, p.Before, forward)
	case p.After != "":
		f.bound(column, p.After, forward)
	}
	direction := " ASC"
	if !forward {
		direction = " DESC"
	}
	f.tail = " ORDER BY " + column + direction + " LIMIT " + strconv.Itoa(p.Limit)
}

func (f *filter) bound(column, id string, forward bool) {
	operator := " > "
	if !forward {
		operator = " < "
	}
	f.conditions = append(f.conditions, column+operator+f.arg(id))
}

func (f *filter) sql() string {
	if len(f.conditions) == 0 {
		return f.tail
	}
	return " WHERE " + strings.Join(f.conditions, " AND ") + f.tail
}
