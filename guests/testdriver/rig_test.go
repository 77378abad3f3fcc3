package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// build builds this driver as the host runs it.
func build(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "testdriver.wasm")
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

// rig runs the guest over a fake host, whose clock is also WASI's.
type rig struct {
	t       *testing.T
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func newRig(t *testing.T) *rig {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = r.Close(context.WithoutCancel(ctx)) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := host.Register(ctx, r); err != nil {
		t.Fatal(err)
	}
	m, err := r.CompileModule(ctx, build(t))
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t, r, m}
}

// instance is one instance of the guest.
type instance struct {
	*host.Instance
	t      *testing.T
	module api.Module
	output bytes.Buffer
	err    error // of the call that ended it
}

func (r *rig) instance(fake *sdktest.Host) *instance {
	r.t.Helper()
	ctx := r.t.Context()
	b := bridge{fake}
	x := &instance{t: r.t, Instance: host.New(host.Imports{
		Serial: b, Socket: bridgeSocket{b}, Data: b, Control: b, State: b, Log: b,
	}, canon.Limits{})}
	start := fake.Now().Add(-time.Second) // Go's runtime takes a monotonic clock at 0 for broken
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").
		WithStdout(&x.output).WithStderr(&x.output).
		WithWalltime(func() (int64, int32) { return fake.Now().Unix(), int32(fake.Now().Nanosecond()) }, 1).
		WithNanotime(func() int64 { return int64(fake.Now().Sub(start)) }, sys.ClockResolution(1)).
		WithNanosleep(func(ns int64) { fake.Sleep(time.Duration(ns)) })
	m, err := r.runtime.InstantiateModule(x.Context(ctx), r.module, config)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := x.Attach(m); err != nil {
		r.t.Fatal(err)
	}
	x.module = m
	return x
}

// ended notes the error of a call, which the fake host then sees as a failure.
func ended[T any](x *instance, r component.Result[T, driver.Failure], err error) component.Result[T, driver.Failure] {
	if err == nil {
		return r
	}
	x.err = err
	return component.Err[T](driver.Failure{Summary: "the instance ended: " + err.Error()})
}

func (x *instance) Configure(c driver.Config) component.Result[component.Unit, driver.Failure] {
	r, err := x.Instance.Configure(x.t.Context(), c)
	return ended(x, r, err)
}

func (x *instance) Connect(s driver.Session) component.Result[component.Unit, driver.Failure] {
	r, err := x.Instance.Connect(x.t.Context(), s)
	return ended(x, r, err)
}

func (x *instance) Init(s driver.Session) component.Result[driver.Handle, driver.Failure] {
	r, err := x.Instance.Init(x.t.Context(), s)
	return ended(x, r, err)
}

func (x *instance) Run(s driver.Session) component.Result[driver.Outcome, driver.Failure] {
	r, err := x.Instance.Run(x.t.Context(), s)
	return ended(x, r, err)
}

// bridge gives the fake host to the bindings.
type bridge struct{ fake *sdktest.Host }

type bridgeSocket struct{ bridge }

type bridgeStream struct {
	bridge
	handle sdk.StreamHandle
}

var (
	_ host.Serial  = bridge{}
	_ host.Socket  = bridgeSocket{}
	_ host.Data    = bridge{}
	_ host.Control = bridge{}
	_ host.State   = bridge{}
	_ host.Log     = bridge{}
	_ host.Stream  = bridgeStream{}
)

type (
	done   = component.Result[component.Unit, driver.IOError]
	got    = component.Result[[]byte, driver.IOError]
	opened = component.Result[host.Stream, driver.IOError]
)

func (b bridge) stream(r component.Result[sdk.StreamHandle, driver.IOError]) opened {
	return opened{Value: bridgeStream{b, r.Value}, Err: r.Err, Failed: r.Failed}
}

func handle(s host.Stream) sdk.StreamHandle { return s.(bridgeStream).handle }

func (b bridge) Open(_ context.Context, name string) opened { return b.stream(b.fake.SerialOpen(name)) }

func (b bridge) GetMode(_ context.Context, s host.Stream) component.Result[driver.Mode, driver.IOError] {
	return b.fake.SerialGetMode(handle(s))
}

