// Package languages has programs in Rust, C and AssemblyScript compute the same before and after they were rewritten for
// metering, each with its own official compiler. `make interop` runs it, with the build tag interop; install.sh gets
// AssemblyScript, and Rust's standard library for WebAssembly is built from Debian's rust-web-src; clang is Debian's, too.
// A missing compiler is a failure. Go's own programs are in the tests of runtime/module/meter.
package languages
