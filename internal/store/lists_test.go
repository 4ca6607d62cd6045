package store_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// Walking a list in pages of any size, in either order, and back again, gives every
// row once and in order.
func TestPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		publish(t, s, other.ID, 20)
		var want []string
		for _, m := range publish(t, s, a.ID, 40) {
			want = append(want, m.ID)
		}
		slices.Sort(want)
		page := func(t *rapid.T, p store.Page) (ids []string) {
			err := s.View(t.Context(), func(tx *store.Tx) error {
				list, err := tx.Messages(a.ID, store.MessageFilter{}, p)
				for _, m := range list {
					ids = append(ids, m.ID)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		rapid.Check(t, func(t *rapid.T) {
			limit := rapid.IntRange(1, 50).Draw(t, "limit")
			descending := rapid.Bool().Draw(t, "descending")
			want := slices.Clone(want)
			if descending {
				slices.Reverse(want)
			}
			var forth []string
			for p := (store.Page{Limit: limit, Descending: descending}); ; p.After = forth[len(forth)-1] {
				ids := page(t, p)
				forth = append(forth, ids...)
				if len(ids) < limit {
					break
				}
			}
			if !slices.Equal(forth, want) {
				t.Fatalf("forth: %v", forth)
			}
			var back []string
			for p := (store.Page{Limit: limit, Descending: descending, Before: want[len(want)-1]}); ; p.Before = back[len(back)-1] {
				ids := page(t, p) // nearest first
				back = append(back, ids...)
				if len(ids) < limit {
					break
				}
			}
			slices.Reverse(back)
			if !slices.Equal(back, want[:len(want)-1]) {
				t.Fatalf("back: %v", back)
			}
		})
	})
}

func TestMessageFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		start := time.Now().UTC().Truncate(time.Second)
		storetest.Update(t, s, func(tx *store.Tx) error {
			for i := range 6 {
				at := start.Add(time.Duration(i) * time.Minute)
				err := tx.Publish(&aftercall.Message{
					AccountID: a.ID, ID: aftercall.NewID(aftercall.MessagePrefix, at), EventType: []string{"a", "b", "c"}[i%3],
					Channels: [][]string{nil, {"x"}, {"x", "y"}}[i%3], Payload: []byte(`{}`), CreatedAt: at,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		for _, test := range []struct {
			filter store.MessageFilter
			want   int
		}{
			{store.MessageFilter{}, 6},
			{store.MessageFilter{EventTypes: []string{"a"}}, 2},
			{store.MessageFilter{EventTypes: []string{"a", "c", "nothing"}}, 4},
			{store.MessageFilter{Channel: "x"}, 4},
			{store.MessageFilter{Channel: "y"}, 2},
			{store.MessageFilter{Channel: "%"}, 0},
			{store.MessageFilter{Since: start.Add(2 * time.Minute)}, 4},
			{store.MessageFilter{Before: start.Add(2 * time.Minute)}, 2},
			{store.MessageFilter{Since: start.Add(time.Minute), Before: start.Add(4 * time.Minute), EventTypes: []string{"b"}}, 1},
		} {
			storetest.View(t, s, func(tx *store.Tx) error {
				list, err := tx.Messages(a.ID, test.filter, store.Page{Limit: 100})
				if len(list) != test.want {
					t.Errorf("%+v: %d messages, want %d", test.filter, len(list), test.want)
				}
				return err
			})
		}
	})
}

// Every field of what is stored comes back as it was.
func TestRoundTrips(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Account(t, s)
		at := time.Date(2026, 3, 1, 12, 30, 15, 123456000, time.UTC)
		text := "O'Hara \"x\" \\ \n\t% _ ü 🎉 \u2028"
		schedule := aftercall.Schedule{time.Second, time.Hour}
		endpoint := aftercall.Endpoint{
			AccountID: a.ID, ID: "ep_1", UID: "crm", URL: "https://u:p@crm.example/?q=" + "'", Description: text, EventTypes: []string{"call_ended"}, Channels: []string{"x"},
			ThrottleRate: 7, Metadata: map[string]string{"k": text}, Headers: map[string]string{"X-A": "1"}, Schedule: &schedule, Signature: aftercall.SignHMAC, Version: 1, Disabled: true,
			Reason: aftercall.DisabledFailing, Health: aftercall.Health{FirstFailureAt: at, FailingSince: at.Add(time.Hour)}, CreatedAt: at, UpdatedAt: at.Add(time.Second),
		}
		contact := aftercall.Contact{
			AccountID: a.ID, ID: aftercall.NewUUID(), ExternalID: text, ExternalURL: "https://x.example", FirstName: text, LastName: text,
			PhoneNumber: "+14155552671", Email: "a@example.com", Salutation: "Dr", Gender: "x", Timezone: "Asia/Kolkata", Details: []byte(`{"a":[1]}`),
			Status: aftercall.ContactReached, StatusUpdatedAt: at, CallAttempts: 3, InCallSince: at, ReachedAt: at, NextCallAt: at, CreatedAt: at, UpdatedAt: at,
		}
		call := aftercall.Call{
			AccountID: a.ID, ID: aftercall.NewUUID(), ExternalID: text, ContactID: contact.ID, AgentID: "agent", RunID: "run", Attempt: 2, Direction: aftercall.Inbound,
			Status: aftercall.CallVoicemail, EndReason: aftercall.EndVoicemail, FromNumber: "+1", ToNumber: "+2", TriggeredAt: at, StartedAt: at, EndedAt: at,
			Transcript: text, Turns: []aftercall.Turn{{Content: text, Role: aftercall.RoleUser}}, RecordingURL: "https://r.example", BookedSlotFor: at, FollowUpAt: at,
			Analysis: []byte(`{"s":{"v":1}}`), Outcome: []byte(`{}`), CreatedAt: at,
		}
		message := &aftercall.Message{
			AccountID: a.ID, ID: "msg_1", EventType: "call_ended", EventID: text, Channels: []string{"x", "y"}, ContactID: contact.ID, CreatedAt: at,
			Payload: []byte(`{ "n": 1.50,  "t": "` + "\u2028" + `" }`),
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			if err := tx.InsertEndpoint(endpoint, aftercall.NewSecret(aftercall.HMAC, at)); err != nil {
				return err
			}
			if _, err := tx.InsertContacts([]aftercall.Contact{contact}); err != nil {
				return err
			}
			if err := tx.InsertCall(call); err != nil {
				return err
			}
			return tx.Publish(message)
		})
		same := func(name string, want any) func(any, error) {
			return func(got any, err error) {
				t.Helper()
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s is %+v, %v\nwant %+v", name, got, err, want)
				}
			}
		}
		storetest.View(t, s, func(tx *store.Tx) error {
			for _, id := range []string{"ep_1", "crm"} {
				got, err := tx.Endpoint(a.ID, id)
				same("endpoint", endpoint)(got, err)
			}
			c, err := tx.Contact(a.ID, store.ByExternalID, text)
			same("contact", contact)(c, err)
			k, err := tx.Call(a.ID, call.ID)
			same("call", call)(k, err)
			m, err := tx.Message(a.ID, "msg_1")
			same("message", *message)(m, err)
			return nil
		})
	})
}

