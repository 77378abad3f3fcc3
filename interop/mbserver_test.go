//go:build interop

package interop

import (
	"math"
	"testing"

	"github.com/tbrandon/mbserver"
)

func TestMbserver(t *testing.T) {
	server := mbserver.NewServer()
	for i := range server.HoldingRegisters {
		server.HoldingRegisters[i] = uint16(i)
	}
	bits := math.Float32bits(-0.125)
	server.InputRegisters[7], server.InputRegisters[8] = uint16(bits>>16), uint16(bits)
	server.Coils[3], server.DiscreteInputs[65534] = 1, 1
	port := freePort(t)
	if err := server.ListenTCP("127.0.0.1:" + port); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	n := startNode(t, `  plc:
    driver: DRIVER
    connections:
      main: {tcp: "127.0.0.1:`+port+`"}
    settings: {mode: tcp}
    every: 200ms
    devices:
      d:
        settings: {unit: 1}
        points:
          first: {address: "holding:0", type: uint16}
          last: {address: "holding:65535", type: uint16}
          float: {address: "input:7", type: float32}
          coil: {address: "coil:3", type: bool}
          discrete: {address: "discrete:65534", type: bool}
`)
	n.expect(t, under("plc/d", map[string]string{
		"first": "0", "last": "65535", "float": "-0.125", "coil": "true", "discrete": "true",
	}))
	n.finish(t)
}
