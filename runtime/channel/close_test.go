package channel

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// nowhere is a share of the outside world that has nothing, and counts how often it is closed.
type nowhere struct{ closed int }

func (*nowhere) Session(module.Signals) module.SessionHost { panic("a session was started") }

func (n *nowhere) Close() error {
	n.closed++
	return nil
}

func TestNewReturnsNoChannelWithAnError(t *testing.T) {
	c, err := New(Config{
		Edition: Edition{Module: &module.Module{}, Host: &nowhere{}},
		Name:    "boiler", Sink: &sink{}, Logger: slog.New(slog.DiscardHandler),
		Policy: supervise.Policy{StableAfter: -time.Second},
	})
	if err == nil || c != nil {
		t.Errorf("got %v, %v", c, err)
	}
}

// TestClosedForGood: a call that comes while the node stops must not start the channel again.
func TestClosedForGood(t *testing.T) {
	host := &nowhere{}
	c, err := New(Config{
		Edition: Edition{Module: &module.Module{}, Host: host},
		Name:    "boiler", Sink: &sink{}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Start()
	if err := c.Restart(t.Context()); !errors.Is(err, supervise.ErrStopped) {
		t.Errorf("restart: %v", err)
	}
	if s := c.Snapshot(); s.State != supervise.Stopped || s.Attempt != 0 {
		t.Errorf("%s in attempt %d", s.State, s.Attempt)
	}
	if host.closed != 1 {
		t.Errorf("the host was closed %d times", host.closed)
	}
}
