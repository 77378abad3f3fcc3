// Package module is a driver's binary: checked, compiled, described and instantiated.
//
// A Loader belongs to a node and keeps compiled code on disk. A Module is one binary in a wazero runtime of its own,
// shared by every channel that runs it. An Instance is one attempt: it is made, called phase by phase, and closed, by
// one goroutine. What goes wrong in a guest comes out of here as a *failure.Failure.
//
// The package declares, in host.go, what it wants of the outside world. It knows nobody who has it.
package module
