#!/usr/bin/env bash
# Gets the tools that the tests of this folder run, into build/npm and build/cargo. The latter takes minutes to compile,
# so it is kept in the user's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/npm
[ -f build/npm/package.json ] || echo '{"private": true}' > build/npm/package.json
(cd build/npm && npm install --no-audit --no-fund --ignore-scripts @bytecodealliance/jco@1.35.0)

cache=${XDG_CACHE_HOME:-$HOME/.cache}/drover/wit-bindgen-0.63.0
[ -x "$cache/bin/wit-bindgen" ] ||
  cargo install wit-bindgen-cli --version 0.63.0 --locked --no-default-features --features c --root "$cache"
ln -sfn "$cache" build/cargo
