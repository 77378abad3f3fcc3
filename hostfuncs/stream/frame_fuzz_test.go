package stream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// script is what a fuzzed byte string says: when bytes arrive, and what calls are made. Arrivals are at whole
// milliseconds and everything that the calls wait for is not, so that no two things happen at once.
type script struct {
	arrivals []time.Duration // of each byte
	pieces   []piece
	calls    []frameCall
}

type frameCall struct {
	after, first, gap time.Duration
	max, expect       int
}

func parse(in []byte) script {
	var s script
	var at time.Duration
	for len(in) >= 2 && len(s.pieces) < 40 && in[0] < 200 {
		after := time.Duration(in[0]%16+1) * ms
		n := int(in[1]%12) + 1
		at += after
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(len(s.arrivals))
			s.arrivals = append(s.arrivals, at)
		}
		s.pieces = append(s.pieces, piece{after, string(b)})
		in = in[2:]
	}
	for len(in) >= 5 && len(s.calls) < 20 {
		c := frameCall{
			after: time.Duration(in[0]%40) * ms,
			first: time.Duration(in[1]%40)*ms + 300*time.Microsecond,
			gap:   time.Duration(in[2]%20)*ms + 500*time.Microsecond,
			max:   int(in[3]%30) + 1,
		}
		c.expect = int(in[4]) % (c.max + 1)
		s.calls = append(s.calls, c)
		in = in[5:]
	}
	return s
}

// model is read-frame over a list of arrival times, as io.wit tells it. It returns how many bytes the call gives, 0 for
// a timeout, and when it returns.
func model(arrivals []time.Duration, now time.Duration, c frameCall) (n int, at time.Duration) {
	limit := c.max
	if c.expect > 0 {
		limit = c.expect
	}
	if len(arrivals) == 0 || arrivals[0] > now+c.first {
		return 0, now + c.first
	}
	at = max(now, arrivals[0])
	for n = 1; n < limit; n++ {
		silent := arrivals[n-1] + c.gap
		if n == len(arrivals) || arrivals[n] >= silent {
			return n, max(now, silent)
		}
		at = max(now, arrivals[n])
	}
	return n, at
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{3, 7, 2, 1, 15, 9, 255, 0, 20, 3, 20, 0, 1, 20, 3, 20, 5, 30, 39, 1, 29, 29})
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1, 255, 30, 0, 0, 2, 0, 0, 0, 9, 29, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		synctest.Test(t, func(t *testing.T) { play(t, parse(in)) })
	})
}

// TestReadFrameModel plays what chance says, the same each time.
func TestReadFrameModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		in := make([]byte, 40+r.IntN(100))
		for i := range in {
			in[i] = byte(r.Uint32())
		}
		for i := range 20 { // Ten pieces at least.
			in[i] %= 200
		}
		synctest.Test(t, func(t *testing.T) { play(t, parse(in)) })
	}
}

func play(t *testing.T, script script) {
	d := newDevice()
	s, _ := opened(t, d)
	synctest.Wait()
	start := time.Now()
	d.arrive(script.pieces...)
	rest := script.arrivals
	var next byte
	for i, c := range script.calls {
		time.Sleep(c.after + 100*time.Microsecond - time.Since(start)%ms)
		synctest.Wait()
		n, at := model(rest, time.Since(start), c)
		got := s.ReadFrame(t.Context(), uint32(c.max), ns(c.first), ns(c.gap), uint32(c.expect))
		if len(got.Value) != n || got.Failed != (n == 0) {
			t.Fatalf("call %d %+v: got %d bytes, want %d", i, c, len(got.Value), n)
		}
		if took := time.Since(start); took != at {
			t.Fatalf("call %d %+v: at %v, want %v", i, c, took, at)
		}
		for _, b := range got.Value {
			if b != next {
				t.Fatalf("call %d: byte %d, want %d", i, b, next)
			}
			next++
		}
		rest = rest[n:]
	}
	time.Sleep(time.Minute) // What still arrives does.
}
