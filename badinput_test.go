//go:build linux || darwin

package drover_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver/host"
	sim "github.com/droverhq/drover/internal/sim/modbus"
)

// bad is one thing that is wrong, and what its channel says of it: an event, or else the code of its bad readings.
type bad struct {
	name    string
	channel string // the part of the configuration
	phase   string
	kind    string
	code    string
	summary string
	reading string
}

// badInput has a channel for each thing that can be wrong, and one that works beside all of them.
func (r *rig) badInput(t *testing.T) {
	tests := append(r.badModules(t), badDevices(t)...)
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>")
	channels := "  steady: {driver: testdriver.wasm, every: 50ms, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}\n"
	for _, b := range tests {
		channels += fmt.Sprintf("  %s: {%s, every: 50ms, retry: {initial: 1h, max: 1h},\n"+
			"    devices: {d: {points: {p: {address: \"holding:0\", type: uint16}}}}}\n", b.name, b.channel)
	}
	n := start(t, r.config(t, remote(url, user, password), channels))
	for _, b := range tests {
		if b.reading == "" {
			continue
		}
		subject := "drover.n1." + b.name + ".data.d"
		e.expect(t, b.name, func(h heard) bool { return h.subject == subject && h.Points["p"].Code == b.reading })
	}
	for _, b := range tests {
		if b.code != "" {
			e.expect(t, b.name, func(h heard) bool { return h.subject == "drover.n1."+b.name+".event.failure" })
		}
	}
	last := e.last("drover.n1.steady.data.pump").Seq
	e.next(t, "the channel that works", func(h heard) bool { return h.subject == "drover.n1.steady.data.pump" && h.Seq > last+3 })
	stop(t, n)
	e.next(t, "its end", func(h heard) bool { return h.subject == "drover.n1.steady.state" && h.State == "stopped" })
	for _, b := range tests {
		b.check(t, e)
	}
	e.gapless(t, "drover.n1.steady.data.pump")
}

// expect listens until something was heard, maybe before.
func (e *ear) expect(t *testing.T, what string, wanted func(heard) bool) {
	t.Helper()
	if !slices.ContainsFunc(e.heard, wanted) {
		e.next(t, what, wanted)
	}
}

// check compares the failures that were heard with the one that is expected, and the state with it.
func (b bad) check(t *testing.T, e *ear) {
	t.Helper()
	var failures, states []heard
	for _, h := range e.heard {
		switch h.subject {
		case "drover.n1." + b.name + ".event.failure":
			failures = append(failures, h)
		case "drover.n1." + b.name + ".state":
			states = append(states, h)
		}
	}
	if b.code == "" {
		if len(failures) != 0 {
			t.Errorf("%s: a failure: %s", b.name, failures[0].payload)
		}
		return
	}
	if len(failures) != 1 {
		t.Fatalf("%s: %d failures", b.name, len(failures))
	}
	f := failures[0].Detail
	if f.Phase != b.phase || f.Kind != b.kind || f.Code != b.code || !strings.Contains(f.Summary, b.summary) {
		t.Errorf("%s: got %s", b.name, failures[0].payload)
	}
	after := map[string]string{"fatal": "failed", "retryable": "reconnecting"}[b.kind]
	if !slices.ContainsFunc(states, func(h heard) bool { return h.State == after && h.Reason == b.code }) {
		t.Errorf("%s: is not %s for %s: %+v", b.name, after, b.code, states)
	}
}

// gapless sees that nothing of a device was missed until its channel was stopped.
func (e *ear) gapless(t *testing.T, subject string) {
	t.Helper()
	var last uint64
	for _, h := range e.heard {
		if h.subject != subject {
			continue
		}
		if h.Points["count"].Code == "channel.stopped" {
			return
		}
		if last++; h.Seq != last || string(h.Points["count"].V) != fmt.Sprint(last) {
			t.Fatalf("%s in place of %d", h.payload, last)
		}
	}
}

