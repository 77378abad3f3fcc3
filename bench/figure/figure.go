// Package figure measures variants of the same work side by side and says how they compare.
//
// Machines are noisy and differ, so what counts is the ratio of two variants in one run: they take turns, each round
// measures each of them once, and the ratio of a round is of two neighbours in time.
package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Figure is one thing that was measured.
type Figure struct {
	// Suite and Name say what it is, Unit what the samples count.
	Suite string `json:"suite"`
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	// Metric is the name under which figures that differ only in At belong together; empty for one that stands alone. At
	// is how many channels there were.
	Metric string `json:"metric,omitempty"`
	At     int    `json:"at,omitempty"`
	// Aim is what the project wants of it, in words; empty for none.
	Aim string `json:"aim,omitempty"`
	// Absolute is for what is no ratio: counts that may be 0, and shares.
	Absolute bool `json:"absolute,omitempty"`
	// Series are the variants; the others are compared with the first.
	Series []Series `json:"series"`
}

// Series is one variant's samples and what they come to.
type Series struct {
	Name    string    `json:"name"`
	Samples []float64 `json:"samples"`
	Median  float64   `json:"median"`
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
	// Ratio is the median of this variant's samples over those of the first in the same rounds; 0 for the first.
	Ratio float64 `json:"ratio,omitempty"`
}

// Variant is one way to do the work. Run does it once and returns a sample in the figure's unit.
type Variant struct {
	Name string
	Run  func() (float64, error)
}

// Measure runs the variants in turns, once to warm up and then as many rounds as asked for. Every other round goes
// backwards, so that none always has the same neighbour before it.
func Measure(f Figure, rounds int, variants ...Variant) (Figure, error) {
	f.Series = make([]Series, len(variants))
	for i, v := range variants {
		f.Series[i].Name = v.Name
		if _, err := v.Run(); err != nil {
			return f, fmt.Errorf("%s, %s: %w", f.Name, v.Name, err)
		}
	}
	for round := range rounds {
		for k := range variants {
			i := k
			if round%2 == 1 {
				i = len(variants) - 1 - k
			}
			sample, err := variants[i].Run()
			if err != nil {
				return f, fmt.Errorf("%s, %s: %w", f.Name, variants[i].Name, err)
			}
			f.Series[i].Samples = append(f.Series[i].Samples, sample)
		}
	}
	return f.Done(), nil
}

// Done fills in what the samples come to.
func (f Figure) Done() Figure {
	for i := range f.Series {
		s := &f.Series[i]
		s.Median = Median(s.Samples)
		s.Min, s.Max = slices.Min(s.Samples), slices.Max(s.Samples)
		if i > 0 && !f.Absolute && len(s.Samples) == len(f.Series[0].Samples) {
			s.Ratio = Median(ratios(s.Samples, f.Series[0].Samples))
		}
	}
	return f
}

func ratios(of, over []float64) []float64 {
	out := make([]float64, len(of))
	for i := range of {
		out[i] = of[i] / over[i]
	}
	return out
}

// Median returns the median of samples, of which there must be one.
func Median(samples []float64) float64 { return Quantile(samples, 0.5) }

// Quantile returns the value that the share q of the samples does not exceed, the nearest of them.
func Quantile(samples []float64, q float64) float64 {
	sorted := slices.SortedFunc(slices.Values(samples), cmp.Compare[float64])
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}
