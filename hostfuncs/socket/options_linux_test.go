package socket

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOptions(t *testing.T) {
	c, _ := connected(t)
	raw, err := c.(*Conn).tcp.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		level, option int
		want          int
	}{
		{"no delay", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"keep-alive", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"idle", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30},
		{"interval", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 10},
		{"count", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
	}
	err = raw.Control(func(fd uintptr) {
		for _, tt := range tests {
			got, err := unix.GetsockoptInt(int(fd), tt.level, tt.option)
			if err != nil || got != tt.want {
				t.Errorf("%s: %d, %v; want %d", tt.name, got, err, tt.want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
