package channel

import (
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Pending is a command that was submitted. Its methods may be called from any goroutine.
type Pending struct {
	queue   *queue
	command Command
	id      uint64
	done    chan struct{}

	// The queue's lock guards these.
	holder *commands // the session that has it; nil while it waits
	taken  time.Time
	told   bool // that nobody wants it
	ended  bool
	answer Answer
	err    error
}

// Done is closed when there is a result.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Result returns the driver's answer, or how the command ended without one. It is called once Done is closed.
func (p *Pending) Result() (Answer, error) {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	return p.answer, p.err
}

// Taken returns when the driver took the command; zero when it has not.
func (p *Pending) Taken() time.Time {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	return p.taken
}

// Cancel ends a command that waits, with ErrCancelled. When the driver has it already, the driver is told, and its
// answer is still waited for. The deadline does not end that: Abandon does.
func (p *Pending) Cancel() {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	if !p.tell() {
		p.queue.drop(p, ErrCancelled)
	}
}

// Abandon ends the wait: what waits ends with ErrExpired; what the driver has, of which it is told, with ErrUnknown. It
// does nothing when there is a result.
func (p *Pending) Abandon() {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	if p.tell() {
		p.end(Answer{}, ErrUnknown)
		return
	}
	p.queue.drop(p, ErrExpired)
}

// tell tells the driver that nobody wants the command any more; false when it does not have it. The lock is held.
func (p *Pending) tell() bool {
	if p.holder == nil || p.ended {
		return p.ended
	}
	if !p.told {
		p.told = true
		p.holder.cancels = append(p.holder.cancels, p.id)
		p.queue.poke()
	}
	return true
}

// end gives the command its result, the first one. The lock is held.
func (p *Pending) end(answer Answer, err error) {
	if p.ended {
		return
	}
	p.ended, p.answer, p.err = true, answer, err
	close(p.done)
}

// urgent says whether the command goes ahead of reads.
func (p *Pending) urgent() bool { return p.command.Request.Tag() != driver.RequestTagRead }