func (b bridge) SetMode(_ context.Context, s host.Stream, m driver.Mode) done {
	return b.fake.SerialSetMode(handle(s), m)
}

func (b bridge) SetLines(_ context.Context, s host.Stream, l driver.OutputLines) done {
	return b.fake.SerialSetLines(handle(s), l)
}

func (b bridge) GetLines(_ context.Context, s host.Stream) component.Result[driver.InputLines, driver.IOError] {
	return b.fake.SerialGetLines(handle(s))
}

func (b bridge) SendBreak(_ context.Context, s host.Stream, d driver.Duration) done {
	return b.fake.SerialSendBreak(handle(s), d)
}

func (b bridge) SetRS485(_ context.Context, s host.Stream, m driver.RS485) done {
	return b.fake.SerialSetRS485(handle(s), m)
}

func (b bridgeSocket) Connect(_ context.Context, to driver.Target) opened {
	return b.stream(b.fake.SocketConnect(to))
}

func (b bridgeSocket) Bind(context.Context, driver.Target) component.Result[host.Datagrams, driver.IOError] {
	return component.Err[host.Datagrams](driver.IOErrorInvalid)
}

func (b bridgeSocket) Listen(context.Context, string) component.Result[host.Listener, driver.IOError] {
	return component.Err[host.Listener](driver.IOErrorInvalid)
}

func (s bridgeStream) Ready(_ context.Context, timeout driver.Duration) done {
	return s.fake.StreamReady(s.handle, timeout)
}

func (s bridgeStream) Resumed(context.Context) bool { return s.fake.StreamResumed(s.handle) }

func (s bridgeStream) Read(_ context.Context, limit uint32, timeout driver.Duration) got {
	return s.fake.StreamRead(s.handle, limit, timeout, nil)
}

func (s bridgeStream) ReadFrame(_ context.Context, limit uint32, first, gap driver.Duration, expect uint32) got {
	return s.fake.StreamReadFrame(s.handle, limit, first, gap, expect, nil)
}

func (s bridgeStream) Write(_ context.Context, data []byte, timeout driver.Duration) done {
	return s.fake.StreamWrite(s.handle, data, timeout)
}

func (s bridgeStream) Flush(context.Context) done { return s.fake.StreamFlush(s.handle) }

func (s bridgeStream) Drain(_ context.Context, timeout driver.Duration) done {
	return s.fake.StreamDrain(s.handle, timeout)
}

func (s bridgeStream) Drop(context.Context) { s.fake.StreamDrop(s.handle) }

func (b bridge) Publish(_ context.Context, samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	return b.fake.Publish(samples)
}

func (b bridge) DeviceStatus(_ context.Context, id driver.DeviceID, s driver.Status, reason string) {
	b.fake.DeviceStatus(id, s, reason)
}

func (b bridge) Gauges(_ context.Context, id driver.DeviceID, figures []component.Tuple2[string, float64]) {
	b.fake.Gauges(id, figures)
}

func (b bridge) Wait(_ context.Context, streams []host.Stream, timeout driver.Duration) driver.Event {
	handles := make([]sdk.StreamHandle, 0, len(streams))
	for _, s := range streams {
		handles = append(handles, handle(s))
	}
	return b.fake.Wait(handles, timeout)
}

func (b bridge) Reply(_ context.Context, id uint64, a sdktest.Answer) { b.fake.Reply(id, a) }

func (b bridge) Progress(_ context.Context, id uint64, text string, fraction float64) {
	b.fake.Progress(id, text, fraction)
}

func (b bridge) RequestReconnect(_ context.Context, reason string) bool {
	return b.fake.RequestReconnect(reason)
}

func (b bridge) Save(_ context.Context, blob []byte) component.Result[component.Unit, driver.StateError] {
	return b.fake.Save(blob)
}

func (b bridge) Load(context.Context) component.Option[[]byte] { return b.fake.Load(nil) }

func (b bridge) Log(_ context.Context, l driver.Level, m string, fields []component.Tuple2[string, string]) {
	b.fake.Log(l, m, fields)
}
