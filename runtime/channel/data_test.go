package channel

import (
	"slices"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/point"
)

func TestPublish(t *testing.T) {
	s, out := parts(t, twoDevices()...)
	publish := func(samples ...driver.Sample) {
		t.Helper()
		if r := s.Publish(t.Context(), samples); r.Failed || r.Value != uint32(len(samples)) {
			t.Errorf("got %+v", r)
		}
	}
	publish(good(3, driver.ValueBoolean(true)), good(0, driver.ValueUnsigned(7)), good(1, driver.ValueText("warm")))
	out.expect(t, `data pump 1 count=7 text="warm"`, "data meter 1 on=true")
	publish(good(0, driver.ValueUnsigned(8)))
	out.expect(t, "data pump 2 count=8")
	publish()
	out.expect(t)
	publish(good(3, driver.ValueBoolean(false)), good(0, driver.ValueUnsigned(9)))
	out.expect(t, "data pump 3 count=9", "data meter 2 on=false")
}

// TestPublishFiltered: a device that has nothing new sends nothing, and its sequence has no hole.
func TestPublishFiltered(t *testing.T) {
	devices := twoDevices()
	devices[0].Points[0].Report = point.ReportChange
	s, out := parts(t, devices...)
	for _, v := range []uint64{5, 5, 5, 6} {
		s.Publish(t.Context(), []driver.Sample{good(0, driver.ValueUnsigned(v)), good(3, driver.ValueBoolean(true))})
	}
	want := []string{
		"data pump 1 count=5", "data meter 1 on=true", "data meter 2 on=true", "data meter 3 on=true",
		"data pump 2 count=6", "data meter 4 on=true",
	}
	out.expect(t, want...)
}

func TestPublishRefuses(t *testing.T) {
	fine := good(0, driver.ValueUnsigned(1))
	large := good(1, driver.ValueText(strings.Repeat("x", 200<<10)))
	reasons := bad(1, strings.Repeat("x", 200<<10))
	tests := []struct {
		name    string
		phase   failure.Phase
		samples []driver.Sample
		want    driver.PublishError
	}{
		{"unknown point", failure.PhaseRun, []driver.Sample{fine, fine, good(4, driver.ValueUnsigned(1))}, driver.PublishErrorUnknownPoint(2)},
		{"unknown point at the end of the numbers", failure.PhaseRun, []driver.Sample{good(1<<32-1, driver.ValueUnsigned(1))}, driver.PublishErrorUnknownPoint(0)},
		{"wrong type", failure.PhaseRun, []driver.Sample{fine, good(3, driver.ValueUnsigned(1))}, driver.PublishErrorWrongType(1)},
		{"too wide", failure.PhaseRun, []driver.Sample{fine, good(0, driver.ValueUnsigned(1<<16))}, driver.PublishErrorWrongType(1)},
		{"too many", failure.PhaseRun, slices.Repeat([]driver.Sample{fine}, 4097), driver.PublishErrorTooLarge()},
		{"too many bytes", failure.PhaseRun, []driver.Sample{large, large, large}, driver.PublishErrorTooLarge()},
		{"too many bytes of reasons", failure.PhaseRun, []driver.Sample{reasons, reasons, reasons}, driver.PublishErrorTooLarge()},
		{"configure", failure.PhaseConfigure, []driver.Sample{fine}, driver.PublishErrorWrongPhase()},
		{"connect", failure.PhaseConnect, []driver.Sample{fine}, driver.PublishErrorWrongPhase()},
		{"init, with nothing", failure.PhaseInit, nil, driver.PublishErrorWrongPhase()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, out := parts(t, twoDevices()...)
			s.phase = test.phase
			r := s.Publish(t.Context(), test.samples)
			if !r.Failed || r.Err != test.want {
				t.Errorf("got %+v, want %+v", r, test.want)
			}
			out.expect(t)
			if len(s.channel.Last()["pump"]) != 0 {
				t.Errorf("a part was taken: %v", s.channel.Last())
			}
			s.phase = failure.PhaseRun
			s.Publish(t.Context(), []driver.Sample{fine})
			out.expect(t, "data pump 1 count=1")
		})
	}
}

// TestPublishTakesTheLimit is the largest batch that is allowed.
func TestPublishTakesTheLimit(t *testing.T) {
	s, _ := parts(t, twoDevices()...)
	if r := s.Publish(t.Context(), slices.Repeat([]driver.Sample{good(0, driver.ValueUnsigned(1))}, 4096)); r.Failed || r.Value != 4096 {
		t.Errorf("got %+v", r)
	}
	text := good(1, driver.ValueText(strings.Repeat("x", 512<<10)))
	if r := s.Publish(t.Context(), []driver.Sample{text}); r.Failed {
		t.Errorf("512 KiB: got %+v", r)
	}
}

func TestReasons(t *testing.T) {
	tests := []struct{ reason, want string }{
		{"bad-crc", "driver.bad-crc"},
		{"io.timeout", "io.timeout"},
		{"io.nonsense", "driver.other"},
		{"undeclared", "driver.other"},
		{"driver.bad-crc", "driver.other"}, // the prefix is the host's to give
		{"trap.unreachable", "driver.other"},
		{"", "driver.other"},
	}
	for _, test := range tests {
		s, out := parts(t, twoDevices()...)
		s.Publish(t.Context(), []driver.Sample{bad(3, test.reason)})
		out.expect(t, "data meter 1 on=null:bad:"+test.want)
	}
}

func TestLast(t *testing.T) {
	s, _ := parts(t, twoDevices()...)
	s.Publish(t.Context(), []driver.Sample{good(0, driver.ValueUnsigned(7)), {Point: 1, Value: component.Some(driver.ValueText("old"))}, bad(1, "io.timeout")})
	last := s.channel.Last()
	count, text := last["pump"]["count"], last["pump"]["text"]
	if v, _ := count.Value.MarshalJSON(); string(v) != "7" || count.Quality != driver.QualityGood {
		t.Errorf("count: %+v", count)
	}
	if v, _ := text.Known.MarshalJSON(); string(v) != `"old"` || text.Quality != driver.QualityBad || !text.Value.None() {
		t.Errorf("text: %+v", text)
	}
	if _, known := last["meter"]["on"]; known || len(last) != 2 {
		t.Errorf("knows %v", last)
	}
}
