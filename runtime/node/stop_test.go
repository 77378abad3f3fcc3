package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// stuckHost holds whoever wants a session until it is released.
type stuckHost struct{ release chan struct{} }

func (h stuckHost) Session(module.Signals) module.SessionHost {
	<-h.release
	panic("no session")
}

func (stuckHost) Close() error { return nil }

// deaf is a sink that keeps nothing.
type deaf struct{}

func (deaf) Data(point.Batch)                      {}
func (deaf) State(supervise.Snapshot)              {}
func (deaf) Device(point.DeviceState)              {}
func (deaf) Failure(failure.Record)                {}
func (deaf) Crashed(channel.Crash)                 {}
func (deaf) Quarantined(supervise.CrashLoop)       {}
func (deaf) Backoff(supervise.Wait)                {}
func (deaf) Handle(string, uint64, []*point.Point) {}
func (deaf) Revoke()                               {}
func (deaf) Removed(string)                        {}
func (deaf) Event(string, any)                     {}

// TestStopKeepsTheCodeThatRuns: a module whose session does not end is not released. This one could not be: it has no
// loader.
func TestStopKeepsTheCodeThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := stuckHost{make(chan struct{})}
		m := &member{config: &config.Channel{Name: "boiler"}, module: &module.Module{}}
		var err error
		m.channel, err = channel.New(channel.Config{
			Edition: channel.Edition{Module: m.module, Host: host},
			Name:    "boiler", Sink: deaf{}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		n := &Node{members: newMembers(m), started: make(chan struct{})}
		m.channel.Start()
		synctest.Wait()
		if err := n.Stop(t.Context()); !errors.Is(err, supervise.ErrStuck) {
			t.Errorf("stop: %v", err)
		}
		close(host.release)
		synctest.Wait()
		if err := m.channel.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// TestCallsWaitForTheStart: the bridge answers before the channels are made.
func TestCallsWaitForTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Node{
			started: make(chan struct{}),
			members: newMembers(&member{config: &config.Channel{Name: "boiler"}}),
		}
		for name, verb := range n.verbs() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := verb(ctx, []byte(`{"channel":"boiler"}`))
			cancel()
			if e, ok := errors.AsType[*message.Error](err); !ok || e.Code != message.ErrNotReady.Code {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
