package store

import (
	"sync/atomic"
	"time"

	"github.com/aftercall/aftercall"
)

// EndpointRef names an endpoint.
type EndpointRef struct{ AccountID, EndpointID string }

// Fresh is a delivery that was just published and leased to this process, so that
// its first attempt needs no claim.
type Fresh struct {
	Endpoint   EndpointRef
	Message    *aftercall.Message
	LeaseUntil time.Time
}

// Changes is what a committed transaction means to the engines.
type Changes struct {
	Fresh     []Fresh
	Endpoints []EndpointRef          // whose settings changed
	Due       []EndpointRef          // which have deliveries due in the store
	Erased    []aftercall.MessageRef // whose payload must no longer be sent

	Runs   []RunDue   // which are due at some time
	Agents []AgentRef // whose settings changed
	Freed  []LineRef  // of which a call ended
	Heard  bool       // voice engines have told something
	Looks  time.Time  // when the first live call is to be looked at; zero when none changed
}

func (c Changes) deliveries() bool { return len(c.Fresh)+len(c.Endpoints)+len(c.Due)+len(c.Erased) > 0 }

func (c Changes) calls() bool {
	return len(c.Runs)+len(c.Agents)+len(c.Freed) > 0 || c.Heard || !c.Looks.IsZero()
}

// Watcher is the delivery engine's side of the bell.
type Watcher struct {
	// Room reports whether the engine would take one more fresh delivery with a
	// payload of this size straight into memory. It is asked inside transactions,
	// so it must be quick, and it promises nothing.
	Room func(endpoint EndpointRef, size int) bool
	// Lease is how long a fresh delivery belongs to this process.
	Lease time.Duration
	// Committed is told of changes after their commit.
	Committed func(Changes)
}

type watch struct {
	current atomic.Pointer[Watcher]
	calls   atomic.Pointer[func(Changes)]
}

// Watch sets who is told of changes. Without a watcher, fresh deliveries are due
// at once for whoever claims them first.
func (s *Store) Watch(w *Watcher) { s.watch.current.Store(w) }

// WatchCalls sets who is told of runs, agents and live calls that changed, after the
// commit.
func (s *Store) WatchCalls(committed func(Changes)) { s.watch.calls.Store(&committed) }

func (w *watch) tell(c Changes) {
	if watcher := w.current.Load(); watcher != nil && c.deliveries() {
		watcher.Committed(c)
	}
	if committed := w.calls.Load(); committed != nil && c.calls() {
		(*committed)(c)
	}
}

// lease returns until when a fresh delivery belongs to this process, or zero when
// it does not.
func (w *watch) lease(endpoint EndpointRef, size int, now time.Time) time.Time {
	watcher := w.current.Load()
	if watcher == nil || !watcher.Room(endpoint, size) {
		return time.Time{}
	}
	return now.Add(watcher.Lease)
}
