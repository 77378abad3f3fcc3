//go:build unix

package channel_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/supervise"
)

// TestSleep has a driver sleep in run: the machine has nothing to do meanwhile.
func TestSleep(t *testing.T) {
	c := newRig(t).start(t, `{"run": "sleep:1s"}`, channel.Config{})
	c.nextState(t, supervise.Connected)
	begin, before := time.Now(), cpu(t)
	c.nextData(t)
	if took, used := time.Since(begin), cpu(t)-before; took < 900*time.Millisecond || used > took/2 {
		t.Errorf("slept %v, computing for %v", took, used)
	}
}

// cpu is the time that the process has computed.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
