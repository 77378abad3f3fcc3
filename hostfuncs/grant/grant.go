// Package grant says what a channel may open: the connections that its configuration names, and nothing else.
package grant

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// ErrDenied is, wrapped, why a driver cannot have what it wants: it was not granted.
var ErrDenied = errors.New("not granted")

// Connection is a connection that a channel may open by its name: a serial port or a TCP endpoint, exactly one of them.
type Connection struct {
	Name   string
	Serial *Serial
	TCP    *TCP
}

// Serial is a serial port, and the mode to open it in.
type Serial struct {
	// Path is the operating system's name of the port: /dev/ttyUSB0, COM3.
	Path string
	// Mode is how characters are framed. 0 baud is 9600, 0 data bits is 8; the zero values of the others are no parity
	// and one stop bit.
	Mode driver.Mode
	// Gap is the shortest silence that ends a frame. 0: 20 ms on USB serial adapters, none on others.
	Gap time.Duration
	// RS485 has the kernel control the direction of the line (Linux). nil leaves it as it is.
	RS485 *driver.RS485
}

// TCP is an endpoint to connect to.
type TCP struct {
	// Address is "host:port" or "[v6]:port".
	Address string
}

// Kind returns what kind of connection it is.
func (c Connection) Kind() driver.ConnectionKind {
	if c.Serial != nil {
		return driver.ConnectionKindSerial
	}
	return driver.ConnectionKindTCP
}

// Set is what one channel may open.
type Set struct{ byName map[string]Connection }

// New checks the connections, and reports all that is wrong with them together. Defaults are filled in.
func New(connections []Connection) (*Set, error) {
	set := &Set{byName: make(map[string]Connection, len(connections))}
	var problems []error
	for _, c := range connections {
		if err := c.check(); err != nil {
			problems = append(problems, fmt.Errorf("connection %q: %w", c.Name, err))
		}
		if _, twice := set.byName[c.Name]; twice {
			problems = append(problems, fmt.Errorf("connection %q: named twice", c.Name))
		}
		set.byName[c.Name] = c.withDefaults()
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return set, nil
}

// Lookup returns the connection of that name, if there is one and it is of that kind.
func (s *Set) Lookup(name string, kind driver.ConnectionKind) (Connection, bool) {
	c, ok := s.byName[name]
	return c, ok && c.Kind() == kind
}

// Count returns how many connections of that kind there are.
func (s *Set) Count(kind driver.ConnectionKind) int {
	n := 0
	for _, c := range s.byName {
		if c.Kind() == kind {
			n++
		}
	}
	return n
}

func (c Connection) check() error {
	var problems []error
	if c.Name == "" {
		problems = append(problems, errors.New("a name is missing"))
	}
	switch {
	case c.Serial != nil && c.TCP != nil:
		problems = append(problems, errors.New("both serial and tcp"))
	case c.Serial != nil:
		problems = append(problems, c.Serial.check())
	case c.TCP != nil:
		problems = append(problems, c.TCP.check())
	default:
		problems = append(problems, errors.New("neither serial nor tcp"))
	}
	return errors.Join(problems...)
}

func (s Serial) check() error {
	var problems []error
	if s.Path == "" {
		problems = append(problems, errors.New("the port's path is missing"))
	}
	if s.Gap < 0 {
		problems = append(problems, fmt.Errorf("gap %s is negative", s.Gap))
	}
	return errors.Join(append(problems, CheckMode(s.withDefaults().Mode))...)
}

// CheckMode says what is wrong with a mode, all together.
func CheckMode(m driver.Mode) error {
	var problems []error
	if m.Baud < 1 || m.Baud > math.MaxInt32 {
		problems = append(problems, fmt.Errorf("baud %d is not 1 to %d", m.Baud, math.MaxInt32))
	}
	if m.DataBits < 5 || m.DataBits > 8 {
		problems = append(problems, fmt.Errorf("data bits %d are not 5 to 8", m.DataBits))
	}
	if m.Parity > driver.ParitySpace {
		problems = append(problems, fmt.Errorf("parity %d is unknown", m.Parity))
	}
	if m.StopBits > driver.StopBitsTwo {
		problems = append(problems, fmt.Errorf("stop bits %d are unknown", m.StopBits))
	}
	return errors.Join(problems...)
}

func (t TCP) check() error {
	host, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return fmt.Errorf("address %q is not host:port: %w", t.Address, err)
	}
	if host == "" {
		return fmt.Errorf("address %q has no host", t.Address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("address %q: port %q is not 1 to 65535", t.Address, port)
	}
	return nil
}

func (c Connection) withDefaults() Connection {
	if c.Serial != nil {
		c.Serial = c.Serial.withDefaults()
	}
	return c
}

func (s Serial) withDefaults() *Serial {
	if s.Mode.Baud == 0 {
		s.Mode.Baud = 9600
	}
	if s.Mode.DataBits == 0 {
		s.Mode.DataBits = 8
	}
	return &s
}
