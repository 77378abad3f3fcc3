package point

import (
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Readable says whether the point can be read.
func (p *Point) Readable() bool { return p.def.Access != driver.AccessWrite }

// Writable says whether the point can be written.
func (p *Point) Writable() bool { return p.def.Access != driver.AccessRead }

// Scaled returns what subscribers would see of a value that Parse returned; none where it is not finite.
func (p *Point) Scaled(v driver.Value) Value {
	return p.Convert(driver.Sample{Value: component.Some(v)}, time.Time{}).Value
}
