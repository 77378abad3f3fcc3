//go:build unix

package socket

import (
	"io"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

// What the peer does not take is left to a write that waits; a connection that is gone says so.
func TestWriteNow(t *testing.T) {
	device, peer := connected(t)
	c := device.(*Conn)
	chunk, sent := make([]byte, 64<<10), 0
	for n := 1; n > 0; {
		var err error
		if n, err = c.WriteNow(chunk); err != nil {
			t.Fatal(err)
		}
		sent += n
	}
	got, err := io.CopyN(io.Discard, peer, int64(sent))
	if err != nil || sent < len(chunk) {
		t.Fatalf("%d bytes of %d: %v", got, sent, err)
	}
	if n := testing.AllocsPerRun(100, func() { _, err = c.WriteNow(chunk[:1]) }); n > 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
	c.Interrupt()
	if _, err := c.WriteNow(chunk); err == nil {
		t.Error("no error after an interrupt")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = c.WriteNow(chunk)
	wantCode(t, err, driver.IOErrorClosed)
}
