// Package meter rewrites WebAssembly modules so that they return to the host after a bounded amount of work.
//
// Compiled WebAssembly is never preempted: a guest that loops without calling the host would hold its thread, and with
// it every other goroutine at the next stop-the-world, for ever. So the module itself is made to call: each piece of
// straight-line code takes its static cost from a counter, and where the counter is used up the module calls the
// imported function ImportName, which may account, yield the processor, or end the guest by a panic. A second counter
// bounds the bytes of the native stack. RATIONALE.md has the why ("Why metering by rewriting?"), docs/drivers.md what
// it means for a driver.
//
// The input is WebAssembly 2.0 (core specification, chapter 5). It is not validated here: what comes out of a valid
// module is valid, what comes out of an invalid one is refused by the compiler, or was refused here with an *Error.
package meter
