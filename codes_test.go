//go:build linux || darwin

package drover_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/node"
)

// reached is how a code is reached: a channel that ends with it.
type reached struct {
	code    failure.Code
	phase   failure.Phase
	channel string // the part of the configuration
	// elsewhere is where a code is tested that no driver and no device can bring about today, and why.
	elsewhere string
}

// script is a channel of the test driver with these settings.
func script(settings string) string { return "driver: testdriver.wasm, settings: {" + settings + "}" }

// reachable has every code of the table.
func (r *rig) reachable(t *testing.T) []reached {
	t.Helper()
	r.badModules(t)
	run := func(code failure.Code, channel string) reached { return reached{code, failure.PhaseRun, channel, ""} }
	load := func(code failure.Code, file string) reached {
		return reached{code, failure.PhaseDescribe, "driver: " + file, ""}
	}
	trap := func(code failure.Code, body ...byte) reached {
		file := strings.ReplaceAll(string(code), ".", "-") + ".wasm"
		r.write(t, file, driverOf(sound{function: "run", body: body}))
		return run(code, "driver: "+file)
	}
	describe, realloc := indexOf("drover:driver/lifecycle@0.1.0#describe"), indexOf(canon.Realloc)
	nobody := wasmtest.Code(wasmtest.I32(1<<31), wasmtest.I32(1<<31)) // what the host does not get to see
	return []reached{
		run(failure.DriverOther, script("run: fail")),
		run("driver.broken", script("run: own:broken")),

		{failure.IORefused, failure.PhaseConnect, "driver: modbus.wasm, connections: {main: {tcp: " + closedPort(t) + "}}", ""},
		{failure.IONotFound, failure.PhaseConnect, "driver: modbus.wasm, connections: {main: {serial: /dev/ttyNobody1, baud: 9600}}", ""},
		{failure.IOInvalid, failure.PhaseConnect, "driver: modbus.wasm, connections: {main: {serial: /dev/full, baud: 9600}}", ""},
		{failure.IOBusy, failure.PhaseConnect, "driver: modbus.wasm, connections: {main: {serial: " + lockedLine(t) + ", baud: 9600}}", ""},
		{failure.IOTimeout, failure.PhaseInit, "driver: testdriver.wasm, connections: {main: {tcp: " + serve(t, wait) +
			"}}, deadlines: {init: 2s}, settings: {connection: main, init: block-read}", ""},
		run(failure.IOClosed, "driver: testdriver.wasm, connections: {main: {tcp: "+serve(t, hangUp)+
			"}}, settings: {connection: main, request: hello, run: disconnected, cycle: 1}"),
		run(failure.IOReset, script("run: io:reset")),
		run(failure.IOUnreachable, script("run: io:unreachable")),
		run(failure.IOTLS, script("run: io:tls")),
		run(failure.IOStuck, script("run: io:stuck")),
		run(failure.IOOther, script("run: io:other")),
		run(failure.GrantDenied, script("run: io:denied")),

		trap(failure.TrapUnreachable, wasmtest.Unreachable()...),
		trap(failure.TrapMemoryBounds, wasmtest.Code(wasmtest.Load(api.ValueTypeI32, math.MaxUint32), wasmtest.Drop())...),
		trap(failure.TrapTableBounds, wasmtest.Code(wasmtest.I32(5), []byte{0x11, describe, 0}, wasmtest.Drop())...), // call_indirect
		trap(failure.TrapIndirectCall, wasmtest.Code(wasmtest.I32(0), []byte{0xd2, realloc, 0x26, 0}, // ref.func, table.set
			wasmtest.I32(0), []byte{0x11, describe, 0}, wasmtest.Drop())...),
		trap(failure.TrapDivideByZero, wasmtest.Code(wasmtest.I32(1), wasmtest.I32(0), []byte{0x6d}, wasmtest.Drop())...),
		trap(failure.TrapIntegerOverflow, wasmtest.Code(wasmtest.I32(1<<31), wasmtest.I32(math.MaxUint32), []byte{0x6d}, wasmtest.Drop())...),
		trap(failure.TrapConversion, wasmtest.Code(wasmtest.F64(math.NaN()), []byte{0xaa}, wasmtest.Drop())...),
		{failure.TrapOther, "", "", "runtime/module TestFault: wazero has no trap that is not one of the others"},
		run(failure.Exit, script("run: exit:3")),

		run(failure.LimitMemory, script("run: oom")+", limits: {memory: 16MiB}"),
		run(failure.LimitCPU, script("run: loop")),
		run(failure.LimitStack, script("run: recurse")),
		trap(failure.LimitRate, wasmtest.Code([]byte{0x03, 0x40}, // loop: open what is not there
			wasmtest.I32(nothingAt), wasmtest.I32(4), wasmtest.I32(resultAt), wasmtest.Call(0), []byte{0x0c, 0, 0x0b})...),
		{failure.LimitDeadline, failure.PhaseInit, script("init: sleep") + ", deadlines: {init: 1s}", ""},

		load(failure.ABIVersion, "other-version.wasm"),
		trapImport(t, r),
		load(failure.ABIExport, "lacking.wasm"),
		trap(failure.ABIEncoding, wasmtest.Code(nobody, wasmtest.I32(resultAt), wasmtest.Call(0))...),

		{failure.HostPanic, failure.PhaseConnect, "driver: modbus.wasm, connections: {panic: {tcp: 127.0.0.1:1}}", ""},
	}
}

