package natsbridge

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// streamed is a channel whose data goes into the stream.
type streamed struct {
	// told is the status that the channel's last event "delivery" had.
	told atomic.Int32
}

// deliveries says which channels' data goes into the stream: any goroutine asks, at each message; who changes it is rare.
//
// A channel that leaves has its subjects in the stream until the stream has what waits for it: without them, nobody would
// take that, and what comes behind it would wait.
type deliveries struct {
	now atomic.Pointer[map[string]*streamed]
	// adding is held, shared, by who puts a message of a streamed channel into the lane, so that none comes for a channel
	// that has left.
	adding sync.RWMutex

	mu      sync.Mutex
	leaving map[string]struct{}
	// version counts the changes, handled is the version that the stream was last to be made for.
	version, handled uint64
}

func newDeliveries(channels []string) *deliveries {
	d := &deliveries{leaving: make(map[string]struct{})}
	now := make(map[string]*streamed, len(channels))
	for _, channel := range channels {
		now[channel] = new(streamed)
	}
	d.now.Store(&now)
	return d
}

// of returns the channel; nil for one that is not delivered through the stream.
func (d *deliveries) of(channel string) *streamed { return (*d.now.Load())[channel] }

// put has a channel delivered through the stream, or not any more. shut is called before anything more can come for the
// stream of a channel that its subjects may not have. False: it is so already.
func (d *deliveries) put(channel string, stream bool, shut func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if (d.of(channel) != nil) == stream {
		return false
	}
	next := maps.Clone(*d.now.Load())
	if stream {
		shut()
		next[channel] = new(streamed)
		delete(d.leaving, channel)
	} else {
		delete(next, channel)
		d.leaving[channel] = struct{}{}
	}
	d.version++
	d.adding.Lock()
	d.now.Store(&next)
	d.adding.Unlock()
	return true
}

// none says whether no channel is delivered through the stream.
func (d *deliveries) none() bool { return len(*d.now.Load()) == 0 }

// wanted returns the channels that the stream must have the subjects of, sorted, and the version of that. Whoever calls
// it makes the stream for them.
func (d *deliveries) wanted() ([]string, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handled = d.version
	all := slices.Collect(maps.Keys(*d.now.Load()))
	all = slices.AppendSeq(all, maps.Keys(d.leaving))
	slices.Sort(all)
	return all, d.version
}

// ready calls open if the stream was made for the channels that there are now; false when they have changed since.
func (d *deliveries) ready(version uint64, open func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.version != version {
		return false
	}
	open()
	return true
}

// settle drops those that leave and for which nothing waits any more, and says whether the stream is to be made for
// other channels than it is, and whether some are still leaving.
func (d *deliveries) settle(waits func(channel string) bool) (changed, leaving bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for channel := range d.leaving {
		if !waits(channel) {
			delete(d.leaving, channel)
			d.version++
		}
	}
	return d.version != d.handled, len(d.leaving) > 0
}
