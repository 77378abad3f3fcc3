package channel_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// system has what only some systems can show.
func (r *rig) system(t *testing.T) {
	t.Run("stop in a black hole", r.blackHole)
}

// blackHole: a driver is stopped that waits for a connection to an address that does not answer.
func (r *rig) blackHole(t *testing.T) {
	c := r.start(t, `{"connection": "main"}`, channel.Config{Edition: channel.Edition{Connections: []module.Connection{tcp("main", unanswered(t))}}})
	c.nextState(t, supervise.Connecting)
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := c.Snapshot(); s.State != supervise.Stopped || strings.Contains(c.String(), "failure ") {
		t.Errorf("%s after\n%s", s.State, c)
	}
}

// unanswered returns an address that answers no connection request: its backlog is full.
func unanswered(t *testing.T) (address string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address = (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}).String()
	for {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}
