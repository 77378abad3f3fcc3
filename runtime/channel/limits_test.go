package channel

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
)

// limited is a running session with these limits, and what it was ended with.
func limited(t *testing.T, l Limits) (*session, *sink, *[]error) {
	t.Helper()
	s, out := parts(t, twoDevices()...)
	s.edition().Limits = l
	s.limit(s.edition())
	s.log.logger = textLog(new(bytes.Buffer))
	var ended []error
	s.abort = func(err error) { ended = append(ended, err) }
	return s, out, &ended
}

func counts(n int) []driver.Sample {
	samples := make([]driver.Sample, n)
	for i := range samples {
		samples[i] = good(0, driver.ValueUnsigned(uint64(i)))
	}
	return samples
}

// publish returns how many samples were taken.
func publish(t *testing.T, s *session, samples []driver.Sample) int {
	t.Helper()
	r := s.Publish(t.Context(), samples)
	if r.Failed {
		t.Fatalf("publish: %v", r.Err.Tag())
	}
	return int(r.Value)
}

// TestSampleRate: a second's worth goes at once, a batch is never cut, and `writable` comes when it is paid for.
func TestSampleRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, ended := limited(t, Limits{Samples: 100})
		begin := time.Now()
		if n := publish(t, s, counts(60)) + publish(t, s, counts(60)); n != 120 {
			t.Errorf("took %d at once", n)
		}
		if n := publish(t, s, counts(1)); n != 0 {
			t.Errorf("took %d above the rate", n)
		}
		e := s.Wait(t.Context(), nil, uint64(time.Minute))
		if after := time.Since(begin).Round(time.Millisecond); e.Tag() != driver.EventTagWritable || after != 200*time.Millisecond {
			t.Errorf("%v after %v", e.Tag(), after)
		}
		if e := s.Wait(t.Context(), nil, 0); e.Tag() != driver.EventTagTimeout {
			t.Errorf("%v once it was told", e.Tag())
		}
		if n := publish(t, s, counts(60)); n != 60 {
			t.Errorf("took %d when it was writable", n)
		}
		if len(*ended) != 0 {
			t.Error(*ended)
		}
	})
}

// TestByteRate: a batch of more than a second's worth goes, and holds up the next one for as long.
func TestByteRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := limited(t, Limits{Bytes: 1000})
		begin := time.Now()
		text := []driver.Sample{good(1, driver.ValueText(strings.Repeat("x", 5000)))}
		if n := publish(t, s, text); n != 1 {
			t.Errorf("took %d", n)
		}
		if n := publish(t, s, text); n != 0 {
			t.Errorf("took %d above the rate", n)
		}
		e := s.Wait(t.Context(), nil, uint64(time.Minute))
		if after := time.Since(begin).Round(time.Millisecond); e.Tag() != driver.EventTagWritable || after != 4*time.Second {
			t.Errorf("%v after %v", e.Tag(), after)
		}
	})
}

// closed is a sink that has no room until it is opened.
type closed struct {
	mu   sync.Mutex
	open bool
	c    chan<- struct{}
}

func (b *closed) Room(c chan<- struct{}) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.c = c
	return b.open
}

// poke wakes whoever waits, after it was opened or for nothing.
func (b *closed) poke(open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = open
	b.c <- struct{}{}
}

// TestBackpressure: a full sink takes nothing, which is no fault of the driver's, and wakes it when it has room.
func TestBackpressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, ended := limited(t, Limits{})
		b := &closed{}
		s.pace.sink = b
		for range 3 * maxStrikes {
			if n := publish(t, s, counts(1)); n != 0 {
				t.Fatalf("took %d", n)
			}
		}
		out.expect(t)
		begin := time.Now()
		time.AfterFunc(time.Second, func() { b.poke(false) })
		time.AfterFunc(2*time.Second, func() { b.poke(true) })
		e := s.Wait(t.Context(), nil, uint64(time.Minute))
		if after := time.Since(begin); e.Tag() != driver.EventTagWritable || after != 2*time.Second {
			t.Errorf("%v after %v", e.Tag(), after)
		}
		if n := publish(t, s, counts(1)); n != 1 || len(*ended) != 0 {
			t.Errorf("took %d, ended with %v", n, *ended)
		}
		out.expect(t, "data pump 1 count=0")
	})
}

