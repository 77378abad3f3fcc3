package channel

import (
	"context"
	"sync"
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

	mu   sync.Mutex
	blob []byte // what the driver saved last; nil for nothing
}

// New returns a channel that is not started.
func New(c Config) (*Channel, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	ch := &Channel{config: c, guest: c.guestConfig()}
	for _, d := range c.Devices {
		if err := ch.addDevice(d); err != nil {
			return nil, err
		}
	}
	var err error
	ch.supervisor, err = supervise.New(supervise.Config{
		Name: c.Name, Connector: &connector{ch}, Observer: (*observer)(ch), Logger: c.Logger,
		Policy: c.Policy, Deadlines: c.Deadlines, Quarantine: c.Quarantine,
	})
	return ch, err
}

// Name returns the channel's name.
func (c *Channel) Name() string { return c.config.Name }

// Digest returns the digest of the driver that the channel runs.
func (c *Channel) Digest() string { return c.config.Module.Digest() }

// Driver returns what the driver says of itself.
func (c *Channel) Driver() driver.Metadata { return c.config.Module.Metadata() }

// Snapshot returns the state.
func (c *Channel) Snapshot() supervise.Snapshot { return c.supervisor.Snapshot() }

// Start starts the first attempt, or a new one of a channel that is stopped.
func (c *Channel) Start() { c.supervisor.Start() }

// Restart starts a new attempt whatever the state.
func (c *Channel) Restart(ctx context.Context) error { return c.supervisor.Restart(ctx) }

// Stop ends the session and returns when it is closed.
func (c *Channel) Stop(ctx context.Context) error { return c.supervisor.Stop(ctx) }

// Close stops the channel and closes everything that it holds.
func (c *Channel) Close(ctx context.Context) error {
	if err := c.supervisor.Stop(ctx); err != nil {
		return err
	}
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

func (o *observer) State(s supervise.Snapshot) { o.config.Sink.State(s) }

func (o *observer) Failure(r failure.Record, f *failure.Failure) {
	o.config.Sink.Failure(r)
	(*Channel)(o).lost(string(f.Code), time.Now())
}

func (o *observer) Published(generation uint64, h supervise.Handle) {
	byDevice := make(map[*device][]*point.Point)
	for _, id := range h.(*handle).points {
		p := o.points[id]
		byDevice[p.device] = append(byDevice[p.device], p.Point)
	}
	for _, d := range o.devices {
		o.config.Sink.Handle(d.state.Device, generation, byDevice[d])
	}
}

func (o *observer) Parked(uint64) {}

func (o *observer) Revoked(uint64) { o.config.Sink.Revoke() }

func (o *observer) ReconnectRequested(attempt uint64, reason string) {
	o.config.Logger.Info("reconnect requested", "channel", o.config.Name, "attempt", attempt, "reason", reason)
}
