package point

import (
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Point is one point at work: its definition, its filter and its last value. Its methods may be called from any
// goroutine; readings are given to Accept in the order in which they were made.
//
// A node has very many points, most of which differ by their names: what else is defined of them is there once.
type Point struct {
	*traits
	name string

	mu       sync.Mutex
	has      bool // a reading
	quality  driver.Quality
	code     string
	value    stored
	time     time.Time // that the reading has
	at       time.Time // when it came
	known    *known    // nil until there was a reading without a value after one with
	reported report
}

// New returns a point that has no value yet. The error names all that is wrong with the definition.
func New(d Definition) (*Point, error) { return new(Maker).New(d) }

// wide says whether a type has integers that a float64 cannot hold.
func wide(t driver.ScalarType) bool {
	return t == driver.ScalarTypeInt64 || t == driver.ScalarTypeUint64
}

// Definition returns what New was given, with its defaults filled in.
func (p *Point) Definition() Definition {
	d := p.def
	d.Name = p.name
	return d
}

// Name is the point's.
func (p *Point) Name() string { return p.name }

// Convert makes a reading of a sample that Check has passed: the value scaled and copied out of the guest's memory, the
// time filled in with now where the sample has none. A value that is NaN or infinite, before or after scaling, is none:
// the reading is bad then, with the code value.non-finite.
func (p *Point) Convert(s driver.Sample, now time.Time) (r Reading) {
	r.Name, r.Quality, r.Time = p.name, s.Quality, now
	if s.Time != 0 {
		r.Time = time.Unix(0, s.Time)
	}
	if s.Quality != driver.QualityGood && s.Reason.Some {
		r.Code = s.Reason.Value
	}
	if !s.Value.Some {
		return r.withoutValue()
	}
	r.Value.kind, r.Value.quoted = p.kind, p.quoted
	r.Value.take(s.Value.Value)
	if !p.scale(&r.Value) {
		r.Value, r.Quality, r.Code = Value{}, driver.QualityBad, CodeNonFinite
	}
	return r
}

// scale scales v in place; false where it is not a finite number, before or after.
func (p *Point) scale(v *Value) bool {
	if !v.finite() {
		return false
	}
	if p.scaler.identity {
		return true
	}
	*v = p.scaler.scale(*v)
	return v.finite()
}
