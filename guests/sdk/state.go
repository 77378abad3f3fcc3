package sdk

import "fmt"

// MaxState is the most bytes that SaveState takes.
const MaxState = 64 << 10

// SaveState keeps one blob of at most MaxState bytes, in place of the last one. It survives attempts and swaps.
func (c *Context) SaveState(blob []byte) error {
	if r := c.host.Save(blob); r.Failed {
		return fmt.Errorf("save state of %d bytes: %s", len(blob), r.Err)
	}
	return nil
}

// LoadState returns the blob that was saved last, and whether there is one.
func (c *Context) LoadState() ([]byte, bool) {
	r := c.host.Load(nil)
	return r.Value, r.Some
}
