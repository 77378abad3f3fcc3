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
	last := Last{Reading: p.last, At: p.lastAt, Known: p.last.Value, KnownTime: p.last.Time}
	if p.last.Value.None() {
		last.Known, last.KnownTime = p.known.value, p.known.time
	}
	return last, p.last.Name != ""
}

// known is the latest value of a point whose latest reading has none.
type known struct {
	value Value
	time  time.Time
}

// keep makes r the latest reading.
func (p *Point) keep(r *Reading, now time.Time) {
	if r.Value.None() && !p.last.Value.None() {
		p.known = known{p.last.Value, p.last.Time}
	}
	p.last, p.lastAt = *r, now
}

// Follow makes p know what was known of the point that it takes the place of, where that means the same.
func (p *Point) Follow(was *Point) {
	if a, b := &p.def, &was.def; a.Name != b.Name || a.Scalar != b.Scalar || a.Count != b.Count ||
		a.Scale != b.Scale || a.Offset != b.Offset || p.quoted != was.quoted {
		return
	}
	was.mu.Lock()
	last, at, known := was.last, was.lastAt, was.known
	was.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.lastAt, p.known = last, at, known
}

// Renew has the next reading reported, whatever the filter says: somebody new speaks for the point.
func (p *Point) Renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reported = report{}
}
