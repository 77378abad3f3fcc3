#!/usr/bin/env bash
# Makes the tarballs of a release, and the file trees of its images, in build/dist. The same commit with the same Go gives
# the same bytes, on any machine. VERSION is SemVer without a leading v, TARGETS are os/arch pairs of Linux.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
version=${VERSION:-$(git describe --tags --exact-match --match 'v*' 2>/dev/null | sed s/^v// || true)}
version=${version:-0.0.0-devel}
targets=${TARGETS:-linux/amd64 linux/arm64 linux/arm}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
drivers=(modbus)
dist=build/dist
umask 022

rm -rf "$dist"
mkdir -p "$dist/common/drivers" "$dist/common/completions" "$dist/common/docs"
for driver in "${drivers[@]}"; do
  GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 "$go" build -buildmode=c-shared -trimpath -buildvcs=false \
    -o "$dist/common/drivers/$driver.wasm" "./guests/$driver"
done
build() { # OS ARCH FILE
  CGO_ENABLED=0 GOOS=$1 GOARCH=$2 GOARM=7 GOAMD64=v1 GOARM64=v8.0 "$go" build -trimpath -ldflags "-s -w -X main.version=$version" \
    -o "$3" ./cmd/drover
}
build "$("$go" env GOHOSTOS)" "$("$go" env GOHOSTARCH)" "$dist/own"
for shell in bash zsh fish; do
  "$dist/own" completion "$shell" > "$dist/common/completions/drover.$shell"
done
rm "$dist/own"
cp LICENSE README.md packaging/systemd/drover.service packaging/systemd/drover.sysusers packaging/60-drover-serial.rules \
  packaging/drover.yaml "$dist/common/"
cp docs/*.md "$dist/common/docs/"

for target in $targets; do
  os=${target%/*} arch=${target#*/}
  name=drover_${version}_${os}_${arch}
  [ "$arch" = arm ] && name=drover_${version}_${os}_armv7
  mkdir -p "$dist/$name"
  cp -R "$dist/common/." "$dist/$name/"
  build "$os" "$arch" "$dist/$name/drover"
  find "$dist/$name" -exec chmod u=rwX,go=rX {} +
  tar --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$dist" "$name" |
    gzip -n -9 > "$dist/$name.tar.gz"

  image=$dist/image/$arch
  mkdir -p "$image/usr/bin" "$image/usr/lib/drover" "$image/etc/drover" "$image/var/lib/drover"
  cp "$dist/$name/drover" "$image/usr/bin/drover"
  cp -R "$dist/common/drivers" "$image/usr/lib/drover/drivers"
  cp "$dist/common/drover.yaml" "$image/etc/drover/drover.yaml"
  rm -rf "${dist:?}/$name"
done
rm -rf "$dist/common"
(cd "$dist" && sha256sum ./*.tar.gz | sed 's| \./| |' > SHA256SUMS && cat SHA256SUMS)
