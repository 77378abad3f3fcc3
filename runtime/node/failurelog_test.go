package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// story is a failure log in virtual time, and what it wrote: a line each, with the time since its start.
type story struct {
	failureLog
	text written
}

// written takes what is logged, also from the goroutine of a timer.
type written struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buffer.Write(p)
}

// take returns what was written since the last time.
func (w *written) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.buffer.Reset()
	return w.buffer.String()
}

func newStory() *story {
	s := &story{}
	begin := time.Now()
	s.logger = slog.New(slog.NewTextHandler(&s.text, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey:
				return slog.String("at", time.Since(begin).String())
			case "kind", "reason", "attempt", slog.LevelKey:
				return slog.Attr{}
			}
			return a
		},
	}))
	return s
}

// fail is a failure of that code.
func (s *story) fail(code failure.Code, format string, args ...any) {
	s.failure(failure.Record{Phase: failure.PhaseConnect, Kind: failure.Retryable, Code: code, Summary: fmt.Sprintf(format, args...)})
	s.is(supervise.Reconnecting)
}

func (s *story) is(state supervise.State) { s.state(supervise.Snapshot{State: state}) }

// expect compares what was written since the last call.
func (s *story) expect(t *testing.T, want string) {
	t.Helper()
	if got := s.text.take(); got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// A channel that fails the same way twice a minute for three hours is four lines, and a last one when it works again.
func TestFailureLogOfALongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory()
		s.is(supervise.Connecting)
		for n := range 3*120 + 2 {
			s.fail(failure.IORefused, "dial tcp 10.0.0.5:%d->10.0.0.6:502: connection refused after %dms", 40000+n, n)
			pass(30 * time.Second)
			s.is(supervise.Connecting)
		}
		s.is(supervise.Connected)
		s.expect(t, `at=0s msg=state state=connecting
at=0s msg=failure phase=connect code=io.refused summary="dial tcp 10.0.0.5:40000->10.0.0.6:502: connection refused after 0ms"
at=0s msg=state state=reconnecting
at=30s msg=state state=connecting
at=1h0m0s msg=failure phase=connect code=io.refused summary="dial tcp 10.0.0.5:40120->10.0.0.6:502: connection refused after 120ms" suppressed=119
at=1h0m0s msg=state state=reconnecting
at=1h0m30s msg=state state=connecting
at=2h0m0s msg=failure phase=connect code=io.refused summary="dial tcp 10.0.0.5:40240->10.0.0.6:502: connection refused after 240ms" suppressed=119
at=2h0m0s msg=state state=reconnecting
at=2h0m30s msg=state state=connecting
at=3h0m0s msg=failure phase=connect code=io.refused summary="dial tcp 10.0.0.5:40360->10.0.0.6:502: connection refused after 360ms" suppressed=119
at=3h0m0s msg=state state=reconnecting
at=3h0m30s msg=state state=connecting
`)
		pass(supervise.DefaultStableAfter)
		s.expect(t, `at=3h1m10s msg="failures suppressed" phase=connect code=io.refused suppressed=1
at=3h1m10s msg="stable again"
`)
		s.fail(failure.IORefused, "dial tcp 10.0.0.5:1->10.0.0.6:502: connection refused after 1ms")
		if got := s.text.take(); strings.Count(got, "msg=failure ") != 1 {
			t.Errorf("the first one after that is not logged:\n%s", got)
		}
	})
}

// A session that does not last is no end of the row; another failure is.
func TestFailureLogOfAFlappingPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory()
		for range 4 {
			s.is(supervise.Connected)
			pass(supervise.DefaultStableAfter - time.Second)
			s.fail(failure.IOClosed, "the session lost its device")
			pass(time.Second)
		}
		s.expect(t, `at=0s msg=state state=connected
at=9s msg=failure phase=connect code=io.closed summary="the session lost its device"
at=9s msg=state state=reconnecting
at=10s msg=state state=connected
`)
		s.fail(failure.IOTimeout, "no answer")
		s.expect(t, `at=40s msg="failures suppressed" phase=connect code=io.closed suppressed=3
at=40s msg=failure phase=connect code=io.timeout summary="no answer"
at=40s msg=state state=reconnecting
`)
	})
}

// The end of a channel tells what was left out before it.
func TestFailureLogAtTheEnd(t *testing.T) {
	for _, end := range []supervise.State{supervise.Failed, supervise.Stopped, supervise.Quarantined} {
		synctest.Test(t, func(t *testing.T) {
			s := newStory()
			for range 3 {
				s.fail(failure.Exit, "the driver exited with code 3")
			}
			s.is(end)
			s.expect(t, `at=0s msg=failure phase=connect code=exit summary="the driver exited with code 3"
at=0s msg=state state=reconnecting
at=0s msg="failures suppressed" phase=connect code=exit suppressed=2
at=0s msg=state state=`+end.String()+"\n")
			pass(time.Hour)
			s.expect(t, "")
		})
	}
}

func TestLikeness(t *testing.T) {
	r := func(phase failure.Phase, code failure.Code, summary string) failure.Record {
		return failure.Record{Phase: phase, Code: code, Summary: summary}
	}
	first := r(failure.PhaseRun, failure.IOTimeout, "read 127.0.0.1:502: no answer to 3 requests within 1.5s (0xc0ffee)")
	for name, c := range map[string]struct {
		other failure.Record
		alike bool
	}{
		"other digits": {r(failure.PhaseRun, failure.IOTimeout, "read [::1]:40001: no answer to 12 requests within 1m2s (0xdead00)"), true},
		"other words":  {r(failure.PhaseRun, failure.IOTimeout, "read 127.0.0.1:502: no answer to 3 probes within 1.5s (0xc0ffee)"), false},
		"other phase":  {r(failure.PhaseInit, failure.IOTimeout, first.Summary), false},
		"other code":   {r(failure.PhaseRun, failure.IOClosed, first.Summary), false},
	} {
		if alike := likenessOf(first) == likenessOf(c.other); alike != c.alike {
			t.Errorf("%s: alike %t", name, alike)
		}
	}
}
