package sdk_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

func point(id sdk.PointID, period, phase time.Duration) sdk.Point {
	return sdk.Point{ID: id, Device: id % 3, Scalar: driver.ScalarTypeUint64, Period: period, Phase: phase}
}

func TestSchedulerGroups(t *testing.T) {
	s := sdk.NewScheduler([]sdk.Point{
		point(1, time.Second, 0),
		point(2, time.Second, time.Second), // the same phase, modulo the period
		point(3, time.Second, 500*time.Millisecond),
		point(4, 2*time.Second, 0),
		point(5, 0, 0), // only by command
		{ID: 6, Period: time.Second, Access: driver.AccessWrite},
		point(7, time.Second, 0),
	}, time.Time{})
	type group struct {
		Index   int
		Points  []sdk.PointID
		Devices []sdk.DeviceID
	}
	var got []group
	for _, g := range s.Groups() {
		got = append(got, group{g.Index, g.Points, g.Devices})
	}
	want := []group{
		{0, []sdk.PointID{1, 2, 7}, []sdk.DeviceID{1, 2}},
		{1, []sdk.PointID{3}, []sdk.DeviceID{0}},
		{2, []sdk.PointID{4}, []sdk.DeviceID{1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSchedulerNext is one scheduler's life: each call at a time after the start, what is due, and how long to wait.
func TestSchedulerNext(t *testing.T) {
	const ms = time.Millisecond
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := sdk.NewScheduler([]sdk.Point{
		point(1, 100*ms, 0), point(2, 100*ms, 30*ms), point(3, 250*ms, 0),
	}, start)
	steps := []struct {
		at       time.Duration
		due      []int
		wait     time.Duration
		overruns []uint64
	}{
		{-5 * ms, nil, 5 * ms, []uint64{0, 0, 0}},
		{0, []int{0, 2}, 30 * ms, []uint64{0, 0, 0}},
		{0, nil, 30 * ms, []uint64{0, 0, 0}},
		{29 * ms, nil, 1 * ms, []uint64{0, 0, 0}},
		{30 * ms, []int{1}, 70 * ms, []uint64{0, 0, 0}},
		{170 * ms, []int{0, 1}, 30 * ms, []uint64{0, 0, 0}},        // late by less than a period: no skip, no shift
		{200 * ms, []int{0}, 30 * ms, []uint64{0, 0, 0}},           // on time again
		{470 * ms, []int{1, 2, 0}, 30 * ms, []uint64{1, 2, 0}},     // the longest due first; 300, 230 and 330 done late, rest skipped
		{500 * ms, []int{0, 2}, 30 * ms, []uint64{1, 2, 0}},        //
		{1499 * ms, []int{1, 0, 2}, 1 * ms, []uint64{9, 11, 2}},    // far too late
		{1500 * ms, []int{0, 2}, 30 * ms, []uint64{9, 11, 2}},      //
		{1400 * ms, nil, 130 * ms, []uint64{9, 11, 2}},             // a clock that goes back makes nothing due
		{1530 * ms, []int{1}, 70 * ms, []uint64{9, 11, 2}},         //
		{math.MaxInt64, []int{0, 1, 2}, math.MaxInt64, []uint64{}}, // the end of time
	}
	for _, step := range steps {
		due, wait := s.Next(start.Add(step.at))
		var got []int
		for _, g := range due {
			got = append(got, g.Index)
		}
		if !slices.Equal(got, step.due) {
			t.Errorf("at %v: due %v, not %v", step.at, got, step.due)
		}
		if step.at == math.MaxInt64 {
			continue // its waits and counts overflow nothing, which is all that is asked
		}
		if wait != step.wait {
			t.Errorf("at %v: wait %v, not %v", step.at, wait, step.wait)
		}
		for i, want := range step.overruns {
			if got := s.Groups()[i].Overruns(); got != want {
				t.Errorf("at %v: group %d has %d overruns, not %d", step.at, i, got, want)
			}
		}
	}
}

func TestSchedulerWithoutGroups(t *testing.T) {
	if due, wait := sdk.NewScheduler(nil, time.Time{}).Next(time.Now()); len(due) > 0 || wait != sdk.Forever {
		t.Errorf("due %v, wait %v", due, wait)
	}
}

// FuzzScheduler runs random schedules with random delays in virtual time against what is promised of every group: its
// polls are at or after a cycle of its own, no cycle is polled twice, polls and overruns add up to the cycles that have
// passed, and a driver that waits as told is never late.
func FuzzScheduler(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, late uint8) {
		r := rand.New(rand.NewPCG(seed, uint64(late)))
		var points []sdk.Point
		for i := range 1 + r.IntN(6) {
			period := time.Duration(1 + r.Int64N(int64(time.Second)))
			points = append(points, point(sdk.PointID(i), period, time.Duration(r.Int64N(int64(2*time.Second)))))
		}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		s := sdk.NewScheduler(points, start)
		last, polls := map[int]time.Duration{}, map[int]uint64{}
		at := time.Duration(0)
		for range 300 {
			due, wait := s.Next(start.Add(at))
			if wait <= 0 {
				t.Fatalf("at %v: wait %v", at, wait)
			}
			for _, g := range due {
				cycle := (at - g.Phase) / g.Period
				if before, polled := last[g.Index]; at < g.Phase || polled && cycle <= before {
					t.Fatalf("at %v: group %v+%v polled out of turn", at, g.Period, g.Phase)
				}
				if late == 0 && (at-g.Phase)%g.Period != 0 {
					t.Fatalf("at %v: group %v+%v late", at, g.Period, g.Phase)
				}
				last[g.Index] = cycle
				if polls[g.Index]++; polls[g.Index]+g.Overruns() != uint64(cycle)+1 {
					t.Fatalf("at %v: %d polls and %d overruns in %d cycles", at, polls[g.Index], g.Overruns(), cycle+1)
				}
			}
			at += wait
			if late > 0 {
				at += time.Duration(r.Int64N(int64(late)*int64(10*time.Millisecond) + 1))
			}
		}
	})
}
