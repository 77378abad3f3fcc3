package sdk

import (
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Good returns a sample that can be trusted. The zero time is now, by the host's clock.
func Good(point PointID, v Value, at time.Time) Sample {
	return Sample{Point: point, Value: component.Some(v), Quality: driver.QualityGood, Time: instant(at)}
}

// Uncertain returns a sample that cannot be trusted fully. The reason is one of the driver's own codes.
func Uncertain(point PointID, v Value, reason string, at time.Time) Sample {
	return Sample{
		Point: point, Value: component.Some(v), Quality: driver.QualityUncertain,
		Reason: component.Some(clean(reason)), Time: instant(at),
	}
}

// Bad returns the sample of a point that could not be read. The reason is one of the driver's own codes.
func Bad(point PointID, reason string, at time.Time) Sample {
	return Sample{
		Point: point, Quality: driver.QualityBad, Reason: component.Some(clean(reason)), Time: instant(at),
	}
}

// Failed returns the sample of a point that could not be read because of err: the reason is its code, or the name of
// the I/O error in its chain after "io.".
func Failed(point PointID, err error, at time.Time) Sample { return Bad(point, reasonOf(err), at) }
