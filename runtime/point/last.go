package point

import "time"

// Last is what is known of a point.
type Last struct {
	// Reading is the latest reading, filtered or not.
	Reading
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
func (p *Point) keep(r Reading) {
	p.last.Reading = r
	if !r.Value.None() {
		p.last.Known, p.last.KnownTime = r.Value, r.Time
	}
}
