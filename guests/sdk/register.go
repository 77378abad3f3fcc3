//go:build wasip1

package sdk

import (
	"fmt"
	"runtime/debug"
	"time"
	"unsafe"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/guest"
)

// Register makes d the driver that this module is. It belongs in the initialization of package main:
//
//	var _ = sdk.Register(boiler.Driver{})
//
// It also has the garbage collector run before the heap of an instance has grown by a megabyte, but not while it is
// configured and connects: a collection writes to some 300 KB, which the instance then shares with no other one. One runs
// here, for all instances. And it has a recursion end at 2 MiB of stack, long before it fills the memory.
func Register(d Driver) struct{} {
	debug.SetGCPercent(25)
	debug.SetMaxStack(2 << 20)
	guest.ExportLifecycle(NewLifecycle(d, &bindings{}))
	settle()
	return struct{}{}
}

// bindings is the host as the guest bindings have it.
type bindings struct {
	streams []guest.Stream
}

var _ Host = (*bindings)(nil)

func stream(r component.Result[guest.Stream, driver.IOError]) component.Result[StreamHandle, driver.IOError] {
	return component.Result[StreamHandle, driver.IOError]{Value: StreamHandle(r.Value), Err: r.Err, Failed: r.Failed}
}

func (*bindings) SerialOpen(name string) component.Result[StreamHandle, driver.IOError] {
	return stream(guest.SerialOpen(name))
}

func (*bindings) SerialGetMode(s StreamHandle) component.Result[driver.Mode, driver.IOError] {
	return guest.SerialGetMode(guest.Stream(s))
}

func (*bindings) SerialSetMode(s StreamHandle, m driver.Mode) component.Result[component.Unit, driver.IOError] {
	return guest.SerialSetMode(guest.Stream(s), m)
}

func (*bindings) SerialSetLines(s StreamHandle, l driver.OutputLines) component.Result[component.Unit, driver.IOError] {
	return guest.SerialSetLines(guest.Stream(s), l)
}

func (*bindings) SerialGetLines(s StreamHandle) component.Result[driver.InputLines, driver.IOError] {
	return guest.SerialGetLines(guest.Stream(s))
}

func (*bindings) SerialSendBreak(s StreamHandle, length uint64) component.Result[component.Unit, driver.IOError] {
	return guest.SerialSendBreak(guest.Stream(s), length)
}

func (*bindings) SerialSetRS485(s StreamHandle, m driver.RS485) component.Result[component.Unit, driver.IOError] {
	return guest.SerialSetRS485(guest.Stream(s), m)
}

func (*bindings) SocketConnect(to driver.Target) component.Result[StreamHandle, driver.IOError] {
	return stream(guest.SocketConnect(to))
}

func (*bindings) SocketBind(to driver.Target) component.Result[DatagramsHandle, driver.IOError] {
	r := guest.SocketBind(to)
	return component.Result[DatagramsHandle, driver.IOError]{Value: DatagramsHandle(r.Value), Err: r.Err, Failed: r.Failed}
}

func (*bindings) DatagramsReceive(d DatagramsHandle, timeout uint64) component.Result[driver.Packet, driver.IOError] {
	return guest.DatagramsReceive(guest.Datagrams(d), timeout)
}

func (*bindings) DatagramsSend(
	d DatagramsHandle, data []byte, to component.Option[string],
) component.Result[component.Unit, driver.IOError] {
	return guest.DatagramsSend(guest.Datagrams(d), data, to)
}

func (*bindings) DatagramsDrop(d DatagramsHandle) { guest.Datagrams(d).Drop() }

func (*bindings) SocketListen(name string) component.Result[ListenerHandle, driver.IOError] {
	r := guest.SocketListen(name)
	return component.Result[ListenerHandle, driver.IOError]{Value: ListenerHandle(r.Value), Err: r.Err, Failed: r.Failed}
}

