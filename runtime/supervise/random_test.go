package supervise_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// dice draws what scripted sessions do, and counts the failures that must be recorded.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// act waits a while, mostly with an ear for ctx, and then succeeds, fails or panics.
func (d *dice) act(ctx *supervise.Context) error {
	wait := time.Duration(d.n(4000)) * time.Millisecond
	if d.n(20) == 0 {
		wait *= 10
	}
	if d.n(10) == 0 {
		<-time.After(wait) // deaf
	} else if err := pause(ctx, wait); err != nil {
		return err
	}
	codes := []failure.Code{
		failure.IORefused, failure.TrapUnreachable, failure.IONotFound, failure.LimitCPU, "driver.own", failure.ABIEncoding,
	}
	switch n := d.n(24); {
	case n < len(codes):
		return failure.New("", codes[n], "drawn")
	case n == 10:
		return &failure.Failure{Kind: failure.Stop, Code: "driver.done", Summary: "drawn"}
	case n == 11:
		panic("drawn")
	case n == 12:
		return errPlain
	}
	return nil
}

func (d *dice) plan(*supervise.Context) plan {
	return plan{
		connect: func(ctx *supervise.Context) error {
			return d.act(ctx)
		},
		init: d.act,
		run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			for range d.n(8) {
				select {
				case <-ctx.Yield():
					return supervise.OutcomeYielded(), nil
				case <-ctx.Done():
					return supervise.OutcomeDisconnected(), ctx.Err()
				case <-time.After(time.Duration(d.n(20000)) * time.Millisecond):
				}
				if d.n(6) == 0 {
					ctx.RequestReconnect("drawn")
				}
			}
			outcomes := []supervise.Outcome{
				supervise.OutcomeDisconnected(), supervise.OutcomeReconnect("drawn"), supervise.OutcomeYielded(),
				supervise.OutcomeFatal(failure.New("", "driver.own", "drawn")),
			}
			return outcomes[d.n(len(outcomes))], d.act(ctx)
		},
		close: func(bool) error {
			<-time.After(time.Duration(d.n(300)) * time.Millisecond)
			return nil
		},
	}
}

// command gives the supervisor one command out of all that there are.
func (d *dice) command(t *testing.T, s *story, sup *supervise.Supervisor) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(d.n(30))*time.Second)
	defer cancel()
	var err error
	switch d.n(8) {
	case 0, 1, 2:
		next := &driver{name: "next", story: s, plan: d.plan}
		_, err = sup.Replace(ctx, next, time.Duration(d.n(30))*time.Second)
	case 3:
		err = sup.Stop(ctx)
	case 4:
		err = sup.Restart(ctx)
	case 5:
		err = sup.Clear(ctx)
	case 6:
		sup.Start()
	case 7:
		sup.RequestReconnect("by hand")
	}
	for _, known := range []error{
		supervise.ErrReplacing, supervise.ErrStopped, supervise.ErrStuck, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return
		}
	}
	if err != nil {
		t.Errorf("command: %v", err)
	}
}

// checkRecords checks what holds for the records and snapshots of any story.
func checkRecords(t *testing.T, s *story) {
	s.mu.Lock()
	defer s.mu.Unlock()
	perAttempt := make(map[uint64]int)
	for i, r := range s.records {
		if r.Attempt == 0 || r.Phase == "" || r.Kind == "" || !r.Code.Known() || r.Time.IsZero() {
			t.Errorf("record %+v", r)
		}
		if i > 0 && r.Attempt < s.records[i-1].Attempt {
			t.Errorf("record of attempt %d after one of attempt %d", r.Attempt, s.records[i-1].Attempt)
		}
		// One failure ends an attempt. No close is ever stuck here, so there is no second one.
		if perAttempt[r.Attempt]++; perAttempt[r.Attempt] > 1 {
			t.Errorf("attempt %d has %d records", r.Attempt, perAttempt[r.Attempt])
		}
	}
	for i := 1; i < len(s.snapshots); i++ {
		a, b := s.snapshots[i-1], s.snapshots[i]
		if b.Attempt < a.Attempt || b.Generation < a.Generation || b.Since.Before(a.Since) {
			t.Errorf("snapshot %+v after %+v", b, a)
		}
	}
}

// FuzzStory drives random sessions with random commands through the loop. The story checks that a handle is visible
// only while its session is Ready and the channel connected, that at most one session is open, and that attempts
// increase.
func FuzzStory(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint8(12))
	}
	f.Fuzz(func(t *testing.T, seed uint64, commands uint8) {
		synctest.Test(t, func(t *testing.T) {
			d := &dice{rng: rand.New(rand.NewPCG(seed, 1))}
			s := newStory(t)
			s.quiet = true
			sup := start(t, s, d.plan, func(c *supervise.Config) {
				c.Quarantine.Crashes = 3
				if d.n(2) == 0 {
					c.Policy.MaxRetries = new(d.n(4))
				}
			})
			var callers sync.WaitGroup
			for range int(commands) % 32 {
				<-time.After(time.Duration(d.n(40000)) * time.Millisecond)
				callers.Go(func() { d.command(t, s, sup) })
			}
			callers.Wait()
			after(10 * time.Minute) // nothing stays stuck that long
			stop(t, s, sup)
			checkRecords(t, s)
		})
	})
}

// TestHammer gives all commands at once, from many goroutines, in real time, for the race detector.
func TestHammer(t *testing.T) {
	s := newStory(t)
	s.quiet = true
	busy := func(*supervise.Context) plan { return plan{} }
	sup := start(t, s, busy, func(c *supervise.Config) {
		c.Policy.Backoff = supervise.Backoff{Initial: time.Microsecond, Max: time.Microsecond, Factor: 1}
		c.Policy.ReconnectFloor = time.Microsecond
	})
	var all sync.WaitGroup
	tolerated := func(err error) {
		if err != nil && !errors.Is(err, supervise.ErrReplacing) && !errors.Is(err, supervise.ErrStopped) {
			t.Error(err)
		}
	}
	repeat := func(f func()) {
		for range 2 {
			all.Go(func() {
				for range 300 {
					f()
				}
			})
		}
	}
	repeat(func() { tolerated(sup.Stop(t.Context())); sup.Start() })
	repeat(func() { tolerated(sup.Restart(t.Context())) })
	repeat(func() { tolerated(sup.Clear(t.Context())) })
	repeat(func() { sup.RequestReconnect("hammer") })
	repeat(func() {
		_, err := sup.Replace(t.Context(), &driver{name: "next", story: s, plan: busy}, time.Microsecond)
		tolerated(err)
	})
	repeat(func() {
		snapshots, cancel := sup.Subscribe()
		defer cancel()
		if n, current := <-snapshots, sup.Snapshot(); current.Attempt < n.Attempt {
			t.Errorf("attempt %d after %d", current.Attempt, n.Attempt)
		}
	})
	all.Wait()
	stop(t, s, sup)
}
