package grid

import (
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

func times(milliseconds ...int) []time.Duration {
	var out []time.Duration
	for _, m := range milliseconds {
		out = append(out, time.Duration(m)*ms)
	}
	return out
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []time.Duration
		want Fit
	}{
		{"nothing", nil, Fit{}},
		{"one", times(70), Fit{Late: times(0), Due: 1}},
		{"punctual", times(5, 105, 205), Fit{Late: times(0, 0, 0), Due: 3}},
		{"the first is late", times(25, 105, 206), Fit{Late: times(20, 0, 1), Due: 3}},
		{"one is missing", times(5, 105, 305), Fit{Late: times(0, 0, 0), Lost: 1, Due: 4}},
		{"late by more than a period", times(5, 105, 335, 405), Fit{Late: times(0, 0, 30, 0), Lost: 1, Due: 5}},
		{"late by a period, and made up for", times(5, 105, 305, 306, 405), Fit{Late: times(0, 0, 0, 1, 0), Lost: 1, Due: 5}},
		{"in any order", times(205, 5, 105), Fit{Late: times(0, 0, 0), Due: 3}},
	} {
		got := Of(c.at, 100*ms)
		if !slices.Equal(got.Late, c.want.Late) || got.Lost != c.want.Lost || got.Due != c.want.Due {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
