//go:build amd64 || arm64

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// cycles are polled, of so many points each; the first settle cycles may still grow buffers.
const (
	cycles = 300
	settle = 100
	points = 100
)

// TestPollCycleAllocatesNothing runs the driver as the host does and counts, by the names in the module, how often it
// takes memory from Go's heap, and how much of the host each poll cycle takes.
func TestPollCycleAllocatesNothing(t *testing.T) {
	ctx, m := t.Context(), new(mallocs)
	r := wazero.NewRuntime(ctx)
	defer r.Close(context.WithoutCancel(ctx))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := host.Register(ctx, r); err != nil {
		t.Fatal(err)
	}
	compiled, err := r.CompileModule(experimental.WithFunctionListenerFactory(ctx, m), build(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &plc{t: t, mallocs: m, now: time.Unix(1_800_000_000, 0)}
	x := host.New(host.Imports{Serial: p, Socket: p, Data: p, Control: p, State: p, Log: quiet{}}, canon.Limits{})
	guest, err := r.InstantiateModule(x.Context(ctx), compiled, wazero.NewModuleConfig().WithName("").
		WithStartFunctions("_initialize").WithStderr(os.Stderr).
		WithWalltime(func() (int64, int32) { return p.now.Unix(), int32(p.now.Nanosecond()) }, sys.ClockResolution(1)).
		WithNanotime(func() int64 { return p.now.UnixNano() }, sys.ClockResolution(1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Attach(guest); err != nil {
		t.Fatal(err)
	}
	p.memory = guest.Memory().Size
	done(t)(x.Configure(ctx, configuration()))
	if m.count == 0 {
		t.Fatal("no allocation was counted: Go's allocator has another name")
	}
	done(t)(x.Connect(ctx, driver.Session{Attempt: 1}))
	if h, err := x.Init(ctx, driver.Session{Attempt: 1}); err != nil || h.Failed {
		t.Fatal(h.Err.Summary, err)
	}
	if o, err := x.Run(ctx, driver.Session{Attempt: 1}); err != nil || o.Failed {
		t.Fatal(o.Err.Summary, err)
	}
	measured := cycles - settle
	if n := p.after.mallocs - p.before.mallocs; n != 0 {
		t.Errorf("%d allocations in %d poll cycles of %d points", n, measured, points)
	}
	if n := p.after.calls - p.before.calls; n != 4*measured {
		t.Errorf("%d calls of the host in %d poll cycles: want one each to wait, send, receive and publish", n, measured)
	}
	if p.after.memory != p.before.memory {
		t.Errorf("the memory has grown from %d to %d bytes", p.before.memory, p.after.memory)
	}
}

func build(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "modbus.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", out, ".")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOPROXY=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the guest: %v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func done(t *testing.T) func(component.Result[component.Unit, driver.Failure], error) {
	return func(r component.Result[component.Unit, driver.Failure], err error) {
		t.Helper()
		if err != nil || r.Failed {
			t.Fatal(r.Err.Summary, err)
		}
	}
}

func configuration() driver.Config {
	c := driver.Config{
		Settings:    `{"mode":"tcp"}`,
		Connections: []driver.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []driver.Device{{ID: 0, Name: "plc", Settings: `{"unit":1}`}},
	}
	for i := range points {
		c.Points = append(c.Points, driver.Point{
			ID: driver.PointID(i), Name: fmt.Sprintf("p%d", i), Scalar: driver.ScalarTypeUint16, Access: driver.AccessRead,
			Address: fmt.Sprintf(`"holding:%d"`, i), Period: uint64(10 * time.Millisecond),
		})
	}
	return c
}

// mallocs counts the calls of the guest's allocator.
type mallocs struct{ count int }

// NewFunctionListener implements experimental.FunctionListenerFactory.
func (m *mallocs) NewFunctionListener(f api.FunctionDefinition) experimental.FunctionListener {
	if !strings.HasPrefix(f.Name(), "runtime.mallocgc") {
		return nil
	}
	return experimental.FunctionListenerFunc(
		func(context.Context, api.Module, api.FunctionDefinition, []uint64, experimental.StackIterator) {
			m.count++
		})
}

// plc is a host with one Modbus TCP device, all in memory. Time passes only while the driver waits.
type plc struct {
	host.Serial
	host.Data
	host.Control
	host.State
	t       *testing.T
	mallocs *mallocs
	now     time.Time
	answer  []byte
	cycle   int
	calls   int
	memory  func() uint32
	before  taken
	after   taken
}

// taken is what the driver has taken so far.
type taken struct {
	mallocs, calls int
	memory         uint32
}

func (p *plc) taken() taken { return taken{p.mallocs.count, p.calls, p.memory()} }

func (p *plc) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	return component.OK[driver.IOError, host.Stream](line{p})
}

func (p *plc) Bind(context.Context, driver.Target) component.Result[host.Datagrams, driver.IOError] {
	return component.Err[host.Datagrams](driver.IOErrorNotFound)
}

func (p *plc) Listen(context.Context, string) component.Result[host.Listener, driver.IOError] {
	return component.Err[host.Listener](driver.IOErrorNotFound)
}

func (p *plc) Load(context.Context) component.Option[[]byte] { return component.None[[]byte]() }

func (p *plc) DeviceStatus(context.Context, driver.DeviceID, driver.Status, string) {}

func (p *plc) Wait(_ context.Context, _ []host.Stream, timeout driver.Duration) driver.Event {
	if p.calls++; p.cycle == cycles {
		return driver.EventStop()
	}
	p.now = p.now.Add(time.Duration(timeout))
	return driver.EventTimeout()
}

func (p *plc) Publish(_ context.Context, samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	p.calls++
	for i := range samples {
		if samples[i].Quality != driver.QualityGood || samples[i].Value.Value.Unsigned() != uint64(p.cycle+i) {
			p.t.Errorf("cycle %d: sample %d is %+v", p.cycle, i, samples[i])
		}
	}
	switch p.cycle++; p.cycle {
	case settle:
		p.before = p.taken()
	case cycles:
		p.after = p.taken()
	}
	return component.OK[driver.PublishError](uint32(len(samples)))
}

// quiet is a log that nobody keeps.
type quiet struct{}

func (quiet) Log(context.Context, driver.Level, string, []component.Tuple2[string, string]) {}

// line is the connection to the device.
type line struct{ *plc }

func (line) Drop(context.Context)         {}
func (line) Resumed(context.Context) bool { return false }

func (line) Ready(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (line) Flush(context.Context) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (line) Drain(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

// Write takes a request to read holding registers and has the answer ready (MODBUS Messaging on TCP/IP 1.0b, 3.1.3;
// MODBUS Application Protocol 1.1b3, 6.3).
func (l line) Write(_ context.Context, request []byte, _ driver.Duration) component.Result[component.Unit, driver.IOError] {
	l.calls++
	count := int(binary.BigEndian.Uint16(request[10:]))
	a := append(l.answer[:0], request[:4]...)
	a = binary.BigEndian.AppendUint16(a, uint16(3+2*count))
	a = append(a, request[6], request[7], byte(2*count))
	for i := range count {
		a = binary.BigEndian.AppendUint16(a, uint16(l.cycle+i))
	}
	l.answer = a
	return component.Done[driver.IOError]()
}

func (l line) Read(context.Context, uint32, driver.Duration) component.Result[[]byte, driver.IOError] {
	l.calls++
	return component.OK[driver.IOError](l.answer)
}

func (l line) ReadFrame(
	context.Context, uint32, driver.Duration, driver.Duration, uint32,
) component.Result[[]byte, driver.IOError] {
	return component.Err[[]byte](driver.IOErrorInvalid)
}
