package channel

import (
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/point"
)

// nobody is a sink that keeps nothing.
type nobody struct {
	*sink
	readings int
}

func (n *nobody) Data(b point.Batch) { n.readings += len(b.Readings) }

// still is a stream that nobody is told of.
type still struct{ *stream }

func (still) Notify(chan<- struct{}) {}

// TestPollCycleAllocatesNothing sees that neither a batch, on its way from the border to the sink, nor a wait allocates.
func TestPollCycleAllocatesNothing(t *testing.T) {
	devices := twoDevices()
	devices[0].Points[0].Scale, devices[1].Points[0].Report = 0.1, point.ReportChange
	s, _ := parts(t, devices...)
	heard := &nobody{sink: &sink{}}
	s.channel.config.Sink = heard
	flag, number := false, uint64(0)
	samples := make([]driver.Sample, 4)
	ctx, streams := t.Context(), []host.Stream{still{&stream{}}}
	cycles := map[string]func(){
		"publish": func() {
			flag, number = !flag, number+1
			samples[0], samples[1] = good(0, driver.ValueUnsigned(number%1000)), good(3, driver.ValueBoolean(flag))
			samples[2], samples[3] = good(1, driver.ValueText("text")), bad(0, "bad-crc")
			if r := s.Publish(ctx, samples); r.Failed || r.Value != uint32(len(samples)) {
				t.Fatalf("got %+v", r)
			}
		},
		"wait":     func() { s.Wait(ctx, streams, uint64(time.Microsecond)) },
		"look":     func() { s.Wait(ctx, nil, 0) },
		"readable": func() { streams[0].(still).readable.Store(true); s.Wait(ctx, streams, uint64(time.Hour)) },
	}
	for _, name := range []string{"publish", "wait", "look", "readable"} {
		cycle := cycles[name]
		cycle() // what is kept grows once
		if n := testing.AllocsPerRun(200, cycle); n > 0 && !raced {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if want := 202 * len(samples); heard.readings != want {
		t.Errorf("%d readings, want %d", heard.readings, want)
	}
}
