package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aftercall/aftercall"
)

// Tx is a transaction. Its methods are the questions that can be asked and the
// facts that can be recorded.
type Tx struct {
	ctx       context.Context
	store     *Store
	q         querier
	now       time.Time
	audiences map[string]audience // by id and uid; nil in a View, which asks only once
	changes   Changes             // told after the commit
}

// querier is what a transaction runs on: the prepared connection of SQLite's
// writer, or a *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Now is the one time of this transaction, in UTC and microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int, error) {
	if err := storable(args); err != nil {
		return 0, err
	}
	result, err := tx.q.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, tx.store.dialect.wrap(err)
	}
	n, err := result.RowsAffected()
	return int(n), tx.store.dialect.wrap(err)
}

// storable refuses text that PostgreSQL cannot hold, before a statement fails of it and
// with it the transaction. SQLite could; both behave alike.
func storable(args []any) error {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return aftercall.Errorf(aftercall.Invalid, "text must be UTF-8 without null characters")
		}
	}
	return nil
}

// scan reads the columns of one row.
type scan func(dest ...any) error

// all runs a query and reads every row.
func all[T any](tx *Tx, read func(scan) (T, error), query string, args ...any) ([]T, error) {
	if err := storable(args); err != nil {
		return nil, err
	}
	rows, err := tx.q.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return nil, tx.store.dialect.wrap(err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		item, err := read(rows.Scan)
		if err != nil {
			return nil, tx.store.dialect.wrap(err)
		}
		list = append(list, item)
	}
	return list, tx.store.dialect.wrap(rows.Err())
}

// one runs a query and reads its first row; without rows the error is NotFound.
func one[T any](tx *Tx, read func(scan) (T, error), query string, args ...any) (T, error) {
	list, err := all(tx, read, query, args...)
	if err == nil && len(list) == 0 {
		err = tx.store.dialect.wrap(sql.ErrNoRows)
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return list[0], nil
}

// of writes columns as those of an alias, for joins.
func of(alias, columns string) string {
	list := strings.Split(columns, ",")
	for i, column := range list {
		list[i] = alias + "." + strings.TrimSpace(column)
	}
	return strings.Join(list, ", ")
}

// part scans some columns of a row, which has others before and after them. A row
// may be scanned more than once, so each side of a join is read by its own reader.
func part(s scan, before, after string) scan {
	return func(dest ...any) error {
		row := slices.Concat(skipped(before), dest, skipped(after))
		return s(row...)
	}
}

// skipped scans columns into nothing.
func skipped(columns string) []any {
	if columns == "" {
		return nil
	}
	return slices.Repeat([]any{nowhere{}}, strings.Count(columns, ",")+1)
}

type nowhere struct{}

func (nowhere) Scan(any) error { return nil }

// value reads a row of one column.
func value[T any](s scan) (T, error) {
	var v T
	err := s(&v)
	return v, err
}

// chunks are the row counts of multi-row statements. Any number of rows is a sum
// of them, so that few texts need preparing.
var chunks = []int{256, 64, 16, 8, 4, 2, 1}

// inChunks calls fn with runs of rows whose lengths are in chunks.
func inChunks[T any](rows []T, fn func([]T) error) error {
	for _, size := range chunks {
		for len(rows) >= size {
			if err := fn(rows[:size]); err != nil {
				return err
			}
			rows = rows[size:]
		}
	}
	return nil
}

// tuples writes n groups of placeholders, "($1,$2),($3,$4)", numbered from first.
// A type in casts, one a column, is applied to that column: in a VALUES list
// PostgreSQL takes a bare placeholder for text.
func tuples(n, first int, casts ...string) string {
	var b strings.Builder
	number := first
	for row := range n {
		if row > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for column, cast := range casts {
			if column > 0 {
				b.WriteByte(',')
			}
			if cast != "" {
				b.WriteString("CAST($" + strconv.Itoa(number) + " AS " + cast + ")")
			} else {
				b.WriteString("$" + strconv.Itoa(number))
			}
			number++
		}
		b.WriteByte(')')
	}
	return b.String()
}

// bare is n columns without casts.
func bare(n int) []string { return make([]string, n) }

// placeholders writes "$first,…" for a list of n values, as IN needs them.
func placeholders(n, first int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = "$" + strconv.Itoa(first+i)
	}
	return strings.Join(parts, ",")
}

// anys turns a list into arguments.
func anys[T any](list []T) []any {
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = v
	}
	return args
}

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

// fromMicros reads a stored time.
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// maybe stores a time that may be missing as NULL.
func maybe(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// timeAt scans a time, which may be NULL, into dest.
func timeAt(dest *time.Time) sql.Scanner { return timeScanner{dest} }

type timeScanner struct{ dest *time.Time }

func (s timeScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.dest = time.Time{}
	case int64:
		*s.dest = fromMicros(v)
	default:
		return fmt.Errorf("a time is stored as an integer, not %T", src)
	}
	return nil
}

// text stores an optional string as NULL when empty, so that unique indexes skip it.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// textAt scans a string that may be NULL.
func textAt[T ~string](dest *T) sql.Scanner { return textScanner[T]{dest} }

type textScanner[T ~string] struct{ dest *T }

func (s textScanner[T]) Scan(src any) error {
	var v sql.NullString
	if err := v.Scan(src); err != nil {
		return err
	}
	*s.dest = T(v.String)
	return nil
}

// jsonOrNull stores a list that is empty most of the time, as NULL then.
func jsonOrNull(values []string) any {
	if len(values) == 0 {
		return nil
	}
	return jsonOf(values)
}

// jsonOf stores lists and maps as text; nil and empty alike as NULL-free "null".
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // lists and maps of strings always marshal
		panic(err)
	}
	return string(b)
}

// jsonAt scans what jsonOf stored; NULL leaves dest as it is.
func jsonAt(dest any) sql.Scanner { return jsonScanner{dest} }

type jsonScanner struct{ dest any }

func (s jsonScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), s.dest)
	case []byte:
		return json.Unmarshal(v, s.dest)
	}
	return fmt.Errorf("JSON is stored as text, not %T", src)
}
