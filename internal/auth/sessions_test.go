package auth_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func login(t *testing.T, s *store.Store, accountID string) (token string) {
	t.Helper()
	storetest.Update(t, s, func(tx *store.Tx) (err error) {
		token, err = auth.CreateLogin(tx, accountID)
		return err
	})
	return token
}

func TestLoginLinkWorksOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, _ := open(t, s, "operator")
		a := storetest.Account(t, s)
		for _, accountID := range []string{a.ID, ""} {
			token := login(t, s, accountID)
			session, err := keys.Redeem(t.Context(), token, "a browser")
			if err != nil {
				t.Fatal(err)
			}
			c, err := keys.Session(t.Context(), session)
			if err != nil || c.AccountID != accountID || c.Operator != (accountID == "") || c.SessionID == "" {
				t.Errorf("the session of %q is %+v, %v", accountID, c, err)
			}
			if _, err := keys.Redeem(t.Context(), token, ""); aftercall.KindOf(err) != aftercall.Unauthenticated {
				t.Errorf("a link used twice: %v", err)
			}
		}
	})
}

func TestSessionsAreNotStored(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url)
	keys, _ := open(t, s, "operator")
	link := login(t, s, "")
	session, err := keys.SignIn(t.Context(), "operator", "")
	if err != nil {
		t.Fatal(err)
	}
	if dump := storetest.Dump(t, url); strings.Contains(dump, session) || strings.Contains(dump, link) {
		t.Error("a token is stored as it is")
	}
}

// A key opens the API and a session the portal, and not the other way round.
func TestSessionIsNoKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, _ := open(t, s, "operator")
		a := storetest.Account(t, s)
		key := create(t, s, a.ID, "CRM")
		session, err := keys.SignIn(t.Context(), key, "a browser\x00\xff"+strings.Repeat("x", 1000))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Identify(t.Context(), session); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("a session opens the API: %v", err)
		}
		for _, token := range []string{"", key, "operator", session + "x", login(t, s, a.ID)} {
			if c, err := keys.Session(t.Context(), token); aftercall.KindOf(err) != aftercall.Unauthenticated {
				t.Errorf("%q opens the portal: %+v, %v", token, c, err)
			}
		}
		if _, err := keys.SignIn(t.Context(), "wrong", ""); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("a wrong key signs in: %v", err)
		}
		operator, err := keys.SignIn(t.Context(), "operator", "")
		if c, e := keys.Session(t.Context(), operator); err != nil || e != nil || !c.Operator {
			t.Errorf("the operator is %+v, %v, %v", c, err, e)
		}
	})
}

func TestSessionEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, _ := open(t, s, "operator")
		a, b := storetest.Account(t, s), storetest.Account(t, s)
		key := create(t, s, a.ID, "CRM")
		sign := func() (string, auth.Caller) {
			session, err := keys.SignIn(t.Context(), key, "")
			if err != nil {
				t.Fatal(err)
			}
			c, err := keys.Session(t.Context(), session)
			if err != nil {
				t.Fatal(err)
			}
			return session, c
		}
		first, c := sign()
		second, other := sign()
		if err := keys.EndSession(t.Context(), b.ID, other.SessionID); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Session(t.Context(), second); err != nil {
			t.Errorf("another account ended the session: %v", err)
		}
		if err := keys.SignOut(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Session(t.Context(), first); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("after signing out: %v", err)
		}
		if _, err := keys.Session(t.Context(), second); err != nil {
			t.Errorf("signing out ended another session: %v", err)
		}
	})
}

// A token of the portal is a session by itself, until it is logged out.
func TestPortalTokenIsASession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, _ := open(t, s, "operator")
		a := storetest.Account(t, s)
		var token string
		storetest.Update(t, s, func(tx *store.Tx) (err error) {
			token, err = auth.CreatePortalToken(tx, store.PortalToken{AccountID: a.ID, Origins: []string{"https://app.example.com"}}, time.Hour)
			return err
		})
		session, err := keys.SignIn(t.Context(), token, "")
		if err != nil {
			t.Fatal(err)
		}
		c, err := keys.Session(t.Context(), session)
		if err != nil || c.AccountID != a.ID || c.Portal == nil || len(c.Portal.Origins) != 1 {
			t.Errorf("the session is %+v, %v", c, err)
		}
		if err := keys.SignOut(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Session(t.Context(), session); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("after signing out: %v", err)
		}
		for _, origin := range []string{"*", "https://*.example.com", "https://a.example.com/x", "ftp://a", "https://a; script-src *", "https://a 'self'", "", "https://"} {
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				_, err := auth.CreatePortalToken(tx, store.PortalToken{AccountID: a.ID, Origins: []string{origin}}, time.Hour)
				return err
			})
			if aftercall.KindOf(err) != aftercall.Invalid {
				t.Errorf("origin %q: %v", origin, err)
			}
		}
	})
}

func TestSessionsAndLinksExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t, storetest.SQLite(t))
		keys, _ := open(t, s, "operator")
		link, late := login(t, s, ""), login(t, s, "")
		session, err := keys.Redeem(t.Context(), link, "")
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(25 * time.Hour)
		if _, err := keys.Redeem(t.Context(), late, ""); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("a link of yesterday: %v", err)
		}
		if _, err := keys.Session(t.Context(), session); err != nil {
			t.Errorf("after a day: %v", err)
		}
		var used time.Time
		storetest.View(t, s, func(tx *store.Tx) error {
			all, err := tx.Sessions("")
			used = all[0].LastUsedAt
			return err
		})
		if time.Since(used) > time.Minute {
			t.Errorf("last used at %v", used)
		}
		<-time.After(auth.SessionLife)
		if _, err := keys.Session(t.Context(), session); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("after a month: %v", err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			sessions, err := tx.DeleteExpiredSessions(100)
			if err != nil {
				return err
			}
			logins, err := tx.DeleteExpiredLogins(100)
			if sessions != 1 || logins != 1 {
				t.Errorf("removed %d sessions and %d links", sessions, logins)
			}
			return err
		})
	})
}
