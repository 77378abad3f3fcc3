package point

import "time"

// Last is what is known of a point.
type Last struct {
	// Reading is the latest reading, filtered or not; At is when it came.
	Reading
	At time.Time
	// Known is the latest value that there was, none before the first; KnownTime is its time. They differ from the
	// reading's after one without a value.
	Known     Value
	KnownTime time.Time
}

// Last returns what is known of the point; false before its first reading.
func (p *Point) Last() (Last, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, p.last.Name != ""
}

// keep makes r the latest reading.
func (p *Point) keep(r Reading, now time.Time) {
	p.last.Reading, p.last.At = r, now
	if !r.Value.None() {
		p.last.Known, p.last.KnownTime = r.Value, r.Time
	}
}

// Follow makes p know what was known of the point that it takes the place of, where that means the same.
func (p *Point) Follow(was *Point) {
	if a, b := &p.def, &was.def; a.Name != b.Name || a.Scalar != b.Scalar || a.Count != b.Count ||
		a.Scale != b.Scale || a.Offset != b.Offset || p.quoted != was.quoted {
		return
	}
	last, _ := was.Last()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = last
}

// Renew has the next reading reported, whatever the filter says: somebody new speaks for the point.
func (p *Point) Renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reported = report{}
}