// TestWritablePrecedence: after commands, before streams.
func TestWritablePrecedence(t *testing.T) {
	s, _, _ := limited(t, Limits{})
	loud := &stream{}
	loud.readable.Store(true)
	s.pace.full = true
	if e := s.Wait(t.Context(), []host.Stream{loud}, 0); e.Tag() != driver.EventTagWritable {
		t.Errorf("got %v", e.Tag())
	}
	if e := s.Wait(t.Context(), []host.Stream{loud}, 0); e.Tag() != driver.EventTagReadable {
		t.Errorf("got %v", e.Tag())
	}
}

// TestStrikes has a guest do, again and again, what it is refused: it sees each refusal, and a thousand of them at once
// end it.
func TestStrikes(t *testing.T) {
	batch, tooMany, tooLong := counts(maxSamples), make([]driver.Sample, maxSamples+1), strings.Repeat("x", maxBytes+1)
	tests := []struct {
		name string
		do   func(t *testing.T, s *session) (refused bool)
	}{
		{"unknown point", func(t *testing.T, s *session) bool {
			return s.Publish(t.Context(), []driver.Sample{good(4, driver.ValueUnsigned(1))}).Failed
		}},
		{"forged point", func(t *testing.T, s *session) bool {
			return s.Publish(t.Context(), []driver.Sample{good(math.MaxUint32, driver.ValueUnsigned(1))}).Failed
		}},
		{"wrong type", func(t *testing.T, s *session) bool {
			return s.Publish(t.Context(), []driver.Sample{good(0, driver.ValueText("x"))}).Failed
		}},
		{"too large", func(t *testing.T, s *session) bool {
			return s.Publish(t.Context(), tooMany).Failed
		}},
		{"wrong phase", func(t *testing.T, s *session) bool {
			s.phase = failure.PhaseInit
			return s.Publish(t.Context(), counts(1)).Failed
		}},
		{"above its rate", func(t *testing.T, s *session) bool {
			for publish(t, s, batch) > 0 {
			}
			return true
		}},
		{"unknown device", func(t *testing.T, s *session) bool {
			s.DeviceStatus(t.Context(), 2, driver.StatusOnline, "")
			return true
		}},
		{"gauges of an unknown device", func(t *testing.T, s *session) bool {
			s.Gauges(t.Context(), math.MaxUint32, nil)
			return true
		}},
		{"too much to keep", func(t *testing.T, s *session) bool {
			return s.Save(t.Context(), make([]byte, maxBlob+1)).Failed
		}},
		{"reconnects", func(t *testing.T, s *session) bool { return !s.RequestReconnect(t.Context(), "again") }},
		{"too large an answer", func(t *testing.T, s *session) bool {
			s.Reply(t.Context(), 1, component.OK[driver.CommandError](driver.ResponseInvoke(tooLong)))
			return true
		}},
		{"denied", func(t *testing.T, s *session) bool { s.signals.Denied("10.0.0.1:22", "not granted"); return true }},
		{"out of range", func(t *testing.T, s *session) bool { s.signals.Refused(); return true }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, ended := limited(t, Limits{})
				for i := range maxStrikes {
					if !test.do(t, s) {
						t.Fatalf("not refused at %d", i)
					}
				}
				if len(*ended) != 0 {
					t.Fatalf("ended early: %v", *ended)
				}
				test.do(t, s)
				if len(*ended) == 0 {
					t.Fatal("not ended")
				}
				f := failure.From("", (*ended)[0])
				if f.Code != failure.LimitRate || f.Phase != s.phase || !strings.Contains(f.Summary, "refused more than 1000 times in 10s: ") {
					t.Errorf("got %v", f)
				}
			})
		})
	}
}

// TestStrikesAreForgotten: a driver that is refused now and then goes on for ever.
func TestStrikesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, ended := limited(t, Limits{})
		for range 5 * maxStrikes {
			pass(strikeSpan / maxStrikes)
			s.strike("this")
		}
		if len(*ended) != 0 {
			t.Errorf("ended: %v", *ended)
		}
		for range maxStrikes / 2 {
			s.strike("this")
		}
		pass(strikeSpan)
		for range maxStrikes {
			s.strike("this")
		}
		if len(*ended) != 0 {
			t.Errorf("ended: %v", *ended)
		}
	})
}

