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
	supervisor *supervise.Supervisor
	current    atomic.Pointer[connector] // of the edition that is shown and commanded
	attempt    atomic.Pointer[session]   // the last one; nil before the first
	usage      usage
	counts     counters
	queue      *queue // of commands
	parked     bool   // a swap is between two sessions; only the supervisor's loop looks
	live       bool   // a session serves the points, or did until just now; likewise
	absence    absence
	gap        gap

	starting sync.RWMutex // held while something may start an attempt
	closed   atomic.Bool  // nothing may any more

	swapping   sync.Mutex // held by the one swap, or change in place, that there is
	swaps      sync.WaitGroup
	handsOver  atomic.Bool     // a session that yields leaves its lines to the next
	ending     context.Context // done when Close is called
	end        context.CancelFunc
	nextDevice driver.DeviceID // never given to a device yet; under swapping
	nextPoint  driver.PointID

	mu   sync.Mutex
	blob []byte // what the driver saved last; nil for nothing
}

// New returns a channel that is not started.
func New(c Config) (*Channel, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	ch := &Channel{config: c, queue: newQueue()}
	ch.config.Edition = Edition{} // swaps and changes make others
	ch.ending, ch.end = context.WithCancel(context.Background())
	ch.handsOver.Store(true)
	first, err := ch.newEdition(c.Edition, nil)
	if err != nil {
		return nil, err
	}
	by := newConnector(ch, first)
	ch.current.Store(by)
	ch.supervisor, err = supervise.New(supervise.Config{
		Name: c.Name, Connector: by, Observer: (*observer)(ch), Logger: c.Logger,
		Policy: c.Policy, Deadlines: c.Deadlines, Quarantine: c.Quarantine, CrashLoop: c.CrashLoop,
	})
	if err != nil {
		return nil, err
	}
	return ch, nil
}

// edition is the one that is shown and commanded: that of the session which serves the channel or did last.
func (c *Channel) edition() *edition { return c.current.Load().edition.Load() }

// Name returns the channel's name.
func (c *Channel) Name() string { return c.config.Name }

// Digest returns the digest of the driver that the channel runs.
func (c *Channel) Digest() string { return c.edition().Module.Digest() }

// Driver returns what the driver says of itself.
func (c *Channel) Driver() driver.Metadata { return c.edition().Module.Metadata() }

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
	c.end()
	if err := c.supervisor.Stop(ctx); err != nil {
		return err
	}
	c.starting.Lock() // whoever was about to start it has done so
	defer c.starting.Unlock()
	if err := c.supervisor.Stop(ctx); err != nil {
		return err
	}
	c.swaps.Wait()
	c.absence.end()
	return c.edition().Host.Close()
}

// Last returns what is known of each point.
func (c *Channel) Last() map[string]map[string]point.Last {
	out := make(map[string]map[string]point.Last)
	for _, m := range c.edition().members {
		last := make(map[string]point.Last)
		for _, p := range m.points {
			if l, known := p.Last(); known {
				last[p.Name()] = l
			}
		}
		out[m.device.name] = last
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
	served := h.(*handle)
	o.parked, o.live = false, true
	o.absence.end()
	served.by.trial.begin(time.Now())
	(*Channel)(o).serve(served.by)
	for _, id := range served.points {
		served.by.edition.Load().points[id].Renew()
	}
	o.queue.open(served, generation)
	o.tellHandle(served, generation)
}

// tellHandle tells which points of each device a session serves.
func (o *observer) tellHandle(h *handle, generation uint64) {
	e := h.by.edition.Load()
	byDevice := make(map[*device][]*point.Point)
	for _, id := range h.points {
		p := e.points[id]
		byDevice[p.device] = append(byDevice[p.device], p.Point)
	}
	for _, m := range e.members {
		o.config.Sink.Handle(m.device.name, generation, byDevice[m.device])
	}
}

func (o *observer) Parked(uint64) {
	o.parked = true
	o.gap.begin()
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
