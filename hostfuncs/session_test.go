package hostfuncs

import (
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
)

func TestExchange(t *testing.T) {
	c := channel(t, tcp("main", server(t, echo)))
	s := c.Session(newSignals())
	st := connect(t, s, "main")
	done(t, s, st.Ready(t.Context(), long))
	if st.Resumed(t.Context()) {
		t.Error("a new connection is resumed")
	}
	exchange(t, s, st, "question")
	if err := s.LastError(); err != nil {
		t.Errorf("an error without a failure: %v", err)
	}
	failed(t, s.Connect(t.Context(), driver.TargetName("main")), driver.IOErrorBusy)
	st.Drop(t.Context())
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines are open after the drop", n)
	}
	exchange(t, s, connect(t, s, "main"), "again")
	if err := s.Close(false); err != nil {
		t.Error(err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines are open after the session", n)
	}
	failed(t, s.Connect(t.Context(), driver.TargetName("main")), driver.IOErrorClosed)
}

func TestOnlyWhatIsGranted(t *testing.T) {
	c := channel(t, tcp("main", "127.0.0.1:1"), grant.Connection{Name: "line", Serial: &grant.Serial{Path: "/dev/ttyNone"}})
	s := c.Session(newSignals())
	ctx := t.Context()
	address := driver.TargetAddress("127.0.0.1:1")
	failed(t, s.Connect(ctx, driver.TargetName("other")), driver.IOErrorNotFound)
	failed(t, s.Connect(ctx, driver.TargetName("line")), driver.IOErrorNotFound)
	failed(t, s.Connect(ctx, address), driver.IOErrorDenied)
	failed(t, s.Bind(ctx, driver.TargetName("main")), driver.IOErrorNotFound)
	failed(t, s.Bind(ctx, address), driver.IOErrorDenied)
	failed(t, s.Listen(ctx, "main"), driver.IOErrorNotFound)
	failed(t, s.Open(ctx, "main"), driver.IOErrorNotFound)
	failed(t, s.Open(ctx, "/dev/ttyNone"), driver.IOErrorNotFound)
	if err := s.LastError(); err == nil || !strings.Contains(err.Error(), `open "/dev/ttyNone": not granted: no serial connection`) {
		t.Errorf("the error behind it is %v", err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines are open", n)
	}
}

func TestNoIOInThisPhase(t *testing.T) {
	c := channel(t, tcp("main", "127.0.0.1:1"))
	signals := newSignals()
	signals.forbids = true
	s := c.Session(signals)
	ctx := t.Context()
	for _, to := range []driver.Target{driver.TargetName("main"), driver.TargetName("x"), driver.TargetAddress("x:1")} {
		failed(t, s.Connect(ctx, to), driver.IOErrorInvalid)
		failed(t, s.Bind(ctx, to), driver.IOErrorInvalid)
	}
	failed(t, s.Listen(ctx, "main"), driver.IOErrorInvalid)
	failed(t, s.Open(ctx, "main"), driver.IOErrorInvalid)
}

func TestSerialFunctionsOnAConnection(t *testing.T) {
	c := channel(t, tcp("main", server(t, echo)))
	s := c.Session(newSignals())
	st := connect(t, s, "main")
	ctx := t.Context()
	failed(t, s.GetMode(ctx, st), driver.IOErrorInvalid)
	failed(t, s.SetMode(ctx, st, driver.Mode{Baud: 9600, DataBits: 8}), driver.IOErrorInvalid)
	failed(t, s.GetLines(ctx, st), driver.IOErrorInvalid)
	failed(t, s.SetLines(ctx, st, driver.OutputLines{}), driver.IOErrorInvalid)
	failed(t, s.SendBreak(ctx, st, 1), driver.IOErrorInvalid)
	failed(t, s.SetRS485(ctx, st, driver.RS485{}), driver.IOErrorInvalid)
	failed(t, s.GetMode(ctx, nil), driver.IOErrorInvalid)
	exchange(t, s, st, "still fine")
}

func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	s := channel(t, tcp("main", address)).Session(newSignals())
	st := connect(t, s, "main")
	failed(t, st.Ready(t.Context(), long), driver.IOErrorRefused)
	failed(t, st.Write(t.Context(), []byte("x"), long), driver.IOErrorRefused)
	err = s.LastError()
	for _, want := range []string{`write "main"`, address, "connection refused"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestPeerEnds(t *testing.T) {
	tests := []struct {
		name  string
		serve func(*net.TCPConn)
		want  driver.IOError
	}{
		{"closes at once", func(c *net.TCPConn) { _ = c.Close() }, driver.IOErrorClosed},
		{"resets", func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }, driver.IOErrorReset},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := channel(t, tcp("main", server(t, tt.serve))).Session(newSignals())
			st := connect(t, s, "main")
			failed(t, st.Read(t.Context(), 10, long), tt.want)
		})
	}
}

