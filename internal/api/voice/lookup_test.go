package voice_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// lookup has the account ask a handler who is calling.
func (f *fixture) lookup(handler http.HandlerFunc) aftercall.ContactLookup {
	f.Helper()
	server := httptest.NewServer(handler)
	f.Cleanup(server.Close)
	l, err := f.dialer.SetContactLookup(f.Context(), f.agent.AccountID, func(l *aftercall.ContactLookup) {
		l.URL, l.Timeout = server.URL+"/who", time.Second
		l.Headers, l.Query = map[string]string{"Authorization": "Bearer crm"}, map[string]string{"tenant": "7"}
	})
	if err != nil {
		f.Fatal(err)
	}
	return l
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const ada = `{"contact": {"first_name": "Ada", "last_name": "Lovelace", "external_id": "crm-7", "email": "ada@example.com", "properties": {"plan": "gold"}}}`

// Who is not known is asked for, once, by a signed request; who is known is not.
func TestLookup(t *testing.T) {
	each(t, func(f *fixture) {
		asked := make(chan *http.Request, 8)
		bodies := make(chan string, 8)
		l := f.lookup(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked <- r
			bodies <- string(body)
			answer(200, ada)(w, r)
		})
		out := f.ask("q-1", from(caller))
		if c := out.Contact; c == nil || c.FirstName != "Ada" || *c.ExternalID != "crm-7" || c.PhoneNumber != caller || out.Variables["plan"] != "gold" || out.Variables["first_name"] != "Ada" {
			f.Fatalf("answered %+v", out)
		}
		r, body := <-asked, <-bodies
		if body != `{"event":"contact_lookup","phone_number":"`+caller+`","to_number":"+493012345678"}` || r.Method != http.MethodPost ||
			r.URL.String() != "/who?tenant=7" || r.Header.Get("Authorization") != "Bearer crm" || r.Header.Get("Content-Type") != "application/json" {
			f.Errorf("asked %s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		mac := hmac.New(sha256.New, []byte(l.Secret.Reveal()))
		mac.Write([]byte(body))
		if got := r.Header.Get("x-telli-signature"); got != hex.EncodeToString(mac.Sum(nil)) {
			f.Errorf("signed %q", got)
		}
		if again := f.ask("q-2", from(caller)); again.Contact.ID != out.Contact.ID || *again.CallID == *out.CallID {
			f.Errorf("the next call: %+v", again)
		}
		if len(asked) > 0 {
			f.Error("a number that is known was asked for")
		}
		// The same person calls from another number: it is their contact, as it is.
		other := f.ask("q-3", from("+4915112345679"))
		if other.Contact.ID != out.Contact.ID || other.Contact.PhoneNumber != caller {
			f.Errorf("from another number: %+v", other.Contact)
		}
		if _, err := f.dialer.SetContactLookup(f.Context(), f.agent.AccountID, func(l *aftercall.ContactLookup) { l.Enabled = false }); err != nil {
			f.Fatal(err)
		}
		<-asked
		if off := f.ask("q-4", from("+4915112345670")); off.Contact == nil || off.Contact.FirstName != "" || len(asked) > 0 {
			f.Errorf("disabled: %+v", off)
		}
		if strings.Contains(f.logged(), "Ada") || strings.Contains(f.logged(), "49151") {
			f.Errorf("the log tells who called: %s", f.logged())
		}
	})
}

// No call fails because nobody can say who is calling; the log says why.
func TestLookupFails(t *testing.T) {
	each(t, func(f *fixture) {
		over := make(chan struct{})
		defer close(over)
		for i, test := range []struct {
			handler http.HandlerFunc
			cause   string // in the log; empty for an answer that is no failure
		}{
			{answer(204, ""), ""},
			{answer(404, "secret words"), ""},
			{answer(200, `{"contact": null}`), ""},
			{answer(200, `{}`), ""},
			{answer(500, ada), "500"},
			{answer(401, "secret words"), "401"},
			{answer(200, `secret words`), "no JSON"},
			{answer(200, `{"contact": {"first_name": "secret words"}}`), "last_name"},
			{answer(200, strings.Repeat(" ", 300<<10)+ada), "too long"},
			{func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}, "307"},
			{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "HTTP"},
			{func(http.ResponseWriter, *http.Request) { <-over }, "within 1s"},
			{func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"contact":`)
				w.(http.Flusher).Flush()
				<-over
			}, "within 1s"},
		} {
			before := len(f.logged())
			f.lookup(test.handler)
			number := "+49151123456" + string(rune('0'+i/10)) + string(rune('0'+i%10))
			out := f.ask(number, from(number))
			if out.CallID == nil || out.Contact == nil || out.Contact.FirstName != "" || out.Contact.PhoneNumber != number {
				f.Errorf("%d: answered %+v", i, out)
			}
			logged := f.logged()[before:]
			failed := strings.Contains(logged, "a contact lookup failed")
			if failed != (test.cause != "") || !strings.Contains(logged, test.cause) || strings.Contains(logged, "secret words") || strings.Contains(logged, "49151") {
				f.Errorf("%d: logged %q", i, logged)
			}
		}
	})
}

// A report of a call from outside asks, too, before it is stored; the same report again
// does not.
func TestLookupOfReports(t *testing.T) {
	each(t, func(f *fixture) {
		asked := make(chan struct{}, 8)
		f.lookup(func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			answer(200, ada)(w, r)
		})
		report := func(id string, direction aftercall.Direction, number string) aftercall.Contact {
			f.Helper()
			done, err := f.dialer.Finish(f.Context(), f.agent.AccountID, dialer.Report{PhoneNumber: number, Call: aftercall.Call{
				ExternalID: id, Direction: direction, Status: aftercall.CallCompleted, FromNumber: number, ToNumber: "+493012345678", TriggeredAt: time.Now().UTC(),
			}})
			if err != nil {
				f.Fatal(err)
			}
			c, err := f.dialer.Contact(f.Context(), f.agent.AccountID, done.ContactID)
			if err != nil {
				f.Fatal(err)
			}
			return c
		}
		if c := report("out", aftercall.Outbound, "+4915112345670"); c.FirstName != "" || len(asked) > 0 {
			f.Errorf("outbound: %+v", c)
		}
		for range 2 {
			if c := report("in", aftercall.Inbound, caller); c.FirstName != "Ada" || c.ExternalID != "crm-7" || c.Status != aftercall.ContactReached {
				f.Errorf("inbound: %+v", c)
			}
		}
		if len(asked) != 1 {
			f.Errorf("asked %d times", len(asked))
		}
	})
}

// Another account's contact with the same external id is another one.
func TestLookupOfAnother(t *testing.T) {
	each(t, func(f *fixture) {
		f.lookup(answer(200, ada))
		mine := f.ask("q-1", from(caller))
		f.agent = f.newAgent()
		if out := f.ask("q-1", from(caller)); out.Contact.FirstName != "" || out.Contact.ID == mine.Contact.ID || *out.CallID == *mine.CallID {
			f.Errorf("asked by another account: %+v", out)
		}
		f.lookup(answer(200, ada))
		theirs := f.ask("q-2", from("+4915112345679"))
		if theirs.Contact.FirstName != "Ada" || theirs.Contact.ID == mine.Contact.ID {
			f.Errorf("found by another account: %+v", theirs)
		}
		storetest.Update(f, f.store, func(tx *store.Tx) error { return tx.DeleteAccount(f.agent.AccountID) })
		if _, err := f.dialer.ContactLookup(f.Context(), f.agent.AccountID); aftercall.KindOf(err) != aftercall.NotFound {
			f.Errorf("of an account that is gone: %v", err)
		}
	})
}
