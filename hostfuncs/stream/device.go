package stream

import "time"

// Device is an open port or connection, as a Line drives it. Read is called by one goroutine and Write, Drain and the
// Tasks by another; Discard and Interrupt may be called by any, at any time, also after Close.
type Device interface {
	// Read waits for bytes. It may give 0 and nil when it has waited for a while and nothing came.
	Read(p []byte) (int, error)
	// Write sends the front of p and says how much of it. It may block for as long as the device takes no bytes.
	Write(p []byte) (int, error)
	// Drain waits until everything written has left the machine.
	Drain() error
	// Discard drops what the operating system received and did not hand over yet.
	Discard() error
	// Interrupt makes a Write in progress, and a Read where it waits without end, return soon, as far as the operating
	// system can. A device that is of no use after that fails its next Read.
	Interrupt()
	// Close is called once, when Read and Write have returned for the last time.
	Close() error
	// Gap is the shortest silence that may end a frame on this device.
	Gap() time.Duration
}

// Prompt is a Device that sends what the operating system takes at once, so that a short write needs no other goroutine.
type Prompt interface {
	Device
	// WriteNow sends the front of p, without waiting, and says how much of it; 0 and nil where nothing is taken now.
	// It is called while there is neither a Write nor a Task, by any goroutine, also after Close.
	WriteNow(p []byte) (int, error)
}

// Task is an operation of a device, other than a write, that takes its time.
type Task func(Device) error
