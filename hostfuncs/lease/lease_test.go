package lease

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/hostfuncs/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device is one that nothing arrives on; with deaf set, a write to it ends only with free.
type device struct {
	gone chan struct{}
	stop chan struct{}
	once sync.Once
	deaf bool
	free chan struct{}
}

func newDevice() *device {
	return &device{gone: make(chan struct{}), stop: make(chan struct{}), free: make(chan struct{})}
}

func (d *device) Read([]byte) (int, error) {
	select {
	case <-d.gone:
	case <-d.stop:
	}
	return 0, io.EOF
}

func (d *device) Write(p []byte) (int, error) {
	if d.deaf {
		<-d.free
	}
	return len(p), nil
}

func (d *device) Drain() error       { return nil }
func (d *device) Discard() error     { return nil }
func (d *device) Interrupt()         { d.once.Do(func() { close(d.stop) }) }
func (d *device) Close() error       { return nil }
func (d *device) Gap() time.Duration { return 0 }

// opens counts what was opened, and keeps what the last one was told.
type opens struct {
	n      int
	soiled time.Time
	device *device
}

func (o *opens) open(soiled time.Time) Line {
	o.n, o.soiled = o.n+1, soiled
	if o.device == nil {
		o.device = newDevice()
	}
	d := o.device
	o.device = nil
	return stream.Open(func(context.Context) (stream.Device, error) { return d, nil })
}

// borrow must succeed.
func borrow(t *testing.T, l *Leases, who, name string, o *opens) (*stream.Line, bool) {
	t.Helper()
	line, resumed, err := l.Borrow(who, name, o.open)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return line.(*stream.Line), resumed
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOneBorrower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		var o opens
		line, resumed := borrow(t, &l, "first", "main", &o)
		if resumed {
			t.Error("a new line is resumed")
		}
		for _, who := range []string{"first", "second"} {
			if _, _, err := l.Borrow(who, "main", o.open); !errors.Is(err, ErrBusy) {
				t.Errorf("%s: got %v", who, err)
			}
		}
		_, _ = borrow(t, &l, "first", "other", &o)
		if l.Open() != 2 {
			t.Errorf("%d lines", l.Open())
		}
		check(t, l.Return("second", "main", false)) // It is not its to return.
		if line.Err() != nil {
			t.Fatal("closed by another session")
		}
		check(t, l.Return("first", "main", false))
		if line.Err() == nil || l.Open() != 1 {
			t.Errorf("the line's error is %v; %d lines", line.Err(), l.Open())
		}
		if _, resumed := borrow(t, &l, "first", "main", &o); resumed || !o.soiled.IsZero() {
			t.Errorf("resumed: %v, soiled: %v", resumed, o.soiled)
		}
		check(t, l.Close())
		if l.Open() != 0 {
			t.Errorf("%d lines after Close", l.Open())
		}
		if _, _, err := l.Borrow("first", "main", o.open); !errors.Is(err, ErrEnded) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		var o opens
		line, _ := borrow(t, &l, "old", "main", &o)
		shelved, _ := borrow(t, &l, "old", "shelved", &o)
		check(t, l.Return("old", "shelved", true))
		check(t, l.End("old", true))
		if l.Open() != 2 || line.Err() != nil {
			t.Fatalf("%d lines, %v", l.Open(), line.Err())
		}
		if got, resumed := borrow(t, &l, "new", "main", &o); got != line || !resumed {
			t.Errorf("another line, or not resumed: %v", resumed)
		}
		if got, resumed := borrow(t, &l, "new", "shelved", &o); got != shelved || !resumed {
			t.Errorf("another line, or not resumed: %v", resumed)
		}
		check(t, l.End("old", false)) // It has nothing any more.
		if line.Err() != nil {
			t.Error("closed by the old session")
		}
		check(t, l.End("new", false))
		if l.Open() != 0 || line.Err() == nil {
			t.Errorf("%d lines, %v", l.Open(), line.Err())
		}
	})
}

// What was parked and not taken ends with the session that it was for.
func TestParkedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		var o opens
		line, _ := borrow(t, &l, "old", "main", &o)
		check(t, l.End("old", true))
		check(t, l.End("new", false))
		if line.Err() == nil || l.Open() != 0 {
			t.Errorf("%d lines, %v", l.Open(), line.Err())
		}
	})
}

// What failed while it was parked is not handed on.
func TestParkedAndGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		d := newDevice()
		o := opens{device: d}
		_, _ = borrow(t, &l, "old", "main", &o)
		check(t, l.End("old", true))
		close(d.gone)
		synctest.Wait()
		if _, resumed := borrow(t, &l, "new", "main", &o); resumed || o.n != 2 {
			t.Errorf("resumed: %v, opened %d times", resumed, o.n)
		}
		check(t, l.Close())
	})
}

