#!/usr/bin/env bash
# Builds the attacks in Rust and prints the folder that has them. Rust's library is built with interop/languages, where it
# says how.
set -euo pipefail
cd "$(dirname "$0")/native"
export PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
export CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/drover/rust-languages
cargo build --quiet --release --examples -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown
echo "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/examples"
