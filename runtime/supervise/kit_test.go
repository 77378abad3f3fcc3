package supervise_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// story writes down all that happens, with the time since its start, and checks what must always hold.
type story struct {
	t     *testing.T
	start time.Time

	mu        sync.Mutex
	lines     []string
	records   []failure.Record
	snapshots []supervise.Snapshot
	visible   uint64 // generation of the published handle; 0 when none or parked
	open      int    // sessions
	ready     bool   // a session is between its Init's success and the end of its Run
	attempt   uint64
	quiet     bool
}

var _ supervise.Observer = (*story)(nil)

func newStory(t *testing.T) *story { return &story{t: t, start: time.Now()} }

func (s *story) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(format, args...)
}

func (s *story) write(format string, args ...any) {
	if s.quiet {
		return
	}
	at := fmt.Sprintf("%8.3fs  ", time.Since(s.start).Seconds())
	s.lines = append(s.lines, at+strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (s *story) State(n supervise.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots = append(s.snapshots, n)
	line := fmt.Sprintf("state %s attempt %d generation %d", n.State, n.Attempt, n.Generation)
	if n.Reason != "" {
		line += fmt.Sprintf(" (%s)", n.Reason)
	}
	if !n.NextRetry.IsZero() {
		line += fmt.Sprintf(", next in %s", n.Backoff)
	}
	s.write("%s", line)
	if n.State != supervise.Connected && s.visible != 0 {
		s.t.Errorf("state %s while handle %d is published", n.State, s.visible)
	}
}

func (s *story) Failure(r failure.Record, f *failure.Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
	next := "none"
	if !r.NextRetry.IsZero() {
		next = time.Until(r.NextRetry).String()
	}
	s.write("failure %s %s %s %q attempt %d generation %d, retry %s", r.Phase, r.Kind, r.Code, r.Summary, r.Attempt,
		r.Generation, next)
	if f == nil || f.Code != r.Code {
		s.t.Errorf("failure %+v does not belong to record %+v", f, r)
	}
}

func (s *story) Backoff(w supervise.Wait) {
	s.say("backoff %s after attempt %d for %s", w.Delay, w.Attempt, w.Reason)
	if got := time.Until(w.Until); got != w.Delay {
		s.t.Errorf("the wait of %s ends in %s", w.Delay, got)
	}
}

func (s *story) Quarantined(c supervise.CrashLoop) {
	s.say("quarantined: %s", c.Reason)
	if records := s.failures(); len(records) == 0 || c.LastFailure != records[len(records)-1] || c.Crashes < 1 {
		s.t.Errorf("quarantined for %+v", c)
	}
}

func (s *story) Published(generation uint64, h supervise.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.visible != 0 || !s.ready {
		s.t.Errorf("handle %d published while %d is visible, session ready: %t", generation, s.visible, s.ready)
	}
	s.visible = generation
	s.write("published %d %v", generation, h)
}

func (s *story) Parked(generation uint64) { s.hide("parked", generation) }

func (s *story) Revoked(generation uint64) { s.hide("revoked", generation) }

func (s *story) hide(what string, generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visible = 0
	s.write("%s %d", what, generation)
}

func (s *story) ReconnectRequested(attempt uint64, reason string) {
	s.say("reconnect requested in attempt %d: %s", attempt, reason)
}

func (s *story) failures() []failure.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]failure.Record(nil), s.records...)
}

func (s *story) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n") + "\n"
}