// TestWaitForManyStreams: as many are looked at as may be open, and who waits for more for ever is ended.
func TestWaitForManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, ended := limited(t, Limits{Streams: 2})
		loud := &stream{}
		loud.readable.Store(true)
		if e := s.Wait(t.Context(), []host.Stream{&stream{}, loud}, 0); e.Tag() != driver.EventTagReadable || len(*ended) != 0 {
			t.Errorf("got %v, ended %v", e.Tag(), *ended)
		}
		many := []host.Stream{&stream{}, &stream{}, loud}
		for range maxStrikes {
			if e := s.Wait(t.Context(), many, 0); e.Tag() != driver.EventTagTimeout {
				t.Fatalf("got %v", e.Tag())
			}
		}
		if len(*ended) != 0 {
			t.Errorf("ended: %v", *ended)
		}
		s.Wait(t.Context(), many, 0)
		if len(*ended) != 1 {
			t.Errorf("ended: %v", *ended)
		}
	})
}

// TestDeniedEvents: one event and one line each, but not for ever.
func TestDeniedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, _ := limited(t, Limits{})
		var text bytes.Buffer
		s.log.logger = textLog(&text)
		for i := range 30 {
			s.signals.Denied(fmt.Sprintf("10.0.0.%d:22", i), "not granted: no grant covers this address")
		}
		told := out.take()
		if len(told) != 10 || told[0] != "event denied {Name:10.0.0.0:22 Reason:not granted: no grant covers this address Phase:run Suppressed:0}" {
			t.Errorf("told %q", told)
		}
		pass(time.Second)
		s.signals.Denied("a\nname\x00 of "+strings.Repeat("x", 1<<20), "")
		told = out.take()
		if len(told) != 1 || !strings.HasPrefix(told[0], "event denied {Name:a name  of xxx") ||
			!strings.HasSuffix(told[0], "x... Reason: Phase:run Suppressed:20}") || len(told[0]) > 256 {
			t.Errorf("told %.300q", told)
		}
		if n := strings.Count(text.String(), "msg=denied "); n != 11 {
			t.Errorf("%d lines", n)
		}
	})
}

// TestDeviceStatesAreBounded: what changes faster than it is told becomes one, and the last word is told in the end.
func TestDeviceStatesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, ended := limited(t, Limits{})
		flap := func(n int) {
			for i := range n {
				s.DeviceStatus(t.Context(), 0, driver.Status(i%2), "")
				s.Gauges(t.Context(), 0, []component.Tuple2[string, float64]{figure("n", float64(i))})
			}
		}
		flap(1000)
		if n := len(out.take()); n != toldRate {
			t.Errorf("told %d times", n)
		}
		s.Wait(t.Context(), nil, uint64(time.Second))
		out.expect(t, `device pump degraded "" map[n:999]`)
		flap(1000)
		out.take()
		s.channel.catchUp(time.Now(), true) // as at a session's end
		out.expect(t, `device pump degraded "" map[n:999]`)
		if len(*ended) != 0 {
			t.Error(*ended)
		}
	})
}

// TestLostIsTold: a session's end is told whatever its driver said before.
func TestLostIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, _ := limited(t, Limits{})
		for i := range 100 {
			s.DeviceStatus(t.Context(), 0, driver.Status(i%2), "")
		}
		out.take()
		s.channel.lost("trap.unreachable", time.Now())
		told := out.take()
		if want := `device pump offline "trap.unreachable" map[]`; told[len(told)-1] != want {
			t.Errorf("told %q", told)
		}
	})
}

// TestLogFlood: dropped lines are counted, and far too many end the guest.
func TestLogFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, ended := limited(t, Limits{Log: 5})
		var text bytes.Buffer
		s.log.logger = textLog(&text)
		for range 10 * 500 { // ten times what is allowed, for as long as one likes
			pass(20 * time.Millisecond)
			s.output("line")
		}
		if n := strings.Count(text.String(), "msg=guest "); n != 10*50 || len(*ended) != 0 {
			t.Errorf("%d lines, ended with %v", n, *ended)
		}
		if n := strings.Count(text.String(), `msg="guest log lines dropped" count=450`); n != 9 {
			t.Errorf("counted %d times", n)
		}
		for len(*ended) == 0 {
			s.Log(t.Context(), driver.LevelInfo, "flood", nil)
		}
		if n := s.log.lines; n > 5*10*flood+2*maxStrikes {
			t.Errorf("ended after %d lines", n)
		}
	})
}

