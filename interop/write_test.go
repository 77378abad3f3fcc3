//go:build interop

package interop

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// writable are points over what every holds, and written is what is written to them and read back by mbpoll.
const writable = `{
          u16: {address: "holding:101", type: uint16, access: rw},
          i32: {address: "holding:110", type: int32, access: rw},
          f32: {address: "holding:114", type: float32, access: rw},
          u64: {address: "holding:124", type: uint64, access: rw},
          bit1: {address: "holding:200.1", type: bool, access: rw},
          scaled: {address: "holding:100", type: int16, scale: 0.1, access: rw, range: [-50, 50]},
          coil1: {address: "coil:1", type: bool, access: rw},
          coils: {address: "coil:0", type: bool, count: 3, access: rw},
          missing: {address: "holding:9999", type: uint16, access: w}}
`

var written = []struct{ point, value string }{
	{"u16", "4711"}, {"i32", "-70000"}, {"f32", "-12.5"}, {"u64", "1311768467463790320"}, {"bit1", "true"},
	{"scaled", "-21.5"}, {"coil1", "true"}, {"coils", "[false,true,true]"},
}

// registers are what mbpoll prints of the registers of an order ABCD after that.
var registers = []struct {
	reference, count, kind string
	want                   []string
}{
	{"100", "2", "4", []string{"65321", "4711"}},
	{"110", "1", "4:int", []string{"-70000"}},
	{"114", "1", "4:float", []string{"-12.5"}},
	{"124", "4", "4:hex", []string{"0x1234", "0x5678", "0x9ABC", "0xDEF0"}},
	{"200", "1", "4", []string{"7"}},
	{"0", "3", "0", []string{"0", "1", "1"}},
}

// write writes by the command line, as a person does, and returns what it printed.
func (n *node) write(t *testing.T, point, value string) (string, error) {
	t.Helper()
	cmd := exec.Command(absolute(t, "../build/drover"), "write", "--timeout", patience.String(), "--",
		"plc", point, value)
	cmd.Env = append(os.Environ(), n.environment...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// throughout writes all points of a device, and has polls read the same.
func (n *node) throughout(t *testing.T, device string) {
	t.Helper()
	want := map[string]string{}
	for _, w := range written {
		if out, err := n.write(t, device+"."+w.point, w.value); err != nil {
			t.Errorf("write %s.%s %s: %v\n%s", device, w.point, w.value, err, out)
		}
		want["plc/"+device+"."+w.point] = w.value
	}
	n.expect(t, want)
}

// readBack compares what another client reads of the server.
func readBack(t *testing.T, args ...string) {
	t.Helper()
	for _, r := range registers {
		at := []string{"-a", "1", "-r", r.reference, "-c", r.count, "-t", r.kind, "-B"}
		out, err := exec.Command("mbpoll", slices.Concat([]string{"-0", "-1", "-q"}, at, args)...).CombinedOutput()
		if err != nil {
			t.Errorf("mbpoll %q: %v\n%s", at, err, out)
		}
		var got []string
		for _, match := range polled.FindAllStringSubmatch(string(out), -1) {
			got = append(got, match[1])
		}
		if !slices.Equal(got, r.want) {
			t.Errorf("mbpoll %q: %q, want %q", at, got, r.want)
		}
	}
}

// TestWritePymodbusTCP writes in every order, and every way to write.
func TestWritePymodbusTCP(t *testing.T) {
	port := freePort(t)
	start(t, asJSON(t, units()), nil, python, "testdata/pymodbus_server.py", "tcp", port)
	listening(t, port)
	n := startNode(t, `  plc:
    driver: DRIVER
    connections:
      main: {tcp: "127.0.0.1:`+port+`"}
    every: 200ms
    devices:
      ABCD: {settings: {unit: 1}, points: `+writable+`      }
      CDAB: {settings: {unit: 2, order: CDAB, register_writes: multiple, coil_writes: multiple}, points: `+writable+`      }
      BADC: {settings: {unit: 3, order: BADC, register_writes: single, coil_writes: single}, points: `+writable+`      }
      DCBA: {settings: {unit: 4, order: DCBA, mask_write: true}, points: `+writable+`      }
`)
	for _, order := range orders {
		n.throughout(t, order)
	}
	if out, err := n.write(t, "ABCD.missing", "1"); err == nil {
		t.Errorf("a register that is not there was written: %s", out)
	}
	if out, err := n.write(t, "ABCD.scaled", "50.1"); err == nil {
		t.Errorf("a value outside of its range was written: %s", out)
	}
	readBack(t, "-m", "tcp", "-p", port, "127.0.0.1")
	n.finish(t)
}

// TestWritePymodbusRTU writes on a line between polls.
func TestWritePymodbusRTU(t *testing.T) {
	ours, theirs := ptyPair(t)
	held := units()
	maps.DeleteFunc(held, func(unit string, _ tables) bool { return unit != "1" })
	start(t, asJSON(t, held), nil, python, "testdata/pymodbus_server.py", "rtu", theirs)
	n := startNode(t, `  plc:
    driver: DRIVER
    connections:
      main: {serial: `+ours+`, baud: 19200, parity: none}
    settings: {timeout: 2s}
    every: 300ms
    devices:
      ABCD: {settings: {unit: 1}, points: `+writable+`      }
`)
	n.throughout(t, "ABCD")
	n.finish(t)
	readBack(t, "-m", "rtu", "-b", "19200", "-P", "none", "-o", "5", ours)
}
