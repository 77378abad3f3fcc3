package channel_test

import (
	"context"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// compute limits how long a driver may compute without calling the host.
func compute(d time.Duration) channel.Limits {
	return channel.Limits{Limits: module.Limits{Compute: d}}
}

// hanging has a driver compute and recurse for ever in every phase. It is ended, and the next attempt begins.
func (r *rig) hanging(t *testing.T) {
	phases := []failure.Phase{failure.PhaseConfigure, failure.PhaseConnect, failure.PhaseInit, failure.PhaseRun}
	for _, phase := range phases {
		for how, code := range map[string]failure.Code{"loop": failure.LimitCPU, "recurse": failure.LimitStack} {
			t.Run(how+" in "+string(phase), func(t *testing.T) {
				limits := channel.Limits{}
				if how == "loop" {
					limits = compute(50 * time.Millisecond)
				}
				c := r.start(t, `{"`+string(phase)+`": "`+how+`"}`, channel.Config{Edition: channel.Edition{Limits: limits}})
				if f := c.nextFailure(t); f.Code != code || f.Phase != phase {
					t.Errorf("got %s %s %q, want %s", f.Phase, f.Code, f.Summary, code)
				}
				c.nextState(t, supervise.Reconnecting)
			})
		}
	}
}

// hangingBesideOthers has as many drivers compute for ever as there are cores, and then twice as many, in each phase. A
// channel beside them goes on all the while: while each of them computes for 150 ms, it has its cycles of 20 ms.
func (r *rig) hangingBesideOthers(t *testing.T) {
	steady := r.start(t, `{}`, channel.Config{})
	steady.nextData(t)
	seq := steady.nextData(t).Seq
	for _, phase := range []string{"configure", "connect", "init", "run"} {
		for _, many := range []int{goruntime.GOMAXPROCS(0), 2 * goruntime.GOMAXPROCS(0)} {
			var hanging []*run
			for range many {
				hanging = append(hanging, r.start(t, `{"`+phase+`": "loop"}`, channel.Config{
					Edition: channel.Edition{Limits: compute(150 * time.Millisecond)},
					Policy:  supervise.Policy{Backoff: supervise.Backoff{Initial: time.Hour, Max: time.Hour}},
				}))
			}
			for _, c := range hanging {
				if f := c.nextFailure(t); f.Code != failure.LimitCPU {
					t.Errorf("%s: got %s %q", phase, f.Code, f.Summary)
				}
				c.close(t)
			}
			before := seq
			seq = steady.catchUp(t, seq)
			t.Logf("%d hanging in %s: %d cycles", many, phase, seq-before)
			if seq-before < 4 {
				t.Errorf("%d hanging in %s: the channel beside them had %d cycles", many, phase, seq-before)
			}
		}
	}
	if strings.Contains(steady.String(), "failure ") || steady.Snapshot().Attempt != 1 {
		t.Errorf("the channel beside them said\n%s", steady)
	}
}

// catchUp reads all that was published since the sequence number seq, of which nothing may be missing, and returns the
// last one.
func (r *recorder) catchUp(t *testing.T, seq uint64) uint64 {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; r.read < len(r.events); r.read++ {
		b := r.events[r.read].batch
		if b == nil {
			continue
		}
		if b.Seq != seq+1 {
			t.Fatalf("after %d came %d", seq, b.Seq)
		}
		seq = b.Seq
	}
	return seq
}

// counted: what a channel's attempts compute adds up.
func (r *rig) counted(t *testing.T) {
	const limit = 50 * time.Millisecond
	c := r.start(t, `{"run": "loop", "attempts": [1, 2]}`, channel.Config{Edition: channel.Edition{Limits: compute(limit)}})
	for attempt := range 2 {
		c.nextFailure(t)
		c.nextState(t, supervise.Connecting)
		if u := c.Usage(); u.CPU < time.Duration(attempt+1)*limit || u.Highest == 0 {
			t.Errorf("after attempt %d: %+v", attempt+1, u)
		}
	}
	c.nextState(t, supervise.Connected)
	if u := c.Usage(); u.Memory == 0 || u.Memory > u.Highest {
		t.Errorf("while connected: %+v", u)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u := c.Usage(); u.Memory != 0 || u.CPU < 2*limit {
		t.Errorf("after the stop: %+v", u)
	}
}

// postMortem: a crash says where the driver was, what it had called and printed. Secrets are not in it.
func (r *rig) postMortem(t *testing.T) {
	c := r.start(t, `{"run": "panic", "cycle": 2, "stdout": "token hush", "log": ["info the word is hush"]}`,
		channel.Config{Edition: channel.Edition{Secrets: [][]byte{[]byte("hush")}}})
	left := c.next(t, "a crash", func(e event) bool { return e.crash != nil }).crash.PostMortem
	for _, want := range []string{"runtime.gopanic(", "script.__session_.poll(", "sdk.__Loop_.Run("} {
		if !strings.Contains(left.Stack, want) {
			t.Errorf("no %s in the stack\n%s", want, left.Stack)
		}
	}
	printed := strings.Join(left.Output, "\n")
	if !strings.HasPrefix(printed, "token ***\npanic: scripted panic\n") {
		t.Errorf("it printed\n%s", printed)
	}
	var calls []string
	for _, call := range left.Calls {
		calls = append(calls, call.String())
	}
	all := strings.Join(calls, "\n")
	for _, want := range []string{`log.log(level info, message "the word is ***"`, "state.load() -> none", "control.wait(", "data.publish(samples 2 elements) -> ok"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in the calls\n%s", want, all)
		}
	}
	if strings.Contains(c.log.String(), "hush") || left.Memory == 0 || left.CPU <= 0 {
		t.Errorf("%d bytes, %s; the log is\n%s", left.Memory, left.CPU, c.log)
	}
}

// heldLock: a driver is stopped in a call of the host that holds what closing the session needs.
func (r *rig) heldLock(t *testing.T) {
	conn, _ := silent(t)
	locked := &locking{ChannelHost: r.outside(t, []module.Connection{conn}), entered: make(chan struct{})}
	c := r.start(t, `{"connection": "main"}`, channel.Config{Edition: channel.Edition{Connections: []module.Connection{conn}, Host: locked}})
	<-locked.entered
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := c.Snapshot(); s.State != supervise.Stopped || strings.Contains(c.String(), "failure ") {
		t.Errorf("%s after\n%s", s.State, c)
	}
	if locked.early {
		t.Error("the session was closed under its call")
	}
}

// locking is a share of the world whose connections are held up for as long as somebody waits, under a lock.
type locking struct {
	module.ChannelHost
	mu      sync.Mutex
	entered chan struct{} // closed by the first connect
	inside  bool
	early   bool // closed while inside
}

func (l *locking) Session(s module.Signals) module.SessionHost {
	return &lockingSession{SessionHost: l.ChannelHost.Session(s), of: l}
}

type lockingSession struct {
	module.SessionHost
	of *locking
}

func (s *lockingSession) Connect(ctx context.Context, _ driver.Target) component.Result[host.Stream, driver.IOError] {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.inside = true
	close(s.of.entered)
	<-ctx.Done()
	s.of.inside = false
	return component.Err[host.Stream](driver.IOErrorCancelled)
}

func (s *lockingSession) Close(keep bool) error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.early = s.of.early || s.of.inside
	return s.SessionHost.Close(keep)
}
