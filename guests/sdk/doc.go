// Package sdk is the kit for writing Drover drivers in plain Go.
//
// A driver is a type that implements Driver; its package main, built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o NAME.wasm .
//
// gives it to Register in the initialization of a variable: the host calls `_initialize`, which initializes variables
// and never runs main. The host then calls, each in turn and each at most once an instance: Driver.Describe,
// Driver.Configure, Connector.Connect, Session.Init, Session.Run. A failure anywhere ends the instance; the next
// attempt is a new one, with nothing left over but what Context.SaveState kept.
//
// A driver is one thread: a call that blocks stops all its goroutines, and no goroutine runs between two phases. Run
// waits in Context.Wait, or leaves that to a Loop, which also polls by a Scheduler and serves commands. Panics are not
// caught: the host takes them for a crash, and starts a new instance.
//
// Nothing here but Register needs WebAssembly. Drivers are tested on the machine they are written on, over the fake
// host of package sdktest.
package sdk
