package module

import (
	"context"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// nothing is what a driver may reach while it is described.
type nothing struct{}

func nothingGranted() host.Imports {
	n := nothing{}
	return host.Imports{Serial: n, Socket: n, Data: n, Control: n, State: n, Log: n}
}

func refused[T any]() component.Result[T, driver.IOError] {
	return component.Err[T](driver.IOErrorInvalid)
}

func (nothing) Open(context.Context, string) component.Result[host.Stream, driver.IOError] {
	return refused[host.Stream]()
}

func (nothing) GetMode(context.Context, host.Stream) component.Result[driver.Mode, driver.IOError] {
	return refused[driver.Mode]()
}

func (nothing) SetMode(context.Context, host.Stream, driver.Mode) component.Result[component.Unit, driver.IOError] {
	return refused[component.Unit]()
}

func (nothing) SetLines(context.Context, host.Stream, driver.OutputLines) component.Result[component.Unit, driver.IOError] {
	return refused[component.Unit]()
}

func (nothing) GetLines(context.Context, host.Stream) component.Result[driver.InputLines, driver.IOError] {
	return refused[driver.InputLines]()
}

func (nothing) SendBreak(context.Context, host.Stream, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return refused[component.Unit]()
}

func (nothing) SetRS485(context.Context, host.Stream, driver.RS485) component.Result[component.Unit, driver.IOError] {
	return refused[component.Unit]()
}

func (nothing) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	return refused[host.Stream]()
}

func (nothing) Bind(context.Context, driver.Target) component.Result[host.Datagrams, driver.IOError] {
	return refused[host.Datagrams]()
}

func (nothing) Listen(context.Context, string) component.Result[host.Listener, driver.IOError] {
	return refused[host.Listener]()
}

func (nothing) Publish(context.Context, []driver.Sample) component.Result[uint32, driver.PublishError] {
	return component.Err[uint32](driver.PublishErrorWrongPhase())
}

func (nothing) DeviceStatus(context.Context, driver.DeviceID, driver.Status, string) {}

func (nothing) Gauges(context.Context, driver.DeviceID, []component.Tuple2[string, float64]) {}

func (nothing) Wait(context.Context, []host.Stream, driver.Duration) driver.Event {
	return driver.EventStop()
}

func (nothing) Reply(context.Context, uint64, component.Result[driver.Response, driver.CommandError]) {
}

func (nothing) Progress(context.Context, uint64, string, float64) {}

func (nothing) RequestReconnect(context.Context, string) bool { return false }

func (nothing) Save(context.Context, []byte) component.Result[component.Unit, driver.StateError] {
	return component.Done[driver.StateError]()
}

func (nothing) Load(context.Context) component.Option[[]byte] { return component.None[[]byte]() }

func (nothing) Log(context.Context, driver.Level, string, []component.Tuple2[string, string]) {}
