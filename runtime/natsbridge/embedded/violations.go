package embedded

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// isViolation says whether a line of the server is about a client that wanted what it may not have.
func isViolation(line string) bool {
	return strings.Contains(line, " Violation - ") || strings.Contains(line, " Violation Too Many Tokens - ") ||
		strings.Contains(line, "authentication error")
}

const (
	// violationLines are logged in a violationWindow; the others are counted.
	violationLines  = 10
	violationWindow = time.Minute
)

// violations logs what clients were refused, and keeps those who try a thousand times from filling the log.
type violations struct {
	to  *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	begin   time.Time
	logged  int
	left    int
	counted uint64
}

// take logs a line, or counts it.
func (v *violations) take(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counted++
	if now := v.now(); now.Sub(v.begin) >= violationWindow {
		v.sum()
		v.begin, v.logged = now, 0
	}
	if v.logged >= violationLines {
		v.left++
		return
	}
	v.logged++
	v.to.Warn("client refused", "line", line)
}

// sum logs how many lines were left out; the caller holds the lock.
func (v *violations) sum() {
	if v.left > 0 {
		v.to.Warn("clients refused", "count", v.left, "since", v.begin)
	}
	v.left = 0
}

// flush logs what was only counted.
func (v *violations) flush() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sum()
}

func (v *violations) total() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.counted
}
