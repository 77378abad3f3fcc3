package module

import (
	"net/netip"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// Host makes what the drivers of a node may reach of the outside world. A node has one, because ports are the
// machine's: two channels never hold the same.
type Host interface {
	// Channel makes a channel's share: what it was granted, and the leases on what its sessions open.
	Channel(name string, g Grants) (ChannelHost, error)
}

// ChannelHost is a channel's share of the host. Its leases outlive sessions.
type ChannelHost interface {
	// Session makes what one instance may reach.
	Session(Signals) SessionHost
	// Close ends every lease and returns when its ports and connections are closed.
	Close() error
}

// Counted is a ChannelHost that counts what goes over all of its connections.
type Counted interface {
	// Traffic returns the bytes that have come in and gone out.
	Traffic() (received, sent uint64)
	// Dropped returns how many datagrams and connections came from where the grants do not reach, and for how many
	// datagrams there was no room. The driver gets neither.
	Dropped() (denied, overflowed uint64)
}

// SessionHost is what one instance may reach: the serial and socket imports.
type SessionHost interface {
	host.Serial
	host.Socket
	// LastError returns the error behind the last io-error that the guest was given, for people; or nil. One that is
	// about what was open before, under the same name in this channel, has a method Lost() bool that says so.
	LastError() error
	// Close ends the session's hold. With keep, what is open and clean stays open for the session that takes over;
	// everything else is closed when Close returns.
	Close(keep bool) error
	// Abandon is Close for a session that took over from another and failed before it was Ready: what it took over and
	// has not touched stays open, for the session that takes its place.
	Abandon() error
}

// Signals is what a session tells the I/O that runs for it.
type Signals interface {
	// IOAllowed says whether the phase may do I/O: describe and configure may not.
	IOAllowed() bool
	// Yield returns a channel that is closed when a yield is asked for; nil once a blocking call was ended for it.
	Yield() <-chan struct{}
	// YieldSeen says that a blocking call was ended for the yield: the next ones go on.
	YieldSeen()
	// Yielding says whether the session was asked to yield: what the guest drops from then on stays open for the session
	// that takes over.
	Yielding() bool
	// Streams returns how many streams, sockets and listeners the instance may have open at a time.
	Streams() int
	// Denied hears, on the goroutine of the guest's call, that it wanted to open what it was not granted; why is for
	// people.
	Denied(name, why string)
	// Refused hears, likewise, that it was refused what is out of range, or beyond its limits.
	Refused()
}

// Waitable is what a stream offers for control.wait besides what the guest sees of it.
type Waitable interface {
	host.Stream
	// Readable says whether a read would answer at once, with bytes or with an error.
	Readable() bool
	// Notify has c poked, without blocking, whenever Readable may have become true. nil ends it.
	Notify(c chan<- struct{})
}

// Grants are what a channel's driver may reach: connections by their names, and addresses that a pattern covers.
type Grants struct {
	Connections []Connection
	TCP, UDP    []Pattern
}

// Pattern covers addresses, or one name, at some ports.
type Pattern struct {
	// Name is a host's in lower case, without a dot at its end; empty where Prefix has the addresses.
	Name   string
	Prefix netip.Prefix
	// First and Last are ports, both included.
	First, Last uint16
}

// Connection is a connection that a channel's configuration names: exactly one of Serial, TCP, UDP and Listener is set.
type Connection struct {
	Name     string
	Serial   *SerialPort
	TCP      *TCPEndpoint
	UDP      *UDPEndpoint
	Listener *Listener
}

// SerialPort is a serial port and the mode to open it in.
type SerialPort struct {
	Path string
	Mode driver.Mode
	// Gap is the shortest silence that ends a frame; 0 lets the host choose by the kind of adapter.
	Gap time.Duration
	// RS485 is set where the kernel is to control the direction of the line.
	RS485 *driver.RS485
}

// TCPEndpoint is where a TCP connection goes.
type TCPEndpoint struct {
	// Address is "host:port".
	Address string
	// TLS is nil where the connection is in the clear.
	TLS *PeerTLS
}

// PeerTLS is how the host speaks TLS with an endpoint.
type PeerTLS struct {
	// CA, Cert and Key are paths of PEM files, empty for those of the system and for none.
	CA, Cert, Key string
	// ServerName is what the certificate is for, empty for the endpoint's host.
	ServerName string
}

// UDPEndpoint is where datagrams go.
type UDPEndpoint struct {
	// Address is "host:port".
	Address string
	// Local is where they are sent from; the zero value leaves it to the operating system.
	Local netip.AddrPort
}

// Listener is an address of this machine that takes connections by TCP.
type Listener struct {
	Address netip.AddrPort
	// From are those that may connect; none are all.
	From []netip.Prefix
}

// Kind returns the connection's kind as the guest sees it.
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
