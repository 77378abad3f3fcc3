package supervise

import (
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// Snapshot is a channel's state at one time.
type Snapshot struct {
	State State
	// Reason says in a few words why, where the state alone does not: a failure's code, a request's reason, "swap".
	Reason string
	// Since is when this state began.
	Since time.Time
	// Attempt is the number of the current or last attempt; 0 before the first.
	Attempt uint64
	// Generation is the number of the last published handle; 0 before the first.
	Generation uint64
	// Backoff and NextRetry are set while reconnecting: the delay, and when it ends. NextRetry is zero when the next
	// attempt also has to wait for a call that does not return.
	Backoff   time.Duration
	NextRetry time.Time
	// RetriesLeft is what was left of Policy.MaxRetries after the last failure; nil when unlimited.
	RetriesLeft *int
	// LastFailure is the last failure's record; nil when there was none. It is never changed.
	LastFailure *failure.Record
}

// watch holds the latest snapshot and gives it to those who subscribe. Nobody ever waits for a subscriber.
type watch struct {
	mu          sync.Mutex
	latest      Snapshot
	subscribers map[chan Snapshot]struct{}
}

func newWatch(s Snapshot) *watch {
	return &watch{latest: s, subscribers: make(map[chan Snapshot]struct{})}
}

func (w *watch) get() Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest
}

func (w *watch) set(s Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latest = s
	for c := range w.subscribers {
		select { // make room: the subscriber has not taken the one before
		case <-c:
		default:
		}
		c <- s
	}
}

// subscribe returns a channel that holds the latest snapshot that was not taken yet, from the current one on.
func (w *watch) subscribe() (<-chan Snapshot, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan Snapshot, 1)
	c <- w.latest
	w.subscribers[c] = struct{}{}
	return c, func() { w.unsubscribe(c) }
}

func (w *watch) unsubscribe(c chan Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.subscribers[c]; ok {
		delete(w.subscribers, c)
		close(c)
	}
}
