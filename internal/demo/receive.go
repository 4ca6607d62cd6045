package demo

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const maxWebhook = 2 << 20

// webhook is what the CRM reads of a webhook; the rest does not concern it.
type webhook struct {
	Event   string  `json:"event"`
	Call    call    `json:"call"`
	Contact contact `json:"contact"`
}

type call struct {
	Status      string             `json:"call_status"`
	TriggeredAt int64              `json:"triggered_at"`
	EndedAt     int64              `json:"ended_at"` // 0 for a call that never began
	BookedFor   string             `json:"booked_slot_for"`
	Analysis    map[string]finding `json:"call_analysis"`
	Outcome     map[string]outcome `json:"call_outcome"`
}

// finding is a system field of the analysis; details are text or a number.
type finding struct {
	Value   bool `json:"value"`
	Details any  `json:"details"`
}

// outcome is a field that the customer has defined.
type outcome struct {
	Value any `json:"value"`
}

type contact struct {
	ExternalID      string    `json:"external_contact_id"`
	FirstName       string    `json:"first_name"`
	LastName        string    `json:"last_name"`
	Phone           string    `json:"phone_number"`
	Status          string    `json:"status"`
	StatusUpdatedAt time.Time `json:"status_updated_at"`
}

// ServeHTTP receives webhooks.
func (c *CRM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "webhooks come by POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	now := time.Now()
	if err := c.verifier.Verify(r.Header, body, now); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	if status := c.failing(); status != 0 {
		http.Error(w, "the CRM is down", status)
		return
	}
	var hook webhook
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // details are shown as they were written
	if err := decoder.Decode(&hook); err != nil {
		http.Error(w, "the CRM does not understand this payload", http.StatusBadRequest)
		return
	}
	id := r.Header.Get("svix-id")
	if id == "" {
		id = r.Header.Get("webhook-id")
	}
	// The work does not end with the connection: a sender that has given up will
	// send the same id again, and it is better done by then than half done.
	if err := c.apply(context.WithoutCancel(r.Context()), id, hook, now); err != nil {
		http.Error(w, "the CRM cannot save", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent) // only now: what is answered 2xx is on disk
}

// apply changes the record that a webhook is about, once per id.
func (c *CRM) apply(ctx context.Context, id string, hook webhook, now time.Time) error {
	return c.update(ctx, func(tx *sql.Tx) error {
		first, err := firstTime(ctx, tx, id, now)
		if err != nil {
			return err
		}
		if !first {
			return errUnchanged
		}
		key := hook.Contact.ExternalID
		if key == "" {
			if key, err = externalIDByPhone(ctx, tx, hook.Contact.Phone); err != nil {
				return err
			}
		}
		r, _, err := load(ctx, tx, key)
		if err != nil || key == "" {
			return err
		}
		r.ExternalID = key
		switch hook.Event {
		case "call_ended":
			r = r.afterCall(hook.Call, hook.Contact, now)
		case "contact_status_changed":
			r = r.withStatus(hook.Contact.Status, hook.Contact.seconds(now))
		default:
			return nil // an event of a later version: noted, not understood
		}
		r = r.withPerson(hook.Contact)
		r.UpdatedAt = now
		return save(ctx, tx, r)
	})
}

func (r Record) withPerson(c contact) Record {
	if name := strings.TrimSpace(c.FirstName + " " + c.LastName); name != "" {
		r.Name = name
	}
	if c.Phone != "" {
		r.Phone = c.Phone
	}
	return r
}

// afterCall takes what a call has shown, unless a later call is known: retries
// make webhooks arrive in any order.
func (r Record) afterCall(call call, contact contact, now time.Time) Record {
	endedAt := call.EndedAt
	if endedAt == 0 {
		endedAt = call.TriggeredAt
	}
	if endedAt >= r.lastCallAt {
		r.lastCallAt = endedAt
		r.LastCallStatus = call.Status
		r.Summary = call.Analysis["summary"].text()
		r.Appointment = firstOf(call.BookedFor, call.Analysis["appointment"].text())
		r.LostReason = lostReason(call.Outcome)
	}
	return r.withStatus(contact.Status, min(endedAt/1000, now.Unix()))
}

// seconds is when a contact got its status.
func (c contact) seconds(now time.Time) int64 {
	if c.StatusUpdatedAt.IsZero() {
		return now.Unix()
	}
	return c.StatusUpdatedAt.Unix()
}

// withStatus takes a contact's status, unless a later one is known. The times
// are in seconds; within one second the contact has moved forward.
func (r Record) withStatus(status string, at int64) Record {
	if status == "" || at < r.statusAt || at == r.statusAt && rank(status) < rank(r.Status) {
		return r
	}
	r.Status, r.statusAt = status, at
	return r
}

func rank(status string) int {
	switch status {
	case "reached", "closed":
		return 2
	case "pending":
		return 1
	}
	return 0
}

func (f finding) text() string {
	if !f.Value || f.Details == nil {
		return ""
	}
	return fmt.Sprint(f.Details)
}

// lostReason finds the customer's field whose name says so, such as
// "custom_lost_reason".
func lostReason(outcomes map[string]outcome) string {
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		if value := outcomes[name].Value; strings.HasSuffix(name, "lost_reason") && value != nil {
			return fmt.Sprint(value)
		}
	}
	return ""
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
