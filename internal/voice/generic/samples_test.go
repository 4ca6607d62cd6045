package generic_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/signature"
)

const samples = "../../../docs/samples"

func python(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs python3: install it (make test does)")
		}
		t.Skip("needs python3")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+samples, "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// Samples are short, and compile.
func TestPythonSamples(t *testing.T) {
	list, err := filepath.Glob(samples + "/*.py")
	if err != nil || len(list) < 3 {
		t.Fatal(list, err)
	}
	for _, name := range list {
		if output, err := python(t, "-c", "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
	all, err := filepath.Glob(samples + "/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(all, list...) {
		if text, err := os.ReadFile(name); err != nil || strings.Count(string(text), "\n") > 60 {
			t.Errorf("%s has more than 60 lines, %v", name, err)
		}
	}
}

// engineInPython talks and hangs up at once; it says so when its server is there.
const engineInPython = `
import aftercall, sys, threading
def place(call):
    aftercall.report(call, "ended", reason="contact_hangup", final=True, turns=[{"role": "contact", "text": "Grüß Gott"}])
class Server(aftercall.http.server.HTTPServer):
    def server_activate(self):
        super().server_activate()
        print(self.server_port, flush=True)
aftercall.http.server.HTTPServer = Server
aftercall.serve(place, lambda name: None, 0)
`

// The engine that the samples in Python are made from does all of the contract: both
// signatures, that the same call is taken once, and what became of it.
func TestEngineInPython(t *testing.T) {
	told := make(chan dialer.Event, 1)
	f := newFixture(t, "")
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		events, err := f.engine.Events(f.agent, r.Header, body)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			return
		}
		told <- events[0]
		w.WriteHeader(http.StatusNoContent)
	}))
	defer callback.Close()
	cmd := python(t, "-c", engineInPython)
	cmd.Env = append(cmd.Env, "AFTERCALL_SECRET="+f.agent.Engine.Secret.Reveal(), "AFTERCALL_CALLS="+t.TempDir())
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	f.agent.Engine.URL = "http://" + net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))

	if _, err := f.engine.Fetch(t.Context(), f.agent, f.call); !errors.Is(err, dialer.ErrUnknownCall) {
		t.Errorf("before: %v", err)
	}
	start := func(notAfter time.Time) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		return f.engine.Start(ctx, f.agent, dialer.StartRequest{Call: f.call, Zone: time.UTC, NotAfter: notAfter.UTC(), CallbackURL: callback.URL})
	}
	if _, err := start(time.Now().Add(-time.Second)); err == nil {
		t.Error("a call was placed too late")
	}
	for range 2 {
		if ref, err := start(time.Now().Add(time.Minute)); ref != callID || err != nil {
			t.Fatal(ref, err)
		}
	}
	select {
	case event := <-told:
		if p := event.Progress; event.CallID != callID || !p.Final || p.Reason != aftercall.EndContactHangup || len(p.Turns) != 1 || p.Turns[0].Content != "Grüß Gott" {
			t.Errorf("told %+v", event)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was told")
	}
	if p, err := f.engine.Fetch(t.Context(), f.agent, f.call); err != nil || p.EndedAt.IsZero() || len(p.Turns) != 1 {
		t.Errorf("afterwards: %+v, %v", p, err)
	}
	if err := f.engine.Cancel(t.Context(), f.agent, f.call); err != nil {
		t.Error(err)
	}
	f.agent.Engine.Secret = aftercall.NewSecret(aftercall.HMAC, time.Now())
	if _, err := start(time.Now().Add(time.Minute)); err == nil {
		t.Error("a wrong signature was taken")
	}
	if len(told) > 0 {
		t.Error("the same call was placed twice")
	}
}

// The documentation's example verifies.
func TestDocumentedSignature(t *testing.T) {
	page, err := os.ReadFile(samples + "/../voice-engine.md")
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string) string {
		t.Helper()
		_, rest, found := strings.Cut(string(page), "\n"+name)
		if !found {
			t.Fatalf("the page has no %q", name)
		}
		text, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSpace(text)
	}
	header := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		header.Set(name, value(name+":"))
	}
	body := value("body  ")
	if got, want := value("signed  "), header.Get("webhook-id")+"."+header.Get("webhook-timestamp")+"."+body; got != want {
		t.Errorf("signed is %s, want %s", got, want)
	}
	secret, err := aftercall.ParseSecret(value("secret  "))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 10, 0, 2, 0, time.UTC)
	if got := signature.Sign(secret.Key, header.Get("webhook-id"), at, []byte(body)); got != header.Get("webhook-signature") {
		t.Errorf("signed %s", got)
	}
}
