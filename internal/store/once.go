package store

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"github.com/aftercall/aftercall"
)

// Once is a request that its sender may send again, with the same idempotency key,
// and that must not be done again then. The first Update under its context, see
// [WithOnce], claims it: the claim and what is done are committed together, so that
// there is never one without the other.
//
// It lives as long as its request and is not for use by several goroutines.
type Once struct {
	AccountID string            // the caller's; empty for the operator
	Key       [sha256.Size]byte // of the key and what it is a key to
	Request   [sha256.Size]byte // of the request's body: the same key must not stand for another
	Claimed   bool              // what is done is committed
	Kept      bool              // its answer needs no keeping: it can be made again from the message
}

// Answer is what a request led to that was done before.
type Answer struct {
	Status int
	Body   []byte
}

// Error implements error: the answer of before takes the place of doing the request
// again.
func (a *Answer) Error() string { return "this request was answered before" }

// Unfinished is the code of the error for a request that another one like it is
// doing at this moment. It may be tried again.
const Unfinished = "idempotency_in_progress"

// onceMemory is how long, in days, keys are remembered at least.
const onceMemory = 1

// giveUpOnce is how long a request may take. One that was claimed longer ago and has
// no answer was done by a process that died before it could store the answer.
const giveUpOnce = time.Minute

type onceKey struct{}

// WithOnce has the first Update of a request claim it. A nil once lifts that.
func WithOnce(ctx context.Context, once *Once) context.Context {
	return context.WithValue(ctx, onceKey{}, once)
}

// OnceOf returns the request that a context belongs to, for those who claim it
// themselves; nil when it has no idempotency key.
func OnceOf(ctx context.Context) *Once {
	once, _ := ctx.Value(onceKey{}).(*Once)
	return once
}

// claiming has fn's transaction claim the context's request first.
func claiming(ctx context.Context, fn func(*Tx) error) (func(*Tx) error, *Once) {
	once := OnceOf(ctx)
	if once == nil || once.Claimed {
		return fn, nil
	}
	return func(tx *Tx) error {
		done, err := tx.ClaimOnce([]OnceClaim{{Once: once}})
		if err != nil {
			return err
		}
		if done[0] != nil {
			return done[0].answer(tx.now)
		}
		return fn(tx)
	}, once
}

// OnceClaim is a request to be claimed, with the message that it makes, if any.
type OnceClaim struct {
	Once      *Once
	MessageID string
}

// Done is what is known of a request that was claimed before.
type Done struct {
	MessageID string // what it made, or empty
	Other     bool   // it was another request with the same key
	at        time.Time
	status    int // 0 as long as there is no answer
	body      []byte
}

// answer tells the sender of a request that was claimed before.
func (d *Done) answer(now time.Time) error {
	switch {
	case d.Other:
		return ReusedKey()
	case d.status != 0:
		return &aftercall.Error{Kind: aftercall.Conflict, Message: "this was answered before", Err: &Answer{d.status, d.body}}
	case now.Sub(d.at) > giveUpOnce:
		return aftercall.Errorf(aftercall.Conflict, "this was done, but its answer was lost in a crash of the server").WithCode("idempotency_answer_lost")
	}
	return aftercall.Errorf(aftercall.Conflict, "the same request is being processed").WithCode(Unfinished)
}

// ReusedKey refuses a key that stood for another request.
func ReusedKey() error {
	return aftercall.Errorf(aftercall.Conflict, "this idempotency key was used for another request").WithCode("idempotency_key_reused")
}

// day is the part of the table that a claim goes to: old parts are removed whole.
func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// ClaimOnce claims requests with distinct keys. For each that was claimed before it
// returns what is known of it, else nil. A claim that another transaction is about to
// commit is waited for.
func (tx *Tx) ClaimOnce(claims []OnceClaim) ([]*Done, error) {
	today := day(tx.now)
	done, err := tx.claimedOn(today-onceMemory, claims)
	if err != nil {
		return nil, err
	}
	fresh := make(map[string]bool, len(claims))
	err = inChunks(without(claims, done), func(rows []OnceClaim) error {
		args := make([]any, 0, 6*len(rows))
		for _, c := range rows {
			args = append(args, c.Once.AccountID, today, c.Once.Key[:], c.Once.Request[:], text(c.MessageID), micros(tx.now))
		}
		keys, err := all(tx, value[[]byte], `INSERT INTO idempotency (account_id, day, key, request, message_id, created_at)
			VALUES `+tuples(len(rows), 1, bare(6)...)+` ON CONFLICT (account_id, day, key) DO NOTHING RETURNING key`, args...)
		for _, key := range keys {
			fresh[string(key)] = true
		}
		return err
	})
	if err != nil || len(fresh)+len(done) == len(claims) {
		return inOrder(claims, done), err
	}
	earlier, err := tx.claimedOn(today, slices.DeleteFunc(slices.Clone(claims), func(c OnceClaim) bool { return fresh[string(c.Once.Key[:])] }))
	maps.Copy(done, earlier)
	return inOrder(claims, done), err
}

