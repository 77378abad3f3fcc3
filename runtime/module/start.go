package module

import "time"

// Start says how the instances of a module start.
type Start struct {
	// Snapshot says that they start from an image of the initialised memory, which all of them share until they write to
	// it; otherwise each is initialised by itself.
	Snapshot bool
	// Reason says why there is no image, for people: "it uses memory.init". It is empty with Snapshot.
	Reason string
	// Memory is how many bytes of memory an instance has when it was initialised, Image how many of them the image holds:
	// pages of zeros cost nothing. Image is 0 without Snapshot.
	Memory, Image uint64
	// Initialisation is how long it took to make the instance that described itself, and to initialise it: what each
	// instance costs without an image.
	Initialisation time.Duration
}

// Start says how the module's instances start.
func (m *Module) Start() Start { return m.start }
