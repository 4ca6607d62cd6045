package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// hangPath begins the paths that are not answered before the receiver is released.
const hangPath = "/hang"

// quietPath begins the paths whose requests are answered and not counted.
const quietPath = "/quiet"

// Received is what a receiver has seen since it was reset.
type Received struct {
	Count int           `json:"count"`
	Last  time.Time     `json:"last"` // when the last one came
	P50   time.Duration `json:"p50"`  // from the begin of publishing to here
	P99   time.Duration `json:"p99"`
}

// Addresses are where a receiver listens.
type Addresses struct {
	Hooks   string `json:"hooks"`   // for webhooks
	Control string `json:"control"` // for the benchmark
}

// receiver takes webhooks at as little cost as possible, so that what is measured is
// whoever sends them: it reads HTTP/1.1 by hand, and looks for one number in bodies.
type receiver struct {
	mu        sync.Mutex
	count     int
	latencies []time.Duration
	last      time.Time
	released  chan struct{}
}

// Receive receives until the context ends. It writes its addresses to out first.
func Receive(ctx context.Context, out io.Writer) error {
	hooks, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := &receiver{released: make(chan struct{})}
	server := &http.Server{Handler: r.control(), ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { hooks.Close(); server.Close() })
	go func() { _ = server.Serve(control) }()
	addresses := Addresses{"http://" + hooks.Addr().String(), "http://" + control.Addr().String()}
	if err := json.NewEncoder(out).Encode(addresses); err != nil {
		return err
	}
	for {
		conn, err := hooks.Accept()
		if err != nil {
			return nil // the context has ended
		}
		go r.serve(conn)
	}
}

func (r *receiver) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /received", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(r.received()) // the benchmark has gone
	})
	mux.HandleFunc("POST /reset", func(http.ResponseWriter, *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.count, r.latencies, r.last, r.released = 0, nil, time.Time{}, make(chan struct{})
	})
	mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		close(r.released)
	})
	return mux
}

func (r *receiver) received() Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	sorted := slices.Sorted(slices.Values(r.latencies))
	return Received{r.count, r.last, quantile(sorted, 0.50), quantile(sorted, 0.99)}
}

// quantile of sorted values; zero when there are none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (r *receiver) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		path, body, err := readRequest(in)
		if err != nil {
			return
		}
		if strings.HasPrefix(path, hangPath) {
			r.mu.Lock()
			released := r.released
			r.mu.Unlock()
			<-released
		}
		if !strings.HasPrefix(path, quietPath) {
			r.note(body)
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// readRequest reads a request that has a length.
func readRequest(in *bufio.Reader) (path string, body []byte, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", nil, err
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	target, _, _ := bytes.Cut(rest, []byte(" "))
	path = string(target)
	length := 0
	for {
		line, err = in.ReadSlice('\n')
		if err != nil {
			return "", nil, err
		}
		if len(line) <= len("\r\n") {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	body = make([]byte, length)
	_, err = io.ReadFull(in, body)
	return path, body, err
}

func (r *receiver) note(body []byte) {
	now := time.Now()
	_, after, timed := bytes.Cut(body, []byte(sentKey))
	digits, _, _ := bytes.Cut(after, []byte(","))
	sent, err := strconv.ParseInt(string(digits), 10, 64)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.last = now
	if timed && err == nil {
		r.latencies = append(r.latencies, now.Sub(time.Unix(0, sent)))
	}
}
