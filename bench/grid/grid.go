// Package grid says how well cycles kept their time, from nothing but when they were seen.
package grid

import (
	"math"
	"slices"
	"time"
)

// Fit is what one channel's cycles come to.
type Fit struct {
	// Late has for each cycle how much later than the channel's most punctual one it was seen, in its period: from 0 to
	// just under a period.
	Late []time.Duration
	// Lost is how many periods between the first and the last cycle have none. Due is how many there are.
	Lost, Due int
}

// Of lays a grid of the period through the cycles, so that none is early and one is on time. A cycle that is late by a
// whole period or more leaves its place empty: that is a lost one.
func Of(at []time.Duration, period time.Duration) Fit {
	if len(at) == 0 {
		return Fit{}
	}
	sorted := slices.Sorted(slices.Values(at))
	origin := earliest(sorted, period)
	var f Fit
	places := map[int]bool{}
	first, last := math.MaxInt, math.MinInt
	for _, t := range sorted {
		place := int((t - origin) / period)
		f.Late = append(f.Late, (t-origin)%period)
		places[place] = true
		first, last = min(first, place), max(last, place)
	}
	f.Due = last - first + 1
	f.Lost = f.Due - len(places)
	return f
}

// earliest returns a time, at or before the first cycle, that is a whole number of periods before the most punctual one.
// Nearly all cycles must be less than half a period apart in their lateness.
func earliest(sorted []time.Duration, period time.Duration) time.Duration {
	var offset time.Duration
	for _, t := range sorted {
		since := t - sorted[0]
		offset = min(offset, since-since.Round(period))
	}
	return sorted[0] + offset
}
