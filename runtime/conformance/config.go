package conformance

import (
	"cmp"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
)

// Config says what to check. Module and Host are required.
type Config struct {
	// Module is the driver.
	Module *module.Module
	// Loaded is how long loading it took.
	Loaded time.Duration
	// Host is the outside world.
	Host module.Host
	// Channel is the example of a channel; nil has one made of the examples in the driver's schemas.
	Channel *config.Channel
	// For is how long to run Channel with the device that it names; 0 is not at all.
	For time.Duration
	// Phase is how long connect and init may each take with the devices of this package. Default 5 s.
	Phase time.Duration
	// Watch is how long a session that is ready is watched with them. Default 1 s.
	Watch time.Duration
	// OpenLine opens a serial line whose other end is the path. nil: there are none, and checks that need one are skipped.
	OpenLine func() (line io.ReadWriteCloser, path string, err error)
	// Logger gets the channels' logs, with what the driver logs and prints; discarded when nil.
	Logger *slog.Logger
	// Tell hears of each check when it is done. It may be nil.
	Tell func(Check)
}

func (c Config) withDefaults() Config {
	c.Phase = cmp.Or(c.Phase, 5*time.Second)
	c.Watch = cmp.Or(c.Watch, time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Tell == nil {
		c.Tell = func(Check) {}
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Module == nil:
		return errors.New("check a driver: there is no module")
	case c.Host == nil:
		return errors.New("check a driver: there is no host")
	case c.For > 0 && c.Channel == nil:
		return errors.New("check a driver: a run with a device needs a channel")
	}
	return nil
}
