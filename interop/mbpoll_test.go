//go:build interop

package interop

import (
	"net"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/droverhq/drover/internal/sim/modbus"
)

// The simulated devices, which the demo and the tests use, against a client that nobody here wrote.

func simulated() modbus.Config {
	device := modbus.NewDevice(nil)
	device.Update(func(m *modbus.Memory) {
		m.SetHolding(100, 1, 2, 3, 40000, 65535)
		m.SetInput(0, modbus.Float32(21.5)...)
		m.SetCoils(8, true, false, true)
		m.SetDiscretes(0, false, true)
	})
	return modbus.Config{Units: map[uint8]*modbus.Device{17: device}}
}

var polled = regexp.MustCompile(`(?m)^\[\d+\]:\s+(\S+)`)

// poll returns the values that mbpoll prints.
func poll(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("mbpoll", append([]string{"-a", "17", "-0", "-1", "-q"}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("mbpoll %q: %v\n%s", args, err, out)
	}
	var values []string
	for _, match := range polled.FindAllStringSubmatch(string(out), -1) {
		values = append(values, match[1])
	}
	return values
}

var polls = []struct {
	args []string
	want []string
}{
	{[]string{"-r", "100", "-c", "5", "-t", "4"}, []string{"1", "2", "3", "40000", "65535"}},
	{[]string{"-r", "0", "-c", "1", "-t", "3:float", "-B"}, []string{"21.5"}},
	{[]string{"-r", "8", "-c", "3", "-t", "0"}, []string{"1", "0", "1"}},
	{[]string{"-r", "0", "-c", "2", "-t", "1"}, []string{"0", "1"}},
}

func TestMbpollTCP(t *testing.T) {
	server, err := modbus.ListenTCP(simulated())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	host, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range polls {
		if got := poll(t, append(p.args, "-m", "tcp", "-p", port, host)...); !slices.Equal(got, p.want) {
			t.Errorf("%q: %q, want %q", p.args, got, p.want)
		}
	}
}

func TestMbpollRTU(t *testing.T) {
	line, err := modbus.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	server := modbus.ServeRTU(simulated(), line)
	defer server.Close()
	for _, p := range polls {
		if got := poll(t, append(p.args, "-m", "rtu", "-b", "19200", "-P", "none", line.Path())...); !slices.Equal(got, p.want) {
			t.Errorf("%q: %q, want %q", p.args, got, p.want)
		}
	}
}
