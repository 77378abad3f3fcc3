//go:build interop

package interop

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// python is Debian's own: the peers are its packages.
const python = "/usr/bin/python3"

// units holds one unit for each order of words, from 1.
func units() map[string]tables {
	all := map[string]tables{}
	for i, order := range orders {
		all[fmt.Sprint(i+1)] = every(order)
	}
	return all
}

// deviceList has a device of each unit, named after its order.
func deviceList(count int) string {
	var b strings.Builder
	for i, order := range orders[:count] {
		fmt.Fprintf(&b, "      %s:\n        settings: {unit: %d, order: %s}\n        points: %s", order, i+1, order, everyPoints)
	}
	return b.String()
}

func expectUnits(channel string, count int) map[string]string {
	want := map[string]string{}
	for _, order := range orders[:count] {
		maps.Copy(want, under(channel+"/"+order, everyValues))
	}
	return want
}

func TestPymodbusTCP(t *testing.T) {
	port := freePort(t)
	start(t, asJSON(t, units()), nil, python, "testdata/pymodbus_server.py", "tcp", port)
	listening(t, port)
	n := startNode(t, `  plc:
    driver: DRIVER
    connections:
      main: {tcp: "127.0.0.1:`+port+`"}
    settings: {mode: tcp}
    every: 200ms
    devices:
`+deviceList(4))
	n.expect(t, expectUnits("plc", 4))
	n.finish(t)
}

// Three units share one line, and a fourth that is not there leaves them alone.
func TestPymodbusRTU(t *testing.T) {
	ours, theirs := ptyPair(t)
	held := units()
	delete(held, "4")
	start(t, asJSON(t, held), nil, python, "testdata/pymodbus_server.py", "rtu", theirs)
	n := startNode(t, `  line:
    driver: DRIVER
    connections:
      main: {serial: `+ours+`, baud: 19200, parity: none}
    settings: {mode: rtu, timeout: 500ms}
    every: 500ms
    devices:
`+deviceList(4))
	want := expectUnits("line", 3)
	want["line/DCBA.u16"] = "!io.timeout"
	n.expect(t, want)
	n.finish(t)
}
