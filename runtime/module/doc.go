// Package module is a driver's binary: checked, compiled, described and instantiated.
//
// A Loader belongs to a node and keeps compiled code on disk. A Module is one binary in a wazero runtime of its own,
// shared by every channel that runs it. An Instance is one attempt: it is made, called phase by phase, and closed, by
// one goroutine. What goes wrong in a guest comes out of here as a *failure.Failure; a crash has a PostMortem with it.
//
// An instance starts from an image of the memory of one that was initialised (image.go), where the system and the module
// allow it: Start says so.
//
// Every module is rewritten (package meter) before it is compiled, so that a guest returns to yield.go again and again:
// there its computing is counted and limited, others get the processor, and an Abort ends it.
//
// The package declares, in host.go, what it wants of the outside world. It knows nobody who has it.
package module
