package store_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func masterKey(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

// keyOf is the key of a secret as it would be seen in a database.
func keyOf(t *testing.T, secret string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(key), "\n", " ")
}

// reopen opens a database again, with other master keys.
func reopen(t *testing.T, url string, keys ...string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, keys...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func reveal(t *testing.T, s *store.Store, ref store.EndpointRef) (text string, err error) {
	t.Helper()
	err = s.View(t.Context(), func(tx *store.Tx) error {
		secrets, err := tx.Secrets(ref)
		if err == nil {
			text = secrets[0].Reveal()
		}
		return err
	})
	return text, err
}

// With only the database nobody reads a secret; with the keys it comes back, before
// and after they are rotated.
func TestSecretsAreSealed(t *testing.T) {
	each := map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
	for name, database := range each {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			storetest.Open(t, url) // migrates
			s := reopen(t, url, masterKey(1))
			account := storetest.Account(t, s)
			ref := addEndpoint(t, s, account.ID)
			secret, err := reveal(t, s, ref)
			if err != nil {
				t.Fatal(err)
			}
			once := &store.Once{AccountID: account.ID}
			storetest.Update(t, s, func(tx *store.Tx) error {
				_, err := tx.ClaimOnce([]store.OnceClaim{{Once: once}})
				return errors.Join(err, tx.KeepAnswer(once, 200, []byte("a token")))
			})
			if dump := storetest.Dump(t, url); strings.Contains(dump, keyOf(t, secret)) || strings.Contains(dump, "a token") {
				t.Error("the database shows a secret")
			}
			storetest.Update(t, s, func(tx *store.Tx) error {
				done, err := tx.ClaimOnce([]store.OnceClaim{{Once: once}})
				if err == nil && string(store.BodyOf(done[0])) != "a token" {
					t.Errorf("the answer came back as %q", store.BodyOf(done[0]))
				}
				return err
			})

			other := reopen(t, url, masterKey(2))
			if _, err := reveal(t, other, ref); !errors.Is(err, store.ErrSealed) {
				t.Errorf("with another key: %v", err)
			}
			if err := other.CheckMasterKeys(t.Context()); aftercall.KindOf(err) != aftercall.Conflict {
				t.Errorf("with another key the check says %v", err)
			}

			both := reopen(t, url, masterKey(2), masterKey(1))
			if err := both.CheckMasterKeys(t.Context()); err != nil {
				t.Error(err)
			}
			for _, want := range []int{1, 0} {
				if n, err := both.RotateMasterKey(t.Context()); n != want || err != nil {
					t.Errorf("%d were sealed again, %v; want %d", n, err, want)
				}
			}
			if again, err := reveal(t, other, ref); again != secret {
				t.Errorf("after the rotation it is %s, %v", again, err)
			}
			if _, err := reveal(t, s, ref); !errors.Is(err, store.ErrSealed) {
				t.Errorf("the old key still opens it: %v", err)
			}
		})
	}
}

// What is sealed for one endpoint cannot be passed off as another's.
func TestSealIsBoundToItsPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		s = reopen(t, s.URL(), masterKey(1))
		from, to := addEndpoint(t, s, a.ID), addEndpoint(t, s, a.ID)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.CopySecret(from, to) })
		if got, err := reveal(t, s, to); err == nil {
			t.Errorf("the other's secret opens: %s", got)
		}
	})
}

