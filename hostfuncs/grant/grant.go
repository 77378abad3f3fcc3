// Package grant says what a channel may open: the connections that its configuration names, and nothing else.
package grant

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// ErrDenied is, wrapped, why a driver cannot have what it wants: it was not granted.
var ErrDenied = errors.New("not granted")

// Grants are all that a channel may open. Nothing else is reachable.
type Grants struct {
	Connections []Connection
	// TCP and UDP cover what may be opened by its address.
	TCP, UDP []Pattern
}

// Connection is what a channel may open by its name: exactly one of Serial, TCP, UDP and Listener is set.
type Connection struct {
	Name     string
	Serial   *Serial
	TCP      *TCP
	UDP      *UDP
	Listener *Listener
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
	// TLS is nil where the connection is in the clear.
	TLS *TLS
}

// TLS is how TLS is spoken with an endpoint.
type TLS struct {
	// CA, Cert and Key are paths of PEM files. Without a CA, the system's authorities are trusted. Cert and Key go
	// together.
	CA, Cert, Key string
	// ServerName is what the endpoint's certificate is for; empty is the endpoint's host.
	ServerName string
}

// UDP is an endpoint to exchange datagrams with.
type UDP struct {
	// Address is "host:port" or "[v6]:port".
	Address string
	// Local is where datagrams are sent from, and received; the zero value leaves it to the operating system.
	Local netip.AddrPort
}

// Listener is an address of this machine that takes connections by TCP.
type Listener struct {
	Address netip.AddrPort
	// From are those that may connect; none are all.
	From []netip.Prefix
}

// Kind returns what kind of connection it is.
func (c Connection) Kind() driver.ConnectionKind {
	switch {
	case c.Serial != nil:
		return driver.ConnectionKindSerial
	case c.UDP != nil:
		return driver.ConnectionKindUDP
	case c.Listener != nil:
		return driver.ConnectionKindListener
	}
	return driver.ConnectionKindTCP
}

func (c Connection) check() error {
	var problems []error
	if c.Name == "" {
		problems = append(problems, errors.New("a name is missing"))
	}
	kinds := 0
	if c.Serial != nil {
		kinds++
		problems = append(problems, c.Serial.check())
	}
	if c.TCP != nil {
		kinds++
		problems = append(problems, c.TCP.check())
	}
	if c.UDP != nil {
		kinds++
		problems = append(problems, c.UDP.check())
	}
	if c.Listener != nil {
		kinds++
		problems = append(problems, c.Listener.check())
	}
	if kinds != 1 {
		problems = append(problems, fmt.Errorf("it has %d of serial, tcp, udp and listener, and needs one", kinds))
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
	_, err := ParseEndpoint(t.Address)
	if t.TLS != nil && (t.TLS.Cert == "") != (t.TLS.Key == "") {
		err = errors.Join(err, errors.New("one of certificate and key without the other"))
	}
	return err
}

func (u UDP) check() error {
	_, err := ParseEndpoint(u.Address)
	return err
}

func (l Listener) check() error {
	if !l.Address.IsValid() || l.Address.Port() == 0 {
		return errors.New("an address to listen on is missing")
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