// A driver that gave a stream up while a yield was pending, and opens it again, wants a fresh one.
func TestShelvedAndOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		var o opens
		first, _ := borrow(t, &l, "old", "main", &o)
		check(t, l.Return("old", "main", true))
		if first.Err() != nil {
			t.Fatal("closed at once")
		}
		if second, resumed := borrow(t, &l, "old", "main", &o); second == first || resumed || first.Err() == nil {
			t.Errorf("the same line, or resumed: %v; the first one's error is %v", resumed, first.Err())
		}
		check(t, l.Close())
	})
}

func TestDirtyIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		d := newDevice()
		d.deaf = true
		o := opens{device: d}
		line, _ := borrow(t, &l, "old", "main", &o)
		s := stream.New("main", line, owner{}, false)
		if r := s.Write(t.Context(), []byte("x"), 0); r.Failed {
			t.Fatal(r.Err)
		}
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(d.free) })
		ended := time.Now().Add(time.Second)
		check(t, l.End("old", true))
		if line.Err() == nil {
			t.Fatal("kept")
		}
		if _, resumed := borrow(t, &l, "new", "main", &o); resumed || !o.soiled.Equal(ended) {
			t.Errorf("resumed: %v, soiled %v, want %v", resumed, o.soiled, ended)
		}
		check(t, l.Return("new", "main", false))
		if _, _ = borrow(t, &l, "new", "main", &o); !o.soiled.IsZero() {
			t.Error("soiled after a clean end")
		}
		check(t, l.Close())
	})
}

// A session that ends without giving a line up was cut short: an answer may still be under way.
func TestForcedEndSoils(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		var o opens
		_, _ = borrow(t, &l, "old", "main", &o)
		check(t, l.End("old", false))
		if _, _ = borrow(t, &l, "new", "main", &o); o.soiled.IsZero() {
			t.Error("not soiled")
		}
		check(t, l.Close())
	})
}

func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Leases
		d := newDevice()
		d.deaf = true
		o := opens{device: d}
		line, _ := borrow(t, &l, "old", "main", &o)
		s := stream.New("main", line, owner{}, false)
		_ = s.Write(t.Context(), []byte("x"), 0)
		synctest.Wait()
		if err := l.End("old", false); !errors.Is(err, stream.ErrStuck) {
			t.Fatalf("ended with %v", err)
		}
		if l.Open() != 1 {
			t.Errorf("%d lines", l.Open())
		}
		if err := l.Close(); !errors.Is(err, stream.ErrStuck) {
			t.Errorf("closed with %v", err)
		}
		close(d.free)
		<-line.Done()
		if l.Open() != 0 {
			t.Errorf("%d lines in the end", l.Open())
		}
		check(t, l.Close())
	})
}

type owner struct{}

func (owner) IOAllowed() bool        { return true }
func (owner) Yield() <-chan struct{} { return nil }
func (owner) YieldSeen()             {}
func (owner) Yielding() bool         { return false }
func (owner) Failed(stream.Failure)  {}
func (owner) Dropped(*stream.Stream) {}

// A session that took over and failed at once leaves what it has not touched as it was; what it used is closed, and so is
// what it opened itself.
func TestAbandon(t *testing.T) {
	for _, touched := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l, o := new(Leases), new(opens)
			borrow(t, l, "old", "main", o)
			borrow(t, l, "old", "spare", o)
			if err := l.End("old", true); err != nil {
				t.Fatal(err)
			}
			line, resumed := borrow(t, l, "new", "main", o)
			borrow(t, l, "new", "own", o)
			if !resumed || line.Touched() {
				t.Fatalf("resumed %v, touched %v", resumed, line.Touched())
			}
			if touched {
				owner := stream.New("main", line, nobody{}, true)
				if r := owner.Write(t.Context(), []byte("x"), uint64(time.Second)); r.Failed {
					t.Fatal(r.Err)
				}
			}
			if err := l.Abandon("new"); err != nil {
				t.Fatal(err)
			}
			again, resumed := borrow(t, l, "old", "main", o)
			if resumed == touched || (again == line) == touched {
				t.Errorf("touched %v: resumed %v", touched, resumed)
			}
			if _, resumed := borrow(t, l, "old", "spare", o); !resumed {
				t.Error("what was never borrowed is gone")
			}
			if _, resumed := borrow(t, l, "old", "own", o); resumed {
				t.Error("what the failed session opened was kept")
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// nobody is the owner of a stream that is only written to.
type nobody struct{ stream.Owner }

func (nobody) IOAllowed() bool        { return true }
func (nobody) Yield() <-chan struct{} { return nil }
func (nobody) Yielding() bool         { return false }
