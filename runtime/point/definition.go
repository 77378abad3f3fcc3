// Package point knows the points of a channel as the host has them: it scales what a driver read, judges its quality,
// filters what did not change, and keeps every point's last value.
//
// Nothing in here is seen by the driver: scale, filter and unit change without it.
package point

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Definition is a point as the configuration declares it.
type Definition struct {
	// Name and Device are tokens ([A-Za-z0-9_-]+).
	Name, Device string
	// Scalar is the type that the driver gives, before scaling.
	Scalar driver.ScalarType
	// Count is 0 for one value; otherwise the point is a list of exactly that many.
	Count  uint32
	Access driver.Access
	// Unit is for people: "bar".
	Unit string
	// Scale and Offset make value = raw * Scale + Offset, in decimal arithmetic. Scale 0 means 1.
	Scale, Offset float64
	Report        Report
	// Deadband and Interval apply to ReportChange.
	Deadband Deadband
	// Interval is the shortest time between two reports of a value that changed; 0 is none.
	Interval time.Duration
	// Heartbeat is the longest time without a report, with ReportAlways of what cannot be read; 0 is none.
	Heartbeat time.Duration
	// IntegerText has integers of 64 bits as JSON strings, for readers whose numbers are float64. It is the declared type
	// that decides, not the value: all numbers of an int64 or uint64 that scale and offset leave integers are strings.
	IntegerText bool
	// Range is what may be written, after scaling. Nil: whatever fits the type.
	Range *Range
}

// Report says which readings leave the node.
type Report uint8

const (
	// ReportAlways reports every reading.
	ReportAlways Report = iota
	// ReportChange reports readings that differ from the last one reported.
	ReportChange
)

// Deadband is how far a number has to move before it counts as changed: by more than Width, or, with Percent, by more
// than Width hundredths of the value reported last. The zero value lets every change through.
type Deadband struct {
	Width   float64
	Percent bool
}

// Range is a closed interval.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// validate reports all that is wrong with d together.
func (d *Definition) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("point %q: "+format, append([]any{d.Name}, args...)...))
		}
	}
	scaled := d.Scale != 1 || d.Offset != 0
	check(d.Name != "", "has no name")
	check(d.Device != "", "has no device")
	check(kindOf(d.Scalar) != kindNone, "unknown type %d", d.Scalar)
	check(finite(d.Scale) && finite(d.Offset), "scale and offset are finite numbers")
	check(!scaled || kindOf(d.Scalar).numeric(), "a %s cannot be scaled", d.Scalar)
	check(d.Count == 0 || kindOf(d.Scalar).listable(), "a list of %s is not possible", d.Scalar)
	check(d.Report <= ReportChange, "unknown report %d", d.Report)
	check(finite(d.Deadband.Width) && d.Deadband.Width >= 0, "the deadband is a number from 0")
	check(d.Deadband.Width == 0 || kindOf(d.Scalar).numeric(), "a %s has no deadband", d.Scalar)
	check(d.Interval >= 0 && d.Heartbeat >= 0, "interval and heartbeat are not negative")
	check(d.Heartbeat == 0 || d.Interval <= d.Heartbeat, "the interval %s is above the heartbeat %s", d.Interval, d.Heartbeat)
	check(d.Range == nil || d.Range.Min <= d.Range.Max, "the range starts above its end")
	return errors.Join(errs...)
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
