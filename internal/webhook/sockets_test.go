package webhook_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
	"github.com/aftercall/aftercall/internal/webhook"
)

// onSockets is an engine with the real transport, which may reach this machine, and
// little patience.
func onSockets(t *testing.T, allowed ...string) *world {
	cfg := webhook.DefaultConfig()
	cfg.Timeout = 500 * time.Millisecond
	var networks []netip.Prefix
	for _, network := range allowed {
		networks = append(networks, netip.MustParsePrefix(network))
	}
	cfg.Transport = webhook.NewTransport(networks)
	w := &world{T: t, cfg: cfg, store: storetest.Open(t, storetest.SQLite(t))}
	w.account = storetest.Account(t, w.store)
	w.start()
	t.Cleanup(func() { w.stop() })
	return w
}

// attempt publishes a message and returns the first attempt at this address.
func (w *world) attempt(url string) (a aftercall.Attempt) {
	w.Helper()
	e := w.endpoint(func(e *aftercall.Endpoint) { e.URL = url })
	m := w.publish()
	eventually(w.T, "an attempt at "+url, func() bool {
		storetest.View(w, w.store, func(tx *store.Tx) error {
			list, err := tx.Attempts(m.AccountID, store.AttemptFilter{MessageID: m.ID, EndpointID: e.ID}, store.Page{Limit: 1})
			if len(list) > 0 {
				a = list[0]
			}
			return err
		})
		return a.ID != ""
	})
	if err := w.engine.DeleteEndpoint(w.Context(), e.AccountID, e.ID); err != nil {
		w.Fatal(err)
	}
	return a
}

// raw listens and hands each connection, its request read, to serve.
func raw(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					serve(conn)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func write(conn net.Conn, text string) bool {
	_, err := io.WriteString(conn, text)
	return err == nil
}

// Whatever a receiver does, it becomes an attempt with a reason, in bounded time and
// memory.
func TestHostileReceivers(t *testing.T) {
	w := onSockets(t, "127.0.0.0/8")
	bomb := gzipOf(t, 64<<20)
	for _, test := range []struct {
		name   string
		serve  func(conn net.Conn)
		status int
		reason string
	}{
		{"hangs", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, 0, "no complete answer within 500ms"},
		{"drips its header", drip("HTTP/1.1 200 OK\r\nX-Pad: " + strings.Repeat("x", 1000)), 0, "no complete answer within 500ms"},
		{"drips its body", func(conn net.Conn) {
			if write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") {
				drip(strings.Repeat("x", 1000))(conn)
			}
		}, 0, "no complete answer within 500ms"},
		{"sends an endless body", func(conn net.Conn) {
			for ok := write(conn, "HTTP/1.1 200 OK\r\n\r\n"); ok; {
				ok = write(conn, strings.Repeat("x", 64<<10))
			}
		}, 200, strings.Repeat("x", 100)},
		{"sends an endless header", func(conn net.Conn) {
			for ok := write(conn, "HTTP/1.1 200 OK\r\n"); ok; {
				ok = write(conn, "X-Pad: "+strings.Repeat("x", 1<<10)+"\r\n")
			}
		}, 0, "exceeded"},
		{"sends a bomb", func(conn net.Conn) {
			write(conn, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(bomb), bomb))
		}, 200, ""},
		{"closes without a word", func(net.Conn) {}, 0, "closed the connection before its answer was complete"},
		{"closes in its body", func(conn net.Conn) { write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") }, 0, "closed the connection"},
		{"resets", func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }, 0, "reset"},
		{"speaks something else", func(conn net.Conn) { write(conn, "SSH-2.0-OpenSSH_9.6\r\n") }, 0, "malformed HTTP"},
		{"sends no status", func(conn net.Conn) { write(conn, "HTTP/1.1 abc OK\r\n\r\n") }, 0, "malformed HTTP"},
		{"redirects", func(conn net.Conn) {
			write(conn, "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n")
		}, 302, ""},
		{"sends what is no text", func(conn net.Conn) { write(conn, "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\n\xff\x00a") }, 500, "/wBh"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.T = t
			a := w.attempt(raw(t, test.serve))
			if a.StatusCode != test.status || !strings.Contains(a.Response, test.reason) || len(a.Response) > 30_000 {
				t.Errorf("status %d, %d bytes: %.200q; want %d, %.100q", a.StatusCode, len(a.Response), a.Response, test.status, test.reason)
			}
			if accepted := test.status == 200; accepted != (a.Verdict == aftercall.Accepted) {
				t.Errorf("the verdict is %v", a.Verdict)
			}
			if a.Duration > 2*w.cfg.Timeout {
				t.Errorf("took %v", a.Duration)
			}
		})
	}
	w.T = t
}

func drip(text string) func(net.Conn) {
	return func(conn net.Conn) {
		for _, c := range text {
			if !write(conn, string(c)) {
				return
			}
			<-time.After(20 * time.Millisecond)
		}
	}
}

func gzipOf(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNobodyThere(t *testing.T) {
	w := onSockets(t, "127.0.0.0/8")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for url, reason := range map[string]string{
		"http://" + l.Addr().String():        "refused",
		"https://no-such-host.invalid/":      "could not be resolved",
		"http://user:password@192.0.2.1:81/": "is not public",
	} {
		if a := w.attempt(url); a.StatusCode != 0 || !strings.Contains(a.Response, reason) || strings.Contains(a.Response, "password") {
			t.Errorf("%s: %d %s", url, a.StatusCode, a.Response)
		}
	}
}

// A certificate that does not fit is a failure, not something to overlook.
func TestUntrustedCertificate(t *testing.T) {
	w := onSockets(t, "127.0.0.0/8")
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	if a := w.attempt(server.URL); a.StatusCode != 0 || !strings.Contains(a.Response, "certificate") {
		t.Errorf("%d %s", a.StatusCode, a.Response)
	}
}

// No webhook reaches an address that is not public, however it is written. The
// receiver there would answer 200.
func TestPrivateAddressesAreNotReached(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := onSockets(t)
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
		"[64:ff9b::7f00:1]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]",
		"168.63.129.16", "224.0.0.1", "255.255.255.255", "198.18.0.1", "[2002:7f00:1::]", "[2001::1]",
	} {
		a := w.attempt("http://" + host + ":" + port + "/")
		if a.Verdict == aftercall.Accepted || !strings.Contains(a.Response, "is not public") && !strings.Contains(a.Response, "could not be resolved") {
			t.Errorf("%s: %d %q", host, a.StatusCode, a.Response)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the receiver was reached %d times", n)
	}
	open := onSockets(t, "127.0.0.0/8", "::1/128")
	if a := open.attempt("http://127.0.0.1:" + port + "/"); a.Verdict != aftercall.Accepted {
		t.Errorf("an opened network: %d %s", a.StatusCode, a.Response)
	}
	if a := open.attempt("http://10.0.0.1:" + port + "/"); !strings.Contains(a.Response, "is not public") {
		t.Errorf("another network: %d %s", a.StatusCode, a.Response)
	}
}
