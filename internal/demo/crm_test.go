package demo_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/demo"
	"github.com/aftercall/aftercall/signature"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const lead = "external-123"

func crm(t *testing.T) *demo.CRM {
	t.Helper()
	c, err := demo.OpenCRM(t.Context(), filepath.Join(t.TempDir(), "a crm?.db"), secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.AddRecord(t.Context(), demo.Record{ExternalID: lead, Phone: "+14155552671", Name: "F. Kahlo", Status: "new"}); err != nil {
		t.Fatal(err)
	}
	return c
}

// callEnded is a payload about a call that ended at a time, in unix seconds.
func callEnded(status string, endedAt int64, contactStatus string) string {
	return fmt.Sprintf(`{"event": "call_ended",
		"call": {"call_status": %q, "triggered_at": 1, "started_at": null, "ended_at": %d, "booked_slot_for": null, "attempt": 1,
			"call_analysis": {"summary": {"value": true, "details": "About call %d"}, "appointment": {"value": true, "details": "2025-02-18T15:30:00Z"},
				"interest": {"value": true, "details": 1500000}},
			"call_outcome": {"custom_budget": {"value": 3, "fieldSchema": {}},
				"custom_lost_reason": {"value": "PRODUCT_TOO_EXPENSIVE", "fieldSchema": {"type": ["string", "null"]}}}},
		"contact": {"external_contact_id": %q, "first_name": "Frida", "last_name": "Kahlo", "phone_number": "+14155552671", "status": %q, "email": null}}`,
		status, endedAt*1000, endedAt, lead, contactStatus)
}

func statusChanged(externalID, status string, at int64) string {
	return fmt.Sprintf(`{"event": "contact_status_changed", "contact": {"external_contact_id": %s, "status": %q, "status_updated_at": %q,
		"reached_at": null, "first_name": "Frida", "last_name": "Kahlo", "phone_number": "+14155552671", "email": null}}`,
		externalID, status, time.Unix(at, 0).UTC().Format(time.RFC3339))
}

func send(t *testing.T, c *demo.CRM, id, body string) int {
	t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(t, id, body))
	return w.Code
}

func request(t *testing.T, id, body string) *http.Request {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(body))
	r.Header.Set("svix-id", id)
	r.Header.Set("svix-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("svix-signature", signature.Sign(key, id, now, []byte(body)))
	return r
}

func mustSend(t *testing.T, c *demo.CRM, id, body string) {
	t.Helper()
	if code := send(t, c, id, body); code != http.StatusNoContent {
		t.Fatalf("%s is answered %d", id, code)
	}
}

