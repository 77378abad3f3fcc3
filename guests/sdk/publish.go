package sdk

import (
	"fmt"

	"github.com/droverhq/drover/abi/driver"
)

// MaxSamples is the most samples that one Publish takes.
const MaxSamples = 4096

// PublishError is why a batch was refused, whole.
type PublishError struct {
	Reason driver.PublishErrorTag
	// Index is the place of the first sample that is wrong, Point its point, where the reason is one sample.
	Index int
	Point PointID
}

// Error implements error.
func (e *PublishError) Error() string {
	switch e.Reason {
	case driver.PublishErrorTagUnknownPoint, driver.PublishErrorTagWrongType:
		return fmt.Sprintf("publish: %s: sample %d, point %d", e.Reason, e.Index, e.Point)
	}
	return "publish: " + e.Reason.String()
}

// Publish gives samples to the host, one poll cycle a call, and answers how many it took, from the front. Fewer than
// given: it has no room for more until Wait answers EventTagWritable. An error is a *PublishError, and nothing was
// taken. A Batch does all that by itself.
func (c *Context) Publish(samples []Sample) (int, error) {
	r := c.host.Publish(samples)
	if !r.Failed {
		return min(int(r.Value), len(samples)), nil
	}
	e := &PublishError{Reason: r.Err.Tag()}
	switch e.Reason {
	case driver.PublishErrorTagUnknownPoint:
		e.Index = int(r.Err.UnknownPoint())
	case driver.PublishErrorTagWrongType:
		e.Index = int(r.Err.WrongType())
	}
	if e.Index < len(samples) {
		e.Point = samples[e.Index].Point
	}
	return 0, e
}
