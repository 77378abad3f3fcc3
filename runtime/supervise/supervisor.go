package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What commands answer.
var (
	// ErrReplacing refuses a command while a swap or its trial is in progress.
	ErrReplacing = errors.New("a swap is in progress")
	// ErrStopped is the answer to a command that a stop has overtaken.
	ErrStopped = errors.New("the channel was stopped meanwhile")
	// ErrStuck means that a call into the driver has not returned, by far. Nothing can start until it has.
	ErrStuck = errors.New("a call into the driver does not return")

	errIdle = errors.New("not running")
)

// Supervisor runs one channel. All its methods may be called from any goroutine.
type Supervisor struct {
	loop *loop // touched only by its goroutine, or under mu while that does not run

	mu   sync.Mutex
	done chan struct{} // closed when the loop's goroutine has ended; nil before the first
}

// New returns a supervisor that is not started. It does no I/O, and reports all that is wrong with the configuration.
func New(c Config) (*Supervisor, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("supervise %q: %w", c.Name, err)
	}
	return &Supervisor{loop: newLoop(c)}, nil
}

// Snapshot returns the current state.
func (s *Supervisor) Snapshot() Snapshot { return s.loop.watch.get() }

// Subscribe returns a channel that gives the current snapshot first and then the latest one whenever there is a new
// one. A reader that is slow misses those in between, never the last. cancel closes the channel; Stop does not.
func (s *Supervisor) Subscribe() (snapshots <-chan Snapshot, cancel func()) {
	return s.loop.watch.subscribe()
}

// Start starts the channel, with budgets and counters of crashes anew. It does nothing when the channel runs, that is
// unless it was never started or is stopped. The first Start of a channel that has a Config.CrashLoop starts no attempt.
func (s *Supervisor) Start() {
	for {
		done := s.ended()
		if s.launch(intentNone) || !s.loop.over.Load() {
			return
		}
		<-done // it has just stopped by itself
	}
}