func record(t *testing.T, c *demo.CRM, externalID string) demo.Record {
	t.Helper()
	r, err := c.Record(t.Context(), externalID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCallEnded(t *testing.T) {
	c := crm(t)
	before := record(t, c, lead)
	mustSend(t, c, "msg_1", callEnded("COMPLETED", 1731957002, "reached"))
	r := record(t, c, lead)
	if !r.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("updated at %v, before %v", r.UpdatedAt, before.UpdatedAt)
	}
	got := []string{r.ExternalID, r.Phone, r.Name, r.Status, r.LastCallStatus, r.Summary, r.LostReason, r.Appointment}
	want := []string{lead, "+14155552671", "Frida Kahlo", "reached", "COMPLETED", "About call 1731957002", "PRODUCT_TOO_EXPENSIVE", "2025-02-18T15:30:00Z"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("record %q, want %q", got, want)
	}
}

// A duplicate that were applied again would undo what came between.
func TestDuplicateIsAppliedOnce(t *testing.T) {
	c := crm(t)
	first := statusChanged(`"`+lead+`"`, "reached", 1000)
	mustSend(t, c, "msg_1", first)
	mustSend(t, c, "msg_2", callEnded("COMPLETED", 1000, "closed"))
	between := record(t, c, lead)
	if between.Status != "closed" {
		t.Fatalf("status %s", between.Status)
	}
	mustSend(t, c, "msg_1", first)
	if r := record(t, c, lead); r != between {
		t.Errorf("after the duplicate %+v, before %+v", r, between)
	}
}

func TestDuplicatesAtOnce(t *testing.T) {
	c := crm(t)
	var wait sync.WaitGroup
	for range 16 {
		r := request(t, "msg_1", callEnded("COMPLETED", 1000, "reached"))
		wait.Go(func() {
			w := httptest.NewRecorder()
			c.ServeHTTP(w, r)
			if w.Code != http.StatusNoContent {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	wait.Wait()
	if r := record(t, c, lead); r.LastCallStatus != "COMPLETED" {
		t.Errorf("record %+v", r)
	}
}

// Webhooks come in any order, since a failed one comes again later.
func TestAnyOrder(t *testing.T) {
	for name, test := range map[string]struct {
		bodies     []string
		status     string
		callStatus string
	}{
		"older status later": {
			[]string{statusChanged(`"`+lead+`"`, "reached", 2000), statusChanged(`"`+lead+`"`, "pending", 1000)}, "reached", ""},
		"back to pending": {
			[]string{statusChanged(`"`+lead+`"`, "reached", 1000), statusChanged(`"`+lead+`"`, "pending", 2000)}, "pending", ""},
		"within one second": {
			[]string{statusChanged(`"`+lead+`"`, "reached", 1000), statusChanged(`"`+lead+`"`, "pending", 1000)}, "reached", ""},
		"older call later": {
			[]string{callEnded("COMPLETED", 2000, "reached"), callEnded("VOICEMAIL", 1000, "pending")}, "reached", "COMPLETED"},
		"status before its call": {
			[]string{statusChanged(`"`+lead+`"`, "reached", 2001), callEnded("COMPLETED", 2000, "reached"), callEnded("NOT_REACHED", 3000, "pending")},
			"pending", "NOT_REACHED"},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm(t)
			for i, body := range test.bodies {
				mustSend(t, c, fmt.Sprintf("msg_%d", i), body)
			}
			if r := record(t, c, lead); r.Status != test.status || r.LastCallStatus != test.callStatus {
				t.Errorf("record %+v, want status %s, call %s", r, test.status, test.callStatus)
			}
		})
	}
}

func TestPersonWithoutExternalID(t *testing.T) {
	c := crm(t)
	mustSend(t, c, "msg_1", statusChanged("null", "pending", 1000))
	if r := record(t, c, lead); r.Status != "pending" {
		t.Errorf("not found by number: %+v", r)
	}
	stranger := strings.ReplaceAll(statusChanged("null", "pending", 1000), "+14155552671", "+4930123456")
	mustSend(t, c, "msg_2", stranger)
	if r := record(t, c, "+4930123456"); r.Status != "pending" || r.Name != "Frida Kahlo" {
		t.Errorf("stranger: %+v", r)
	}
	mustSend(t, c, "msg_3", statusChanged(`"new-1"`, "new", 1000))
	if r := record(t, c, "new-1"); r.Status != "new" {
		t.Errorf("another person with the same number: %+v", r)
	}
}

func TestRefusals(t *testing.T) {
	c := crm(t)
	c.FailNext(1, http.StatusServiceUnavailable)
	forged := request(t, "msg_1", callEnded("COMPLETED", 1000, "reached"))
	forged.Header.Set("svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	for name, test := range map[string]struct {
		request *http.Request
		want    int
	}{
		"forged":    {forged, http.StatusUnauthorized},
		"unsigned":  {httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")), http.StatusUnauthorized},
		"by GET":    {httptest.NewRequest(http.MethodGet, "/", nil), http.StatusMethodNotAllowed},
		"too large": {request(t, "msg_2", strings.Repeat(" ", 2<<20+1)), http.StatusRequestEntityTooLarge},
	} {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, test.request)
		if w.Code != test.want {
			t.Errorf("%s: %d, want %d", name, w.Code, test.want)
		}
	}
	if r := record(t, c, lead); r.Status != "new" {
		t.Errorf("changed by a refused webhook: %+v", r)
	}
	if code := send(t, c, "msg_1", "{}"); code != http.StatusServiceUnavailable {
		t.Errorf("the failure was used up by a refused webhook: %d", code)
	}
	if code := send(t, c, "msg_3", `{"event": 1}`); code != http.StatusBadRequest {
		t.Errorf("odd payload: %d", code)
	}
	mustSend(t, c, "msg_4", `{"event": "call_started", "contact": {"external_contact_id": "external-123"}}`)
}

// A failed webhook leaves no trace, so its retry does the work.
func TestRetryAfterFailure(t *testing.T) {
	c := crm(t)
	c.FailNext(2, http.StatusInternalServerError)
	body := callEnded("COMPLETED", 1000, "reached")
	for range 2 {
		if code := send(t, c, "msg_1", body); code != http.StatusInternalServerError {
			t.Errorf("answered %d", code)
		}
		if r := record(t, c, lead); r.LastCallStatus != "" {
			t.Errorf("a failed webhook changed %+v", r)
		}
	}
	mustSend(t, c, "msg_1", body)
	if r := record(t, c, lead); r.LastCallStatus != "COMPLETED" {
		t.Errorf("record %+v", r)
	}
}

// A CRM that cannot save says so, and does not lose what comes.
func TestClosedFile(t *testing.T) {
	c := crm(t)
	c.Close()
	if code := send(t, c, "msg_1", callEnded("COMPLETED", 1000, "reached")); code != http.StatusInternalServerError {
		t.Errorf("answered %d", code)
	}
}

func TestWait(t *testing.T) {
	c := crm(t)
	reached := func(r demo.Record) bool { return r.Status == "reached" }
	waited := make(chan demo.Record)
	go func() {
		r, err := c.Wait(t.Context(), lead, reached)
		if err != nil {
			t.Error(err)
		}
		waited <- r
	}()
	changed := c.Changed()
	mustSend(t, c, "msg_1", statusChanged(`"`+lead+`"`, "pending", 1000))
	<-changed
	mustSend(t, c, "msg_2", statusChanged(`"`+lead+`"`, "reached", 1001))
	if r := <-waited; !reached(r) {
		t.Errorf("waited for %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Wait(ctx, "nobody", reached); !errors.Is(err, context.Canceled) {
		t.Errorf("wait for nobody: %v", err)
	}
}

func TestRecordsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.db")
	for i := range 2 {
		c, err := demo.OpenCRM(t.Context(), path, secret)
		if err != nil {
			t.Fatal(err)
		}
		err = c.AddRecord(t.Context(), demo.Record{ExternalID: lead, Phone: "+14155552671"})
		if kept := i == 1; kept != (aftercall.KindOf(err) == aftercall.Conflict) {
			t.Errorf("opened %d times: %v", i+1, err)
		}
		c.Close()
	}
	if _, err := demo.OpenCRM(t.Context(), path, "whsec_"); !errors.Is(err, signature.ErrSecret) {
		t.Errorf("bad secret: %v", err)
	}
	c := crm(t)
	if err := c.AddRecord(t.Context(), demo.Record{}); aftercall.KindOf(err) != aftercall.Invalid {
		t.Errorf("record without an id: %v", err)
	}
	if _, err := c.Record(t.Context(), "nobody"); aftercall.KindOf(err) != aftercall.NotFound {
		t.Errorf("unknown record: %v", err)
	}
}