// claimedOn finds the requests that were claimed on a day.
func (tx *Tx) claimedOn(day int64, claims []OnceClaim) (map[*Once]*Done, error) {
	byAccount := map[string]map[string]*Once{}
	for _, c := range claims {
		if byAccount[c.Once.AccountID] == nil {
			byAccount[c.Once.AccountID] = map[string]*Once{}
		}
		byAccount[c.Once.AccountID][string(c.Once.Key[:])] = c.Once
	}
	found := map[*Once]*Done{}
	for accountID, onces := range byAccount {
		err := inChunks(slices.Collect(maps.Keys(onces)), func(keys []string) error {
			args := []any{accountID, day}
			for _, key := range keys {
				args = append(args, []byte(key))
			}
			_, err := all(tx, func(s scan) (none struct{}, err error) {
				var key, request []byte
				var masterKey string
				d := &Done{}
				if err = s(&key, &request, textAt(&d.MessageID), timeAt(&d.at), &d.status, &d.body, &masterKey); err == nil {
					once := onces[string(key)]
					d.Other = string(request) != string(once.Request[:])
					d.body, err = tx.store.keys.open(masterKey, d.body, once.names()...)
					found[once] = d
				}
				return none, err
			}, `SELECT key, request, message_id, created_at, COALESCE(status, 0), body, COALESCE(master_key, '') FROM idempotency
				WHERE account_id = $1 AND day = $2 AND key IN (`+placeholders(len(keys), 3)+`)`, args...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// without leaves out the claims that were made before.
func without(claims []OnceClaim, done map[*Once]*Done) []OnceClaim {
	if len(done) == 0 {
		return claims
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c OnceClaim) bool { return done[c.Once] != nil })
}

func inOrder(claims []OnceClaim, done map[*Once]*Done) []*Done {
	list := make([]*Done, len(claims))
	for i, c := range claims {
		list[i] = done[c.Once]
	}
	return list
}

// GiveUpOnce takes back the claim of a request that could not be done after all.
func (tx *Tx) GiveUpOnce(once *Once) error {
	_, err := tx.exec(`DELETE FROM idempotency WHERE account_id = $1 AND day = $2 AND key = $3`, once.AccountID, day(tx.now), once.Key[:])
	return err
}

// KeepAnswer stores the answer to a request that was claimed, for those who send it
// again. It may hold a token, so it is sealed.
func (tx *Tx) KeepAnswer(once *Once, status int, body []byte) error {
	id, sealed, err := tx.store.keys.seal(body, once.names()...)
	if err != nil {
		return err
	}
	today := day(tx.now) // it was claimed on this day or, around midnight, the one before
	_, err = tx.exec(`UPDATE idempotency SET status = $5, body = $6, master_key = $7 WHERE account_id = $1 AND day IN ($2, $3) AND key = $4`,
		once.AccountID, today, today-onceMemory, once.Key[:], status, sealed, text(id))
	return err
}

// names are what its answer is sealed under.
func (o *Once) names() []string { return []string{"answer", o.AccountID, string(o.Key[:])} }

// ForgetOnce removes up to limit requests of an account, or with none of the
// operator, that are older than is promised, and reports how many it found.
func (tx *Tx) ForgetOnce(accountID string, limit int) (int, error) {
	return tx.exec(`DELETE FROM idempotency WHERE (account_id, day, key) IN (
			SELECT account_id, day, key FROM idempotency WHERE account_id = $1 AND day < $2 LIMIT $3)`,
		accountID, day(tx.now)-onceMemory, limit)
}
