package channel

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// TestWaitPrecedence has everything happen at once and then takes one after the other away: stop, yield, cancel,
// command, readable, timeout.
func TestWaitPrecedence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := parts(t)
		silent, loud := &stream{}, &stream{}
		loud.readable.Store(true)
		streams := []host.Stream{silent, loud}
		wait := func(ctx context.Context) driver.Event { return s.Wait(ctx, streams, 0) }
		expect := func(ctx context.Context, want driver.EventTag) driver.Event {
			t.Helper()
			e := wait(ctx)
			if e.Tag() != want {
				t.Errorf("got %v, want %v", e.Tag(), want)
			}
			return e
		}
		serve(s.commands, 1, "abandoned", "next")
		abandoned := call(within(t, time.Second), s.channel, Command{Request: invoke("abandoned")})
		id := taken(t, s.commands).ID
		<-abandoned
		next := call(t.Context(), s.channel, Command{Request: invoke("next")})
		synctest.Wait()
		stopped, stop := context.WithCancel(t.Context())
		stop()
		asked := make(chan struct{})
		close(asked)
		never := s.signals.asked

		s.signals.asked = asked
		expect(stopped, driver.EventTagStop)
		expect(stopped, driver.EventTagStop) // again and again
		expect(t.Context(), driver.EventTagYield)
		expect(t.Context(), driver.EventTagYield)
		s.signals.asked = never
		if e := expect(t.Context(), driver.EventTagCancel); e.Cancel() != id {
			t.Errorf("cancel of %d, want %d", e.Cancel(), id)
		}
		s.commands.reply(expect(t.Context(), driver.EventTagCommand).Command().ID, answer(""))
		<-next
		if e := expect(t.Context(), driver.EventTagReadable); e.Readable() != 1 {
			t.Errorf("stream %d", e.Readable())
		}
		loud.readable.Store(false)
		expect(t.Context(), driver.EventTagTimeout)
	})
}

// TestWaitEnds has a guest wait, and one thing happen after a second.
func TestWaitEnds(t *testing.T) {
	tests := []struct {
		name    string
		timeout uint64
		happens func(s *session, st *stream, stop func(), yield func())
		want    driver.EventTag
		after   time.Duration
	}{
		{"timeout", uint64(1500 * time.Millisecond), nil, driver.EventTagTimeout, 1500 * time.Millisecond},
		{"no timeout", 0, nil, driver.EventTagTimeout, 0},
		{"stop", math.MaxUint64, func(_ *session, _ *stream, stop, _ func()) { stop() }, driver.EventTagStop, time.Second},
		{"yield", math.MaxUint64, func(_ *session, _ *stream, _, yield func()) { yield() }, driver.EventTagYield, time.Second},
		{"command", math.MaxUint64, func(s *session, _ *stream, _, _ func()) {
			serve(s.commands, 1, "echo")
			_, _ = s.channel.Submit(Command{Request: invoke("echo")})
		}, driver.EventTagCommand, time.Second},
		{"readable", math.MaxUint64, func(_ *session, st *stream, _, _ func()) {
			st.readable.Store(true)
			st.poke()
		}, driver.EventTagReadable, time.Second},
		{"poked for nothing", uint64(2 * time.Second), func(_ *session, st *stream, _, _ func()) {
			st.poke()
		}, driver.EventTagTimeout, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := parts(t)
				asked := make(chan struct{})
				s.signals.asked = asked
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				st := &stream{}
				if test.happens != nil {
					time.AfterFunc(time.Second, func() { test.happens(s, st, stop, func() { close(asked) }) })
				}
				begin := time.Now()
				e := s.Wait(ctx, []host.Stream{st}, test.timeout)
				if after := time.Since(begin); e.Tag() != test.want || after != test.after {
					t.Errorf("%v after %v, want %v after %v", e.Tag(), after, test.want, test.after)
				}
				if st.poked.Load() != nil {
					t.Error("the stream still pokes")
				}
			})
		})
	}
}

// TestSignals: a yield ends one blocking call, or none once wait has told it.
func TestSignals(t *testing.T) {
	s, _ := parts(t)
	asked := make(chan struct{})
	s.signals.asked = asked
	if s.signals.Yield() == nil || s.signals.Yielding() || s.signals.IOAllowed() {
		t.Error("before the yield")
	}
	close(asked)
	select {
	case <-s.signals.Yield():
	default:
		t.Error("the yield ends no call")
	}
	if !s.signals.Yielding() {
		t.Error("not yielding")
	}
	if e := s.Wait(t.Context(), nil, 0); e.Tag() != driver.EventTagYield {
		t.Errorf("wait answers %v", e.Tag())
	}
	if s.signals.Yield() != nil || !s.signals.Yielding() {
		t.Error("the yield ends a call after it was told, or is forgotten")
	}
	s.signals.io.Store(true)
	if !s.signals.IOAllowed() {
		t.Error("no I/O")
	}
}

func TestRequestReconnect(t *testing.T) {
	s, _ := parts(t)
	if s.RequestReconnect(t.Context(), "nobody to ask") {
		t.Error("taken by nobody")
	}
	var reasons []string
	s.request = func(reason string) bool {
		reasons = append(reasons, reason)
		return len(reasons) == 1
	}
	if !s.RequestReconnect(t.Context(), "first") || s.RequestReconnect(t.Context(), "second") || len(reasons) != 2 {
		t.Errorf("asked for %q", reasons)
	}
}
