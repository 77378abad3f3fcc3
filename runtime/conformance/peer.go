package conformance

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/runtime/module"
)

// manner is how a device of this package behaves.
type manner func(p *peers, conn io.ReadWriteCloser)

// peers are devices of one manner, one at the end of each connection.
type peers struct {
	manner   manner
	serving  sync.WaitGroup
	accepted atomic.Int64
	// over is closed when the devices are switched off.
	over chan struct{}

	mu      sync.Mutex
	closers []io.Closer
}

// errNoLine is why a check with a serial line is skipped.
var errNoLine = errors.New("there are no simulated serial lines on this system")

// connect returns the connections with a device of the manner at the end of each; without a manner, nobody is there.
func (c Config) connect(connections []module.Connection, m manner) ([]module.Connection, *peers, error) {
	p := &peers{manner: m, over: make(chan struct{})}
	var out []module.Connection
	for _, conn := range connections {
		var err error
		switch {
		case conn.Serial != nil:
			conn.Serial, err = p.serial(c, *conn.Serial)
		case conn.TCP != nil:
			conn.TCP, err = p.tcp()
		case conn.UDP != nil:
			conn.UDP, err = p.udp()
		case conn.Listener != nil: // which nobody calls
			conn.Listener, err = freeAddress()
		default:
			err = fmt.Errorf("connection %s is of no kind that is known", conn.Name)
		}
		if err != nil {
			p.close()
			return nil, nil, err
		}
		out = append(out, conn)
	}
	return out, p, nil
}

// tcp starts a device on TCP. An address where nobody is was somebody's just now.
func (p *peers) tcp() (*module.TCPEndpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("simulate a device: %w", err)
	}
	endpoint := &module.TCPEndpoint{Address: listener.Addr().String()}
	if p.manner == nil {
		return endpoint, listener.Close()
	}
	p.own(listener)
	p.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.accepted.Add(1)
			p.own(conn)
			p.serving.Go(func() { p.manner(p, conn) })
		}
	})
	return endpoint, nil
}

// freeAddress is an address of this machine that nobody listens on just now.
func freeAddress() (*module.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find an address to listen on: %w", err)
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	return &module.Listener{Address: address}, errors.Join(err, listener.Close())
}

// udp starts a device that takes datagrams.
func (p *peers) udp() (*module.UDPEndpoint, error) {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("simulate a device: %w", err)
	}
	endpoint := &module.UDPEndpoint{Address: socket.LocalAddr().String()}
	if p.manner == nil {
		return endpoint, socket.Close()
	}
	p.own(socket)
	p.serving.Go(func() { p.manner(p, &datagrams{UDPConn: socket}) })
	return endpoint, nil
}

// datagrams answers whoever sent last.
type datagrams struct {
	*net.UDPConn
	last atomic.Pointer[netip.AddrPort]
}

// Read implements io.Reader.
func (d *datagrams) Read(b []byte) (int, error) {
	n, from, err := d.ReadFromUDPAddrPort(b)
	if err == nil {
		d.last.Store(&from)
	}
	return n, err
}

// Write implements io.Writer. Before anybody has sent there is nobody to write to.
func (d *datagrams) Write(b []byte) (int, error) {
	to := d.last.Load()
	if to == nil {
		return len(b), nil
	}
	return d.WriteToUDPAddrPort(b, *to)
}

// serial starts a device on a serial line.
func (p *peers) serial(c Config, s module.SerialPort) (*module.SerialPort, error) {
	s.RS485 = nil // simulated lines have none
	if p.manner == nil {
		s.Path = filepath.Join("/", "dev", "drover-no-such-port")
		return &s, nil
	}
	if c.OpenLine == nil {
		return nil, errNoLine
	}
	line, path, err := c.OpenLine()
	if err != nil {
		return nil, fmt.Errorf("simulate a device: %w", err)
	}
	s.Path = path
	p.own(line)
	p.serving.Go(func() { p.manner(p, line) })
	return &s, nil
}

// own has c closed when the devices are switched off.
func (p *peers) own(c io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.over:
		_ = c.Close() // it came too late
	default:
		p.closers = append(p.closers, c)
	}
}

// close switches the devices off and returns when they are.
func (p *peers) close() {
	p.mu.Lock()
	close(p.over)
	for _, c := range p.closers {
		_ = c.Close() // nothing is lost
	}
	p.mu.Unlock()
	p.serving.Wait()
}

// silent hears everything and says nothing.
func silent(_ *peers, conn io.ReadWriteCloser) { _, _ = io.Copy(io.Discard, conn) }

// rude hangs up at once; a serial line is gone with the first byte on it, since it must be there to be opened.
func rude(_ *peers, conn io.ReadWriteCloser) {
	if _, network := conn.(net.Conn); !network {
		_, _ = io.ReadFull(conn, make([]byte, 1))
	}
	_ = conn.Close()
}

// noiseSize and noiseEvery are what a noisy device says, and how often.
const (
	noiseSize  = 300
	noiseEvery = 5 * time.Millisecond
)

// noisy sends bytes without meaning, the same ones each time, whatever it hears.
func noisy(p *peers, conn io.ReadWriteCloser) {
	p.serving.Go(func() { silent(p, conn) })
	random := rand.New(rand.NewPCG(7, 11))
	tick := time.NewTicker(noiseEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.over:
			return
		case <-tick.C:
		}
		noise := make([]byte, 1+random.IntN(noiseSize))
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		if random.IntN(4) == 0 {
			clear(noise) // zeros are lengths, addresses and counts in many protocols
		}
		if _, err := conn.Write(noise); err != nil {
			return
		}
	}
}
