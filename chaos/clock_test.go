//go:build chaos && linux

package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A cycle may be skipped because the machine is busy with something else. The kernel knows: it counts how long the
// threads of this process could have run and did not, and what the hypervisor took. A driver that keeps others from
// running is in neither of them.

// share is how long threads waited within a time, all together.
type share struct {
	span
	waited time.Duration
}

// clock looks at it again and again.
type clock struct {
	quit    chan struct{}
	running sync.WaitGroup
	shares  []share
	err     error
}

// startClock starts one. The caller stops it.
func startClock() *clock {
	c := &clock{quit: make(chan struct{})}
	c.running.Go(c.run)
	return c
}

func (c *clock) run() {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last time.Duration
	for from := time.Now(); ; {
		waited, err := waited()
		stolen, failed := stolen()
		waited += stolen
		c.err = errors.Join(c.err, err, failed)
		now := time.Now()
		c.shares = append(c.shares, share{span{from, now}, waited - last})
		from, last = now, waited
		select {
		case <-tick.C:
		case <-c.quit:
			return
		}
	}
}

// stop stops it and returns what it saw, but for the first share, which is that of the time before.
func (c *clock) stop() ([]share, error) {
	close(c.quit)
	c.running.Wait()
	return c.shares[1:], c.err
}

// waited is how long all threads have waited so far: the second figure of schedstat, in nanoseconds
// (Documentation/scheduler/sched-stats.rst of the kernel).
func waited() (sum time.Duration, err error) {
	threads, err := filepath.Glob("/proc/self/task/*/schedstat")
	if err != nil {
		return 0, err
	}
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		var ran, waited time.Duration
		if _, err := fmt.Sscan(string(text), &ran, &waited); err != nil {
			return 0, fmt.Errorf("read %s: %w", name, err)
		}
		sum += waited
	}
	return sum, nil
}

// stolen is how long the processors of a virtual machine were not there: the eighth figure of stat, in hundredths of a
// second (Documentation/filesystems/proc.rst of the kernel).
func stolen() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var figures [8]time.Duration
	_, err = fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d", &figures[0], &figures[1], &figures[2], &figures[3],
		&figures[4], &figures[5], &figures[6], &figures[7])
	if err != nil {
		return 0, fmt.Errorf("read /proc/stat: %w", err)
	}
	return figures[7] * 10 * time.Millisecond, nil
}