func (*bindings) ListenerAccept(
	l ListenerHandle, timeout uint64,
) component.Result[component.Tuple2[StreamHandle, string], driver.IOError] {
	r := guest.ListenerAccept(guest.Listener(l), timeout)
	return component.Result[component.Tuple2[StreamHandle, string], driver.IOError]{
		Value: component.Tuple2[StreamHandle, string]{F0: StreamHandle(r.Value.F0), F1: r.Value.F1}, Err: r.Err, Failed: r.Failed,
	}
}

func (*bindings) ListenerDrop(l ListenerHandle) { guest.Listener(l).Drop() }

func (*bindings) StreamReady(s StreamHandle, timeout uint64) component.Result[component.Unit, driver.IOError] {
	return guest.StreamReady(guest.Stream(s), timeout)
}

func (*bindings) StreamResumed(s StreamHandle) bool { return guest.StreamResumed(guest.Stream(s)) }

func (*bindings) StreamRead(
	s StreamHandle, limit uint32, timeout uint64, buf []byte,
) component.Result[[]byte, driver.IOError] {
	return guest.StreamRead(guest.Stream(s), limit, timeout, buf)
}

func (*bindings) StreamReadFrame(
	s StreamHandle, limit uint32, first, gap uint64, expect uint32, buf []byte,
) component.Result[[]byte, driver.IOError] {
	return guest.StreamReadFrame(guest.Stream(s), limit, first, gap, expect, buf)
}

func (*bindings) StreamWrite(
	s StreamHandle, data []byte, timeout uint64,
) component.Result[component.Unit, driver.IOError] {
	return guest.StreamWrite(guest.Stream(s), data, timeout)
}

func (*bindings) StreamFlush(s StreamHandle) component.Result[component.Unit, driver.IOError] {
	return guest.StreamFlush(guest.Stream(s))
}

func (*bindings) StreamDrain(s StreamHandle, timeout uint64) component.Result[component.Unit, driver.IOError] {
	return guest.StreamDrain(guest.Stream(s), timeout)
}

func (*bindings) StreamDrop(s StreamHandle) { guest.Stream(s).Drop() }

func (*bindings) Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	return guest.DataPublish(samples)
}

func (*bindings) DeviceStatus(id driver.DeviceID, status driver.Status, reason string) {
	guest.DataDeviceStatus(id, status, reason)
}

func (*bindings) Gauges(id driver.DeviceID, figures []component.Tuple2[string, float64]) {
	guest.DataGauges(id, figures)
}

func (b *bindings) Wait(streams []StreamHandle, timeout uint64) driver.Event {
	b.streams = b.streams[:0]
	for _, s := range streams {
		b.streams = append(b.streams, guest.Stream(s))
	}
	return guest.ControlWait(b.streams, timeout)
}

func (*bindings) Reply(id uint64, answer component.Result[driver.Response, driver.CommandError]) {
	guest.ControlReply(id, answer)
}

func (*bindings) Progress(id uint64, text string, fraction float64) {
	guest.ControlProgress(id, text, fraction)
}

func (*bindings) RequestReconnect(reason string) bool { return guest.ControlRequestReconnect(reason) }

func (*bindings) Save(blob []byte) component.Result[component.Unit, driver.StateError] {
	return guest.StateSave(blob)
}

func (*bindings) Load(buf []byte) component.Option[[]byte] { return guest.StateLoad(buf) }

func (*bindings) Log(level driver.Level, message string, fields []component.Tuple2[string, string]) {
	guest.LogLog(level, message, fields)
}

func (*bindings) Now() time.Time { return time.Now() }

func (*bindings) Sleep(d time.Duration) { time.Sleep(d) }

//go:wasmimport wasi_snapshot_preview1 random_get
func randomGet(p unsafe.Pointer, n uint32) uint32

func (*bindings) Random(p []byte) {
	if len(p) == 0 {
		return
	}
	if errno := randomGet(unsafe.Pointer(unsafe.SliceData(p)), uint32(len(p))); errno != 0 {
		panic(fmt.Sprintf("random_get: errno %d", errno))
	}
}
