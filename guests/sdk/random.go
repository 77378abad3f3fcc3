package sdk

import (
	"encoding/binary"
	"math/rand/v2"
)

// Random returns a source of jitter that is this instance's own. It is not for secrets.
//
// The global source of math/rand/v2 is no substitute: instances that start from one snapshot share its seed.
func (c *Context) Random() *rand.Rand {
	if c.random == nil {
		var seed [16]byte
		c.host.Random(seed[:])
		c.random = rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])))
	}
	return c.random
}
