#!/usr/bin/env bash
# Measures what drivers cost where wazero interprets them, by ratios against the compiler on the same machine in turns:
# `drover demo`, built for this machine and for 386, where there is no compiler. ROUNDS of 2 x 20 s.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -o "$work/modbus.wasm" ./guests/modbus
for arch in amd64 386; do
  CGO_ENABLED=0 GOARCH=$arch go build -o "$work/drover-$arch" ./cmd/drover
  mkdir -m 0700 "$work/$arch"
done
# cpu prints the CPU seconds that all drivers of a node have taken.
cpu() { XDG_RUNTIME_DIR=$work/$1 "$work/drover-$1" ps --json | grep -o '"cpu":[0-9.e-]*' | cut -d: -f2 | awk '{s += $1} END {print s}'; }
for round in $(seq "${ROUNDS:-3}"); do
  for arch in amd64 386; do
    began=$(date +%s%N)
    XDG_RUNTIME_DIR=$work/$arch "$work/drover-$arch" demo --driver "$work/modbus.wasm" --for 2m --json > "$work/out" &
    demo=$!
    touch "$work/out"
    until grep -q '"points"' "$work/out"; do sleep 0.1; done
    first=$((($(date +%s%N) - began) / 1000000))
    sleep 2
    before=$(cpu $arch)
    sleep 10
    after=$(cpu $arch)
    memory=$(awk '/^VmHWM/ {print $2}' "/proc/$demo/status")
    kill -INT $demo
    wait $demo || true
    echo "$round $arch $(awk "BEGIN {print ($after - $before) * 1000}") $memory $first"
  done
done | tee "$work/figures" | awk 'BEGIN {print "round arch driver-cpu-ms-in-10s memory-KiB first-message-ms"} {print}'
awk '{cpu[$2] += $3; mem[$2] += $4; start[$2] += $5}
  END {printf "386 / amd64: CPU of the drivers %.0f, memory of the process %.1f, time to the first message %.1f\n",
    cpu["386"] / cpu["amd64"], mem["386"] / mem["amd64"], start["386"] / start["amd64"]}' "$work/figures"
