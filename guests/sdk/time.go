package sdk

import (
	"math"
	"time"
)

// Forever is a timeout that never ends by itself.
const Forever = time.Duration(math.MaxInt64)

// nanos lowers a timeout. A negative one never blocks.
func nanos(d time.Duration) uint64 { return uint64(max(d, 0)) }

// duration lifts a length of time. One that Go cannot hold is the longest that it can.
func duration(n uint64) time.Duration { return time.Duration(min(n, math.MaxInt64)) }

// instant lowers a point in time. The zero time is 0, which the host stamps.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
