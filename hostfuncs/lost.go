package hostfuncs

import "sync"

// lostError is why what was open before, under the same name in the same channel, cannot be opened: it went away, as an
// adapter that was unplugged, and may come back.
type lostError struct{ err error }

func (e lostError) Error() string { return e.err.Error() }
func (e lostError) Unwrap() error { return e.err }

// Lost is what runtime/module asks of the errors behind an io-error.
func (lostError) Lost() bool { return true }

// opened are the names of connections that were open at some time. The zero value has none.
type opened struct {
	mu    sync.Mutex
	names map[string]bool
}

func (o *opened) add(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = make(map[string]bool)
	}
	o.names[name] = true
}

// failed returns err as that of a connection of this name.
func (o *opened) failed(name string, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names[name] {
		return lostError{err}
	}
	return err
}
