package conformance

import (
	"slices"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/node"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// connectionName is the connection of an example that was made of schemas, and so are the device and the point.
const connectionName, deviceName, pointName = "main", "device", "point"

// scalars are the types that a point may have, the likely ones first.
var scalars = []driver.ScalarType{
	driver.ScalarTypeFloat64, driver.ScalarTypeUint16, driver.ScalarTypeFloat32, driver.ScalarTypeBoolean,
	driver.ScalarTypeInt64, driver.ScalarTypeUint64, driver.ScalarTypeInt32, driver.ScalarTypeUint32,
	driver.ScalarTypeInt16, driver.ScalarTypeInt8, driver.ScalarTypeUint8, driver.ScalarTypeText, driver.ScalarTypeBytes,
}

// fromSchemas makes a channel of the examples of a driver's schemas: one device with one point of a type.
func fromSchemas(m *module.Module, e node.Examples, scalar driver.ScalarType) channel.Config {
	c := channel.Config{Name: "example"}
	c.Module, c.Settings = m, e.Settings
	c.Connections = []module.Connection{{Name: connectionName, TCP: &module.TCPEndpoint{Address: "127.0.0.1:0"}}}
	c.Devices = []channel.Device{{Name: deviceName, Settings: e.Device, Points: []channel.Point{{
		Definition: point.Definition{Name: pointName, Scalar: scalar, Access: driver.AccessRead},
		Address:    e.Address, Period: time.Second,
	}}}}
	return c
}

// once has a channel make one attempt, whatever comes of it.
func once(c channel.Config, phase time.Duration) channel.Config {
	none := 0
	c.Policy = supervise.Policy{MaxRetries: &none}
	c.Deadlines.Connect, c.Deadlines.Init = phase, phase
	return c
}

// cloneDevices copies devices and points, to be changed.
func cloneDevices(in []channel.Device) []channel.Device {
	out := slices.Clone(in)
	for i := range out {
		out[i].Points = slices.Clone(out[i].Points)
	}
	return out
}
