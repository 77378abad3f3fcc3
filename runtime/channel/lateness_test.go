package channel_test

import (
	"fmt"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/supervise"
)

// BenchmarkLateness is by how much a channel is late that polls every 10 ms, alone and beside drivers that compute for
// ever: as many as there are cores, and twice as many. It also tells how many of its cycles were lost.
func BenchmarkLateness(b *testing.B) {
	r := newRig(b)
	for _, many := range []int{0, goruntime.GOMAXPROCS(0), 2 * goruntime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprintf("beside %d", many), func(b *testing.B) {
			for range many {
				r.start(b, `{"run": "loop"}`, channel.Config{
					Edition: channel.Edition{Limits: compute(time.Hour)}, Deadlines: supervise.Deadlines{Stop: 50 * time.Millisecond},
				}).nextState(b, supervise.Connected)
			}
			const period = 10 * time.Millisecond
			point := counter("count", driver.ScalarTypeUint64, driver.AccessRead)
			point.Period = period
			steady := r.start(b, `{}`, channel.Config{Edition: channel.Edition{Devices: []channel.Device{{Name: "pump", Points: []channel.Point{point}}}}})
			var at []time.Time
			for range 100 { // until everything is warm
				steady.nextData(b)
			}
			for b.Loop() {
				at = append(at, steady.nextData(b).Time)
			}
			late, lost := lateness(at, period)
			b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(late[len(late)-1].Microseconds()), "max-µs")
			b.ReportMetric(float64(lost), "lost")
		})
	}
}

// lateness returns by how much each of the times is behind the grid of a period that the earliest of them gives, in
// order, and how many places of the grid are empty.
func lateness(at []time.Time, period time.Duration) (late []time.Duration, lost int) {
	for i, t := range at {
		since := t.Sub(at[0])
		late = append(late, since-time.Duration(i+lost)*period)
		for late[i] >= period {
			lost++
			late[i] -= period
		}
	}
	slices.Sort(late)
	first := late[0]
	for i := range late {
		late[i] -= first
	}
	return late, lost
}
