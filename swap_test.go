//go:build linux || darwin

package drover_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	sim "github.com/droverhq/drover/internal/sim/modbus"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// swapCount is how many swaps a line goes through in TestNode/swaps. `make swaps` does 1,000.
var swapCount = flag.Int("swaps", 20, "how many swaps of a line")

// version is modbus.wasm under another digest: with a custom section (WebAssembly core 5.5.3) at its end.
func (r *rig) version(t *testing.T, name string) string {
	t.Helper()
	binary, err := os.ReadFile(filepath.Join(r.dir, "modbus.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	section := append([]byte{byte(len("version"))}, "version"+name...)
	r.write(t, name+".wasm", slices.Concat(binary, []byte{0, byte(len(section))}, section))
	return filepath.Join(r.dir, name+".wasm")
}

// swapPatience is how long a swap may take: with the race detector a driver compiles for most of a minute.
const swapPatience = 5 * time.Minute

// swapTo makes a call of ctl.swap, and holds the answer against its schema.
func swapTo(t *testing.T, conn *nats.Conn, r message.SwapRequest) message.Swap {
	t.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	answer := callSwap(t, conn, body)
	if code := answer.Header.Get("Nats-Service-Error-Code"); code != "" {
		t.Fatalf("swap to %s: error %s: %s", r.Module, code, answer.Data)
	}
	if err := conforms("swapped", answer.Data); err != nil {
		t.Errorf("swapped: %v: %s", err, answer.Data)
	}
	var s message.Swap
	if err := json.Unmarshal(answer.Data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// callSwap makes a call of ctl.swap, with time for a driver to be compiled.
func callSwap(t *testing.T, conn *nats.Conn, body []byte) *nats.Msg {
	t.Helper()
	request := nats.NewMsg("drover-call.n1.ctl.swap")
	request.Data, request.Header = body, nats.Header{message.HeaderTimeout: {swapPatience.String()}}
	answer, err := conn.RequestMsg(request, swapPatience)
	if err != nil {
		t.Fatalf("swap: %v", err)
	}
	return answer
}

// swap: what a caller sees of swaps, and what holds over a restart of the node.
func (r *rig) swap(t *testing.T) {
	p := startPlant(t)
	url, user, password := startServer(t)
	n := start(t, r.config(t, remote(url, user, password), p.channels()))
	conn := connect(t, url, nats.UserInfo(user, password))
	ear := listen(t, url, "drover.n1.plc.event.swap")
	other := r.version(t, "other")
	none := 0.0
	r.write(t, "text.wasm", []byte("no module"))
	text := filepath.Join(r.dir, "text.wasm")

	dry := swapTo(t, conn, message.SwapRequest{Channel: "plc", Module: other, DryRun: true})
	if dry.Result != "prepared" {
		t.Errorf("a dry run: %+v", dry)
	}
	done := swapTo(t, conn, message.SwapRequest{Channel: "plc", Module: other, Trial: &none, By: "ann@desk"})
	if done.Result != "swapped" || !done.Yielded || done.From.Driver != "modbus" || done.From.Digest == done.To.Digest {
		t.Errorf("a swap: %+v", done)
	}
	ear.next(t, "the event", func(h heard) bool { return strings.Contains(h.payload, `"swapped"`) })
	if again := swapTo(t, conn, message.SwapRequest{Channel: "plc", Module: other}); again.Result != "unchanged" {
		t.Errorf("again: %+v", again)
	}
	var ps message.Processes
	ask(t, conn, "drover-call.n1.get.ps", "", &ps)
	i := slices.IndexFunc(ps.Channels, func(c message.Process) bool { return c.Channel == "plc" })
	if o := ps.Channels[i].Override; o == nil || o.Digest != done.To.Digest || o.By != "ann@desk" || ps.Channels[i].Digest != done.To.Digest {
		t.Errorf("ps shows %+v", ps.Channels[i])
	}
	for _, test := range []struct{ body, status string }{
		{`{"channel":"plc"}`, "400"}, {`{"channel":"plc","module":"x","clear":true}`, "400"}, {`{`, "400"},
		{`{"channel":"plc","module":"x","trial":-1}`, "400"}, {`{"channel":"plc","modul":"x"}`, "400"},
		{`{"channel":"nowhere","module":"` + other + `"}`, "404"}, {`{"channel":"plc","module":"modbus@99.0.0"}`, "404"},
		{`{"channel":"plc","module":"/nowhere/x.wasm"}`, "404"},
		{`{"channel":"plc","module":"` + filepath.Join(r.dir, "testdriver.wasm") + `"}`, "422"}, // settings of another driver
		{`{"channel":"plc","module":"` + text + `"}`, "403"},
	} {
		m := callSwap(t, conn, []byte(test.body))
		if got := m.Header.Get("Nats-Service-Error-Code"); got != test.status {
			t.Errorf("%s: %s: %s", test.body, got, m.Data)
		}
	}
	cleared := swapTo(t, conn, message.SwapRequest{Channel: "plc", Clear: true, Trial: &none})
	if cleared.Result != "swapped" || !cleared.Cleared || cleared.To.Digest != done.From.Digest {
		t.Errorf("taken back: %+v", cleared)
	}
	if n := p.tcp.Stats().Connections; n != 1 {
		t.Errorf("the device has seen %d connections", n)
	}
	stop(t, n)
}

// swaps: two versions take turns on a TCP connection and on a line, polled every 10 ms and written to all the time. The
// device sees one connection, a subscriber no hole, a caller one answer to each write, and the node stays as small.
func (r *rig) swaps(t *testing.T) {
	var (
		device  = sim.NewDevice(nil)
		onLine  = sim.NewDevice(nil)
		devices = map[uint8]*sim.Device{1: device}
	)
	for _, d := range []*sim.Device{device, onLine} {
		d.Update(func(m *sim.Memory) { m.SetHolding(0, 0, 0) })
	}
	server, err := sim.ListenTCP(sim.Config{Units: devices})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	line, err := sim.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	rtu := sim.ServeRTU(sim.Config{Units: map[uint8]*sim.Device{1: onLine}}, line)
	defer rtu.Close()
	const channel = `
  %s:
    driver: modbus.wasm
    connections: {main: %s}
    settings: {mode: %s}
    every: 10ms
    devices:
      d:
        settings: {unit: 1}
        points:
          polled: {address: "holding:0", type: uint16}
          written: {address: "holding:1", type: uint16, access: rw}
`
	url, user, password := startServer(t)
	c := r.config(t, remote(url, user, password), fmt.Sprintf(channel, "tcp", fmt.Sprintf("{tcp: %q}", server.Addr()), "tcp")+
		fmt.Sprintf(channel, "line", fmt.Sprintf("{serial: %q, baud: 115200}", line.Path()), "rtu"))
	n := start(t, c)
	defer stop(t, n)
	for name, d := range map[string]*sim.Device{"tcp": device, "line": onLine} {
		t.Run(name, func(t *testing.T) { r.takeTurns(t, url, nats.UserInfo(user, password), name, d, line.Path()) })
	}
	if n := server.Stats().Connections; n != 1 {
		t.Errorf("the device has seen %d connections", n)
	}
}

// takeTurns swaps one channel again and again.
func (r *rig) takeTurns(t *testing.T, url string, as nats.Option, channel string, device *sim.Device, line string) {
	versions := []string{r.version(t, channel+"-a"), r.version(t, channel+"-b")}
	heard := subscribe(t, url, channel)
	conn := connect(t, url, as)
	writes := write(t, conn, channel, device)
	none := 0.0
	once, count := holders(t, line), *swapCount
	if racing {
		count = min(count, 4)
	}
	var (
		gaps  []time.Duration
		early footprint
	)
	for i := range count {
		s := swapTo(t, conn, message.SwapRequest{Channel: channel, Module: versions[i%2], Trial: &none})
		if s.Result != "swapped" || !s.Yielded {
			t.Fatalf("swap %d: %+v", i, s)
		}
		if n := holders(t, line); n != once {
			t.Fatalf("after swap %d the line is open %d times, at first it was %d", i, n, once)
		}
		gaps = append(gaps, time.Duration(s.Gap*float64(time.Second)))
		if i == count/10 {
			early = measure(t)
		}
	}
	late := measure(t)
	if late.goroutines > early.goroutines+5 || late.files > early.files+3 || late.heap > early.heap+early.heap/2+8<<20 {
		t.Errorf("grew from %+v to %+v", early, late)
	}
	written := writes()
	if batches := heard(); written == 0 || batches < uint64(count) {
		t.Errorf("%d writes, %d batches", written, batches)
	} else {
		slices.Sort(gaps)
		t.Logf("%d swaps, %d batches, %d writes; gap median %s, p99 %s, longest %s; %+v", len(gaps), batches, written,
			gaps[len(gaps)/2], gaps[len(gaps)*99/100], gaps[len(gaps)-1], late)
	}
}

// subscribe hears what a channel publishes. What it returns ends that, and answers how many batches there were.
func subscribe(t *testing.T, url, channel string) func() uint64 {
	t.Helper()
	conn := connect(t, url)
	var (
		mu        sync.Mutex
		seq       uint64
		connected bool
	)
	_, err := conn.Subscribe("drover.n1.>", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		switch m.Subject {
		case "drover.n1." + channel + ".data.d":
			var d message.Data
			if err := json.Unmarshal(m.Data, &d); err != nil || seq != 0 && d.Seq != seq+1 {
				t.Errorf("batch %d after %d: %v", d.Seq, seq, err)
			}
			for name, v := range d.Points {
				if v.Q != "" {
					t.Errorf("batch %d: %s is %s %s", d.Seq, name, v.Q, v.Code)
				}
			}
			seq = d.Seq
		case "drover.n1." + channel + ".state":
			var s message.State
			if err := json.Unmarshal(m.Data, &s); err != nil || connected && s.State != "connected" {
				t.Errorf("the state is %s (%s): %v", s.State, s.Reason, err)
			}
			connected = connected || s.State == "connected"
		case "drover.n1." + channel + ".event.failure":
			t.Errorf("a failure: %s", m.Data)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return func() uint64 {
		conn.Close()
		mu.Lock()
		defer mu.Unlock()
		return seq
	}
}

// write writes to a channel, one write after the other. What it returns ends that, and answers how many there were: each
// of them was answered once, and has reached the device before its answer did.
func write(t *testing.T, conn *nats.Conn, channel string, device *sim.Device) func() int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	count := 0
	writing.Go(func() {
		for ctx.Err() == nil {
			value := uint16(count + 1)
			request := nats.NewMsg("drover-call.n1." + channel + ".write.d.written")
			request.Data = fmt.Append(nil, value)
			request.Header = nats.Header{message.HeaderTimeout: {patience.String()}}
			answer, err := conn.RequestMsg(request, patience)
			if err == nil && answer.Header.Get("Nats-Service-Error-Code") != "" {
				err = errors.New(string(answer.Data))
			}
			if err != nil {
				t.Errorf("write %d: %v", value, err)
				return
			}
			device.Update(func(m *sim.Memory) {
				if got := m.Holding(1); got != value {
					t.Errorf("the device has %d after write %d was answered", got, value)
				}
			})
			count++
		}
	})
	return func() int { cancel(); writing.Wait(); return count }
}

// holders is how often this process has a line open, the simulator included.
func holders(t *testing.T, line string) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	n := 0
	for _, target := range files(t) {
		if target == line {
			n++
		}
	}
	return n
}

// files are the targets of the process's file descriptors.
func files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil { // else it was closed meanwhile
			targets = append(targets, target)
		}
	}
	return targets
}

// footprint is what the process takes.
type footprint struct {
	goroutines, files int
	heap              uint64
}

func measure(t *testing.T) footprint {
	t.Helper()
	runtime.GC()
	runtime.GC() // what finalizers have let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := footprint{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}
	if runtime.GOOS == "linux" {
		s.files = len(files(t))
	}
	return s
}
