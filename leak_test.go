//go:build linux || darwin

package drover_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leaks starts and stops a node with everything in it, and counts what is left: goroutines, and open files where the
// system tells.
func (r *rig) leaks(t *testing.T) {
	r.life(t) // what the process keeps for good is there after the first
	files := openFiles()
	running := goleak.IgnoreCurrent()
	for range 2 {
		r.life(t)
	}
	goleak.VerifyNone(t, running)
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for now := openFiles(); now != files; now = openFiles() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%d open files, %d before", now, files)
		}
	}
}

// life is a node from start to stop, with devices, a channel that crashes, and a subscriber.
func (r *rig) life(t *testing.T) {
	t.Run("life", func(t *testing.T) {
		p := startPlant(t)
		n := start(t, r.config(t, anywhere, p.channels()+`
  crashing: {driver: testdriver.wasm, every: 10ms, settings: {run: panic, cycle: 3}, retry: {initial: 50ms}, devices: {d: {points: {p: {address: 0, type: bool}}}}}
  refused: {driver: modbus.wasm, connections: {main: {tcp: "`+closedPort(t)+`"}}, retry: {initial: 50ms}}
  missing: {driver: missing.wasm}
`))
		e := listen(t, n.URL(), "drover.>")
		for range 3 {
			e.on(t, "drover.n1.crashing.event.failure")
		}
		e.on(t, "drover.n1.meters.data.two")
		e.on(t, "drover.n1.plc.data.boiler")
	})
}

// openFiles counts the open files of this process; 0 where the system does not tell.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
