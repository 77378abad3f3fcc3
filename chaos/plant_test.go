//go:build chaos && linux

package chaos

import (
	"errors"
	"fmt"
	"io"
	"time"

	sim "github.com/droverhq/drover/internal/sim/modbus"
)

// plant is all that the node's drivers talk to.
type plant struct {
	closers []io.Closer
	// The healthy ones.
	press, pump *plc
	meter       *counter
	line        *sim.PTY
	// The others.
	socket1, socket2 *plc
	adapter          *adapter
	puppet1, puppet2 *puppeteer
}

// healthy are the channels that are left in peace. Those of Modbus read how often their device was asked.
var healthy = map[string]struct {
	period time.Duration
	stream bool
}{
	"press":  {50 * time.Millisecond, true},
	"pump":   {50 * time.Millisecond, false},
	"meter":  {100 * time.Millisecond, true},
	"steady": {50 * time.Millisecond, false},
}

// startPlant starts it. The caller closes it, also after an error.
func startPlant(dir string) (*plant, error) {
	p := &plant{meter: newCounter()}
	for _, at := range []**plc{&p.press, &p.pump, &p.socket1, &p.socket2} {
		if err := add(p, at, startPLC); err != nil {
			return p, err
		}
	}
	for _, at := range []**puppeteer{&p.puppet1, &p.puppet2} {
		if err := add(p, at, startPuppeteer); err != nil {
			return p, err
		}
	}
	if err := add(p, &p.adapter, func() (*adapter, error) { return startAdapter(dir) }); err != nil {
		return p, err
	}
	var err error
	if p.line, err = sim.OpenPTY(); err != nil {
		return p, err
	}
	p.closers = append(p.closers, sim.ServeRTU(sim.Config{Units: map[uint8]*sim.Device{1: p.meter.Device}}, p.line))
	return p, nil
}

func add[T io.Closer](p *plant, at *T, start func() (T, error)) (err error) {
	if *at, err = start(); err == nil {
		p.closers = append(p.closers, *at)
	}
	return err
}

// Close ends all of it.
func (p *plant) Close() error {
	var errs []error
	for _, c := range p.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// asked is how often the device of a healthy channel was asked.
func (p *plant) asked(channel string) uint64 {
	return map[string]*counter{"press": p.press.counter, "pump": p.pump.counter, "meter": p.meter}[channel].asked()
}

// doer is who acts for a channel.
type doer interface {
	do(what string) (end func() error, err error)
}

// doers are those that need no NATS.
func (p *plant) doers() map[string]doer {
	return map[string]doer{
		"puppet1": p.puppet1, "puppet2": p.puppet2, "socket1": p.socket1, "socket2": p.socket2, "adapter": p.adapter,
	}
}

// channels are those of the configuration: a driver that is attacked is tried again soon, and for ever.
func (p *plant) channels() string {
	const (
		point   = `points: {count: {address: "input:0", type: uint32}}`
		again   = `retry: {initial: 100ms, max: 300ms}, quarantine: {crashes: never}, limits: {samples: 200/s}`
		patient = `settings: {timeout: 5s}`
		hurried = `settings: {timeout: 200ms, close_after_timeouts: 3, offline_retry: 200ms, offline_retry_max: 200ms}`
	)
	modbus := func(name, connection, rest string) string {
		const channel = "  %s: {driver: modbus.wasm, connections: {main: %s}, devices: {d: {settings: {unit: 1}, %s}}, %s}\n"
		return fmt.Sprintf(channel, name, connection, point, rest)
	}
	scripted := func(name, rest string) string {
		const devices = "{d: {points: {count: {address: 0, type: uint64}}}}"
		return fmt.Sprintf("  %s: {driver: testdriver.wasm, every: 50ms, devices: %s, %s}\n", name, devices, rest)
	}
	tcp := func(address string) string { return fmt.Sprintf("{tcp: %q}", address) }
	serial := func(path string) string { return fmt.Sprintf("{serial: %q, baud: 115200}", path) }
	strung := func(s *puppeteer) string {
		connection := tcp(s.listener.Addr().String())
		return fmt.Sprintf("connections: {main: %s}, settings: {connection: main, obey: true}, %s", connection, again)
	}
	return modbus("press", tcp(p.press.address), "every: 50ms, delivery: stream, "+patient) +
		modbus("pump", tcp(p.pump.address), "every: 50ms, "+patient) +
		modbus("meter", serial(p.line.Path()), "every: 100ms, delivery: stream, "+patient) +
		scripted("steady", "settings: {}") +
		modbus("socket1", tcp(p.socket1.address), "every: 50ms, "+hurried+", "+again) +
		modbus("socket2", tcp(p.socket2.address), "every: 50ms, delivery: stream, "+hurried+", "+again) +
		modbus("adapter", serial(p.adapter.path), "every: 50ms, "+hurried+", "+again) +
		scripted("puppet1", strung(p.puppet1)) +
		scripted("puppet2", "delivery: stream, "+strung(p.puppet2)) +
		scripted("called", again)
}

// channels are the names of all ten.
var channels = []string{
	"press", "pump", "meter", "steady", "socket1", "socket2", "adapter", "puppet1", "puppet2", "called",
}
