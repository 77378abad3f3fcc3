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
	s.tune()
	if most := s.signals.streams; len(streams) > most {
		s.strike("it waits for more streams than it may have open")
		streams = streams[:most]
	}
	notify(streams, s.wake)
	defer notify(streams, nil)
	now := time.Now()
	end := now.Add(time.Duration(min(timeout, 1<<62)))
	for ; ; now = time.Now() {
		told := s.channel.catchUp(now, false)
		if event, ok := s.event(ctx, streams, now); ok {
			return event
		}
		left := end.Sub(now)
		if left <= 0 {
			return driver.EventTimeout()
		}
		s.pause(ctx, shortest(left, told, s.roomIn(now)))
	}
}

// notify has c poked when one of the streams becomes readable; nil ends that.
func notify(streams []host.Stream, c chan<- struct{}) {
	for _, stream := range streams {
		if w, ok := stream.(module.Waitable); ok {
			w.Notify(c)
		}
	}
}

// pause waits for something that may be an event, for at most d.
func (s *session) pause(ctx context.Context, d time.Duration) {
	if s.timer == nil {
		s.timer = time.NewTimer(d)
	} else {
		s.timer.Reset(d)
	}
	defer s.timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.signals.asked:
	case <-s.wake:
	case <-s.commands.arrived:
	case <-s.timer.C:
	}
}

// shortest returns the shortest of some times, of which those that are 0 do not count.
func shortest(d time.Duration, others ...time.Duration) time.Duration {
	for _, other := range others {
		if other > 0 {
			d = min(d, other)
		}
	}
	return d
}

// event returns what there is to say, in the order of precedence of control.wit.
func (s *session) event(ctx context.Context, streams []host.Stream, now time.Time) (driver.Event, bool) {
	if ctx.Err() != nil {
		return driver.EventStop(), true
	}
	if s.signals.Yielding() {
		s.signals.YieldSeen()
		return driver.EventYield(), true
	}
	if event, ok := s.commands.next(now); ok {
		return event, true
	}
	if s.writable(now) {
		return driver.EventWritable(), true
	}
	for i, stream := range streams {
		if w, ok := stream.(module.Waitable); !ok || w.Readable() {
			return driver.EventReadable(uint32(i)), true
		}
	}
	return driver.Event{}, false
}

// Reply implements host.Control. An answer that is too large becomes one that says that the outcome is not known.
func (s *session) Reply(_ context.Context, id uint64, answer component.Result[driver.Response, driver.CommandError]) {
	if tooLarge(answer) {
		s.strike("it answers with more than a message can carry")
		answer = component.Err[driver.Response](driver.CommandErrorUnknown(driver.IOErrorInvalid))
	}
	s.commands.reply(id, answer)
}

// tooLarge says whether an answer is more than one publish may be.
func tooLarge(answer Answer) bool {
	if answer.Failed {
		return false
	}
	switch r := answer.Value; r.Tag() {
	case driver.ResponseTagRead:
		return len(r.Read()) > maxSamples || size(r.Read()) > maxBytes
	case driver.ResponseTagWrite:
		return len(r.Write()) > maxSamples
	default:
		return len(r.Invoke()) > maxBytes
	}
}

// Progress implements host.Control. What comes faster than anybody reads it is dropped.
func (s *session) Progress(_ context.Context, id uint64, text string, fraction float64) {
	if s.progress.try(time.Now()) {
		s.commands.progress(id, s.forPeople(text), fraction)
	}
}

// RequestReconnect implements host.Control.
func (s *session) RequestReconnect(_ context.Context, reason string) bool {
	if s.request != nil && s.request(s.forPeople(reason)) {
		return true
	}
	s.strike("it asks for a reconnect again and again")
	return false
}