// Beside an SQLite file the keys are in a file that its owner alone may read. A server
// that runs while they are rotated goes on.
func TestMasterKeyFile(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url)
	if _, err := os.Stat(url + ".key"); err == nil {
		t.Error("there is a key before it is needed")
	}
	ref := addEndpoint(t, s, storetest.Account(t, s).ID)
	secret, err := reveal(t, s, ref)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(url + ".key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v", info.Mode(), err)
	}
	command := reopen(t, url)
	for round := range 4 {
		if n, err := command.RotateMasterKey(t.Context()); n != 1+round || err != nil {
			t.Fatalf("%d were sealed again, %v", n, err)
		}
		if again, err := reveal(t, s, ref); again != secret {
			t.Fatalf("after rotation %d it is %s, %v", round, again, err)
		}
		addEndpoint(t, s, ref.AccountID)
	}
	content, err := os.ReadFile(url + ".key")
	if err != nil || strings.Count(string(content), "=\n") != 2 {
		t.Errorf("the file holds\n%s%v", content, err)
	}
	if err := os.WriteFile(url+".key", []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), "base64") {
		t.Errorf("a spoilt file: %v", err)
	}
	if err := os.Remove(url + ".key"); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, url).CheckMasterKeys(t.Context()); aftercall.KindOf(err) != aftercall.Conflict {
		t.Errorf("without the file the check says %v", err)
	}
}

// Without a key on PostgreSQL secrets lie open, until one is given and they are sealed.
func TestSecretsThatLieOpen(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	ref := addEndpoint(t, s, storetest.Account(t, s).ID)
	secret, err := reveal(t, s, ref)
	if err != nil || s.Seals() {
		t.Fatal(err)
	}
	if !strings.Contains(storetest.Dump(t, s.URL()), keyOf(t, secret)) {
		t.Error("the database does not show it, so that no test would notice if it did")
	}
	if _, err := s.RotateMasterKey(t.Context()); aftercall.KindOf(err) != aftercall.Invalid {
		t.Errorf("without a key: %v", err)
	}
	sealed := reopen(t, s.URL(), masterKey(1))
	if n, err := sealed.RotateMasterKey(t.Context()); n != 1 || err != nil {
		t.Errorf("%d were sealed, %v", n, err)
	}
	if again, err := reveal(t, sealed, ref); again != secret {
		t.Errorf("it is %s, %v", again, err)
	}
}

// However many processes need the first key at once, and rotate it, there is one file and
// nothing is sealed with a key that is not in it.
func TestMasterKeyFileIsMadeOnce(t *testing.T) {
	url := storetest.SQLite(t)
	account := storetest.Account(t, storetest.Open(t, url))
	var made sync.WaitGroup
	refs := make([]store.EndpointRef, 12)
	for i := range refs {
		s := reopen(t, url)
		made.Go(func() {
			refs[i] = addEndpoint(t, s, account.ID)
			if _, err := s.RotateMasterKey(t.Context()); err != nil && aftercall.KindOf(err) != aftercall.Conflict {
				t.Error(err)
			}
		})
	}
	made.Wait()
	s := reopen(t, url)
	for _, ref := range refs {
		if _, err := reveal(t, s, ref); err != nil {
			t.Error(err)
		}
	}
}

// What a command sealed that was not told the server's master key, the server opens all
// the same; what it seals itself stays shut to who has only the file.
func TestSealedWithoutTheServersKey(t *testing.T) {
	url := storetest.SQLite(t)
	server := masterKey(1)
	agent := func(s *store.Store) (a aftercall.Agent) {
		a = aftercall.NewAgent("app_1", time.Now())
		a.Title = "Ada"
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertAgent(a) })
		return a
	}
	command := storetest.Open(t, url)
	before := agent(command)
	s := reopen(t, url, server)
	after := agent(s)
	for _, a := range []aftercall.Agent{before, after} {
		storetest.View(t, s, func(tx *store.Tx) error {
			got, err := tx.AgentWithSecret(a.AccountID, a.ID)
			if err == nil && got.Engine.Secret.Reveal() != a.Engine.Secret.Reveal() {
				t.Errorf("another secret")
			}
			return err
		})
	}
	if err := s.CheckMasterKeys(t.Context()); err != nil {
		t.Error(err)
	}
	err := command.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.AgentWithSecret(after.AccountID, after.ID)
		return err
	})
	if !errors.Is(err, store.ErrSealed) {
		t.Errorf("opened by who has only the file: %v", err)
	}
}
