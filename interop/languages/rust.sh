#!/usr/bin/env bash
# Builds testdata/rust and prints where the module is. Debian's compiler comes with no library for WebAssembly, but with
# the sources of one.
set -euo pipefail
cd "$(dirname "$0")/testdata/rust"
export PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
export CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/drover/rust-languages
cargo build --quiet --release -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown
echo "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/languages.wasm"
