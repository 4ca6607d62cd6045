package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

const (
	// recoverCountEnv says how many messages are recovered; more is done by hand.
	recoverCountEnv = "AFTERCALL_RECOVER_COUNT"
	recoverCount    = 4000
)

// TestRecoverAfterCrash kills the real program in the middle of a recovery and starts
// it again. The recovery goes on by itself: every message arrives, and twice only what
// was in flight.
func TestRecoverAfterCrash(t *testing.T) {
	count := recoverCount
	if text := os.Getenv(recoverCountEnv); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { recoverAfterCrash(t, storetest.SQLite(t), count) })
	t.Run("postgres", func(t *testing.T) { recoverAfterCrash(t, storetest.Postgres(t), count) })
}

func recoverAfterCrash(t *testing.T, database string, count int) {
	var up atomic.Bool
	received := newTally()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		received.ServeHTTP(w, r)
	}))
	defer receiver.Close()
	v := &victim{t: t, database: database}
	v.start()
	app := v.call(http.MethodPost, "/api/v1/app", `{"name": "recover"}`, 201)["id"].(string)
	endpoint := "/api/v1/app/" + app + "/endpoint/" + v.call(http.MethodPost, "/api/v1/app/"+app+"/endpoint",
		fmt.Sprintf(`{"url": %q, "retrySchedule": []}`, receiver.URL), 201)["id"].(string)

	accepted := newTally()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var publishers sync.WaitGroup
	for range crashPublishers {
		publishers.Go(func() { v.publish(ctx, app, accepted) })
	}
	v.until("enough is accepted", func() bool { return accepted.total() >= count })
	stop()
	publishers.Wait()
	v.until("everything has failed", func() bool {
		stats := v.call(http.MethodGet, endpoint+"/stats", "", 200)
		return stats["pending"] == 0.0 && stats["sending"] == 0.0
	})

	up.Store(true)
	since := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	task := v.call(http.MethodPost, endpoint+"/recover", fmt.Sprintf(`{"since": %q}`, since), 202)["id"].(string)
	v.until("a quarter is recovered", func() bool { return received.total() >= count/4 })
	v.kill()
	if left := accepted.total() - received.total(); left < count/10 {
		t.Fatalf("only %d were left when the program was killed: that proves nothing", left)
	}
	v.start()
	wanted := accepted.all()
	v.until("everything is recovered", func() bool { return len(received.missing(wanted)) == 0 })
	v.until("the task is over", func() bool {
		return v.call(http.MethodGet, "/api/v1/background-task/"+task, "", 200)["status"] == "finished"
	})
	v.stop()
	if repeated := received.repeated(); repeated > crashConcurrency {
		t.Errorf("%d were delivered twice, more than the %d in flight", repeated, crashConcurrency)
	}
	t.Logf("%d recovered over a crash, %d of them delivered twice", len(wanted), received.repeated())
}

// until waits for something that has to happen.
func (v *victim) until(what string, done func() bool) {
	v.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			v.t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}
