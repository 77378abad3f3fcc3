#!/usr/bin/env bash
# Gets AssemblyScript's compiler into build/npm, and builds Rust's standard library for WebAssembly. The latter takes
# minutes, so it is kept in the user's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/npm
[ -f build/npm/package.json ] || echo '{"private": true}' > build/npm/package.json
(cd build/npm && npm install --no-audit --no-fund --ignore-scripts assemblyscript@0.28.20)
interop/languages/rust.sh
