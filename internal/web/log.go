package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// RequestID is the header that names a request in answers and logs.
const RequestID = "X-Request-Id"

// maxRequestID bounds an id that the caller chose.
const maxRequestID = 64

// line is what a request's log line tells beyond the request itself.
type line struct {
	route  string
	caller auth.Caller
	err    *aftercall.Error
}

type lineKey struct{}

func note(ctx context.Context, caller auth.Caller) {
	if l, ok := ctx.Value(lineKey{}).(*line); ok {
		l.caller = caller
	}
}

func noteRoute(ctx context.Context, pattern string) {
	if l, ok := ctx.Value(lineKey{}).(*line); ok {
		l.route = pattern
	}
}

func noteError(ctx context.Context, err *aftercall.Error) {
	if l, ok := ctx.Value(lineKey{}).(*line); ok {
		l.err = err
	}
}

// Observer is told of every request that was answered.
type Observer func(status int, took time.Duration)

// Log gives every request an id and one log line, and turns panics into a 500. No
// bodies, queries, names or numbers are logged: paths hold ids only.
func Log(log *slog.Logger, observe Observer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := r.Header.Get(RequestID)
		if id == "" || len(id) > maxRequestID {
			id = aftercall.NewID("req_", start)
		}
		w.Header().Set(RequestID, id)
		l := &line{}
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				log.Error("panic", "request", id, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					WriteJSON(rec, http.StatusInternalServerError, map[string]string{"code": "server_error", "detail": "internal error", "message": "internal error"})
				}
			}
			took := time.Since(start)
			observe(rec.status, took)
			l.write(log, id, r, rec.status, took)
		}()
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), lineKey{}, l)))
	})
}

func (l *line) write(log *slog.Logger, id string, r *http.Request, status int, took time.Duration) {
	level := slog.LevelDebug
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request", id), slog.String("method", r.Method), slog.String("route", l.route),
		slog.Int("status", status), slog.Duration("took", took),
	}
	if l.caller.AccountID != "" {
		attrs = append(attrs, slog.String("account", l.caller.AccountID))
	}
	if l.err != nil && l.err.Err != nil {
		attrs = append(attrs, slog.String("cause", l.err.Err.Error()))
	}
	log.LogAttrs(r.Context(), level, "request", attrs...)
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
