//go:build !unix

package socket

import "net"

// direct would write to a connection without waiting. There is no way to here.
type direct struct{}

func newDirect(net.Conn) *direct { return nil }

func (*direct) write([]byte) (int, error) { return 0, nil }
