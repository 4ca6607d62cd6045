package retention_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/retention"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// More than a batch of payloads expires; one that does not stays, and so do keys of
// the last 24 hours.
func TestClean(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aftercall.db")
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t, path)
		account := storetest.Account(t, s)
		var ids []string
		storetest.Update(t, s, func(tx *store.Tx) error {
			for range 600 {
				m := &aftercall.Message{
					AccountID: account.ID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: "x",
					Payload: []byte(`{}`), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(21 * time.Hour),
				}
				if len(ids) == 0 {
					m.ExpiresAt = time.Time{}
				}
				ids = append(ids, m.ID)
				if err := tx.Publish(m); err != nil {
					return err
				}
			}
			return nil
		})
		<-time.After(20 * time.Hour) // so that midnight comes before the day is over
		once := &store.Once{AccountID: account.ID}
		claimed := func() bool {
			var done []*store.Done
			storetest.Update(t, s, func(tx *store.Tx) (err error) {
				done, err = tx.ClaimOnce([]store.OnceClaim{{Once: once, MessageID: ids[0]}})
				return err
			})
			return done[0] != nil
		}
		claimed()
		cleaner := retention.New(s, slog.New(slog.DiscardHandler))
		kept := func() (n int) {
			if err := cleaner.Clean(t.Context()); err != nil {
				t.Fatal(err)
			}
			storetest.View(t, s, func(tx *store.Tx) error {
				list, err := tx.Messages(account.ID, store.MessageFilter{}, store.Page{Limit: 1000})
				for _, m := range list {
					if m.Payload != nil {
						n++
					}
				}
				return err
			})
			return n
		}
		if n := kept(); n != 600 {
			t.Errorf("%d payloads are kept, none has expired", n)
		}
		<-time.After(time.Hour)
		if n := kept(); n != 1 {
			t.Errorf("%d payloads are kept, want the one that does not expire", n)
		}
		<-time.After(22*time.Hour + 55*time.Minute)
		kept()
		if !claimed() {
			t.Error("a key of the last 24 hours was forgotten")
		}
		<-time.After(49 * time.Hour)
		kept()
		if claimed() {
			t.Error("a key is remembered for more than two days")
		}
	})
}
