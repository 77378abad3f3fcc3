package socket

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// way returns that of a channel with these patterns, which asks r for names.
func way(t *testing.T, r Resolver, patterns ...grant.Pattern) *Way {
	t.Helper()
	set, err := grant.New(grant.Grants{TCP: patterns, UDP: patterns})
	if err != nil {
		t.Fatal(err)
	}
	return &Way{Grants: set, Names: NewNames(r, slog.New(slog.DiscardHandler))}
}

// connect connects to an address in the clear.
func connect(t *testing.T, address string) (stream.Device, error) {
	t.Helper()
	return way(t, net.DefaultResolver).Connect(t.Context(), grant.TCP{Address: address})
}

// listen returns a listener on loopback that is closed with the test.
func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*net.TCPListener)
}

// connected returns both ends of a connection.
func connected(t *testing.T) (stream.Device, *net.TCPConn) {
	t.Helper()
	l := listen(t)
	c, err := connect(t, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	peer, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return c, peer
}

func wantCode(t *testing.T, err error, want driver.IOError) {
	t.Helper()
	if err == nil || stream.Code(err) != want {
		t.Fatalf("got %v, want an error with code %v", err, want)
	}
}

func TestBytesBothWays(t *testing.T) {
	c, peer := connected(t)
	if n, err := c.Write([]byte("question")); n != 8 || err != nil {
		t.Fatal(n, err)
	}
	got := make([]byte, 8)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != "question" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := peer.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(got); err != nil || string(got[:n]) != "answer" {
		t.Fatalf("%q, %v", got[:n], err)
	}
}

func TestRefused(t *testing.T) {
	l := listen(t)
	_ = l.Close()
	_, err := connect(t, l.Addr().String())
	wantCode(t, err, driver.IOErrorRefused)
}

func TestAcceptedAndClosed(t *testing.T) {
	c, peer := connected(t)
	_ = peer.Close()
	_, err := c.Read(make([]byte, 1))
	wantCode(t, err, driver.IOErrorClosed)
}

func TestReset(t *testing.T) {
	c, peer := connected(t)
	if err := peer.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = peer.Close()
	_, err := c.Read(make([]byte, 1))
	wantCode(t, err, driver.IOErrorReset)
}

// A peer that reads nothing: Interrupt ends the write.
func TestInterrupt(t *testing.T) {
	c, _ := connected(t)
	time.AfterFunc(50*time.Millisecond, c.Interrupt)
	var err error
	for err == nil {
		_, err = c.Write(make([]byte, 1<<20))
	}
	wantCode(t, err, driver.IOErrorTimeout)
	_, err = c.Read(make([]byte, 1))
	wantCode(t, err, driver.IOErrorTimeout)
}

func TestCancelledBeforeTheName(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := way(t, net.DefaultResolver).Connect(ctx, grant.TCP{Address: "localhost:1"})
	if err == nil {
		t.Fatal("connected")
	}
}
