package webhook

import (
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// parcel is a delivery in memory, leased to this process.
type parcel struct {
	delivery   aftercall.Delivery
	message    *aftercall.Message
	leaseUntil time.Time
}

func (p parcel) size() int { return p.message.Size() }

// lane is what the engine holds of one endpoint. Its queues and its share of the
// connections are its own, so that a slow receiver fills nobody's but its own. The
// dispatcher's lock guards it.
type lane struct {
	ref      store.EndpointRef
	settings *settings // nil until loaded, and again when they may have changed
	limiter  *rate.Limiter

	fresh  queue // first attempts, straight from Publish
	retry  queue // claimed from the store: retries, and what memory had no room for
	listed [2]bool

	inFlight int
	limit    int // how many may be in flight now

	due       time.Time // when the store may next have something due; zero when nothing is known
	throttled time.Time // when the rate allows the next
	wake      time.Time // when the feeder looks at the lane again; zero when it need not
	index     int       // in the feeder's heap; -1 when not there
	changes   int       // how often the settings have changed
}

// settings is what is needed to send to an endpoint.
type settings struct {
	endpoint aftercall.Endpoint
	secrets  []aftercall.Secret
	url      *url.URL // without user and password
	auth     string   // Authorization made of them, or empty
	schedule aftercall.Schedule
	rate     int // messages a second; 0 is unlimited
}

// healthyQueue is how many deliveries wait in memory for one connection: enough to
// never run dry, few enough that leases do not run out in the queue.
const healthyQueue = 16

// room is how many more deliveries the lane takes.
func (l *lane) room() int { return l.limit*healthyQueue - l.fresh.len() - l.retry.len() }

// answered adapts the lane's share of connections to its receiver: halved when it
// does not answer or asks for a pause, one more with each success. So an endpoint
// that hangs soon holds one connection, not all of its share.
func (l *lane) answered(a aftercall.Attempt, most int) {
	l.inFlight--
	switch {
	case a.Verdict == aftercall.Accepted:
		l.limit = min(l.limit+1, most)
	case a.StatusCode == 0, a.StatusCode == 429, a.StatusCode == 503:
		l.limit = max(l.limit/2, 1)
	}
}

// queue is a first-in first-out list.
type queue struct {
	items []parcel
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) first() parcel { return q.items[q.head] }

func (q *queue) push(p parcel) { q.items = append(q.items, p) }

func (q *queue) pop() parcel {
	p := q.items[q.head]
	q.items[q.head] = parcel{} // let the payload go
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	if q.head > 1024 && q.head*2 > len(q.items) {
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
	return p
}

// remove takes out what drop chooses and returns it.
func (q *queue) remove(drop func(parcel) bool) []parcel {
	var kept, dropped []parcel
	for _, p := range q.items[q.head:] {
		if drop(p) {
			dropped = append(dropped, p)
		} else {
			kept = append(kept, p)
		}
	}
	q.items, q.head = kept, 0
	return dropped
}

// lanes is a heap of lanes by when the feeder must look at them.
type lanes []*lane

func (h lanes) Len() int           { return len(h) }
func (h lanes) Less(i, j int) bool { return h[i].wake.Before(h[j].wake) }
func (h lanes) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *lanes) Push(x any) {
	l := x.(*lane)
	l.index = len(*h)
	*h = append(*h, l)
}

func (h *lanes) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.index = -1
	return l
}
