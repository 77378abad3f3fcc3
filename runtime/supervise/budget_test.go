package supervise

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBackoffDefaults(t *testing.T) {
	b := Config{}.withDefaults().Policy.Backoff
	if want := (Backoff{Initial: time.Second, Max: 30 * time.Second, Factor: 2, Jitter: 0.2}); b != want {
		t.Errorf("got %+v, want %+v", b, want)
	}
}

// The first delay is the configured one within the jitter, none is ever above Max, and those at Max are spread, too.
func TestBackoffDelay(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, b := range []Backoff{
		{Initial: time.Second, Max: 30 * time.Second, Factor: 2, Jitter: 0.2},
		{Initial: 5 * time.Second, Max: 5 * time.Second, Factor: 1, Jitter: 0.2},
		{Initial: 1, Max: 1<<63 - 1, Factor: 10, Jitter: 0.99},
		{Initial: time.Minute, Max: time.Hour, Factor: 1.5},
	} {
		base := float64(b.Initial)
		for n := range 2000 {
			low, high := time.Duration(0), time.Duration(0)
			for range 20 {
				d := b.delay(n, rng)
				if d < 0 || d > b.Max || float64(d) < base*(1-b.Jitter)*0.999999-1 || float64(d) > base*(1+b.Jitter)*1.000001+1 {
					t.Fatalf("%+v: delay %d is %s, base %g", b, n, d, base)
				}
				if low == 0 || d < low {
					low = d
				}
				high = max(high, d)
			}
			if b.Jitter > 0 && b.Initial > 1 && low == high {
				t.Errorf("%+v: delay %d is not spread", b, n)
			}
			base = min(base*b.Factor, float64(b.Max))
		}
	}
}

func TestBudgetLeft(t *testing.T) {
	b := budget{policy: Policy{Backoff: Backoff{Initial: 1, Max: 1, Factor: 1}, MaxRetries: new(2)},
		rand: rand.New(rand.NewPCG(1, 2))}
	for _, want := range []int{2, 1, 0, 0} {
		if got := *b.left(); got != want {
			t.Errorf("left %d, want %d", got, want)
		}
		b.take(time.Unix(0, 0))
	}
	b.reset()
	if got := *b.left(); got != 2 {
		t.Errorf("left %d after a reset", got)
	}
}