// trapImport is a driver that imports what nobody provides.
func trapImport(t *testing.T, r *rig) reached {
	t.Helper()
	m := wasmtest.Module{Pages: 1, Imports: []canon.Signature{{Module: "env", Name: "system"}}}
	for _, s := range host.ExportSignatures() {
		m.Funcs = append(m.Funcs, wasmtest.Func{Signature: s, Body: wasmtest.Unreachable()})
	}
	r.write(t, "importing.wasm", m.Encode())
	return reached{failure.ABIImport, failure.PhaseDescribe, "driver: importing.wasm", ""}
}

// Where a driver made by driverOf has what its functions return.
const (
	metadataAt = 64
	nothingAt  = 1024 // zeros: a result that is ok, an empty handle
	resultAt   = 2048
	textAt     = 4096
	reallocAt  = 8192 // everything that the host lowers
)

// exported is what a driver made by driverOf exports.
func exported() []canon.Signature {
	return slices.DeleteFunc(host.ExportSignatures(), func(s canon.Signature) bool { return s.Optional })
}

// indexOf is the index of an export, and of its type.
func indexOf(name string) byte {
	return byte(1 + slices.IndexFunc(exported(), func(s canon.Signature) bool { return s.Name == name }))
}

// sound is a driver that does nothing, but what it is told otherwise.
type sound struct {
	// function does body first.
	function string
	body     []byte
	// settings is its schema.
	settings string
}

// driverOf makes that driver. Function 0 is serial.open; its exports follow.
func driverOf(s sound) []byte {
	const text = "sound1.0.0"
	var metadata []byte
	for _, n := range []uint32{textAt, 5, textAt + 5, 5, 0, 0, 0, 0, textAt + uint32(len(text)), uint32(len(s.settings)), 0, 0, 0, 0} {
		metadata = binary.LittleEndian.AppendUint32(metadata, n)
	}
	m := wasmtest.Module{
		Imports: []canon.Signature{{
			Module: "drover:driver/serial@0.1.0", Name: "open", Params: []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32},
		}},
		Pages: 1, Table: true,
		Data: []wasmtest.Data{{Offset: metadataAt, Bytes: metadata}, {Offset: textAt, Bytes: []byte(text + s.settings)}},
	}
	for _, export := range exported() {
		at := uint32(nothingAt)
		var before []byte
		_, name, _ := strings.Cut(export.Name, "#")
		switch {
		case export.Name == canon.Realloc:
			at = reallocAt
		case name == "describe":
			at = metadataAt
		}
		if name == s.function {
			before = s.body
		}
		m.Funcs = append(m.Funcs, wasmtest.Func{Signature: export, Body: slices.Concat(before, wasmtest.I32(at))})
	}
	return m.Encode()
}

// world is the outside world of a node, in which opening the connection "panic" panics: a bug of ours.
type world struct{ *hostfuncs.Node }

func (w world) Channel(name string, g module.Grants) (module.ChannelHost, error) {
	var grants grant.Grants
	for _, c := range g.Connections {
		conn := grant.Connection{Name: c.Name, Serial: (*grant.Serial)(c.Serial)}
		if c.TCP != nil {
			conn.TCP = &grant.TCP{Address: c.TCP.Address}
		}
		grants.Connections = append(grants.Connections, conn)
	}
	c, err := w.Node.Channel(name, grants)
	if err != nil {
		return nil, err
	}
	return share{c, len(g.Connections) > 0 && g.Connections[0].Name == "panic"}, nil
}

type share struct {
	*hostfuncs.Channel
	broken bool
}

func (s share) Session(signals module.Signals) module.SessionHost {
	if s.broken {
		return panicking{s.Channel.Session(signals)}
	}
	return s.Channel.Session(signals)
}

type panicking struct{ *hostfuncs.Session }

func (panicking) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	panic("scripted bug of the host")
}

