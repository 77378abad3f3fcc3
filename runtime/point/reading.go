package point

import (
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// The codes that the host gives a reading by itself. Others come from the driver, or from the failure that ended its
// session.
const (
	// CodeNonFinite: the value was NaN or infinite.
	CodeNonFinite = "value.non-finite"
	// CodeMissing: the driver gave neither a value nor a reason.
	CodeMissing = "value.missing"
	// CodeStopped: somebody stopped the channel.
	CodeStopped = "channel.stopped"
	// CodeReconnecting: the channel's session has ended without a failure, and another follows.
	CodeReconnecting = "channel.reconnecting"
)

// Reading is what one reading of a point gave, scaled, as subscribers see it.
type Reading struct {
	// Name is the point's.
	Name string
	// Value is none (its zero value) where nothing could be read.
	Value   Value
	Quality driver.Quality
	// Code says why the quality is not good; empty when it is.
	Code string
	// Time is when the value was true at its source.
	Time time.Time
}

// withoutValue returns r as one that cannot be good, and says why.
func (r Reading) withoutValue() Reading {
	r.Quality = driver.QualityBad
	if r.Code == "" {
		r.Code = CodeMissing
	}
	return r
}

// Batch is what leaves the node of one device and one poll cycle.
type Batch struct {
	Device string
	// Point is set where each point has batches of its own: the name of the one that this is of.
	Point string
	// Seq counts per channel and device, from 1, within an epoch.
	Seq uint64
	// Time is when the cycle was read. A reading with another time of its own carries it.
	Time     time.Time
	Readings []Reading
}

// DeviceState is how a device is.
type DeviceState struct {
	Device string
	Status driver.Status
	Reason string
	// Gauges are figures by name: round trip, CRC errors, duty cycle; seconds, ratios and counts.
	Gauges map[string]float64
	// Since is when Status began.
	Since time.Time
}
