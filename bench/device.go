package main

import (
	"context"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// The rest of what a driver imports: what a poll cycle does not need.

func (d *device) Ready(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}
func (d *device) Resumed(context.Context) bool { return false }
func (d *device) Flush(context.Context) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}
func (d *device) Drain(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}
func (d *device) Drop(context.Context) {}

func (d *device) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	return component.OK[driver.IOError](host.Stream(d))
}

func none[T any]() component.Result[T, driver.IOError] {
	return component.Err[T](driver.IOErrorNotFound)
}

func (d *device) Bind(context.Context, driver.Target) component.Result[host.Datagrams, driver.IOError] {
	return none[host.Datagrams]()
}
func (d *device) Listen(context.Context, string) component.Result[host.Listener, driver.IOError] {
	return none[host.Listener]()
}
func (d *device) Open(context.Context, string) component.Result[host.Stream, driver.IOError] {
	return none[host.Stream]()
}
func (d *device) GetMode(context.Context, host.Stream) component.Result[driver.Mode, driver.IOError] {
	return none[driver.Mode]()
}
func (d *device) SetMode(context.Context, host.Stream, driver.Mode) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}
func (d *device) SetLines(context.Context, host.Stream, driver.OutputLines) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}
func (d *device) GetLines(context.Context, host.Stream) component.Result[driver.InputLines, driver.IOError] {
	return none[driver.InputLines]()
}
func (d *device) SendBreak(context.Context, host.Stream, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}
func (d *device) SetRS485(context.Context, host.Stream, driver.RS485) component.Result[component.Unit, driver.IOError] {
	return none[component.Unit]()
}

func (d *device) DeviceStatus(context.Context, driver.DeviceID, driver.Status, string) {}
func (d *device) Gauges(context.Context, driver.DeviceID, []component.Tuple2[string, float64]) {
}
func (d *device) Reply(context.Context, uint64, component.Result[driver.Response, driver.CommandError]) {
}
func (d *device) Progress(context.Context, uint64, string, float64) {}
func (d *device) RequestReconnect(context.Context, string) bool     { return false }
func (d *device) Load(context.Context) component.Option[[]byte]     { return component.None[[]byte]() }
func (d *device) Save(context.Context, []byte) component.Result[component.Unit, driver.StateError] {
	return component.Done[driver.StateError]()
}
func (d *device) Log(context.Context, driver.Level, string, []component.Tuple2[string, string]) {}
