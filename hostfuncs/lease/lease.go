// Package lease is the host's hold on open ports and connections, by channel and connection name. An instance only
// borrows them: they may outlive it, where one session yields and the next takes over.
package lease

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrBusy says that this session borrows the connection already, or that the one before it still does.
var ErrBusy = errors.New("borrowed already")

// ErrEnded says that the leases are closed.
var ErrEnded = errors.New("the channel is closed")

// Line is what a session borrows: an open, or opening, port, connection, socket or listener.
type Line interface {
	// Err returns why the line is of no use any more, or nil.
	Err() error
	// Dirty says whether the other side may have seen a part of something, so that nobody else can go on with the line.
	Dirty() bool
	// Touched says whether who borrows the line has sent something, or taken something that came, since Untouched.
	Touched() bool
	Untouched()
	// Close ends the line. It returns when it is closed, or with an error when it cannot be yet: Done tells when it is.
	Close() error
	Done() <-chan struct{}
}

// soiledFor is how long it is known that a line was closed dirty: longer than any other side goes on speaking.
const soiledFor = time.Minute

// Leases are those of one channel. The zero value has none and is ready.
type Leases struct {
	mu     sync.Mutex
	holds  map[string]*hold
	soiled map[string]time.Time // when a line of that name was closed dirty
	stuck  map[Line]string
	closed bool
}

// hold is a line, and who uses it.
type hold struct {
	line     Line
	borrower any  // nil: parked for the session that takes over
	dropped  bool // given up by the borrower while a yield was pending: it closes unless the session yielded
	resumed  bool // the borrower has it from the session before
}

// Borrow gives a session the line of that name: the one that was parked, with resumed true, or a new one that open
// starts. soiled is when the last line of that name was closed while the other side may have been speaking; zero if it
// was not. borrower identifies the session.
//
// ErrBusy: somebody borrows it. stream.ErrStuck, wrapped: the line before it cannot be closed yet.
func (l *Leases) Borrow(
	borrower any, name string, open func(soiled time.Time) Line,
) (line Line, resumed bool, err error) {
	if err := l.replace(borrower, name); err != nil {
		return nil, false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, false, ErrEnded
	}
	if h := l.holds[name]; h != nil {
		if h.borrower != nil {
			return nil, false, ErrBusy
		}
		h.borrower, h.resumed = borrower, true
		h.line.Untouched()
		return h.line, true, nil
	}
	line = open(l.soiled[name])
	delete(l.soiled, name)
	if l.holds == nil {
		l.holds = map[string]*hold{}
	}
	l.holds[name] = &hold{line: line, borrower: borrower}
	return line, false, nil
}

// replace closes the line of that name where it is of no use any more: it failed while it was parked, or its borrower
// gave it up and wants a fresh one.
func (l *Leases) replace(borrower any, name string) error {
	l.mu.Lock()
	h := l.holds[name]
	old := h != nil && (h.borrower == nil && h.line.Err() != nil || h.borrower == borrower && h.dropped)
	if old {
		delete(l.holds, name)
	}
	l.mu.Unlock()
	if old {
		return l.end(name, h.line, false)
	}
	return nil
}

// Return ends the borrower's use of a line, and closes it; with shelve, only when the session ends without keeping its
// lines. It returns when the line is closed.
func (l *Leases) Return(borrower any, name string, shelve bool) error {
	l.mu.Lock()
	h := l.holds[name]
	if h == nil || h.borrower != borrower || h.dropped {
		l.mu.Unlock()
		return nil
	}
	if shelve {
		h.dropped = true
		l.mu.Unlock()
		return nil
	}
	delete(l.holds, name)
	l.mu.Unlock()
	return l.end(name, h.line, false)
}

// End ends a session. With keep, its lines that are open and clean are parked, for the session that takes over.
// Everything else is closed when End returns, and so is what was parked for this session and not taken.
func (l *Leases) End(borrower any, keep bool) error {
	return l.endUnless(func(h *hold) bool { return keep && (h.borrower == nil || h.borrower == borrower && h.clean()) },
		borrower)
}

// Abandon ends a session that took over and failed before it did anything: what it has from the session before and has
// not touched is parked again, and so is what it never borrowed. Everything else of it is closed when Abandon returns.
func (l *Leases) Abandon(borrower any) error {
	return l.endUnless(func(h *hold) bool {
		return h.borrower == nil || h.resumed && !h.dropped && h.clean() && !h.line.Touched()
	}, borrower)
}

// clean says whether the next session can go on with the line.
func (h *hold) clean() bool { return h.line.Err() == nil && !h.line.Dirty() }

// endUnless parks the borrower's lines that are to be kept, and closes its others and those that are parked already.
func (l *Leases) endUnless(kept func(*hold) bool, borrower any) error {
	l.mu.Lock()
	closing := map[string]*hold{}
	for name, h := range l.holds {
		switch {
		case h.borrower != nil && h.borrower != borrower:
		case kept(h):
			h.borrower, h.dropped, h.resumed = nil, false, false
		default:
			closing[name] = h
			delete(l.holds, name)
		}
	}
	l.mu.Unlock()
	return l.endAll(closing)
}

// Close closes every line, also those that are borrowed, and waits for those that were stuck.
func (l *Leases) Close() error {
	l.mu.Lock()
	l.closed = true
	closing := l.holds
	l.holds = nil
	l.mu.Unlock()
	_ = l.endAll(closing) // What could not be closed is stuck, and gets a last chance.
	return l.awaitStuck()
}

// Parked returns the names, beginning with prefix, of the lines that wait for the session that takes over, sorted.
func (l *Leases) Parked(prefix string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for name, h := range l.holds {
		if h.borrower == nil && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Open returns how many lines there are, those that cannot be closed included.
func (l *Leases) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	return len(l.holds) + len(l.stuck)
}

// endAll ends lines at the same time, because each may take a while. The session is over: what it did not give up
// itself was cut short.
func (l *Leases) endAll(holds map[string]*hold) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for name, h := range holds {
		wg.Go(func() {
			if err := l.end(name, h.line, !h.dropped); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// end closes one line. forced says that its user did not give it up.
func (l *Leases) end(name string, line Line, forced bool) error {
	soiled := forced || line.Dirty()
	err := line.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if soiled {
		if l.soiled == nil {
			l.soiled = map[string]time.Time{}
		}
		now := time.Now()
		maps.DeleteFunc(l.soiled, func(_ string, at time.Time) bool { return now.Sub(at) > soiledFor })
		l.soiled[name] = now
	}
	if err == nil {
		return nil
	}
	if l.stuck == nil {
		l.stuck = map[Line]string{}
	}
	l.stuck[line] = name
	return fmt.Errorf("close connection %q: %w", name, err)
}

// forget forgets the stuck lines that have ended since. The lock is held.
func (l *Leases) forget() {
	for line := range l.stuck {
		select {
		case <-line.Done():
			delete(l.stuck, line)
		default:
		}
	}
}

// awaitStuck gives the lines that could not be closed a last chance.
func (l *Leases) awaitStuck() error {
	l.mu.Lock()
	lines := maps.Clone(l.stuck)
	l.mu.Unlock()
	var errs []error
	for line, name := range lines {
		if err := line.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close connection %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
