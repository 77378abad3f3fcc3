package hostfuncs

import (
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is a timeout that no test reaches.
const long = uint64(time.Minute)

// signals are a session's.
type signals struct {
	mu      sync.Mutex
	forbids bool
	yield   chan struct{}
	asked   bool
	seen    bool
	denied  []string
	refused int
}

func newSignals() *signals { return &signals{yield: make(chan struct{})} }

func (s *signals) IOAllowed() bool { return !s.forbids }

func (s *signals) Yield() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen {
		return nil
	}
	return s.yield
}

func (s *signals) YieldSeen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = true
}

func (s *signals) Yielding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *signals) Streams() int { return 16 }

func (s *signals) Denied(name, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = append(s.denied, name+": "+why)
}

func (s *signals) Refused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
}

// ask asks for a yield.
func (s *signals) ask() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = true
	close(s.yield)
}

// channel returns a channel with these grants; in the end nothing of it may be open.
func channel(t *testing.T, grants ...grant.Connection) *Channel {
	t.Helper()
	return granted(t, Config{}, grant.Grants{Connections: grants})
}

// granted is channel with all that can be granted.
func granted(t *testing.T, config Config, g grant.Grants) *Channel {
	t.Helper()
	node, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := node.Channel("boiler", g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if n := c.OpenLines(); n != 0 {
			t.Errorf("%d lines are open", n)
		}
		if n := node.OpenPorts(); n != 0 {
			t.Errorf("%d ports are open", n)
		}
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// server plays a device: serve gets each connection, and must end when it is closed.
func server(t *testing.T, serve func(*net.TCPConn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() { serve(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// echo sends back what it gets.
func echo(c *net.TCPConn) {
	defer c.Close()
	buf := make([]byte, 256)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func tcp(name, address string) grant.Connection {
	return grant.Connection{Name: name, TCP: &grant.TCP{Address: address}}
}

// connect must give a stream.
func connect(t *testing.T, s *Session, name string) host.Stream {
	t.Helper()
	r := s.Connect(t.Context(), driver.TargetName(name))
	if r.Failed {
		t.Fatalf("connect: %v: %v", r.Err, s.LastError())
	}
	return r.Value
}

func done(t *testing.T, s *Session, r component.Result[component.Unit, driver.IOError]) {
	t.Helper()
	if r.Failed {
		t.Fatalf("failed with %v: %v", r.Err, s.LastError())
	}
}

func failed[T any](t *testing.T, r component.Result[T, driver.IOError], want driver.IOError) {
	t.Helper()
	if !r.Failed || r.Err != want {
		t.Fatalf("got %v, failed %v with %v; want %v", r.Value, r.Failed, r.Err, want)
	}
}

// exchange sends a question and gets it back.
func exchange(t *testing.T, s *Session, st host.Stream, question string) {
	t.Helper()
	done(t, s, st.Write(t.Context(), []byte(question), long))
	r := st.ReadFrame(t.Context(), 256, long, long, uint32(len(question)))
	if r.Failed || string(r.Value) != question {
		t.Fatalf("got %q, %v: %v", r.Value, r.Err, s.LastError())
	}
}
