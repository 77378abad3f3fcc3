package stream

import "errors"

// chunk is how much is given to the device at a time: what is left of a write that is cut off is not sent.
const chunk = 256

// job is what the writer does: one write, or one task. The writer has at most one.
type job struct {
	running bool
	// left says that the call which gave the job did not wait for its end.
	left bool
	// cut says that the rest of the write is not to be sent.
	cut  bool
	data []byte
	task Task
	err  error
}

// writes does the jobs.
func (l *Line) writes(dev Device) {
	for {
		select {
		case <-l.work:
			l.finish(l.do(dev))
		case <-l.ctx.Done():
			return
		}
	}
}

func (l *Line) do(dev Device) (err error) {
	defer recoverInto("write", &err)
	l.mu.Lock()
	data, task := l.job.data, l.job.task
	l.mu.Unlock()
	if task != nil {
		return task(dev)
	}
	for len(data) > 0 && !l.isCut() {
		n, err := dev.Write(data[:min(len(data), chunk)])
		l.traffic.Sent.Add(uint64(n))
		if err != nil {
			return broken(err)
		}
		data = data[n:]
	}
	if len(data) > 0 {
		return errCut
	}
	return nil
}

// errCut ends a write that was not to be finished. Why, somebody else knows.
var errCut = errors.New("the write was cut off")

func (l *Line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.job.cut || l.err != nil
}

// finish ends the job. A write that failed ends the line; a task that failed is the caller's affair. What the end of the
// line cut short failed for the same reason.
func (l *Line) finish(err error) {
	l.mu.Lock()
	write, cut := l.job.task == nil, errors.Is(err, errCut)
	l.job.running, l.job.task, l.job.err = false, nil, err
	if l.err != nil && (cut || !write) {
		l.job.err = l.err
	}
	l.changed()
	l.mu.Unlock()
	if err != nil && write && !cut {
		l.fail(err)
	}
}

// writeNow sends what the device takes without waiting, and says how much. Nothing, where the line is not open yet, or the
// writer has a job.
func (l *Line) writeNow(data []byte) (n int, err error) {
	if n, err = l.attempt(data); err != nil {
		l.fail(err)
	}
	return n, err
}

func (l *Line) attempt(data []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	dev, prompt := l.dev.(Prompt)
	if !prompt || l.job.running {
		return 0, nil
	}
	n, err = now(dev, data)
	l.traffic.Sent.Add(uint64(n))
	return n, err
}

func now(dev Prompt, data []byte) (n int, err error) {
	defer recoverInto("write", &err)
	if n, err = dev.WriteNow(data); err != nil {
		err = broken(err)
	}
	return n, err
}

// soil says that a write was cut off.
func (l *Line) soil() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty = true
}

// submit gives the writer a job, if the line is open and the writer has none. data is copied.
func (l *Line) submit(data []byte, task Task, left bool) (taken bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return false, l.err
	}
	if l.dev == nil || l.job.running {
		return false, nil
	}
	l.job = job{running: true, left: left, data: append(l.job.data[:0], data...), task: task}
	poke(l.work)
	return true, nil
}

// result says whether the job is at its end, and how it ended.
func (l *Line) result() (ended bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.job.running:
		return true, l.job.err
	case l.err != nil:
		return true, l.err
	}
	return false, nil
}

// leave gives up waiting for the job. A write is cut off, and the line is dirty from then on.
func (l *Line) leave() {
	l.mu.Lock()
	dev, write := l.dev, l.job.running && l.job.task == nil
	l.job.left = true
	if write {
		l.job.cut, l.dirty = true, true
	}
	l.mu.Unlock()
	if write {
		dev.Interrupt()
	}
}

// stuck says whether the writer has a job that nobody waits for any more.
func (l *Line) stuck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.job.running && l.job.left
}
