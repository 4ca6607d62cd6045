package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

// PostgreSQL must learn soon that a table has grown: until then it may read all of an
// account's rows to find one.
func TestAnalyzeFindsTablesThatHaveGrown(t *testing.T) {
	url := storetest.Postgres(t)
	s := storetest.Open(t, url)
	account := storetest.Account(t, s)
	addEndpoint(t, s, account.ID)
	publish(t, s, account.ID, 2000)

	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	analyzed := func() (times int) {
		t.Helper()
		if err := s.Analyze(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := db.QueryRowContext(t.Context(), `SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'delivery'`).Scan(&times)
		if err != nil {
			t.Fatal(err)
		}
		return times
	}
	// A session tells its statistics a second after its work at the soonest.
	for deadline := time.Now().Add(20 * time.Second); analyzed() == 0; <-time.After(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("2000 new deliveries, and their table was not analyzed")
		}
	}
	if n := analyzed(); n != 1 {
		t.Errorf("the table was analyzed %d times, though nothing had changed since the first", n)
	}
}
