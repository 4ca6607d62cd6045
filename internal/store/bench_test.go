package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// BenchmarkClaim claims and releases a hundred deliveries of one endpoint while others
// wait at a dead one: what it costs must not depend on how many.
func BenchmarkClaim(b *testing.B) {
	for name, database := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		for _, pending := range []int{0, 1_000_000} {
			b.Run(fmt.Sprintf("%s/pending=%d", name, pending), func(b *testing.B) {
				s := storetest.Open(b, database(b))
				dead, live := storetest.Account(b, s), storetest.Account(b, s)
				fill(b, s, dead.ID, pending)
				ref := fill(b, s, live.ID, 100)
				for b.Loop() {
					storetest.Update(b, s, func(tx *store.Tx) error {
						claimed, err := tx.Claim(ref, 100, tx.Now().Add(time.Hour))
						if err != nil || len(claimed) != 100 {
							return fmt.Errorf("claimed %d: %w", len(claimed), err)
						}
						ids := make([]string, len(claimed))
						for i, c := range claimed {
							ids[i] = c.Message.ID
						}
						return tx.Release(ref, ids)
					})
				}
			})
		}
	}
}

// fill adds an endpoint with so many pending deliveries.
func fill(b *testing.B, s *store.Store, accountID string, count int) (ref store.EndpointRef) {
	b.Helper()
	storetest.Update(b, s, func(tx *store.Tx) error {
		e := aftercall.Endpoint{AccountID: accountID, ID: aftercall.NewID(aftercall.EndpointPrefix, tx.Now()), Signature: aftercall.SignHMAC, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		ref = store.EndpointRef{AccountID: accountID, EndpointID: e.ID}
		return tx.InsertEndpoint(e, aftercall.NewSecret(aftercall.HMAC, tx.Now()))
	})
	for left := count; left > 0; left -= 1000 {
		storetest.Update(b, s, func(tx *store.Tx) error {
			messages := make([]*aftercall.Message, min(left, 1000))
			for i := range messages {
				messages[i] = &aftercall.Message{AccountID: accountID, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: "x", Payload: []byte("{}"), CreatedAt: tx.Now()}
			}
			return tx.Publish(messages...)
		})
	}
	return ref
}
