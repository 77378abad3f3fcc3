//go:build linux

package drover_test

import (
	"fmt"
	"os"
	goruntime "runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/internal/sim/modbus"
)

// registers are the points of a channel of the density tests.
const registers = 100

// idleBudget is how many bytes a channel may take of the process that has done its first cycle and waits: heap, stacks, and
// pages of its driver's memory that are its own. The simulator's side of the connection is in it.
const idleBudget = 704 << 10

// hostBudget is how many of them may be the host's: heap and stacks.
const hostBudget = 224 << 10

// density holds what a channel more takes, which is connected and waits, against its budget.
func (r *rig) density(t *testing.T) {
	const few, many = 5, 45
	low, high := r.idle(t, few), r.idle(t, many)
	each := func(of func(taken) uint64) int64 { return (int64(of(high)) - int64(of(low))) / (many - few) }
	heap, stacks, guest := each(func(u taken) uint64 { return u.heap }), each(func(u taken) uint64 { return u.stacks }), each(func(u taken) uint64 { return u.guest })
	goroutines := float64(high.goroutines-low.goroutines) / (many - few)
	t.Logf("a channel takes %d bytes of heap, %d of stacks in %.1f goroutines, %d of its driver's memory", heap, stacks, goroutines, guest)
	if heap+stacks > hostBudget {
		t.Errorf("%d bytes a channel of heap and stacks, at most %d", heap+stacks, hostBudget)
	}
	if heap+stacks+guest > idleBudget {
		t.Errorf("%d bytes a channel, at most %d", heap+stacks+guest, idleBudget)
	}
}

// taken is what the process has: bytes of heap in use, bytes of stacks in use, bytes of drivers' memory that are there
// for one instance alone.
type taken struct {
	heap, stacks, guest uint64
	goroutines          int
}

// idle is what there is when so many channels have done their first cycle.
func (r *rig) idle(t *testing.T, channels int) (now taken) {
	t.Run(fmt.Sprint(channels), func(t *testing.T) {
		device := modbus.NewDevice(nil)
		device.Update(func(m *modbus.Memory) { m.SetHolding(0, make([]uint16, registers)...) })
		server, err := modbus.ListenTCP(modbus.Config{Units: map[uint8]*modbus.Device{1: device}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		url, user, password := startServer(t)
		conn := connect(t, url)
		came, all := new(atomic.Int64), make(chan struct{})
		if _, err := conn.Subscribe("drover.n1.*.data.>", func(*nats.Msg) {
			if came.Add(1) == int64(channels) {
				close(all)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := conn.Flush(); err != nil {
			t.Fatal(err)
		}
		var points, text strings.Builder
		for i := range registers {
			fmt.Fprintf(&points, "p%d: {address: \"holding:%d\", type: uint16}, ", i, i)
		}
		for i := range channels {
			fmt.Fprintf(&text, "  c%d: {driver: modbus.wasm, connections: {main: {tcp: %q}}, every: 1h, devices: {d: {settings: {unit: 1}, points: {%s}}}}\n",
				i, server.Addr(), strings.TrimSuffix(points.String(), ", "))
		}
		start(t, r.config(t, remote(url, user, password), text.String()))
		select {
		case <-all:
		case <-time.After(5 * patience):
			t.Fatalf("%d of %d channels have published", came.Load(), channels)
		}
		now = takes(t)
	})
	return now
}

func takes(t *testing.T) taken {
	t.Helper()
	goruntime.GC()
	goruntime.GC() // what finalizers let go
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return taken{heap: m.HeapAlloc, stacks: m.StackInuse, guest: guestMemory(t), goroutines: goruntime.NumGoroutine()}
}

// guestMemory counts the private pages of the mappings of images, and of those right behind them, which the rest of a
// driver's memory is (proc_pid_smaps(5)).
func guestMemory(t *testing.T) uint64 {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	var total, from, to, end uint64
	counting := false
	for line := range strings.Lines(string(smaps)) {
		var kilobytes uint64
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			image := strings.Contains(line, "memfd:drover-image")
			if counting = image || from == end; image {
				end = to
			}
		} else if n, _ := fmt.Sscanf(line, "Private_Dirty: %d kB", &kilobytes); n == 1 && counting {
			total += kilobytes << 10
		}
	}
	return total
}
