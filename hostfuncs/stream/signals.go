package stream

// Signals is what a session tells the I/O that runs for it. Its methods must not block.
type Signals interface {
	// IOAllowed says whether the phase may do I/O. Where it may not, every function answers `invalid`.
	IOAllowed() bool
	// Yield returns a channel that is closed once a yield is asked for, and nil after YieldSeen.
	Yield() <-chan struct{}
	// YieldSeen says that a blocking call was ended for the yield: the next ones go on.
	YieldSeen()
	// Yielding says whether a yield was asked for: what the guest drops from then on stays open until the session ends,
	// for the session that takes over.
	Yielding() bool
}

// Owner is the session that a stream is open in.
type Owner interface {
	Signals
	// Failed gets every failure of a stream.
	Failed(Failure)
	// Dropped is called when the guest gives the stream up.
	Dropped(*Stream)
}
