#!/usr/bin/env bash
# Proves what `make dist` makes: the same bytes each time, a binary that runs from its tarball, and an image whose few
# files are enough for a user without a name, on a read-only root, without /tmp, /proc, certificates or time zones. As root.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf -- '-- %s\n' "$*"; }
dist=build/dist

say "two runs give the same bytes"
packaging/dist.sh
cp "$dist/SHA256SUMS" "$dist.SHA256SUMS"
packaging/dist.sh > /dev/null
cmp "$dist/SHA256SUMS" "$dist.SHA256SUMS"
rm "$dist.SHA256SUMS"

arch=$(go env GOHOSTARCH)
work=$(mktemp -d)
node=
finish() {
  if [ -n "$node" ]; then kill "$node" 2> /dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

say "what is in the tarball runs: a demo with its driver"
(cd "$dist" && sha256sum --check --quiet SHA256SUMS)
tar -xzf "$dist"/drover_*_linux_"$arch".tar.gz -C "$work"
mv "$work"/drover_* "$work/drover"
"$work/drover/drover" version
"$work/drover/drover" demo --for 3s --json > "$work/messages"
grep -q 'drover.demo.meters.data.garage' "$work/messages"
sed -e "s|/usr/lib/drover/|$work/drover/|" -e "s|/var/lib/drover|$work/data|" "$work/drover/drover.yaml" > "$work/drover.yaml"
"$work/drover/drover" check "$work/drover.yaml"

say "the image's files are enough"
root=$work/root
cp -R "$dist/image/$arch" "$root"
sed -i -e 's|127.0.0.1:4222|127.0.0.1:0|' "$root/etc/drover/drover.yaml"
chown -R 65532:65532 "$root/var/lib/drover"
find "$root" -type f | sed "s|$root||" | sort
# The root is mounted read-only but for the state, as by docker run --read-only -v.
cat > "$work/inside" <<'INSIDE'
set -e
root=$1
shift
mount --bind "$root" "$root"
mount --bind "$root/var/lib/drover" "$root/var/lib/drover"
mount -o remount,bind,ro "$root"
if chroot --userspec=65532:65532 --groups= "$root" /usr/bin/drover module keygen /key 2> /dev/null; then
  echo "the root can be written"
  exit 1
fi
exec chroot --userspec=65532:65532 --groups= "$root" "$@"
INSIDE
export XDG_RUNTIME_DIR=/var/lib/drover HOME=/nowhere
unshare --mount bash "$work/inside" "$root" /usr/bin/drover run -c /etc/drover/drover.yaml 2> "$work/log" &
node=$!
for _ in $(seq 60); do
  unshare --mount bash "$work/inside" "$root" /usr/bin/drover ps --json > "$work/ps" 2> "$work/error" && break
  kill -0 "$node" 2> /dev/null || break
  sleep 1
done
grep -q '"channel":"boiler"' "$work/ps" || { cat "$work/log" "$work/error"; exit 1; }
kill "$node"
wait "$node" || { cat "$work/log"; exit 1; }
node=
if grep -E 'level=(WARN|ERROR)' "$work/log" | grep -v 'failure\|boiler'; then
  echo "a node in an image complains"
  exit 1
fi

say "polling needs no disk: a data directory that is read-only, full, or fills up"
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -o "$work/testdriver.wasm" ./guests/testdriver
export XDG_RUNTIME_DIR=$work/runtime
mkdir -m 0700 "$XDG_RUNTIME_DIR" "$work/disk"
cat > "$work/disk.yaml" <<YAML
node: disk
data: $work/disk/data
nats: {embedded: {listen: "127.0.0.1:0"}}
channels:
  line:
    driver: $work/testdriver.wasm
    every: 50ms
    devices: {d: {points: {count: {address: "1", type: uint64}}}}
YAML
cat > "$work/disk.sh" <<'DISK'
set -e
work=$1 how=$2 drover=$work/drover/drover disk=$work/disk
mount -t tmpfs -o size=16m tmpfs "$disk"
mkdir -m 0700 "$disk/data"
fill() { dd if=/dev/zero of="$disk/filler" bs=64k 2> /dev/null || true; }
case $how in
  read-only) mount -o remount,ro "$disk" ;;
  full) fill ;;
esac
"$drover" run -c "$work/disk.yaml" 2> "$work/log.$how" &
node=$!
for _ in $(seq 60); do "$drover" ps 2> /dev/null | grep -q 'line *connected' && break; sleep 1; done
if [ "$how" = fills ]; then
  fill
  "$drover" restart line > /dev/null
fi
"$drover" watch line --count 10 > "$work/watched.$how"
kill "$node"
wait "$node" || echo "(it ends with an error: events are lost)"
[ "$(grep -c 'line/d.count' "$work/watched.$how")" -eq 10 ]
! grep -q 'fatal error\|panic' "$work/log.$how"
DISK
for how in read-only full fills; do
  unshare --mount bash "$work/disk.sh" "$work" "$how" || { cat "$work/log.$how"; exit 1; }
  echo "$how: $(grep -c 'level=WARN' "$work/log.$how") warnings, 10 messages"
done

say "the unit is sound"
unit=$work/drover.service
sed -e "s|/usr/bin/drover|$work/drover/drover|" packaging/systemd/drover.service > "$unit"
systemd-analyze verify --man=no "$unit"
systemd-analyze security --offline=true --threshold=25 --no-pager "$unit" | tail -1