func TestBytesBeforeTheClose(t *testing.T) {
	address := server(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("goodbye"))
		_ = c.Close()
	})
	s := channel(t, tcp("main", address)).Session(newSignals())
	st := connect(t, s, "main")
	r := st.ReadFrame(t.Context(), 100, long, long, 7)
	if r.Failed || string(r.Value) != "goodbye" {
		t.Fatalf("%q, %v", r.Value, r.Err)
	}
	failed(t, st.Read(t.Context(), 1, long), driver.IOErrorClosed)
}

// A peer that takes nothing: the write is ended, and the connection with it.
func TestStalledPeer(t *testing.T) {
	c := channel(t, tcp("main", server(t, func(*net.TCPConn) {})))
	s := c.Session(newSignals())
	st := connect(t, s, "main")
	done(t, s, st.Ready(t.Context(), long))
	data := make([]byte, 65536)
	var err driver.IOError
	for failed := false; !failed; {
		r := st.Write(t.Context(), data, uint64(200*time.Millisecond))
		failed, err = r.Failed, r.Err
	}
	if err != driver.IOErrorTimeout {
		t.Errorf("the write ended with %v", err)
	}
	failed(t, st.Read(t.Context(), 1, long), driver.IOErrorClosed)
	if err := s.Close(true); err != nil {
		t.Error(err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Error("a connection with a write that was cut off was kept")
	}
}

func TestTakeOver(t *testing.T) {
	for _, drops := range []bool{false, true} {
		c := channel(t, tcp("main", server(t, echo)))
		signals := newSignals()
		old := c.Session(signals)
		st := connect(t, old, "main")
		exchange(t, old, st, "one")
		signals.ask()
		failed(t, st.Read(t.Context(), 1, long), driver.IOErrorCancelled)
		exchange(t, old, st, "finish what is on the wire")
		if drops { // As a driver does that tidies up before it returns.
			st.Drop(t.Context())
		}
		if err := old.Close(true); err != nil {
			t.Fatal(err)
		}
		st.Drop(t.Context()) // The tables of the instance are emptied.
		failed(t, st.Read(t.Context(), 1, long), driver.IOErrorClosed)

		s := c.Session(newSignals())
		st = connect(t, s, "main")
		if !st.Resumed(t.Context()) {
			t.Error("not resumed")
		}
		done(t, s, st.Ready(t.Context(), 0))
		exchange(t, s, st, "two")
		if err := s.Close(false); err != nil {
			t.Error(err)
		}
	}
}

// A stream that was dropped while a yield was pending closes when the session does not yield after all.
func TestDropWithoutYielding(t *testing.T) {
	c := channel(t, tcp("main", server(t, echo)))
	signals := newSignals()
	s := c.Session(signals)
	st := connect(t, s, "main")
	signals.ask()
	st.Drop(t.Context())
	if n := c.OpenLines(); n != 1 {
		t.Errorf("%d lines after the drop", n)
	}
	if err := s.Close(false); err != nil {
		t.Error(err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines after the session", n)
	}
}

func TestBadGrants(t *testing.T) {
	node, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	_, err = node.Channel("boiler", grant.Grants{Connections: []grant.Connection{{Name: "a"}, tcp("b", "nowhere")}})
	for _, want := range []string{`channel "boiler"`, `connection "a"`, `connection "b"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// Sessions of one channel come and go while their streams are used, dropped, stopped and asked to yield.
func TestHammer(t *testing.T) {
	c := channel(t, tcp("main", server(t, echo)), tcp("second", server(t, func(c *net.TCPConn) { _ = c.Close() })))
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		signals := newSignals()
		s := c.Session(signals)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, end := range []func(){stop, signals.ask, func() { _ = s.LastError() }} {
			wait := time.Duration(r.IntN(2000)) * time.Microsecond
			wg.Go(func() {
				<-time.After(wait)
				end()
			})
		}
		for ctx.Err() == nil {
			use(ctx, s, r)
		}
		wg.Wait()
		if err := s.Close(r.IntN(2) == 0); err != nil {
			t.Fatal(err)
		}
		if n := c.OpenLines(); n > 2 {
			t.Fatalf("%d lines are open", n)
		}
	}
}

// use opens both connections, uses them, and drops them most of the time.
func use(ctx context.Context, s *Session, r *rand.Rand) {
	for _, name := range []string{"main", "second"} {
		opened := s.Connect(ctx, driver.TargetName(name))
		if opened.Failed {
			continue
		}
		st := opened.Value
		for range r.IntN(4) {
			st.Write(ctx, []byte("question"), uint64(r.IntN(1_000_000)))
			st.ReadFrame(ctx, 64, uint64(r.IntN(1_000_000)), 1000, 8)
		}
		if ctx.Err() == nil {
			st.Drop(ctx)
		}
	}
}
