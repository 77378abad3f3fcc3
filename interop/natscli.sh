#!/usr/bin/env bash
# Gets the nats command that the tests of this folder run, into build/natscli. It takes minutes to compile, so it is kept
# in the user's cache.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.5.1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/drover/nats-$version
[ -x "$cache/nats" ] || GOBIN=$cache go install "github.com/nats-io/natscli/nats@v$version"
mkdir -p build
ln -sfn "$cache" build/natscli