// golden compares the story with its file.
func (s *story) golden(name string) {
	s.t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(s.text()), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if d := cmp.Diff(string(want), s.text()); d != "" {
		s.t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// plan is what a scripted session does. What is nil succeeds at once; run is serve then.
type plan struct {
	connect func(*supervise.Context) error
	init    func(*supervise.Context) error
	run     func(*supervise.Context) (supervise.Outcome, error)
	close   func(keep bool) error
}

// driver is a scripted connector: plan says what each attempt's session does.
type driver struct {
	name  string
	story *story
	plan  func(*supervise.Context) plan
}

var _ supervise.Connector = (*driver)(nil)

func (d *driver) Digest() string { return "sha256:" + d.name }

func (d *driver) Connect(ctx *supervise.Context) (supervise.Session, error) {
	p := d.plan(ctx)
	s := d.story
	s.mu.Lock()
	if s.open++; s.open > 1 {
		s.t.Errorf("%s connects while %d sessions are open", d.name, s.open-1)
	}
	if ctx.Attempt() <= s.attempt {
		s.t.Errorf("attempt %d follows attempt %d", ctx.Attempt(), s.attempt)
	}
	s.attempt = ctx.Attempt()
	s.write("  %s connects, attempt %d, takeover %t", d.name, ctx.Attempt(), ctx.Takeover())
	s.mu.Unlock()
	connected := false
	defer func() { // also when the plan panics
		if !connected {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.open--
		}
	}()
	if p.connect != nil {
		if err := p.connect(ctx); err != nil {
			return nil, err
		}
	}
	connected = true
	return &session{driver: d, plan: p}, nil
}

type session struct {
	driver *driver
	plan   plan
	kept   bool
}

func (s *session) Init(ctx *supervise.Context) (supervise.Handle, error) {
	if s.plan.init != nil {
		if err := s.plan.init(ctx); err != nil {
			return nil, err
		}
	}
	s.driver.story.mark(true)
	return s.driver.name, nil
}

func (s *session) Run(ctx *supervise.Context) (supervise.Outcome, error) {
	defer s.driver.story.mark(false)
	if s.plan.run == nil {
		return serve(ctx)
	}
	return s.plan.run(ctx)
}

func (s *session) Close(keep bool) error {
	if s.plan.close != nil {
		if err := s.plan.close(keep); err != nil {
			return err
		}
	}
	st := s.driver.story
	st.mu.Lock()
	defer st.mu.Unlock()
	if s.kept {
		st.write("  %s releases what it kept", s.driver.name)
		return nil
	}
	st.open--
	s.kept = keep
	st.write("  %s closed, keep %t", s.driver.name, keep)
	return nil
}

func (s *story) mark(ready bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = ready
}

// serve runs until it is told otherwise.
func serve(ctx *supervise.Context) (supervise.Outcome, error) {
	select {
	case <-ctx.Yield():
		return supervise.OutcomeYielded(), nil
	case <-ctx.Done():
		return supervise.OutcomeDisconnected(), ctx.Err()
	}
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// runFor runs for d and then ends with the error.
func runFor(d time.Duration, err error) func(*supervise.Context) (supervise.Outcome, error) {
	return func(ctx *supervise.Context) (supervise.Outcome, error) {
		if err := pause(ctx, d); err != nil {
			return supervise.OutcomeDisconnected(), err
		}
		return supervise.OutcomeDisconnected(), err
	}
}

func fails(err error) func(*supervise.Context) error {
	return func(*supervise.Context) error { return err }
}

func trap() error { return failure.New("", failure.TrapUnreachable, "unreachable executed") }

func refused() error { return failure.New("", failure.IORefused, "connection refused") }

// always is the plan of every attempt.
func always(p plan) func(*supervise.Context) plan {
	return func(*supervise.Context) plan { return p }
}

// first is the plan of the first attempts, in order; those after them serve.
func first(plans ...plan) func(*supervise.Context) plan {
	return func(ctx *supervise.Context) plan {
		if n := ctx.Attempt(); n <= uint64(len(plans)) {
			return plans[n-1]
		}
		return plan{}
	}
}

// steady is a backoff without jitter.
func steady() supervise.Policy {
	return supervise.Policy{Backoff: supervise.Backoff{Initial: time.Second, Max: 30 * time.Second, Factor: 2}}
}

// start returns a running supervisor of a driver with this plan, in virtual time.
func start(
	t *testing.T, s *story, p func(*supervise.Context) plan, change func(*supervise.Config),
) *supervise.Supervisor {
	t.Helper()
	c := supervise.Config{
		Name: "boiler", Connector: &driver{name: "v1", story: s, plan: p}, Policy: steady(), Observer: s,
	}
	if change != nil {
		change(&c)
	}
	sup, err := supervise.New(c)
	if err != nil {
		t.Fatal(err)
	}
	sup.Start()
	return sup
}

// stop stops the supervisor and checks how that leaves it.
func stop(t *testing.T, s *story, sup *supervise.Supervisor) {
	t.Helper()
	if err := sup.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if got := sup.Snapshot().State; got != supervise.Stopped {
		t.Errorf("state after stop: %s", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != 0 || s.visible != 0 {
		t.Errorf("after stop: %d sessions open, handle %d visible", s.open, s.visible)
	}
}

// settle waits until everything waits for time to pass.
func settle() { synctest.Wait() }

// after lets virtual time pass and everything settle.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func wantState(t *testing.T, sup *supervise.Supervisor, want supervise.State, reason string) {
	t.Helper()
	if got := sup.Snapshot(); got.State != want || got.Reason != reason {
		t.Errorf("state %s (%s), want %s (%s)", got.State, got.Reason, want, reason)
	}
}

var errPlain = errors.New("something the driver did not expect")
