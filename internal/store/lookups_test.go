package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestContactLookups(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account := storetest.Account(t, s)
		l := aftercall.NewContactLookup(account.ID, time.Now().UTC().Truncate(time.Microsecond))
		l.URL, l.Headers, l.Query = "https://crm.example.com/who", map[string]string{"X-Key": "1"}, map[string]string{"a": "b"}
		put := func() {
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.PutContactLookup(l) })
		}
		check := func() {
			t.Helper()
			storetest.View(t, s, func(tx *store.Tx) error {
				got, err := tx.ContactLookup(account.ID)
				if got.Secret.Reveal() != l.Secret.Reveal() || got.URL != l.URL || got.Timeout != l.Timeout || got.Enabled != l.Enabled ||
					got.Headers["X-Key"] != "1" || got.Query["a"] != "b" || !got.CreatedAt.Equal(l.CreatedAt) {
					t.Errorf("%+v", got)
				}
				return err
			})
		}
		put()
		check()
		l.Enabled, l.Timeout, l.Secret = false, 10*time.Second, aftercall.NewSecret(aftercall.HMAC, l.CreatedAt)
		put()
		check()
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteContactLookup(account.ID) })
		for name, gone := range map[string]func(*store.Tx) error{
			"found":   func(tx *store.Tx) error { _, err := tx.ContactLookup(account.ID); return err },
			"removed": func(tx *store.Tx) error { return tx.DeleteContactLookup(account.ID) },
		} {
			if err := s.Update(t.Context(), gone); aftercall.KindOf(err) != aftercall.NotFound {
				t.Errorf("%s although it is gone: %v", name, err)
			}
		}
	})
}

// The secret of a contact lookup is sealed, and sealed again with the master key.
func TestContactLookupIsSealed(t *testing.T) {
	for name, database := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			if _, err := store.Migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			s := reopen(t, url, masterKey(1))
			account := storetest.Account(t, s)
			l := aftercall.NewContactLookup(account.ID, time.Now())
			l.URL = "https://crm.example.com/who"
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.PutContactLookup(l) })
			secret := func(s *store.Store) (got aftercall.ContactLookup, err error) {
				err = s.View(t.Context(), func(tx *store.Tx) error {
					got, err = tx.ContactLookup(account.ID)
					return err
				})
				return got, err
			}
			if _, err := secret(reopen(t, url, masterKey(2))); !errors.Is(err, store.ErrSealed) {
				t.Errorf("without its key: %v", err)
			}
			both := reopen(t, url, masterKey(2), masterKey(1))
			if n, err := both.RotateMasterKey(t.Context()); n != 1 || err != nil {
				t.Errorf("rotated %d, %v", n, err)
			}
			if got, err := secret(reopen(t, url, masterKey(2))); err != nil || got.Secret.Reveal() != l.Secret.Reveal() {
				t.Errorf("with the new key: %v", err)
			}
		})
	}
}

// Of questions about one inbound call at the same time, one is the first.
func TestRememberInbound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := store.AgentRef{AccountID: storetest.Account(t, s).ID, AgentID: aftercall.NewUUID()}
		remembered := func(asked string) (id string) {
			storetest.View(t, s, func(tx *store.Tx) (err error) {
				id, err = tx.RememberedInbound(ref, asked)
				return err
			})
			return id
		}
		if id := remembered("a"); id != "" {
			t.Errorf("remembered %q", id)
		}
		answers := make(chan string, 16)
		var questions sync.WaitGroup
		for range cap(answers) {
			questions.Go(func() {
				id := aftercall.NewUUID()
				err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
					id, err = tx.RememberInbound(ref, "a", id)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				answers <- id
			})
		}
		questions.Wait()
		first := remembered("a")
		for range cap(answers) {
			if id := <-answers; id != first {
				t.Errorf("answered %s, want %s", id, first)
			}
		}
		ref.AgentID = aftercall.NewUUID()
		if id := remembered("a"); id != "" {
			t.Errorf("of another agent: %q", id)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { // is no event to be taken
			events, err := tx.TakeVoiceEvents(10)
			if len(events) > 0 {
				t.Errorf("taken: %+v", events)
			}
			return err
		})
	})
}
