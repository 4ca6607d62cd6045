package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// IdempotencyKey is the header that tells a request that is sent again from a new
// one, as in Svix. Its SDKs set it on every POST.
const IdempotencyKey = "Idempotency-Key"

const (
	// onceWait is how long a request waits for the one before it with the same key.
	onceWait = 15 * time.Second
	oncePoll = 50 * time.Millisecond
	// keepWait is how long an answer may take to be stored that was given already.
	keepWait = 5 * time.Second
)

// once reads the idempotency key of a request; nil when it has none, or is not one
// that a key is for.
func (api *API) once(caller auth.Caller, r *http.Request, body []byte) *store.Once {
	key := r.Header.Get(IdempotencyKey)
	if key == "" || r.Method != http.MethodPost || api.Store == nil {
		return nil
	}
	h := sha256.New()
	for _, part := range []string{caller.Scope(), r.URL.EscapedPath(), r.URL.RawQuery, key} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return &store.Once{AccountID: caller.AccountID, Key: [sha256.Size]byte(h.Sum(nil)), Request: sha256.Sum256(body)}
}

// doOnce does a request unless it was done before; then it answers the same again.
// While another one like it is being done, it waits.
func (api *API) doOnce(r *http.Request, once *store.Once, do func(context.Context) (answer, error)) (answer, error) {
	ctx := store.WithOnce(r.Context(), once)
	for give := time.Now().Add(onceWait); ; {
		a, err := do(ctx)
		if before, ok := errors.AsType[*store.Answer](err); ok {
			return answer{before.Status, before.Body}, nil
		}
		if err != nil && errorOf(err).Code == store.Unfinished && time.Now().Before(give) {
			select {
			case <-time.After(oncePoll):
				continue
			case <-ctx.Done():
				return a, err
			}
		}
		if once.Claimed && !once.Kept {
			return api.keep(ctx, once, a, err)
		}
		return a, err
	}
}

// keep stores the answer to what is done, be it an error, since to do it again would
// do it twice. If it cannot be stored, the answer is given all the same; who sends
// the request again then learns that it was done.
func (api *API) keep(ctx context.Context, once *store.Once, a answer, err error) (answer, error) {
	if err != nil {
		w := &recording{header: http.Header{}}
		api.WriteError(w, errorOf(err))
		a = w.answer
	}
	ctx, cancel := context.WithTimeout(store.WithOnce(context.WithoutCancel(ctx), nil), keepWait)
	defer cancel()
	if failed := api.Store.Update(ctx, func(tx *store.Tx) error { return tx.KeepAnswer(once, a.status, a.body) }); failed != nil {
		slog.WarnContext(ctx, "the answer to an idempotent request was not stored", "cause", failed)
	}
	return a, err
}

// recording takes an answer instead of sending it.
type recording struct {
	header http.Header
	answer answer
}

func (w *recording) Header() http.Header    { return w.header }
func (w *recording) WriteHeader(status int) { w.answer.status = status }
func (w *recording) Write(b []byte) (int, error) {
	w.answer.body = append(w.answer.body, b...)
	return len(b), nil
}
