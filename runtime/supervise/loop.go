package supervise

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// intent is what is wanted of the attempt in progress, other than that it goes on.
type intent uint8

const (
	intentNone intent = iota
	intentStop
	intentRestart   // begin the next attempt as soon as this one is closed
	intentReconnect // likewise, after the floor delay when repeated
)

// handleState is where the handle of the current generation is.
type handleState uint8

const (
	handleNone handleState = iota
	handlePublished
	handleParked
)

// loop is the actor that owns a channel's state. Its goroutine handles one message, timer or request at a time, and
// then advance decides what is to be called next.
type loop struct {
	config   Config
	watch    *watch
	messages chan message
	calls    sync.WaitGroup
	current  atomic.Pointer[attempt] // for requests from outside

	connector   Connector
	attempts    uint64
	generation  uint64   // of the last published handle
	snapshot    Snapshot // the one that is shown
	handle      handleState
	budget      budget
	lastFailure *failure.Record
	crashes     []time.Time // within the quarantine's window
	crashLoop   *CrashLoop  // of an earlier life, until the first start

	call    *call   // the one call in progress
	session Session // open; closed by advance when no call needs it
	keep    bool    // what its Close is to be given
	held    Session // yielded, closed with keep, and nobody has taken over its lines yet

	intent      intent
	reason      string      // of the intent
	due         bool        // the next attempt may begin as soon as nothing is in its way
	over        atomic.Bool // about to end by itself, and nothing else is done
	readyAt     time.Time   // when the current run began
	requestedAt time.Time   // when a requested reconnect happened last
	swap        *swap

	stoppers  []chan<- error
	restarter []chan<- error

	overdue *time.Timer // of the call
	retry   *time.Timer
	trial   *time.Timer
}

func newLoop(c Config) *loop {
	l := &loop{
		config:    c,
		messages:  make(chan message),
		connector: c.Connector,
		crashLoop: c.CrashLoop,
		budget:    budget{policy: c.Policy, rand: c.Rand},
		snapshot:  Snapshot{State: Disconnected, Since: time.Now(), RetriesLeft: c.Policy.MaxRetries},
	}
	l.watch = newWatch(l.snapshot)
	return l
}

// prepare makes the loop ready to run, again.
func (l *loop) prepare(i intent) {
	l.over.Store(false)
	l.intent, l.due = i, i == intentNone
	l.reason = ""
	l.forget()
}

// forget starts budgets and counters anew.
func (l *loop) forget() {
	l.budget.reset()
	l.crashes = nil
	l.requestedAt = time.Time{}
}

// run returns when the channel is stopped, with those who wait for that.
func (l *loop) run() (stoppers []chan<- error) {
	l.overdue, l.retry, l.trial = idleTimer(), idleTimer(), idleTimer()
	l.restore()
	for l.advance(); !l.over.Load(); l.advance() {
		select {
		case m := <-l.messages:
			m.apply(l)
		case <-l.overdue.C:
			l.escalate()
		case <-l.retry.C:
			l.due = true
		case <-l.trial.C:
			l.trialOver()
		case reason := <-l.requests():
			l.reason = reason
			l.end(intentReconnect, ErrReconnect)
		}
	}
	l.calls.Wait()
	stoppers, l.stoppers = l.stoppers, nil
	return stoppers
}

func idleTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// advance calls what is to be called next, if anything: one thing at a time, and closing comes first.
func (l *loop) advance() {
	switch {
	case l.call != nil:
	case l.session != nil:
		l.startClose(l.session, l.keep, false)
	case l.held != nil && l.swap == nil:
		l.startClose(l.held, false, true)
	case l.intent == intentStop:
		l.finish()
	case l.due:
		l.begin()
	}
}

// begin starts the next attempt.
func (l *loop) begin() {
	l.due, l.keep, l.intent, l.reason = false, false, intentNone, ""
	for _, reply := range l.restarter {
		reply <- nil
	}
	l.restarter = nil
	l.attempts++
	a := newAttempt(l.connector, l.attempts, l.generation+1, l.held != nil)
	l.current.Store(a)
	l.show(Connecting, "")
	l.startConnect(a)
}

// end asks the attempt in progress to end, with what is wanted afterwards.
func (l *loop) end(i intent, cause error) {
	l.intent = i
	l.retry.Stop()
	l.due = i == intentRestart
	if a := l.current.Load(); a != nil {
		a.gate.shut()
	}
	if c := l.call; c != nil && c.waiting() {
		l.ask(cause)
	}
}

// finish ends the loop.
func (l *loop) finish() {
	for _, reply := range l.restarter {
		reply <- ErrStopped
	}
	l.restarter = nil
	l.over.Store(true)
	l.show(Stopped, l.reason)
}

// requests returns the current attempt's reconnect requests while its run may still be ended by one.
func (l *loop) requests() <-chan string {
	if l.call == nil || l.call.step != stepRun || l.call.stage != stageRunning {
		return nil
	}
	return l.current.Load().gate.requests
}

// show makes a new snapshot, without a retry, current.
func (l *loop) show(s State, reason string) { l.showRetry(s, reason, 0, time.Time{}) }

// showRetry makes a new snapshot current. While a handle is parked the channel stays connected. A snapshot that says
// nothing new is not shown.
func (l *loop) showRetry(s State, reason string, delay time.Duration, next time.Time) {
	if l.handle == handleParked {
		s, reason = Connected, l.swap.reason()
	}
	n := l.snapshot
	if s != n.State {
		n.State, n.Since = s, time.Now()
	}
	n.Reason, n.Attempt, n.Generation = reason, l.attempts, l.generation
	n.Backoff, n.NextRetry, n.LastFailure = delay, next, l.lastFailure
	if n == l.snapshot {
		return
	}
	l.tell(n)
}

// tell makes a snapshot current.
func (l *loop) tell(n Snapshot) {
	n.RetriesLeft = l.budget.left()
	l.snapshot = n
	l.watch.set(n)
	l.config.Observer.State(n)
}

// record tells of a failure. next is when the next attempt starts; zero when that is not known, or there is none.
func (l *loop) record(f *failure.Failure, next time.Time) {
	r := failure.Record{
		Phase: f.Phase, Kind: f.Kind, Code: f.Code, Summary: f.Summary,
		Attempt: l.attempts, Time: time.Now(), NextRetry: next,
	}
	a := l.current.Load()
	if a.generation == l.generation { // it was published
		r.Generation = l.generation
	}
	if d, ok := a.connector.(Digester); ok {
		r.Digest = d.Digest()
	}
	l.lastFailure = &r
	l.config.Observer.Failure(r, f)
}

func (l *loop) publish(h Handle) {
	l.generation++
	l.handle, l.readyAt = handlePublished, time.Now()
	l.held = nil
	l.current.Load().gate.open()
	l.config.Observer.Published(l.generation, h)
}

// park keeps the handle's callers waiting for the next session.
func (l *loop) park() {
	if l.handle != handlePublished {
		return
	}
	l.handle = handleParked
	l.config.Observer.Parked(l.generation)
}

func (l *loop) revoke() {
	if l.handle == handleNone {
		return
	}
	l.handle = handleNone
	l.config.Observer.Revoked(l.generation)
}
