//go:build chaos && linux

package chaos

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	sim "github.com/droverhq/drover/internal/sim/modbus"
)

// counter is a Modbus device whose registers 0 and 1 tell how often it was asked.
type counter struct {
	*sim.Device
	requests atomic.Uint32
}

func newCounter() *counter {
	c := &counter{}
	c.Device = sim.NewDevice(func(m *sim.Memory) { m.SetInput(0, sim.Uint32(c.requests.Add(1))...) })
	return c
}

// asked is how often it was.
func (c *counter) asked() uint64 { return uint64(c.requests.Load()) }

// plc is a counter on TCP that can have trouble.
type plc struct {
	*counter
	address string
	server  *sim.TCPServer
	fault   atomic.Pointer[sim.Fault]
}

func startPLC() (*plc, error) {
	p := &plc{counter: newCounter(), address: net.JoinHostPort(loopback, "0")}
	p.fault.Store(&sim.Fault{})
	if err := p.listen(); err != nil {
		return nil, err
	}
	p.address = p.server.Addr()
	return p, nil
}

func (p *plc) listen() (err error) {
	p.server, err = sim.ListenTCP(sim.Config{
		Units:   map[uint8]*sim.Device{1: p.Device},
		Fault:   func(sim.Request) sim.Fault { return *p.fault.Load() },
		Address: p.address,
	})
	return err
}

// do begins an act of trouble. end ends one that lasts.
func (p *plc) do(what string) (end func() error, err error) {
	sound := func() error { p.fault.Store(&sim.Fault{}); return nil }
	switch what {
	case "close":
		p.server.Disconnect()
		return func() error { return nil }, nil
	case "refuse":
		return p.listen, p.server.Close()
	case "garbage":
		p.fault.Store(&sim.Fault{Noise: []byte("this is no Modbus")})
		return sound, nil
	case "mute":
		p.fault.Store(&sim.Fault{Drop: true})
		return sound, nil
	}
	return nil, fmt.Errorf("a device on TCP cannot %s", what)
}

// Close ends it.
func (p *plc) Close() error { return p.server.Close() }

// adapter is a counter on a serial line whose adapter can be unplugged: it is at a path that comes and goes.
type adapter struct {
	*counter
	path   string
	server *sim.RTUServer
	mute   atomic.Bool
}

func startAdapter(dir string) (*adapter, error) {
	a := &adapter{counter: newCounter(), path: filepath.Join(dir, "ttyUSB0")}
	return a, a.plug()
}

func (a *adapter) plug() error {
	line, err := sim.OpenPTY()
	if err != nil {
		return err
	}
	a.server = sim.ServeRTU(sim.Config{
		Units: map[uint8]*sim.Device{1: a.Device},
		Fault: func(sim.Request) sim.Fault { return sim.Fault{Drop: a.mute.Load()} },
	}, line)
	if err := os.Symlink(line.Path(), a.path); err != nil {
		return errors.Join(fmt.Errorf("plug the adapter in: %w", err), a.server.Close())
	}
	return nil
}

// do begins an act. end ends it.
func (a *adapter) do(what string) (end func() error, err error) {
	switch what {
	case "unplug":
		return a.plug, a.Close()
	case "mute":
		a.mute.Store(true)
		return func() error { a.mute.Store(false); return nil }, nil
	}
	return nil, fmt.Errorf("an adapter cannot %s", what)
}

// Close unplugs it.
func (a *adapter) Close() error { return errors.Join(os.Remove(a.path), a.server.Close()) }

// puppeteer is the other end of a puppet's connection: it tells the driver how to behave.
type puppeteer struct {
	listener *net.TCPListener
	open     net.Conn // to the latest puppet it spoke to
}

func startPuppeteer() (*puppeteer, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(loopback)})
	if err != nil {
		return nil, fmt.Errorf("listen for a puppet: %w", err)
	}
	return &puppeteer{listener: l}, nil
}

// do has the driver do it, which is connected.
func (p *puppeteer) do(what string) (end func() error, err error) {
	if err := p.accept(); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(p.open, what)
	return func() error { return nil }, err
}

// accept takes all connections that wait, of which the last one is that of the driver that lives.
func (p *puppeteer) accept() error {
	for {
		if err := p.listener.SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			return err
		}
		conn, err := p.listener.Accept()
		if errors.Is(err, os.ErrDeadlineExceeded) && p.open != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take the puppet's connection: %w", err)
		}
		p.drop()
		p.open = conn
	}
}

func (p *puppeteer) drop() {
	if p.open != nil {
		_ = p.open.Close() // the driver is gone
	}
}

// Close ends it.
func (p *puppeteer) Close() error {
	p.drop()
	return p.listener.Close()
}
