package sdk

import (
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// StreamHandle names an open stream towards the host.
type StreamHandle uint32

// DatagramsHandle names an open UDP socket towards the host, ListenerHandle a listener.
type (
	DatagramsHandle uint32
	ListenerHandle  uint32
)

// Host is everything that a driver has of the outside world: the functions of the contract's interfaces, as the guest
// bindings have them, and the clock and randomness of WASI. In a guest it is the bindings; in tests, sdktest.Host.
// Timeouts are nanoseconds from the call; 0 never blocks.
type Host interface {
	SerialOpen(name string) component.Result[StreamHandle, driver.IOError]
	SerialGetMode(port StreamHandle) component.Result[driver.Mode, driver.IOError]
	SerialSetMode(port StreamHandle, mode driver.Mode) component.Result[component.Unit, driver.IOError]
	SerialSetLines(port StreamHandle, lines driver.OutputLines) component.Result[component.Unit, driver.IOError]
	SerialGetLines(port StreamHandle) component.Result[driver.InputLines, driver.IOError]
	SerialSendBreak(port StreamHandle, length uint64) component.Result[component.Unit, driver.IOError]
	SerialSetRS485(port StreamHandle, mode driver.RS485) component.Result[component.Unit, driver.IOError]

	SocketConnect(to driver.Target) component.Result[StreamHandle, driver.IOError]
	SocketBind(to driver.Target) component.Result[DatagramsHandle, driver.IOError]
	DatagramsReceive(d DatagramsHandle, timeout uint64) component.Result[driver.Packet, driver.IOError]
	DatagramsSend(d DatagramsHandle, data []byte, to component.Option[string]) component.Result[component.Unit, driver.IOError]
	DatagramsDrop(d DatagramsHandle)
	SocketListen(name string) component.Result[ListenerHandle, driver.IOError]
	// ListenerAccept also answers who connected.
	ListenerAccept(l ListenerHandle, timeout uint64) component.Result[component.Tuple2[StreamHandle, string], driver.IOError]
	ListenerDrop(l ListenerHandle)

	StreamReady(s StreamHandle, timeout uint64) component.Result[component.Unit, driver.IOError]
	StreamResumed(s StreamHandle) bool
	// StreamRead and StreamReadFrame append what they received to buf, which has room for limit bytes.
	StreamRead(s StreamHandle, limit uint32, timeout uint64, buf []byte) component.Result[[]byte, driver.IOError]
	StreamReadFrame(s StreamHandle, limit uint32, first, gap uint64, expect uint32,
		buf []byte) component.Result[[]byte, driver.IOError]
	StreamWrite(s StreamHandle, data []byte, timeout uint64) component.Result[component.Unit, driver.IOError]
	StreamFlush(s StreamHandle) component.Result[component.Unit, driver.IOError]
	StreamDrain(s StreamHandle, timeout uint64) component.Result[component.Unit, driver.IOError]
	StreamDrop(s StreamHandle)

	Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError]
	DeviceStatus(device driver.DeviceID, status driver.Status, reason string)
	Gauges(device driver.DeviceID, figures []component.Tuple2[string, float64])

	Wait(streams []StreamHandle, timeout uint64) driver.Event
	Reply(id uint64, answer component.Result[driver.Response, driver.CommandError])
	Progress(id uint64, text string, fraction float64)
	RequestReconnect(reason string) bool

	// Save keeps the blob, Load appends the one saved last to buf.
	Save(blob []byte) component.Result[component.Unit, driver.StateError]
	Load(buf []byte) component.Option[[]byte]

	Log(level driver.Level, message string, fields []component.Tuple2[string, string])

	// Now is the time of day; differences between two answers are monotonic.
	Now() time.Time
	// Sleep returns after d, or earlier when the session is stopped.
	Sleep(d time.Duration)
	// Random fills p with fresh random bytes.
	Random(p []byte)
}
