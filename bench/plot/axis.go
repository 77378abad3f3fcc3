package plot

import "math"

// axis is a logarithmic one: low is at from, high at to.
type axis struct{ low, high, from, to float64 }

// axes returns those that have room for everything. X goes from the first to the last value, Y from tick to tick.
func (c Chart) axes() (x, y axis) {
	x = axis{math.Inf(1), 0, left + 14, width - right - 14}
	y = axis{math.Inf(1), 0, height - bottom, top + 6}
	for _, l := range c.Lines {
		for _, p := range l.Points {
			x.include(p.X)
			y.include(p.Y)
			y.include(p.Low)
			y.include(p.High)
		}
	}
	if c.Limit != nil {
		y.include(c.Limit.Y)
	}
	if x.low == x.high {
		x.low, x.high = x.low/2, x.high*2
	}
	y.low, y.high = y.round()
	return x, y
}

func (a *axis) include(v float64) { a.low, a.high = min(a.low, v), max(a.high, v) }

// at returns where a value is in the drawing.
func (a axis) at(v float64) float64 {
	return a.from + (a.to-a.from)*math.Log(v/a.low)/math.Log(a.high/a.low)
}

// steps are the values that an axis may begin and end with, in each decade.
var steps = [...]float64{1, 2, 5}

// round returns the steps around the values, two different ones.
func (a axis) round() (low, high float64) {
	decade := math.Pow(10, math.Floor(math.Log10(a.low)))
	low = decade
	for _, s := range steps {
		if s*decade <= a.low {
			low = s * decade
		}
	}
	high = low
	for e, i := math.Floor(math.Log10(low)), 0; high < a.high || high == low; i++ {
		high = steps[i%3] * math.Pow(10, e+float64(i/3))
		if high < low {
			high = low
		}
	}
	return low, high
}

// ticks returns the powers of ten that the axis has, and the steps between them where those are few.
func (a axis) ticks() []float64 {
	use := steps[:1]
	if a.high/a.low < 1000 {
		use = steps[:]
	}
	var out []float64
	for e := math.Floor(math.Log10(a.low)); ; e++ {
		for _, s := range use {
			v := s * math.Pow(10, e)
			if v > a.high*1.0001 {
				return out
			}
			if v > a.low*0.9999 {
				out = append(out, v)
			}
		}
	}
}
