package channel

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

// trial is what an edition that replaces another is held to: the points that were good are to be so at its end. A nil
// trial holds nobody to anything.
type trial struct {
	good  map[pointName]bool
	ready time.Time // of the edition's first session; only the supervisor's loop looks
}

type pointName struct{ device, point string }

// newTrial notes what is good now.
func newTrial(e *edition) *trial {
	t := &trial{good: make(map[pointName]bool)}
	for _, m := range e.members {
		for _, p := range m.points {
			if last, known := p.Last(); known && last.Quality == driver.QualityGood {
				t.good[pointName{m.device.name, p.Name()}] = true
			}
		}
	}
	return t
}

// begin begins the trial with the edition's first session that is Ready.
func (t *trial) begin(now time.Time) {
	if t != nil && t.ready.IsZero() {
		t.ready = now
	}
}

// shown is how many points a verdict names.
const shown = 3

// judge returns why the edition did not stand its trial, or nil. A point that was good and has not been heard of is bad,
// if there was time for two readings.
func (t *trial) judge(e *edition, now time.Time) *failure.Failure {
	if t == nil {
		return nil
	}
	var bad []string
	for _, m := range e.members {
		for _, ref := range m.points {
			name := pointName{m.device.name, ref.Name()}
			if why := t.wrong(e.points[ref.ID], now); t.good[name] && why != "" {
				bad = append(bad, fmt.Sprintf("%s.%s (%s)", name.device, name.point, why))
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	list := strings.Join(bad[:min(len(bad), shown)], ", ")
	if more := len(bad) - shown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return failure.New(failure.PhaseRun, failure.DriverOther,
		fmt.Sprintf("%d of %d points that were good are not any more: %s", len(bad), len(t.good), list))
}

// wrong says what is wrong with a point; empty for nothing.
func (t *trial) wrong(p *servedPoint, now time.Time) string {
	last, known := p.Last()
	switch period := p.period; {
	case known && !last.At.Before(t.ready):
		if last.Quality != driver.QualityBad {
			return ""
		}
		return cmp.Or(last.Code, "bad")
	case !p.Readable(), period == 0, now.Sub(t.ready) < 2*period:
		return ""
	default:
		return "no reading"
	}
}
