package config

import "time"

// Point is a value of a device, read or written. Devices may share it: it is never changed.
type Point struct {
	Name     string
	Position Position
	// Address is where the point is, in the driver's own terms.
	Address JSON
	*Definition
}

// Definition is what a point has that many points have alike: those of one configuration share it. It is never changed.
type Definition struct {
	Type Type
	// Count is 0 for one value, otherwise the point is a list of that many.
	Count  uint32
	Access Access
	// Every is the period of its reads; 0 where Access is AccessWrite.
	Every time.Duration
	// Scale and Offset make value = raw x Scale + Offset, in decimal arithmetic; 1 and 0 by default.
	Scale, Offset float64
	Unit          string
	Report        Report
	// Range bounds what may be written, in scaled units; nil has no bound beyond the type.
	Range *Range
}

// Type is what a point holds on the device.
type Type string

// The types.
const (
	TypeBool    Type = "bool"
	TypeInt8    Type = "int8"
	TypeInt16   Type = "int16"
	TypeInt32   Type = "int32"
	TypeInt64   Type = "int64"
	TypeUint8   Type = "uint8"
	TypeUint16  Type = "uint16"
	TypeUint32  Type = "uint32"
	TypeUint64  Type = "uint64"
	TypeFloat32 Type = "float32"
	TypeFloat64 Type = "float64"
	TypeString  Type = "string"
	TypeBytes   Type = "bytes"
)

// Numeric says whether values of the type are numbers, so that they have scale, deadband and range.
func (t Type) Numeric() bool { return t != TypeBool && t != TypeString && t != TypeBytes }

// Access is what may be done with a point.
type Access string

// The accesses.
const (
	AccessRead      Access = "r"
	AccessWrite     Access = "w"
	AccessReadWrite Access = "rw"
)

// Reads says whether the point is polled.
func (a Access) Reads() bool { return a != AccessWrite }

// Writes says whether the point takes writes.
func (a Access) Writes() bool { return a != AccessRead }

// Report says which reads of a point are published. Its other fields but Heartbeat are zero unless Change is set.
type Report struct {
	// Change publishes a read only when its value differs from the one published last; otherwise every read is.
	Change bool
	// Deadband is how far the value must have moved, in scaled units or, with Percent, in percent of the value that was
	// published last.
	Deadband float64
	Percent  bool
	// Interval is the shortest time between two publications, Heartbeat the longest, without Change of what cannot be read;
	// 0 has no bound.
	Interval, Heartbeat time.Duration
}

// Range is what may be written, both ends included.
type Range struct {
	Min, Max float64
}
