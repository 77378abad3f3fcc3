//go:build wasip1

// Modbus is the driver for Modbus TCP, RTU, and RTU over TCP. docs/modbus.md has its settings and addresses.
package main

import (
	"github.com/droverhq/drover/guests/modbus/client"
	"github.com/droverhq/drover/guests/sdk"
)

var _ = sdk.Register(client.Driver{})

func main() {}
