// Package serial opens serial ports. It is the only importer of go.bug.st/serial, and answers for what that library
// leaves to its caller: who holds a port, descriptors that select(2) cannot wait for, writes that do not end.
package serial

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

const (
	// usbGap is the shortest gap on USB adapters: FTDI's deliver in steps of 16 ms by default.
	usbGap = 20 * time.Millisecond
	// quiet is how long a line must be silent after its last user was cut short: a late answer would be taken for the
	// answer to the next question.
	quiet = 500 * time.Millisecond
	// quietLimit is how long that silence is waited for.
	quietLimit = 5 * time.Second
)

// Ports are the serial ports that this process holds. A process has one: as root, the operating system lets a port be
// opened twice.
type Ports struct {
	reserve reserve
	mu      sync.Mutex
	taken   map[string]*Port // by device number
}

// NewPorts returns a table without ports, with descriptors in reserve for a few. Close it.
func NewPorts() *Ports {
	p := &Ports{taken: map[string]*Port{}}
	p.reserve.add(spare)
	return p
}

// Reserve keeps descriptors for n more ports, or for fewer where n is negative.
func (p *Ports) Reserve(n int) { p.reserve.add(n) }

// Taken returns how many ports are held.
func (p *Ports) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.taken)
}

// Close gives back what is in reserve. The ports themselves are closed by who opened them.
func (p *Ports) Close() { p.reserve.close() }

// Open opens a port and sets its mode. soiled is when its last user was cut short, zero if it was not: soon after that,
// Open waits until the line is silent, and discards what comes until then. The context ends that wait.
//
// The error's code: `not-found`, `denied`, `busy` where this or another process holds the port, `stuck` where this one
// does and cannot close it, `invalid` where it is no serial port or does not have that mode.
func (p *Ports) Open(ctx context.Context, g grant.Serial, soiled time.Time) (*Port, error) {
	hold, err := openHold(g.Path)
	if err != nil {
		return nil, err
	}
	port := &Port{ports: p, hold: hold, gap: shortestGap(g)}
	if err := p.claim(port, g.Path); err != nil {
		hold.close()
		return nil, err
	}
	if err := port.open(ctx, g, soiled); err != nil {
		_ = port.release() // the first error is the one that tells
		return nil, err
	}
	return port, nil
}

// claim enters the port into the table.
func (p *Ports) claim(port *Port, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	other := p.taken[port.hold.key]
	switch {
	case other == nil:
		p.taken[port.hold.key] = port
		return nil
	case other.stuck():
		return &stream.Error{Code: driver.IOErrorStuck, Err: openError(path, stream.ErrStuck)}
	default:
		return stream.Errorf(driver.IOErrorBusy, "open %s: this node holds it already", path)
	}
}

func (p *Ports) disclaim(port *Port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port.hold.key)
}

// openError is the error of package os for a failed open.
func openError(path string, err error) error { return &fs.PathError{Op: "open", Path: path, Err: err} }

// shortestGap returns the configured gap, or that of the kind of adapter.
func shortestGap(g grant.Serial) time.Duration {
	if g.Gap > 0 {
		return g.Gap
	}
	path, err := filepath.EvalSymlinks(g.Path)
	if err != nil {
		path = g.Path
	}
	if isUSB(filepath.Base(path)) {
		return usbGap
	}
	return 0
}

// isUSB knows the names that Linux gives the ports of USB adapters.
func isUSB(name string) bool {
	return strings.HasPrefix(name, "ttyUSB") || strings.HasPrefix(name, "ttyACM")
}

// lowLimit is the first descriptor that select(2) cannot wait for (FD_SETSIZE).
const lowLimit = 1024

var errHigh = fmt.Errorf("no descriptor below %d is free", lowLimit)
