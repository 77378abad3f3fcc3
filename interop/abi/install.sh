#!/usr/bin/env bash
# Gets the tools that the tests of this folder run, into build/npm and build/cargo.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/npm
[ -f build/npm/package.json ] || echo '{"private": true}' > build/npm/package.json
(cd build/npm && npm install --no-audit --no-fund --ignore-scripts @bytecodealliance/jco@1.35.0)
[ -x build/cargo/bin/wit-bindgen ] ||
  cargo install wit-bindgen-cli --version 0.63.0 --locked --no-default-features --features c --root build/cargo