// codes has a channel for each code, all in one node, and one that works beside them: each yields exactly one event of
// its code, with all that the record has, one of its backoff, and a post-mortem if it is a crash.
func (r *rig) codes(t *testing.T) {
	all := r.reachable(t)
	r.tableIsWhole(t, all)
	all = slices.DeleteFunc(all, func(c reached) bool { return c.elsewhere != "" })
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>")
	n := r.startCodes(t, remote(url, user, password), all)
	for _, c := range all {
		e.expect(t, "the state after "+string(c.code), func(h heard) bool {
			return h.subject == "drover.n1."+c.name()+".state" && h.Reason == string(c.code)
		})
	}
	for _, c := range all {
		c.checkPostMortem(t, e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
	e.next(t, "the end", func(h heard) bool { return h.subject == "drover.n1.steady.state" && h.State == "stopped" })
	for _, c := range all {
		c.check(t, e)
	}
	e.gapless(t, "drover.n1.steady.data.pump")
}

// tableIsWhole: a new code needs a row.
func (r *rig) tableIsWhole(t *testing.T, all []reached) {
	t.Helper()
	var have []failure.Code
	for _, c := range all {
		if c.code != "driver.broken" { // a driver's own
			have = append(have, c.code)
		}
	}
	slices.Sort(have)
	if want := failure.Codes(); !slices.Equal(have, want) {
		t.Fatalf("the table has\n%s\nbut these are reached:\n%s", want, have)
	}
}

func (c reached) name() string { return strings.ReplaceAll(string(c.code), ".", "-") }

func (r *rig) startCodes(t *testing.T, nats string, all []reached) *node.Node {
	t.Helper()
	channels := "  steady: {driver: testdriver.wasm, every: 50ms, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}\n"
	for _, c := range all {
		channels += fmt.Sprintf("  %s: {%s, every: 50ms, retry: {initial: 1h, max: 1h},\n"+
			"    devices: {d: {points: {p: {address: \"holding:0\", type: uint16}}}}}\n", c.name(), c.channel)
	}
	outside, err := hostfuncs.New(hostfuncs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var log bytes.Buffer
	n, err := node.Start(ctx, node.Config{
		Node: r.config(t, nats, channels), Host: world{outside}, Logger: slog.New(slog.NewTextHandler(&log, nil)), Version: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := outside.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the log:\n%s", regexp.MustCompile(`(?m)^.*msg=guest.*\n`).ReplaceAll(log.Bytes(), nil))
		}
	})
	return n
}

// checkPostMortem asks for what is kept of the channel's crashes.
func (c reached) checkPostMortem(t *testing.T, e *ear) {
	t.Helper()
	var kept message.Crashes
	body := fmt.Sprintf(`{"channel":%q}`, c.name())
	wanted := 0
	if c.code.Crash() {
		wanted = 1
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for { // it is written after the event
		ask(t, e.conn, "drover-call.n1.get.crashes", body, &kept)
		if len(kept.Crashes) == wanted {
			break
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: %d post-mortems", c.code, len(kept.Crashes))
		case <-time.After(10 * time.Millisecond):
		}
	}
	if wanted == 0 {
		return
	}
	var crash message.Crash
	ask(t, e.conn, "drover-call.n1.get.crash", fmt.Sprintf(`{"channel":%q,"n":1}`, c.name()), &crash)
	if crash.Failure.Code != string(c.code) || crash.Driver == "" || crash.Memory == 0 || crash.Started.IsZero() {
		t.Errorf("%s: post-mortem %+v", c.code, crash)
	}
}

// check compares what was heard of the channel.
func (c reached) check(t *testing.T, e *ear) {
	t.Helper()
	var failures, backoffs []heard
	for _, h := range e.heard {
		switch h.subject {
		case "drover.n1." + c.name() + ".event.failure":
			failures = append(failures, h)
		case "drover.n1." + c.name() + ".event.backoff":
			backoffs = append(backoffs, h)
		}
	}
	if len(failures) != 1 {
		t.Fatalf("%s: %d failures: %+v", c.code, len(failures), failures)
	}
	event, err := message.Decode[message.Event]([]byte(failures[0].payload))
	if err != nil {
		t.Fatal(err)
	}
	f, err := message.Decode[message.Failure](event.Detail)
	if err != nil {
		t.Fatal(err)
	}
	kind, attempt := c.code.Kind(), uint64(1)
	if c.phase == failure.PhaseDescribe {
		kind, attempt = failure.Fatal, 0
	}
	retried := kind == failure.Retryable
	if f.Phase != string(c.phase) || f.Kind != string(kind) || f.Code != string(c.code) || f.Summary == "" || f.Attempt != attempt ||
		!strings.HasPrefix(f.Digest, "sha256:") || f.Time.IsZero() || f.NextRetry.IsZero() == retried {
		t.Errorf("%s: got %s", c.code, failures[0].payload)
	}
	if len(backoffs) > 1 || (len(backoffs) == 1) != retried {
		t.Errorf("%s: %d backoffs", c.code, len(backoffs))
	}
	if generation := f.Generation; (c.phase == failure.PhaseRun) != (generation == 1) {
		t.Errorf("%s: generation %d", c.code, generation)
	}
}