// TestLogLineIsCut: a line has its bounds.
func TestLogLineIsCut(t *testing.T) {
	s, _, _ := limited(t, Limits{})
	var text bytes.Buffer
	s.log.logger = textLog(&text)
	long := strings.Repeat("ä", 1<<20)
	fields := make([]component.Tuple2[string, string], 1000)
	for i := range fields {
		fields[i] = component.Tuple2[string, string]{F0: long, F1: long}
	}
	s.Log(t.Context(), driver.LevelInfo, long, fields)
	if n := text.Len(); n > maxText+maxFields*(maxName+maxLine+len(" fields.=..")) || n < maxText {
		t.Errorf("logged %d bytes", n)
	}
	if strings.Contains(text.String(), "\uFFFD") {
		t.Error("a character was cut in half")
	}
}

// TestProgressIsBounded: nobody reads it faster.
func TestProgressIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := limited(t, Limits{})
		n := 0
		for range 100 {
			if s.progress.try(time.Now()) {
				n++
			}
		}
		pass(time.Second)
		for range 100 {
			if s.progress.try(time.Now()) {
				n++
			}
		}
		if n != 2*progressRate {
			t.Errorf("%d passed", n)
		}
	})
}

// TestHandle: what init may return.
func TestHandle(t *testing.T) {
	device := func(id driver.DeviceID) component.Option[driver.DeviceID] { return component.Some(id) }
	many := make([]driver.Action, maxActions+1)
	for i := range many {
		many[i].Name = fmt.Sprint("a", i)
	}
	tests := []struct {
		name   string
		handle driver.Handle
		want   string
	}{
		{"nothing", driver.Handle{}, ""},
		{"all", driver.Handle{Points: []driver.PointID{3, 2, 1, 0}, Actions: many[1:]}, ""},
		{"the same name", driver.Handle{Actions: []driver.Action{
			{Name: "reset"}, {Name: "reset", Device: device(0)}, {Name: "reset", Device: device(1)},
		}}, ""},
		{"forged point", driver.Handle{Points: []driver.PointID{0, 4}}, "point 4, which was not configured"},
		{"greatest point", driver.Handle{Points: []driver.PointID{math.MaxUint32}}, "point 4294967295, which"},
		{"point twice", driver.Handle{Points: []driver.PointID{1, 0, 1}}, "point 1 twice"},
		{"many actions", driver.Handle{Actions: many}, "1025 actions"},
		{"action twice", driver.Handle{Actions: []driver.Action{{Name: "a"}, {Name: "a"}}}, `"a" twice`},
		{"forged device", driver.Handle{Actions: []driver.Action{{Name: "a", Device: device(2)}}}, "of device 2"},
		{"no name", driver.Handle{Actions: []driver.Action{{}}}, `the action ""`},
		{"a subject", driver.Handle{Actions: []driver.Action{{Name: "a.>"}}}, `the action "a.>"`},
		{"long name", driver.Handle{Actions: []driver.Action{{Name: strings.Repeat("a", 1<<20)}}}, `aaa..." is not`},
		{"large schema", driver.Handle{Actions: []driver.Action{{Name: "a", Result: strings.Repeat(" ", maxSchema+1)}}}, "more than 65536"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := parts(t, twoDevices()...)
			err := s.edition().checkHandle(test.handle)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if f := failure.From("", err); f.Code != failure.ABIEncoding || !strings.Contains(f.Summary, test.want) || len(f.Summary) > 512 {
				t.Errorf("got %.600v", err)
			}
		})
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "12345678": "12345678", "123456789": "12345...", "1234ä6789": "1234...", "äääää": "ää...", "123ä56789": "123ä...",
	} {
		if got := cut(in, 8); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := oneLine("a\tb\r\nc\x1b[31m", 64); got != "a b  c [31m" {
		t.Errorf("got %q", got)
	}
}
