package sdk

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Context is what a session has of its channel and of the outside world, from connect to the end of run. It belongs to
// the one thread that a driver is.
type Context struct {
	host    Host
	config  *Config
	session driver.Session
	log     *slog.Logger
	random  *rand.Rand

	// events were taken from the host while looking for something else.
	events   []Event
	commands map[uint64]*Command
	streams  []*Stream // those waited for, and their handles
	handles  []StreamHandle
	held     int
	yielding bool
	stopping bool
	// serve does a command, in a Loop; serving says that it is at it.
	serve   func(*Command) error
	serving bool
}

// NewContext returns the context of a session that knows the world through host. The kit makes the one that a driver
// gets; this is for tests of a driver's parts.
func NewContext(host Host, config *Config, s driver.Session) *Context {
	c := new(Context)
	c.begin(host, config, s)
	return c
}

// begin makes c the context of a session.
func (c *Context) begin(host Host, config *Config, s driver.Session) {
	*c = Context{host: host, config: config, session: s, commands: make(map[uint64]*Command)}
	c.log = slog.New(&logHandler{host: host})
}

// Config returns the channel's configuration.
func (c *Context) Config() *Config { return c.config }

// Attempt returns the number of this attempt: counted from 1, never reset.
func (c *Context) Attempt() uint64 { return c.session.Attempt }

// Generation returns the number of this session's handle.
func (c *Context) Generation() uint64 { return c.session.Generation }

// Takeover says whether this session takes over from one that yielded: streams may be resumed, and LoadState has what
// that session saved.
func (c *Context) Takeover() bool { return c.session.Takeover }

// Log returns the logger of the channel. Lines above the channel's rate are dropped by the host.
func (c *Context) Log() *slog.Logger { return c.log }

// Now returns the time. Differences are monotonic.
func (c *Context) Now() time.Time { return c.host.Now() }

// RequestReconnect asks the host to end this session by a reconnect. It never blocks. False: one is pending already.
// The host then gives a stop; Run may as well return Reconnect itself.
func (c *Context) RequestReconnect(reason string) bool { return c.host.RequestReconnect(line(reason)) }

// SetDeviceStatus says how a device is. Equal states in a row are one.
func (c *Context) SetDeviceStatus(id DeviceID, status driver.Status, reason string) {
	c.host.DeviceStatus(id, status, line(reason))
}

// Gauge is a figure of a device for its state: F0 is its name, `[a-z0-9_]+`, F1 its value in seconds, a ratio or a
// count.
type Gauge = component.Tuple2[string, float64]

// SetGauges reports figures of a device. A name keeps its last figure; at most 32 names a device.
func (c *Context) SetGauges(id DeviceID, figures ...Gauge) { c.host.Gauges(id, figures) }
