package channel

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// What a command ends with when the driver gave no answer.
var (
	// ErrNotReady: no session serves the channel.
	ErrNotReady = errors.New("the channel is not ready")
	// ErrQueueFull: too many commands wait.
	ErrQueueFull = errors.New("the channel's queue is full")
	// ErrExpired: the deadline was over before the driver took the command. Nothing was sent.
	ErrExpired = errors.New("the command expired before it was sent")
	// ErrUnknown: the driver took the command, and its session or the deadline ended before it answered.
	ErrUnknown = errors.New("the command was sent, its outcome is unknown")
)

// maxCommands is how many commands wait for a driver.
const maxCommands = 64

// Answer is what a driver answers to a command.
type Answer = component.Result[driver.Response, driver.CommandError]

// commands is a session's queue of commands: those that wait, and those that the driver has.
type commands struct {
	arrived chan struct{} // holds one

	mu      sync.Mutex
	closed  bool
	lastID  uint64
	waiting []*command
	taken   map[uint64]*command
	cancels []uint64
}

type command struct {
	id       uint64
	request  driver.Request
	deadline time.Time
	report   func(text string, fraction float64)
	taken    bool
	answered chan Answer // holds one
	lost     chan struct{}
}

func newCommands() *commands {
	return &commands{arrived: make(chan struct{}, 1), taken: make(map[uint64]*command)}
}

// do queues a request and waits for the driver's answer, or for the end of ctx. report may be nil; it must not block.
func (q *commands) do(ctx context.Context, r driver.Request, report func(string, float64)) (Answer, error) {
	cmd, err := q.push(ctx, r, report)
	if err != nil {
		return Answer{}, err
	}
	select {
	case a := <-cmd.answered:
		return a, nil
	case <-cmd.lost:
	case <-ctx.Done():
	}
	return q.abandon(cmd)
}

func (q *commands) push(ctx context.Context, r driver.Request, report func(string, float64)) (*command, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Minute)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrNotReady
	}
	if len(q.waiting)+len(q.taken) >= maxCommands {
		return nil, ErrQueueFull
	}
	q.lastID++
	cmd := &command{id: q.lastID, request: r, deadline: deadline, report: report,
		answered: make(chan Answer, 1), lost: make(chan struct{})}
	q.waiting = append(q.waiting, cmd)
	q.poke()
	return cmd, nil
}

// abandon ends the wait for a command: its answer if it came meanwhile, or how far it got. The driver hears of it when
// it has the command.
func (q *commands) abandon(cmd *command) (Answer, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case a := <-cmd.answered:
		return a, nil
	default:
	}
	if !cmd.taken {
		for i, w := range q.waiting {
			if w == cmd {
				q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
				break
			}
		}
		return Answer{}, ErrExpired
	}
	if !q.closed {
		q.cancels = append(q.cancels, cmd.id)
		q.poke()
	}
	return Answer{}, ErrUnknown
}

// next returns the next event for the driver: cancellations first, then commands whose time is not over.
func (q *commands) next(now time.Time) (driver.Event, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.cancels) > 0 {
		id := q.cancels[0]
		q.cancels = q.cancels[1:]
		return driver.EventCancel(id), true
	}
	for len(q.waiting) > 0 {
		cmd := q.waiting[0]
		left := cmd.deadline.Sub(now)
		if left <= 0 {
			q.waiting = q.waiting[1:]
			close(cmd.lost)
			continue
		}
		q.waiting = q.waiting[1:]
		cmd.taken = true
		q.taken[cmd.id] = cmd
		return driver.EventCommand(driver.Command{ID: cmd.id, Request: cmd.request, Deadline: uint64(left)}), true
	}
	return driver.Event{}, false
}

func (q *commands) reply(id uint64, a Answer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if cmd := q.taken[id]; cmd != nil {
		delete(q.taken, id)
		cmd.answered <- a
	}
}

func (q *commands) progress(id uint64, text string, fraction float64) {
	q.mu.Lock()
	cmd := q.taken[id]
	q.mu.Unlock()
	if cmd != nil && cmd.report != nil {
		cmd.report(text, fraction)
	}
}

// close ends every command that has no answer: the session is over.
func (q *commands) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	for _, cmd := range q.waiting {
		close(cmd.lost)
	}
	for _, cmd := range q.taken {
		close(cmd.lost)
	}
	q.taken = nil
}

func (q *commands) poke() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}
