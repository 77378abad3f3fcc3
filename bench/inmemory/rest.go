package inmemory

import (
	"context"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// The rest of what a driver imports: what a poll cycle does not need.

func (d *Device) Ready(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}
func (d *Device) Resumed(context.Context) bool { return false }
func (d *Device) Flush(context.Context) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}
func (d *Device) Drain(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}
func (d *Device) Drop(context.Context) {}

func (d *Device) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	return component.OK[driver.IOError](host.Stream(d))
}

func none[T any]() component.Result[T, driver.IOError] {
	return component.Err[T](driver.IOErrorNotFound)
}

func (d *Device) Bind(context.Context, driver.Target) component.Result[host.Datagrams, driver.IOError] {
	return none[host.Datagrams]()
}
func (d *Device) Listen(context.Context, string) component.Result[host.Listener, driver.IOError] {
	return none[host.Listener]()
}
func (d *Device) Open(context.Context, string) component.Result[host.Stream, driver.IOError] {
	return none[host.Stream]()
}
func (d *Device) GetMode(context.Context, host.Stream) component.Result[driver.Mode, driver.IOError] {
	return none[driver.Mode]()
}
func (d *Device) SetMode(context.Context, host.Stream, driver.Mode) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}
func (d *Device) SetLines(context.Context, host.Stream, driver.OutputLines) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}
func (d *Device) GetLines(context.Context, host.Stream) component.Result[driver.InputLines, driver.IOError] {
	return none[driver.InputLines]()
}
func (d *Device) SendBreak(context.Context, host.Stream, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}
func (d *Device) SetRS485(context.Context, host.Stream, driver.RS485) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}

func (d *Device) DeviceStatus(context.Context, driver.DeviceID, driver.Status, string) {}
func (d *Device) Gauges(context.Context, driver.DeviceID, []component.Tuple2[string, float64]) {
}
func (d *Device) Reply(context.Context, uint64, component.Result[driver.Response, driver.CommandError]) {
}
func (d *Device) Progress(context.Context, uint64, string, float64) {}
func (d *Device) RequestReconnect(context.Context, string) bool     { return false }
func (d *Device) Load(context.Context) component.Option[[]byte]     { return component.None[[]byte]() }
func (d *Device) Save(context.Context, []byte) component.Result[component.Unit, driver.StateError] {
	return component.Done[driver.StateError]()
}
func (d *Device) Log(context.Context, driver.Level, string, []component.Tuple2[string, string]) {}
