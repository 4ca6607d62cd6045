package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

const (
	// crashRoundsEnv says how often the program is killed; more is done by hand.
	crashRoundsEnv = "AFTERCALL_CRASH_ROUNDS"
	crashRounds    = 20
	// crashConcurrency is how many attempts may be in flight, and so how many a
	// crash may repeat.
	crashConcurrency = 32
	crashPublishers  = 16
)

// TestCrash kills the real program at random moments while messages are published,
// and starts it again. What was accepted must arrive; what arrives twice was in
// flight when the program died.
func TestCrash(t *testing.T) {
	rounds := crashRounds
	if text := os.Getenv(crashRoundsEnv); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { crash(t, storetest.SQLite(t), rounds) })
	t.Run("postgres", func(t *testing.T) { crash(t, storetest.Postgres(t), rounds) })
}

func crash(t *testing.T, database string, rounds int) {
	received := newTally()
	receiver := httptest.NewServer(received)
	defer receiver.Close()
	v := &victim{t: t, database: database}
	v.start()
	app := v.call(http.MethodPost, "/api/v1/app", `{"name": "crash"}`, 201)["id"].(string)
	v.call(http.MethodPost, "/api/v1/app/"+app+"/endpoint", fmt.Sprintf(`{"url": %q}`, receiver.URL), 201)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	accepted := newTally()
	var publishers sync.WaitGroup
	for range crashPublishers {
		publishers.Go(func() { v.publish(ctx, app, accepted) })
	}
	for round := range rounds {
		before := accepted.total()
		<-time.After(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		v.kill()
		t.Logf("round %d: %d accepted, %d received so far", round, accepted.total(), received.total())
		v.start()
		if round > 0 && accepted.total() == before {
			t.Logf("round %d: killed before anything was accepted", round)
		}
	}
	stop()
	publishers.Wait()
	wanted := accepted.all()
	if len(wanted) < rounds {
		t.Fatalf("only %d messages accepted in %d rounds: too few to prove anything", len(wanted), rounds)
	}
	deadline := time.Now().Add(time.Minute)
	for missing := received.missing(wanted); len(missing) > 0; missing = received.missing(wanted) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d accepted messages were lost, such as %v", len(missing), len(wanted), missing[0])
		}
		<-time.After(50 * time.Millisecond)
	}
	v.stop()
	if repeated := received.repeated(); repeated > rounds*crashConcurrency {
		t.Errorf("%d deliveries were repeated, more than the %d that were in flight", repeated, rounds*crashConcurrency)
	}
	t.Logf("%d accepted, all received, %d repeated by %d crashes", len(wanted), received.repeated(), rounds)
}

// victim is the program that is killed.
type victim struct {
	t        *testing.T
	database string
	address  string       // to listen on; empty for any, another each time
	flags    []string     // beside those that all have
	base     atomic.Value // its address, which changes with each start
	cmd      *exec.Cmd
	stderr   bytes.Buffer
}

// start runs the program and waits until it is ready.
func (v *victim) start() {
	address := v.address
	if address == "" {
		address = freeAddress(v.t)
	}
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	v.cmd = exec.Command(self, append([]string{"serve", "--listen", address, "--db", v.database, "--operator-key", "operator",
		"--allow-networks", "127.0.0.0/8", "--delivery-timeout", "1s", "--concurrency", strconv.Itoa(crashConcurrency)}, v.flags...)...)
	v.cmd.Args[0] = "aftercall" // what testscript's Main goes by
	v.cmd.Stderr = &v.stderr
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.base.Store("http://" + address)
	deadline := time.Now().Add(30 * time.Second)
	for {
		response, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("the program does not start: %s", v.stderr.String())
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (v *victim) kill() {
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

// stop ends the program as an operator would.
func (v *victim) stop() {
	_ = v.cmd.Process.Signal(syscall.SIGTERM)
	if err := v.cmd.Wait(); err != nil {
		v.t.Errorf("after SIGTERM: %v\n%s", err, v.stderr.String())
	}
}

// call sends a request that must be answered by a status.
func (v *victim) call(method, path, body string, status int) map[string]any {
	v.t.Helper()
	answer, got, err := v.send(v.t.Context(), method, path, body)
	if err != nil || got != status {
		v.t.Fatalf("%s %s: %d %v %v", method, path, got, answer, err)
	}
	return answer
}

func (v *victim) send(ctx context.Context, method, path, body string) (map[string]any, int, error) {
	request, err := http.NewRequestWithContext(ctx, method, v.base.Load().(string)+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer operator")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	var answer map[string]any
	err = json.NewDecoder(response.Body).Decode(&answer)
	return answer, response.StatusCode, err
}

// publish sends messages one after another and notes those that were accepted. A
// request that was not answered may or may not have been: it is not counted.
func (v *victim) publish(ctx context.Context, app string, accepted *tally) {
	for ctx.Err() == nil {
		answer, status, err := v.send(ctx, http.MethodPost, "/api/v1/app/"+app+"/msg", `{"eventType": "call_ended", "payload": {"event": "call_ended"}}`)
		if err == nil && status == http.StatusAccepted {
			accepted.add(answer["id"].(string))
			continue
		}
		select { // it is down
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// tally counts messages by id; as a receiver, those that arrive.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func newTally() *tally { return &tally{count: map[string]int{}} }

func (c *tally) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		c.add(r.Header.Get("webhook-id"))
	}
}

func (c *tally) add(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[id]++
}

func (c *tally) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.count)
}

func (c *tally) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]string, 0, len(c.count))
	for id := range c.count {
		ids = append(ids, id)
	}
	return ids
}

func (c *tally) missing(wanted []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []string
	for _, id := range wanted {
		if c.count[id] == 0 {
			missing = append(missing, id)
		}
	}
	return missing
}

func (c *tally) repeated() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, count := range c.count {
		n += count - 1
	}
	return n
}
