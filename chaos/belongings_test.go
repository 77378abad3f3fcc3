//go:build chaos && linux

package chaos

import (
	"fmt"
	"os"
	goruntime "runtime"
	"strings"
	"testing"
	"time"
)

// belongings are what a process has: goroutines, open files, mapped code, bytes of the heap in use, resident bytes.
type belongings struct {
	goroutines, files, code int
	heap, resident          uint64
}

func (b belongings) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d mappings of code, %d KiB of heap, %d KiB resident",
		b.goroutines, b.files, b.code, b.heap>>10, b.resident>>10)
}

func count(t *testing.T) belongings {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	b := belongings{files: len(files), code: strings.Count(string(maps), " r-xp ")}
	var size, resident uint64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		t.Fatal(err)
	}
	b.resident = resident * uint64(os.Getpagesize())
	goruntime.GC()
	goruntime.GC() // what finalizers have let go
	var memory goruntime.MemStats
	goruntime.ReadMemStats(&memory)
	b.heap, b.goroutines = memory.HeapAlloc, goruntime.NumGoroutine()
	return b
}

// settled counts once nothing is let go any more: what ended a moment ago still may be.
func settled(t *testing.T) belongings {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for last := count(t); ; {
		<-tick.C
		now := count(t)
		if now.heap+1<<20 >= last.heap && now.goroutines >= last.goroutines && now.files >= last.files {
			return now
		}
		last = now
	}
}

// within says whether it is no more than before and what may be kept.
func (b belongings) within(before, kept belongings) bool {
	return b.goroutines <= before.goroutines+kept.goroutines && b.files <= before.files+kept.files &&
		b.code <= before.code+kept.code && b.heap <= before.heap+kept.heap && b.resident <= before.resident+kept.resident
}

// returned waits until the process has no more than before and what it is allowed to keep.
func returned(t *testing.T, before, kept belongings) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var now belongings
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		now = count(t)
		if now.within(before, kept) {
			t.Logf("now     %s", now)
			return
		}
	}
	t.Errorf("before  %s\nnow     %s\nallowed %s more", before, now, kept)
}
