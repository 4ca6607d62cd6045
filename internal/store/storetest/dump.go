package storetest

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/aftercall/aftercall/internal/store"
)

// Dump writes every value of every table of a database, one row a line, for tests of
// what must no longer be there.
func Dump(t testing.TB, url string) string {
	t.Helper()
	driver, tables := "sqlite", `SELECT name FROM sqlite_master WHERE type = 'table'`
	if store.IsPostgres(url) {
		driver, tables = "pgx", `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	for _, table := range rows(t, db, tables) {
		for _, row := range rows(t, db, "SELECT * FROM "+table) {
			b.WriteString(table + ": " + strings.ReplaceAll(row, "\n", " ") + "\n")
		}
	}
	return b.String()
}

// rows reads a query's rows as text.
func rows(t testing.TB, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, pointers := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.String
		}
		list = append(list, strings.Join(texts, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
