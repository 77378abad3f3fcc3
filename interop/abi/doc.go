// Package abi tests the ABI with tools that nobody here wrote: jco, which embeds our worlds into built guests and makes
// components of them, and wit-bindgen, whose untouched C bindings carry a guest through the same round trips as ours.
// `make interop` runs it, with the build tag interop; install.sh gets the two tools, and clang, wasm-ld and wasi-libc are
// Debian's. A missing peer is a failure.
package abi
