package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// noDevice is why the last checks are skipped.
const noDevice = "there is no device: give a configuration and how long to run it"

// device: the channel runs as configured, and every point that is read by itself has values.
func (r *runner) device(ctx context.Context) (verdict, error) {
	if r.For == 0 {
		return skipped(noDevice), nil
	}
	if r.without != "" {
		return skipped("%s", r.without), nil
	}
	t, err := r.start(r.example)
	if err != nil {
		return verdict{}, err
	}
	r.live = t
	t.settled(ctx, r.For, 0)
	if o := t.story.outcome(); !o.ready {
		if o.failure == nil {
			return failed("it is not ready after %v", r.For), nil
		}
		return failed("it does not get ready: %s", o.why()), nil
	}
	half := t.memoryAfter(ctx, r.For/2)
	whole := t.memoryAfter(ctx, r.For-r.For/2)
	if r.grown = 0; whole > half {
		r.grown = whole - half
	}
	r.held = whole
	r.report.Readings = r.readings(t)
	return r.judge(t), nil
}

// memoryAfter lets the channel run for so long, and returns what memory its instance has then.
func (t *trial) memoryAfter(ctx context.Context, d time.Duration) uint64 {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	t.story.until(ctx, t.story.ended)
	return t.Usage().Memory
}

func (r *runner) judge(t *trial) verdict {
	o := t.story.outcome()
	n := t.Counters()
	var missing []string
	for _, reading := range r.report.Readings {
		if reading.Count == 0 {
			missing = append(missing, fmt.Sprintf("%s.%s %s", reading.Device, reading.Point, reading.Code))
		}
	}
	switch {
	case o.crash != nil:
		return failed("it crashes: %s", o.why())
	case o.failure != nil:
		return failed("its session ended: %s", o.why())
	case len(missing) > 0:
		return failed("no value of %s", strings.Join(missing, ", "))
	}
	cpu := time.Duration(0)
	if n.Polls > 0 {
		cpu = t.Usage().CPU / time.Duration(n.Polls)
	}
	return passed("%d cycles and %d values in %v, %d cycles skipped, %v of CPU a cycle",
		n.Polls, n.Good, r.For, n.Overruns, round(cpu))
}

// readings are the last ones of the points that are read by themselves.
func (r *runner) readings(t *trial) []Reading {
	last := t.Last()
	t.story.mu.Lock()
	defer t.story.mu.Unlock()
	var out []Reading
	for _, d := range r.example.Devices {
		for _, p := range d.Points {
			if p.Period == 0 || p.Access == driver.AccessWrite {
				continue
			}
			reading := Reading{Device: d.Name, Point: p.Name, Unit: p.Unit, Quality: "bad", Code: "never read"}
			if l, read := last[d.Name][p.Name]; read {
				reading.Quality, reading.Code = l.Quality.String(), l.Code
				if !l.Value.None() {
					text, err := l.Value.MarshalJSON()
					if err == nil {
						reading.Value = json.RawMessage(text)
					}
				}
			}
			reading.Count = t.story.counts[d.Name][p.Name]
			out = append(out, reading)
		}
	}
	return out
}

// steady is how much an instance may grow in the second half of a run: the heap of a Go program takes its time.
const steady = 1 << 20

// running says whether the channel with the device was ready, and goes on.
func (r *runner) running() bool {
	if r.live == nil {
		return false
	}
	o := r.live.story.outcome()
	return o.ready && o.failure == nil
}

func (r *runner) notRunning() verdict {
	switch {
	case r.For == 0:
		return skipped(noDevice)
	case r.without != "":
		return skipped("%s", r.without)
	}
	return skipped("its session with the device does not last")
}

// memory: an instance that polls does not grow.
func (r *runner) memory(context.Context) (verdict, error) {
	if !r.running() {
		return r.notRunning(), nil
	}
	text := fmt.Sprintf("%.1f MiB at the end, %.1f MiB more than after half of the time", mebibytes(r.held), mebibytes(r.grown))
	if r.grown > steady {
		return failed("%s", text), nil
	}
	return passed("%s", text), nil
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }

// swap: an instance that takes over goes on where the other one was.
func (r *runner) swap(ctx context.Context) (verdict, error) {
	if !r.running() {
		return r.notRunning(), nil
	}
	t := r.live
	v, err := t.renew(ctx)
	if err != nil || v.result != Pass {
		return v, err
	}
	was := t.story.outcome().good
	waiting, cancel := context.WithTimeout(ctx, r.longest()+patience)
	defer cancel()
	t.story.until(waiting, func() bool { return t.story.total() > was || t.story.ended() })
	t.story.mu.Lock()
	defer t.story.mu.Unlock()
	switch {
	case t.story.total() == was:
		return failed("nothing is published any more by the instance that took over"), nil
	case t.story.gaps:
		return failed("messages are missing: their numbers have a hole"), nil
	}
	return passed("%s; no message is missing", v.text), nil
}

// longest is the longest period of a point.
func (r *runner) longest() time.Duration {
	var d time.Duration
	for _, device := range r.example.Devices {
		for _, p := range device.Points {
			d = max(d, p.Period)
		}
	}
	return d
}

// leave ends what still runs.
func (r *runner) leave() {
	if r.live != nil {
		_ = r.live.end(context.Background()) // what it did was told
	}
}
