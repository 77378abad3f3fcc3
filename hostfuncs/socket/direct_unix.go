//go:build unix

package socket

import (
	"errors"
	"net"
	"syscall"
)

// direct writes to a connection without waiting: package net would have the goroutine wait for the peer to take the
// bytes. Nil stands for a connection that it knows no way for.
type direct struct {
	conn syscall.RawConn
	once func(fd uintptr) bool // attempt; made once, so that a write allocates nothing
	out  []byte
	sent int
	err  error
}

// newDirect returns nil where c is no TCP connection of package net.
func newDirect(c net.Conn) *direct {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	conn, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{conn: conn}
	d.once = d.attempt
	return d
}

// write sends the front of p, as much as the operating system takes at once, and says how much of it.
func (d *direct) write(p []byte) (int, error) {
	d.out = p
	err := d.conn.Write(d.once)
	d.out = nil
	if err != nil {
		return 0, err
	}
	return d.sent, d.err
}

// attempt is what syscall.RawConn calls: true says not to wait and try again.
func (d *direct) attempt(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), d.out)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			n, err = 0, nil
		}
		d.sent, d.err = max(n, 0), err
		return true
	}
}
