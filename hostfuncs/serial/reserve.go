package serial

import "sync"

const (
	// perPort is how many descriptors the library takes for a port: its own, and a pipe.
	perPort = 3
	// spare is for how many ports there are always descriptors in reserve.
	spare = 4
)

// reserve keeps low descriptors for ports, because the library waits with select(2). A port gets them by their being
// closed right before it is opened: the operating system gives the lowest that are free.
type reserve struct {
	mu    sync.Mutex
	ports int // for which there is to be a reserve, those that are open included
	open  int
	held  []int
}

// add keeps descriptors for n more ports.
func (r *reserve) add(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ports += n
	r.fill()
}

// lend calls open with descriptors for one port free. Who opened a port says when it was closed: returned.
func (r *reserve) lend(open func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shrink(len(r.held) - perPort)
	r.open++
	err := open()
	if err != nil {
		r.open--
		r.fill()
	}
	return err
}

// returned says that a port was closed.
func (r *reserve) returned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	r.fill()
}

// close gives all back, for good.
func (r *reserve) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ports = 0
	r.shrink(0)
}

// fill takes what is missing, as far as it can be had.
func (r *reserve) fill() {
	want := max(0, perPort*(r.ports-r.open))
	r.shrink(want)
	for len(r.held) < want {
		fd, ok := takeLow()
		if !ok {
			return
		}
		r.held = append(r.held, fd)
	}
}

// shrink gives back all but n.
func (r *reserve) shrink(n int) {
	for len(r.held) > max(0, n) {
		last := len(r.held) - 1
		giveBack(r.held[last])
		r.held = r.held[:last]
	}
}
