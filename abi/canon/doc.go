// Package canon is the component model's canonical ABI at run time, on the host's side: what generated bindings call to
// move values between Go and a guest's linear memory.
//
// The specification is CanonicalABI.md of the component model (github.com/WebAssembly/component-model, design/mvp). To
// lift is to read a value that the guest wrote; to lower is to write one for it. Strings are UTF-8. Everything that a
// guest says is checked; what is wrong with it is an [Error], never a panic of the host and never more memory than the
// [Limits] allow.
//
// A [Guest] also remembers the last calls of imports, and tells a [Stopwatch] when the guest's code runs.
package canon