// Nothing of an account can be found by another.
func TestAccountsAreApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, other := storetest.Account(t, s), storetest.Account(t, s)
		ref := addEndpoint(t, s, a.ID)
		m := publish(t, s, a.ID, 1)[0]
		claimed := claim(t, s, ref, 1, time.Hour)[0]
		o := outcome(claimed.Delivery, aftercall.Accepted)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.Record([]store.Outcome{o}) })
		theirs := store.EndpointRef{AccountID: other.ID, EndpointID: ref.EndpointID}
		storetest.View(t, s, func(tx *store.Tx) error {
			for name, find := range map[string]func() error{
				"endpoint": func() error { _, err := tx.Endpoint(other.ID, ref.EndpointID); return err },
				"message":  func() error { _, err := tx.Message(other.ID, m.ID); return err },
				"delivery": func() error { _, err := tx.Delivery(theirs, m.ID); return err },
				"attempt":  func() error { _, err := tx.Attempt(other.ID, m.ID, o.Attempt.ID); return err },
				"call":     func() error { _, err := tx.Call(other.ID, aftercall.NewUUID()); return err },
				"contact":  func() error { _, err := tx.Contact(other.ID, store.ByID, aftercall.NewUUID()); return err },
				"task":     func() error { _, err := tx.Task(other.ID, "task_1"); return err },
			} {
				if err := find(); aftercall.KindOf(err) != aftercall.NotFound {
					t.Errorf("%s: %v", name, err)
				}
			}
			list, err := tx.Attempts(other.ID, store.AttemptFilter{MessageID: m.ID}, store.Page{Limit: 10})
			secrets, secretsErr := tx.Secrets(theirs)
			if len(list)+len(secrets) != 0 {
				t.Errorf("another account lists %v %v", list, secrets)
			}
			return errors.Join(err, secretsErr)
		})
	})
}
