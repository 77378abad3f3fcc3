package main

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// TestSuites runs the suites beside the bare poller once, on one channel and as briefly as they can: what they measure
// then means nothing, but that they measure is seen. It builds the programs itself.
func TestSuites(t *testing.T) {
	o := options{rounds: 1, scale: 0.01, most: 1, period: 100 * time.Millisecond, programs: programs(t), warm: t.TempDir()}
	for _, s := range []struct {
		name string
		run  func(context.Context, options) ([]figure.Figure, error)
		want []string // metrics
	}{
		{"density", density, []string{"memory", "cpu", "late-p50", "late-p99", "late-max", "lost"}},
		{"polling", polling, []string{"rate", "cpu-poll", "delivered"}},
		{"start", start, []string{"start-cold", "start-warm"}},
		{"instance", instance, []string{"", "", ""}},
		{"swap", swap, []string{"gap-p50", "gap-p99", "silence"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			figures, err := s.run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if len(figures) != len(s.want) {
				t.Fatalf("figures %+v, want %q", figures, s.want)
			}
			for i, f := range figures {
				if f.Metric != s.want[i] {
					t.Errorf("figure %d is of %q, want %q", i, f.Metric, s.want[i])
				}
				measured(t, f)
			}
		})
	}
}

// measured checks that each variant has samples that are numbers.
func measured(t *testing.T, f figure.Figure) {
	t.Helper()
	for _, s := range f.Series {
		for _, v := range append([]float64{s.Median, s.Min, s.Max, s.Ratio}, s.Samples...) {
			if math.IsNaN(v) || math.IsInf(v, 0) || len(s.Samples) == 0 {
				t.Errorf("%s, %s: %+v", f.Name, s.Name, s)
			}
		}
	}
}

// programs builds what is measured.
func programs(t *testing.T) rig.Programs {
	t.Helper()
	dir := t.TempDir()
	compile := func(from string, packages ...string) {
		cmd := exec.Command("go", append([]string{"build", "-o", dir + "/"}, packages...)...)
		cmd.Dir = from
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", packages, err, text)
		}
	}
	compile(".", "./poller", "./simulator", "./instances")
	compile("..", "./cmd/drover")
	driver, err := build(modbus)
	file := filepath.Join(dir, "modbus.wasm")
	if err := errors.Join(err, os.WriteFile(file, driver, 0o600)); err != nil {
		t.Fatal(err)
	}
	return rig.Programs{Drover: filepath.Join(dir, "drover"), Driver: file, Poller: filepath.Join(dir, "poller"),
		Simulator: filepath.Join(dir, "simulator"), Instances: filepath.Join(dir, "instances")}
}

func TestChoose(t *testing.T) {
	if _, err := choose("density,densty"); err == nil {
		t.Error("a suite that is not there was taken")
	}
	chosen, err := choose("swap,density")
	if err != nil || len(chosen) != 2 || chosen[0].name != "swap" {
		t.Errorf("%+v, %v", chosen, err)
	}
}

func TestUpTo(t *testing.T) {
	for most, want := range map[int]int{1: 1, 10: 2, 50: 3, 100: 3, 1000: 4, 5000: 4} {
		if got := (options{most: most}).upTo(growth); len(got) != want || got[want-1] != min(most, 1000) {
			t.Errorf("at most %d channels: %v", most, got)
		}
	}
}

func TestLongest(t *testing.T) {
	at := []time.Duration{10, 20, 30, 55, 65, 75, 88}
	for i := range at {
		at[i] *= time.Millisecond
	}
	with, without, err := longest(at, 32*time.Millisecond, 60*time.Millisecond)
	if err != nil || with != 25 || without != 13 {
		t.Errorf("%v with the swap, %v without, %v", with, without, err)
	}
	if _, _, err := longest(at[:3], 32*time.Millisecond, 60*time.Millisecond); err == nil {
		t.Error("nothing after the swap is no error")
	}
}

func TestPunctuality(t *testing.T) {
	l := rig.Load{Channels: 2, Every: time.Second}
	at := map[string][]time.Duration{"a": {0, time.Second, 2*time.Second + 30*time.Millisecond, 4 * time.Second}}
	s := punctuality(at, l, 5*time.Second)
	// Of a's five cycles one is missing, and the other channel's five all are.
	if s.lost != 600 || s.worst != 30 || s.p50 != 0 {
		t.Errorf("%+v", s)
	}
	if s := punctuality(nil, l, 5*time.Second); s.lost != 1000 {
		t.Errorf("%+v", s)
	}
}
