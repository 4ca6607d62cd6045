// Package storetest gives tests a real store on each database: SQLite in a
// temporary directory, and PostgreSQL from the system's own binaries.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// postgresEnv names a PostgreSQL server for tests, in whose databases they may
// create and drop others.
const postgresEnv = "AFTERCALL_TEST_POSTGRES"

// Each runs a test on a fresh store of each database.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, Postgres(t))) })
}

// Open migrates and opens a database, and closes it after the test.
func Open(t testing.TB, url string) *store.Store {
	t.Helper()
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// SQLite returns the path of a database file that does not exist yet.
func SQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "aftercall.db") }

// Postgres returns the address of an empty PostgreSQL database. Without a server
// the test is skipped, but under CI=true it fails.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(postgresEnv)
	if server == "" {
		message := "needs PostgreSQL: install it (make test does), or name a server in " + postgresEnv
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	name := "test_" + aftercall.NewUUID()
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf("CREATE DATABASE %q", name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.ExecContext(context.Background(), fmt.Sprintf("DROP DATABASE %q WITH (FORCE)", name))
	})
	url, err := withDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Account stores an account for a test.
func Account(t testing.TB, s *store.Store) aftercall.Account {
	t.Helper()
	var a aftercall.Account
	Update(t, s, func(tx *store.Tx) error {
		a = aftercall.Account{
			ID: aftercall.NewID(aftercall.AccountPrefix, tx.Now()), Name: t.Name(), Timezone: "Europe/Berlin",
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		return tx.InsertAccount(a)
	})
	return a
}

// Update runs a transaction that must succeed.
func Update(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// View reads in a transaction that must succeed.
func View(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
