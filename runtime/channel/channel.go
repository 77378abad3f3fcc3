package channel

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// Channel is one configured driver. Its methods may be called from any goroutine.
type Channel struct {
	config     Config
	guest      driver.Config
	devices    []*device
	points     []*servedPoint // by driver.PointID
	supervisor *supervise.Supervisor
	lines      lastLines // of the attempt
	usage      usage
	counts     counters
	codes      map[string]string // a driver's own reasons as the codes that leave the node
	queue      *queue            // of commands
	parked     bool              // a swap is between two sessions; only the supervisor's loop looks
	live       bool              // a session serves the points, or did until just now; likewise
	absence    absence

	starting sync.RWMutex // held while something may start an attempt
	closed   atomic.Bool  // nothing may any more

	mu   sync.Mutex
	blob []byte // what the driver saved last; nil for nothing
}

// New returns a channel that is not started.
func New(c Config) (*Channel, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	ch := &Channel{config: c, guest: c.guestConfig(), codes: make(map[string]string), queue: newQueue()}
	for _, own := range c.Module.Metadata().Codes {
		ch.codes[own.Code] = failure.DriverPrefix + own.Code
	}
	for _, d := range c.Devices {
		if err := ch.addDevice(d); err != nil {
			return nil, err
		}
	}
	var err error
	ch.supervisor, err = supervise.New(supervise.Config{
		Name: c.Name, Connector: &connector{ch}, Observer: (*observer)(ch), Logger: c.Logger,
		Policy: c.Policy, Deadlines: c.Deadlines, Quarantine: c.Quarantine, CrashLoop: c.CrashLoop,
	})
	if err != nil {
		return nil, err
	}
	return ch, nil
}

// Name returns the channel's name.
func (c *Channel) Name() string { return c.config.Name }

// Digest returns the digest of the driver that the channel runs.
func (c *Channel) Digest() string { return c.config.Module.Digest() }

// Driver returns what the driver says of itself.
func (c *Channel) Driver() driver.Metadata { return c.config.Module.Metadata() }

// Snapshot returns the state.
func (c *Channel) Snapshot() supervise.Snapshot { return c.supervisor.Snapshot() }

// Start starts the first attempt, or a new one of a channel that is stopped. It does nothing once Close was called.
func (c *Channel) Start() {
	c.starting.RLock()
	defer c.starting.RUnlock()
	if !c.closed.Load() {
		c.supervisor.Start()
	}
}

// Restart starts a new attempt whatever the state. Once Close was called it answers supervise.ErrStopped.
func (c *Channel) Restart(ctx context.Context) error {
	c.starting.RLock()
	defer c.starting.RUnlock()
	if c.closed.Load() {
		return fmt.Errorf("restart: %w", supervise.ErrStopped)
	}
	return c.supervisor.Restart(ctx)
}

// Stop ends the session and returns when it is closed.
func (c *Channel) Stop(ctx context.Context) error { return c.supervisor.Stop(ctx) }

// Close stops the channel for good and closes everything that it holds. After an error a session may still run: the
// module is not to be released then.
func (c *Channel) Close(ctx context.Context) error {
	c.closed.Store(true)
	if err := c.supervisor.Stop(ctx); err != nil {
		return err
	}
	c.starting.Lock() // whoever was about to start it has done so
	defer c.starting.Unlock()
	if err := c.supervisor.Stop(ctx); err != nil {
		return err
	}
	c.absence.end()
	return c.config.Host.Close()
}

// Last returns what is known of each point.
func (c *Channel) Last() map[string]map[string]point.Last {
	out := make(map[string]map[string]point.Last)
	for _, d := range c.devices {
		last := make(map[string]point.Last)
		for _, p := range d.points {
			if l, known := p.Last(); known {
				last[p.Definition().Name] = l
			}
		}
		out[d.state.Device] = last
	}
	return out
}

// observer is the channel as its supervisor sees it.
type observer Channel

var _ supervise.Observer = (*observer)(nil)

func (o *observer) State(s supervise.Snapshot) {
	(*Channel)(o).ended(s)
	o.config.Sink.State(s)
}

func (o *observer) Failure(r failure.Record, f *failure.Failure) {
	o.counts.failed(r)
	o.config.Sink.Failure(r)
	if f.Code.Crash() {
		(*Channel)(o).crashed(r, f)
	}
	if o.parked {
		return // another session follows at once: nothing is lost yet
	}
	(*Channel)(o).lost(string(f.Code), time.Now())
}

func (o *observer) Published(generation uint64, h supervise.Handle) {
	o.parked, o.live = false, true
	o.absence.end()
	o.queue.open(h.(*handle), generation)
	byDevice := make(map[*device][]*point.Point)
	for _, id := range h.(*handle).points {
		p := o.points[id]
		byDevice[p.device] = append(byDevice[p.device], p.Point)
	}
	for _, d := range o.devices {
		o.config.Sink.Handle(d.state.Device, generation, byDevice[d])
	}
}

func (o *observer) Parked(uint64) {
	o.parked = true
	o.queue.park()
}

func (o *observer) Revoked(uint64) {
	o.parked = false
	o.queue.revoke()
	o.config.Sink.Revoke()
}

func (o *observer) ReconnectRequested(attempt uint64, reason string) {
	o.config.Logger.Info("reconnect requested", "channel", o.config.Name, "attempt", attempt, "reason", reason)
}
