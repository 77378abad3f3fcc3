// Package hostile tests the border against drivers that attack it: `make hostile` runs it, with the build tag hostile.
// It needs wat2wasm (Debian's wabt), clang and Rust for wasm32, which .ci/run installs; a missing one is a failure.
//
// The attacks are in the folder attacks, a file a topic, each attack a few lines of WebAssembly text: what it replaces of
// a driver that behaves (prelude.wat and the imports and exports of the world, which the tests add). Its first line says
// how it must end and what it does:
//
//	;; PHASE CODE: what the attack does
//
// The phase `stop` is a driver that must go on until it is stopped; the code `-` says that this is no failure. The folder
// native has attacks in C and in Rust. Those in Go are the test driver's own misbehaviour.
//
// Each attack runs in a channel of its own beside a healthy one that polls every 10 ms: that one must not miss a sequence
// number, and in the end goroutines, files and memory are where they began. Then they run all at once in a whole node.
package hostile
