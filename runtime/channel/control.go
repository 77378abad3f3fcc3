package channel

import (
	"context"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/module"
)

// Wait implements host.Control. It ends at once when the session is to stop or to yield.
func (s *session) Wait(ctx context.Context, streams []host.Stream, timeout driver.Duration) driver.Event {
	for _, stream := range streams {
		if w, ok := stream.(module.Waitable); ok {
			w.Notify(s.wake)
			defer w.Notify(nil)
		}
	}
	var expired <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(time.Duration(min(timeout, 1<<62)))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		if event, now := s.event(ctx, streams); now {
			return event
		}
		if timeout == 0 {
			return driver.EventTimeout()
		}
		select {
		case <-ctx.Done():
		case <-s.signals.asked:
		case <-s.wake:
		case <-s.commands.arrived:
		case <-expired:
			return driver.EventTimeout()
		}
	}
}

// event returns what there is to say, in the order of precedence of control.wit.
func (s *session) event(ctx context.Context, streams []host.Stream) (driver.Event, bool) {
	if ctx.Err() != nil {
		return driver.EventStop(), true
	}
	if s.signals.Yielding() {
		s.signals.YieldSeen()
		return driver.EventYield(), true
	}
	if event, ok := s.commands.next(time.Now()); ok {
		return event, true
	}
	for i, stream := range streams {
		if w, ok := stream.(module.Waitable); !ok || w.Readable() {
			return driver.EventReadable(uint32(i)), true
		}
	}
	return driver.Event{}, false
}

// Reply implements host.Control.
func (s *session) Reply(_ context.Context, id uint64, answer component.Result[driver.Response, driver.CommandError]) {
	s.commands.reply(id, answer)
}

// Progress implements host.Control.
func (s *session) Progress(_ context.Context, id uint64, text string, fraction float64) {
	s.commands.progress(id, text, fraction)
}

// RequestReconnect implements host.Control.
func (s *session) RequestReconnect(_ context.Context, reason string) bool {
	return s.request != nil && s.request(reason)
}
