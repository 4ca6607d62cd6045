package portal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// installation is a running server with one account.
type installation struct {
	*app.App
	url      string
	account  string
	key      string
	login    string // a link, to be used once
	operator string // likewise
}

// patience is how long anything in a test may take on a busy machine.
const patience = 30 * time.Second

// serve runs a server on a database until the test ends.
func serve(t testing.TB, database string) *installation {
	t.Helper()
	return serveFor(t, database, "")
}

// serveFor runs a server whose operator has chosen a key. If it is empty, one is made.
func serveFor(t testing.TB, database, operatorKey string) *installation {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{
		Listen: "127.0.0.1:0", Database: database, Schedule: aftercall.Schedule{time.Second}, DeliveryTimeout: 5 * time.Second,
		DisableAfter: 120 * time.Hour, Concurrency: 16, EndpointConcurrency: 4, ShutdownTimeout: 5 * time.Second,
		OperatorKey: operatorKey, AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	i := &installation{App: a, url: "http://" + a.Addr(), operator: a.LoginLink}
	account := aftercall.Account{Name: "Sunny Solar", Timezone: "Europe/Berlin"}
	access, err := app.CreateAccount(t.Context(), database, i.url, &account)
	if err != nil {
		t.Fatal(err)
	}
	i.account, i.key, i.login = account.ID, access.Key, access.LoginURL
	return i
}

// browser is a tab of a real Chromium, and what it complained of.
type browser struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
	own      []string // addresses that may be asked
}

// chromiumNames are what Chromium is called; Debian's comes first.
func chromiumNames() []string { return []string{"chromium", "chromium-browser", "google-chrome"} }

// open starts a browser that may ask these addresses and no others. Without Chromium the
// test is skipped, but under CI=true it fails.
func open(t testing.TB, own ...string) *browser {
	t.Helper()
	path := ""
	for _, name := range chromiumNames() {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		message := "needs Chromium: install it (make test does)"
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.Headless, chromedp.NoSandbox, chromedp.ExecPath(path))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, own: own}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil { // it lives as long as this context
		t.Fatal(err)
	}
	b.watch(ctx)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, problem := range b.problems {
			t.Error(problem)
		}
	})
	return b
}

// watch takes down what the browser complains of: errors, violations of the
// Content-Security-Policy, and requests to elsewhere.
func (b *browser) watch(ctx context.Context) {
	b.t.Helper()
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type != "debug" && m.Type != "info" && m.Type != "log" {
				b.note(fmt.Sprintf("console: %s: %s", m.Type, m.Text))
			}
		}
	}()
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	requests := chromedp.Events(ctx, network.RequestWillBeSent)
	go func() {
		for r, err := range requests {
			if err != nil {
				return
			}
			if !b.mine(r.Request.URL) {
				b.note("a request to elsewhere: " + r.Request.URL)
			}
		}
	}()
}

func (b *browser) mine(url string) bool {
	for _, own := range append(b.own, "about:", "data:", "blob:") {
		if strings.HasPrefix(url, own) {
			return true
		}
	}
	return false
}

func (b *browser) note(problem string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, problem)
}

// do does steps one after another.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for i, step := range steps {
		if err := chromedp.Do(ctx, step); err != nil {
			b.t.Fatalf("step %d: %v\n%s", i+1, err, b.text())
		}
	}
}

// run does an action that returns something.
func run[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// text is what the page says, for messages.
func (b *browser) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// says waits until the page shows a text.
func says(text string) chromedp.Action[chromedp.Void] {
	return until(`document.getElementById("main")?.innerText.includes(` + quoted(text) + `)`)
}

// until waits until an expression is true. Pages come and go meanwhile, and with them
// what it is evaluated in.
func until(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for {
			ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`Boolean(`+expression+`)`))
			if err == nil && ok {
				return nil
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("wait for %s: %w", expression, errors.Join(ctx.Err(), err))
			}
		}
	})
}

// press clicks what is a link or a button and has exactly this text.
func press(text string) chromedp.Action[chromedp.Void] {
	find := `[...document.querySelectorAll("a, button, .button, summary, label")].find((e) => e.innerText.trim() === ` + quoted(text) + ` && e.checkVisibility())`
	return chromedp.Steps(until(find), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](find+`.click(), true`))
		return err
	}))
}

// fill types into the field of a name.
func fill(name, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.WaitVisible(chromedp.CSS(`[name="`+name+`"]`)), chromedp.SendKeys(chromedp.CSS(`[name="`+name+`"]`), text))
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

// switchable is a handler that can be replaced.
type switchable struct {
	mu      sync.Mutex
	handler http.Handler
}

func (s *switchable) set(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *switchable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.handler
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}
