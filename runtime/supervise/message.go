package supervise

import "time"

// message is what the loop handles, one at a time.
type message interface{ apply(*loop) }

type (
	resultMessage  struct{ result }
	stopMessage    struct{ reply chan<- error }
	restartMessage struct{ reply chan<- error }
	clearMessage   struct{ reply chan<- error }
	adjustMessage  struct {
		adjust func(*loop)
		reply  chan<- error
	}
	replaceMessage struct {
		next  Connector
		trial time.Duration
		reply chan replaced
	}
)

// replaced is the answer to a Replace.
type replaced struct {
	report Report
	err    error
}

func (m stopMessage) apply(l *loop) {
	if l.call != nil && l.call.stage == stageStuck {
		m.reply <- ErrStuck
	} else {
		l.stoppers = append(l.stoppers, m.reply)
	}
	if l.intent == intentStop {
		return
	}
	parked := l.handle == handleParked
	l.abandonSwap(ErrStopped)
	l.end(intentStop, ErrStop)
	if parked {
		l.show(Disconnected, "stopping")
	}
}

func (m restartMessage) apply(l *loop) {
	switch {
	case l.intent == intentStop:
		m.reply <- ErrStopped
	case l.swap != nil:
		m.reply <- ErrReplacing
	default:
		l.forget()
		l.restarter = append(l.restarter, m.reply)
		l.end(intentRestart, ErrRestart)
	}
}

func (m adjustMessage) apply(l *loop) {
	m.adjust(l)
	m.reply <- nil
}

func (m clearMessage) apply(l *loop) {
	l.crashes = nil
	if l.snapshot.State == Quarantined {
		l.forget()
		l.due = true
	}
	m.reply <- nil
}

func (m replaceMessage) apply(l *loop) {
	switch {
	case l.swap != nil:
		m.reply <- replaced{err: ErrReplacing}
	case l.call != nil && l.call.step == stepRun && l.call.stage == stageRunning:
		l.startSwap(m)
	default:
		l.adopt(m.next)
		m.reply <- replaced{report: Report{Result: Adopted}}
	}
}

// adopt makes next the connector of the next attempt, which starts at once unless the channel is being stopped.
func (l *loop) adopt(next Connector) {
	l.connector = next
	l.forget()
	switch {
	case l.intent != intentNone: // an attempt follows in any case, or none is wanted
	case l.call != nil && l.call.waiting():
		l.end(intentRestart, ErrReplaced)
	default:
		l.retry.Stop()
		l.due = true
	}
}