// badModules are files that are no drivers of this host.
func (r *rig) badModules(t *testing.T) []bad {
	t.Helper()
	guest, err := os.ReadFile(filepath.Join(r.dir, "testdriver.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	const lifecycle = "driver/lifecycle@0.1.0"
	r.write(t, "other-version.wasm", bytes.ReplaceAll(guest, []byte(lifecycle), []byte("driver/lifecycle@0.2.0")))
	r.write(t, "text.wasm", []byte("#!/bin/sh\n"))
	r.write(t, "cut.wasm", guest[:len(guest)/2])
	lacking := wasmtest.Module{Pages: 1}
	for _, s := range host.ExportSignatures() {
		if s.Name != "drover:"+lifecycle+"#run" {
			lacking.Funcs = append(lacking.Funcs, wasmtest.Func{Signature: s, Body: []byte{0x00}})
		}
	}
	r.write(t, "lacking.wasm", lacking.Encode())
	if err := os.MkdirAll(filepath.Join(r.dir, "folder.wasm"), 0o700); err != nil {
		t.Fatal(err)
	}
	module := func(name, code, summary string) bad {
		return bad{name: name, channel: "driver: " + name + ".wasm", phase: "describe", kind: "fatal", code: code, summary: summary}
	}
	return []bad{
		module("missing", "io.not-found", "missing.wasm: no such file"),
		module("folder", "io.other", "folder.wasm: is a directory"),
		module("text", "abi.encoding", "text.wasm: this is not a WebAssembly module"),
		module("cut", "abi.encoding", "cut.wasm: meter the module"),
		module("lacking", "abi.export", "lifecycle@0.1.0#run"),
		module("other-version", "abi.version", "version 0.2.0 of drover:driver, this host has 0.1.0"),
	}
}

// badDevices are ports and devices that a sound driver can do nothing with.
func badDevices(t *testing.T) []bad {
	t.Helper()
	modbus := func(name, connection, phase, kind, code, summary string) bad {
		const settings = "settings: {timeout: 20ms, close_after_timeouts: 2, offline_after: 100}"
		channel := fmt.Sprintf("driver: modbus.wasm, connections: {main: {%s}}, %s", connection, settings)
		return bad{name: name, channel: channel, phase: phase, kind: kind, code: code, summary: summary}
	}
	noisy := modbus("noisy", "serial: "+noisyLine(t)+", baud: 115200", "", "", "", "")
	noisy.reading = "driver.bad-crc"
	silent := modbus("silent-line", "serial: "+silentLine(t)+", baud: 115200", "", "", "", "")
	silent.reading = "io.timeout"
	locked := lockedLine(t)
	refused := closedPort(t)
	return []bad{
		modbus("no-port", "serial: /dev/ttyNobody0, baud: 9600", "connect", "fatal", "io.not-found", "/dev/ttyNobody0"),
		modbus("no-tty", "serial: /dev/null, baud: 9600", "connect", "fatal", "io.invalid", "not a serial port"),
		modbus("taken", "serial: "+locked+", baud: 9600", "connect", "retryable", "io.busy", "another process has locked it"),
		modbus("refused", "tcp: "+refused, "connect", "retryable", "io.refused", refused),
		modbus("silent", "tcp: "+serve(t, wait), "run", "retryable", "io.timeout", "2 requests in a row without an answer"),
		modbus("closing", "tcp: "+serve(t, hangUp), "run", "retryable", "io.closed", "closed"),
		modbus("noise", "tcp: "+serve(t, noise), "run", "retryable", "driver.bad-frame", "modbus header"),
		silent, noisy,
	}
}

// serve is a device on TCP: serve gets each connection and has it until it returns.
func serve(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait() // the node has closed its ends before
	})
	return l.Addr().String()
}

// wait says nothing until the other side has gone.
func wait(conn net.Conn) {
	for b := make([]byte, 256); ; {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
}

// hangUp closes at the first request: whoever closes at once may be noticed while the connection opens, or after.
func hangUp(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 256))
}

// noise answers each request with bytes by chance.
func noise(conn net.Conn) {
	random := rand.New(rand.NewPCG(1, 2))
	for b := make([]byte, 256); ; {
		if _, err := conn.Read(b); err != nil {
			return
		}
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if _, err := conn.Write(b); err != nil {
			return
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func pty(t *testing.T) *sim.PTY {
	t.Helper()
	line, err := sim.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// silentLine is a line with no device on it.
func silentLine(t *testing.T) string {
	line := pty(t)
	server := sim.ServeRTU(sim.Config{}, line)
	t.Cleanup(func() { _ = server.Close() })
	return line.Path()
}

// noisyLine is a line where noise spoils every response.
func noisyLine(t *testing.T) string {
	line := pty(t)
	device := sim.NewDevice(func(m *sim.Memory) { m.SetHolding(0, 1) })
	server := sim.ServeRTU(sim.Config{
		Units: map[uint8]*sim.Device{1: device},
		Fault: func(sim.Request) sim.Fault { return sim.Fault{BadCRC: true} },
	}, line)
	t.Cleanup(func() { _ = server.Close() })
	return line.Path()
}

// lockedLine is a line that another has locked.
func lockedLine(t *testing.T) string {
	line := pty(t)
	t.Cleanup(func() { _ = line.Close() })
	fd, err := unix.Open(line.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return line.Path()
}
