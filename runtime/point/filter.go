package point

import (
	"math"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// report is what left the node last, as far as it matters to the filter.
type report struct {
	made    bool // there was one
	lost    bool
	absent  bool // it had no value
	quality driver.Quality
	code    string
	value   *Value // with ReportChange, nil without
	at      time.Time
}

// report takes note of what leaves the node.
func (p *Point) report(r *Reading, now time.Time, lost bool) {
	p.reported.made, p.reported.lost, p.reported.absent = true, lost, r.Value.None()
	p.reported.quality, p.reported.code, p.reported.at = r.Quality, r.Code, now
	if p.reported.value != nil {
		*p.reported.value = r.Value
	}
}

// Accept keeps r as the point's latest reading and says whether it is to be reported. now is the host's clock, which
// times interval and heartbeat whatever the time of the reading is.
//
// The first reading passes, and after the heartbeat any. One without a value passes where its quality or code is
// another: what cannot be read is said once. With ReportAlways all others pass. With ReportChange these pass: another
// quality, code, or presence of a value; after the interval a value outside the deadband around the one reported last.
// What the interval holds back is compared again with the next reading, so that a change is late but not lost.
func (p *Point) Accept(r Reading, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(&r, now)
	if !p.due(&r, now) {
		return false
	}
	p.report(&r, now, false)
	return true
}

// Lost answers the reading that tells subscribers that the session is gone: bad, without a value, with the code of what
// ended it. It is due once, and then at every heartbeat until Accept is given a reading again.
func (p *Point) Lost(code string, now time.Time) (Reading, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reported.lost && !p.beat(now) {
		return Reading{}, false
	}
	r := Reading{Name: p.name, Quality: driver.QualityBad, Code: code, Time: now}
	p.keep(&r, now)
	p.report(&r, now, true)
	return r, true
}

func (p *Point) due(r *Reading, now time.Time) bool {
	last := &p.reported
	switch {
	case !last.made, p.def.Report == ReportAlways && !r.Value.None(), p.beat(now):
		return true
	case r.Quality != last.quality, r.Code != last.code, r.Value.None() != last.absent:
		return true
	case r.Value.None():
		return false
	case p.def.Interval > 0 && now.Sub(last.at) < p.def.Interval:
		return false
	}
	return p.def.Deadband.outside(*last.value, r.Value)
}

func (p *Point) beat(now time.Time) bool {
	return p.def.Heartbeat > 0 && now.Sub(p.reported.at) >= p.def.Heartbeat
}

// outside says whether b is a change from a.
func (d Deadband) outside(a, b Value) bool {
	if d.Width == 0 || !a.comparable(b) {
		return !a.Equal(b)
	}
	for i := range a.len() {
		from, to := a.float(i), b.float(i)
		width := d.Width
		if d.Percent {
			width = math.Abs(from) * d.Width / 100
		}
		if math.Abs(to-from) > width {
			return true
		}
	}
	return false
}
