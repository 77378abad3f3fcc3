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
	if !p.has {
		return Last{}, false
	}
	last := Last{
		Reading: Reading{Name: p.name, Value: p.value.load(), Quality: p.quality, Code: p.code, Time: p.time}, At: p.at,
	}
	switch {
	case !last.Value.None():
		last.Known, last.KnownTime = last.Value, last.Time
	case p.known != nil:
		last.Known, last.KnownTime = p.known.value, p.known.time
	}
	return last, true
}

// known is the latest value of a point whose latest reading has none.
type known struct {
	value Value
	time  time.Time
}

// keep makes r the latest reading.
func (p *Point) keep(r *Reading, now time.Time) {
	if r.Value.None() && p.value.kind != kindNone {
		p.knows(known{p.value.load(), p.time})
	}
	p.has, p.quality, p.code, p.time, p.at = true, r.Quality, r.Code, r.Time, now
	p.value.keep(&r.Value)
}

// knows keeps the latest value, for readings without one.
func (p *Point) knows(k known) {
	if p.known == nil {
		p.known = new(known)
	}
	*p.known = k
}

// Follow makes p know what was known of the point that it takes the place of, where that means the same.
func (p *Point) Follow(was *Point) {
	if a, b := &p.def, &was.def; p.name != was.name || a.Scalar != b.Scalar || a.Count != b.Count ||
		a.Scale != b.Scale || a.Offset != b.Offset || p.quoted != was.quoted {
		return
	}
	was.mu.Lock()
	has, quality, code, value := was.has, was.quality, was.code, was.value.load()
	read, at := was.time, was.at
	var before known
	if was.known != nil {
		before = *was.known
	}
	was.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.has, p.quality, p.code, p.time, p.at = has, quality, code, read, at
	if value.None() && !before.value.None() {
		p.knows(before)
	}
	p.value = stored{}
	p.value.keep(&value)
}

// Renew has the next reading reported, whatever the filter says: somebody new speaks for the point.
func (p *Point) Renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reported = report{value: p.reported.value}
}
