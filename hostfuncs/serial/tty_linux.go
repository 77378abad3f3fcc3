package serial

import "golang.org/x/sys/unix"

const getTermios = unix.TCGETS

// wake has a write that waits look again whether there is room. A pseudo-terminal does not do so by itself when its
// output is discarded; leaving the stopped state does it on every terminal.
func (h *hold) wake() {
	for _, state := range [...]int{unix.TCOOFF, unix.TCOON} {
		_ = unix.IoctlSetInt(h.fd, unix.TCXONC, state) // Where it does not help, the writer is stuck.
	}
}