// Stop ends the session, gracefully if it returns within the stop deadline, closes it and ends the channel as stopped.
// It returns when all of that is done, or with ErrStuck when a call does not return, or with an error when ctx is done;
// the stop goes on in the two latter cases.
func (s *Supervisor) Stop(ctx context.Context) error {
	if s.ended() == nil {
		s.launch(intentStop)
	}
	reply := make(chan error, 1)
	if err := s.send(ctx, stopMessage{reply}); err != nil {
		if errors.Is(err, errIdle) {
			return nil
		}
		return fmt.Errorf("stop: %w", err)
	}
	if err := wait(ctx, reply); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// Restart ends the session, if there is one, and starts a new attempt with budgets and counters anew, whatever the
// state; it starts a stopped channel. It returns when the attempt begins.
func (s *Supervisor) Restart(ctx context.Context) error {
	reply := make(chan error, 1)
	s.whileIdle(func(l *loop) { l.crashLoop = nil })
	for !s.launch(intentNone) {
		err := s.send(ctx, restartMessage{reply})
		if errors.Is(err, errIdle) {
			continue
		}
		if err == nil {
			err = wait(ctx, reply)
		}
		if err != nil {
			return fmt.Errorf("restart: %w", err)
		}
		return nil
	}
	return nil
}

// Clear forgets the crashes that were counted, and starts a new attempt when the channel is quarantined.
func (s *Supervisor) Clear(ctx context.Context) error {
	for !s.whileIdle(func(l *loop) { l.crashes, l.crashLoop = nil, nil }) {
		reply := make(chan error, 1)
		err := s.send(ctx, clearMessage{reply})
		if errors.Is(err, errIdle) {
			continue
		}
		if err == nil {
			err = wait(ctx, reply)
		}
		if err != nil {
			return fmt.Errorf("clear: %w", err)
		}
		return nil
	}
	return nil
}

// RequestReconnect is Context.RequestReconnect for the current attempt.
func (s *Supervisor) RequestReconnect(reason string) bool {
	a := s.loop.current.Load()
	return a != nil && a.gate.request(reason)
}

// Replace puts next in the place of the connector. While a session runs that is a swap: the session is asked to yield,
// its handle is parked, and next takes over. A failure of next before the trial is over, whatever its code, brings the
// previous connector back. The trial's expiry keeps next; a trial of 0 ends when next is Ready. In the other states
// next is adopted; the package comment has the table.
//
// Replace returns when there is a verdict. When ctx is done it returns earlier, and the swap goes on. The error is
// ErrReplacing when another swap is in progress, and ErrStopped or ErrStuck, with the report so far, when that ended
// this one. A roll-back is no error.
func (s *Supervisor) Replace(ctx context.Context, next Connector, trial time.Duration) (Report, error) {
	if next == nil || trial < 0 {
		return Report{}, errors.New("replace: the connector is nil or the trial negative")
	}
	m := replaceMessage{next: next, trial: trial, reply: make(chan replaced, 1)}
	for !s.whileIdle(func(l *loop) { l.connector, l.crashLoop = next, nil }) {
		err := s.send(ctx, m)
		if errors.Is(err, errIdle) {
			continue
		}
		if err != nil {
			return Report{}, fmt.Errorf("replace: %w", err)
		}
		return awaitVerdict(ctx, m.reply)
	}
	return Report{Result: Adopted}, nil
}

func awaitVerdict(ctx context.Context, reply <-chan replaced) (Report, error) {
	select {
	case r := <-reply:
		if r.err != nil {
			return r.report, fmt.Errorf("replace: %w", r.err)
		}
		return r.report, nil
	case <-ctx.Done():
		return Report{}, fmt.Errorf("replace: wait for the verdict: %w", context.Cause(ctx))
	}
}

// Adjust changes budgets and deadlines from the next wait or call on, and calls then, if it is not nil, where the
// Observer is called. It returns when that is done. The error has all that is wrong; nothing is changed then.
func (s *Supervisor) Adjust(ctx context.Context, p Policy, d Deadlines, q Quarantine, then func()) error {
	c := Config{Name: s.loop.config.Name, Connector: s.loop.config.Connector, Policy: p, Deadlines: d, Quarantine: q}.withDefaults()
	if err := c.validate(); err != nil {
		return fmt.Errorf("adjust: %w", err)
	}
	adjust := func(l *loop) {
		l.config.Policy, l.config.Deadlines, l.config.Quarantine = c.Policy, c.Deadlines, c.Quarantine
		l.budget.policy = c.Policy
		if then != nil {
			then()
		}
	}
	for !s.whileIdle(adjust) {
		reply := make(chan error, 1)
		err := s.send(ctx, adjustMessage{adjust, reply})
		if errors.Is(err, errIdle) {
			continue
		}
		if err == nil {
			err = wait(ctx, reply)
		}
		if err != nil {
			return fmt.Errorf("adjust: %w", err)
		}
		return nil
	}
	return nil
}

// launch starts the loop's goroutine with the given intent, unless it runs, and says whether it did.
func (s *Supervisor) launch(i intent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		return false
	}
	s.loop.prepare(i)
	done := make(chan struct{})
	s.done = done
	go func() {
		stoppers := s.loop.run()
		close(done)
		for _, reply := range stoppers {
			reply <- nil
		}
	}()
	return true
}

// whileIdle calls f unless the loop runs, and says whether it did. f does not block.
func (s *Supervisor) whileIdle(f func(*loop)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		return false
	}
	f(s.loop)
	return true
}

// ended returns the channel that is closed when the loop's current or last run has ended; nil before the first.
func (s *Supervisor) ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func (s *Supervisor) running() bool {
	if s.done == nil {
		return false
	}
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// send hands m to the loop. It returns errIdle when the loop has ended instead.
func (s *Supervisor) send(ctx context.Context, m message) error {
	select {
	case s.loop.messages <- m:
		return nil
	case <-s.ended():
		return errIdle
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func wait(ctx context.Context, reply <-chan error) error {
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
