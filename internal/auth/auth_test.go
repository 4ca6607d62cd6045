package auth_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func open(t *testing.T, s *store.Store, operatorKey string) (*auth.Keys, string) {
	t.Helper()
	keys, made, err := auth.Open(t.Context(), s, auth.Options{OperatorKey: operatorKey})
	if err != nil {
		t.Fatal(err)
	}
	return keys, made
}

func create(t *testing.T, s *store.Store, accountID, name string) (key string) {
	t.Helper()
	storetest.Update(t, s, func(tx *store.Tx) (err error) {
		key, err = auth.Create(tx, accountID, name)
		return err
	})
	return key
}

func TestKeysOfAnAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, _ := open(t, s, "operator")
		a, b := storetest.Account(t, s), storetest.Account(t, s)
		first, second, other := create(t, s, a.ID, "CRM"), create(t, s, a.ID, "script"), create(t, s, b.ID, "CRM")
		for header, want := range map[string]string{
			"Bearer " + first: a.ID, "bearer  " + second: a.ID, other: b.ID, " " + first + " ": a.ID,
		} {
			caller, err := keys.Identify(t.Context(), header)
			if err != nil || caller.AccountID != want || caller.Operator {
				t.Errorf("%q is %+v, %v; want %s", header, caller, err, want)
			}
		}
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x", first[:len(first)-1], first + "x", "Basic " + first, strings.ToUpper(first)} {
			if caller, err := keys.Identify(t.Context(), header); aftercall.KindOf(err) != aftercall.Unauthenticated {
				t.Errorf("%q is %+v, %v", header, caller, err)
			}
		}
	})
}

// Only hashes are stored, and a name and hint by which people tell keys apart.
func TestKeysAreNotStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		key := create(t, s, a.ID, "CRM")
		if !strings.HasPrefix(key, "aftercall_key_") || len(key) != len("aftercall_key_")+43 || strings.Contains(key, ".") {
			t.Errorf("the key is %q", key)
		}
		storetest.View(t, s, func(tx *store.Tx) error {
			list, err := tx.Keys(a.ID)
			if err == nil && (len(list) != 1 || list[0].Name != "CRM" || list[0].Hint != key[len(key)-4:]) {
				t.Errorf("stored is %+v", list)
			}
			return err
		})
	})
}

func TestRevokedKeyEndsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, _ := open(t, s, "operator")
		a, b := storetest.Account(t, s), storetest.Account(t, s)
		key := create(t, s, a.ID, "CRM")
		caller, err := keys.Identify(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		session, err := keys.SignIn(t.Context(), key, "a browser")
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Revoke(t.Context(), b.ID, caller.KeyID); aftercall.KindOf(err) != aftercall.NotFound {
			t.Errorf("another account's key is revoked: %v", err)
		}
		if _, err := keys.Identify(t.Context(), key); err != nil {
			t.Error(err)
		}
		if err := keys.Revoke(t.Context(), a.ID, caller.KeyID); err != nil {
			t.Error(err)
		}
		if _, err := keys.Identify(t.Context(), key); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("the revoked key answers %v", err)
		}
		if _, err := keys.Session(t.Context(), session); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("the session of the revoked key answers %v", err)
		}
	})
}

// A command that runs beside the server revokes in the store only.
func TestKeyRevokedElsewhereEndsWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t, storetest.SQLite(t))
		keys, _ := open(t, s, "operator")
		a := storetest.Account(t, s)
		key := create(t, s, a.ID, "CRM")
		caller, err := keys.Identify(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.RevokeKey(a.ID, caller.KeyID) })
		<-time.After(time.Second)
		if _, err := keys.Identify(t.Context(), key); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("after a second: %v", err)
		}
	})
}

func TestOperatorKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, made := open(t, s, "")
		if !strings.HasPrefix(made, "aftercall_op_") {
			t.Errorf("the made key is %q", made)
		}
		if caller, err := keys.Identify(t.Context(), "Bearer "+made); err != nil || !caller.Operator {
			t.Errorf("the made key is %+v, %v", caller, err)
		}
		again, shown := open(t, s, "")
		if shown != "" {
			t.Error("it is shown a second time")
		}
		if caller, err := again.Identify(t.Context(), made); err != nil || !caller.Operator {
			t.Errorf("after a restart it is %+v, %v", caller, err)
		}
		given, shown := open(t, s, "mine")
		if caller, err := given.Identify(t.Context(), "mine"); err != nil || !caller.Operator || shown != "" {
			t.Errorf("a given key is %+v, %v, %q", caller, err, shown)
		}
		if _, err := given.Identify(t.Context(), made); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("beside a given key, the made one answers %v", err)
		}
	})
}

// Two nodes that start at once on an empty database must agree on one key.
func TestOperatorKeyIsMadeOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		made := make(chan string, 8)
		for range cap(made) {
			go func() {
				_, key, err := auth.Open(t.Context(), s, auth.Options{})
				if err != nil {
					t.Error(err)
				}
				made <- key
			}()
		}
		shown := 0
		for range cap(made) {
			if <-made != "" {
				shown++
			}
		}
		if shown != 1 {
			t.Errorf("%d keys were shown", shown)
		}
	})
}

func TestLastUseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t, storetest.SQLite(t))
		keys, _ := open(t, s, "operator")
		a := storetest.Account(t, s)
		key := create(t, s, a.ID, "CRM")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { keys.Run(ctx); close(ended) }()
		<-time.After(time.Hour)
		used := time.Now()
		if _, err := keys.Identify(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		stop()
		<-ended
		storetest.View(t, s, func(tx *store.Tx) error {
			list, err := tx.Keys(a.ID)
			if err == nil && !list[0].LastUsedAt.Equal(used.Truncate(time.Microsecond)) {
				t.Errorf("last used at %v, want %v", list[0].LastUsedAt, used)
			}
			return err
		})
	})
}

func TestCreateAccountValidates(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	for name, a := range map[string]aftercall.Account{
		"no name": {}, "unknown zone": {Name: "x", Timezone: "Mars/Olympus"}, "long": {Name: strings.Repeat("x", 1000)},
	} {
		err := s.Update(t.Context(), func(tx *store.Tx) error { return auth.CreateAccount(tx, &a) })
		if aftercall.KindOf(err) != aftercall.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := aftercall.Account{Name: "Sunny Solar"}
	storetest.Update(t, s, func(tx *store.Tx) error { return auth.CreateAccount(tx, &a) })
	if a.Timezone != "UTC" || !strings.HasPrefix(a.ID, aftercall.AccountPrefix) {
		t.Errorf("became %+v", a)
	}
}
