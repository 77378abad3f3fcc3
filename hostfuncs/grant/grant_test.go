package grant

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
)

func TestLookup(t *testing.T) {
	set, err := New(Grants{Connections: []Connection{
		{Name: "main", Serial: &Serial{Path: "/dev/ttyUSB0"}},
		{Name: "second", Serial: &Serial{Path: "COM3", Mode: driver.Mode{Baud: 19200, DataBits: 7, Parity: driver.ParityEven, StopBits: driver.StopBitsTwo}}},
		{Name: "plc", TCP: &TCP{Address: "[::1]:502"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	main, ok := set.Lookup("main", driver.ConnectionKindSerial)
	want := &Serial{Path: "/dev/ttyUSB0", Mode: driver.Mode{Baud: 9600, DataBits: 8}}
	if diff := cmp.Diff(want, main.Serial); !ok || diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if second, _ := set.Lookup("second", driver.ConnectionKindSerial); second.Serial.Mode.Baud != 19200 || second.Serial.Mode.DataBits != 7 {
		t.Errorf("changed: %+v", second.Serial)
	}
	if plc, ok := set.Lookup("plc", driver.ConnectionKindTCP); !ok || plc.TCP.Address != "[::1]:502" {
		t.Errorf("plc: %+v", plc)
	}
	for name, kind := range map[string]driver.ConnectionKind{
		"main": driver.ConnectionKindTCP, "plc": driver.ConnectionKindSerial, "other": driver.ConnectionKindTCP,
	} {
		if _, ok := set.Lookup(name, kind); ok {
			t.Errorf("%s is granted as %v", name, kind)
		}
	}
	if n := set.Count(driver.ConnectionKindSerial); n != 2 {
		t.Errorf("%d serial ports", n)
	}
}

// The caller's definitions are not touched by defaults.
func TestCallersConnectionsStay(t *testing.T) {
	s := &Serial{Path: "/dev/ttyS0"}
	if _, err := New(Grants{Connections: []Connection{{Name: "main", Serial: s}}}); err != nil {
		t.Fatal(err)
	}
	if s.Mode.Baud != 0 {
		t.Error("the caller's definition was changed")
	}
}

func TestAllProblemsTogether(t *testing.T) {
	tests := map[string]struct {
		connections []Connection
		want        []string
	}{
		"names": {
			[]Connection{{TCP: &TCP{Address: "a:1"}}, {Name: "x", TCP: &TCP{Address: "a:1"}}, {Name: "x", TCP: &TCP{Address: "a:1"}}},
			[]string{"a name is missing", `"x": named twice`},
		},
		"kinds": {
			[]Connection{{Name: "none"}, {Name: "both", TCP: &TCP{Address: "a:1"}, Serial: &Serial{Path: "x"}}},
			[]string{`"none": it has 0 of`, `"both": it has 2 of`},
		},
		"addresses": {
			[]Connection{
				{Name: "a", TCP: &TCP{Address: "host"}}, {Name: "b", TCP: &TCP{Address: ":502"}}, {Name: "c", TCP: &TCP{Address: "host:0"}},
				{Name: "d", TCP: &TCP{Address: "host:65536"}}, {Name: "e", TCP: &TCP{Address: "host:http"}}, {Name: "f", TCP: &TCP{Address: "::1:502"}},
			},
			[]string{`"a"`, `"b"`, `"c"`, `"d"`, `"e"`, `"f"`},
		},
		"serial": {
			[]Connection{{Name: "a", Serial: &Serial{
				Gap: -time.Second, Mode: driver.Mode{Baud: 1 << 31, DataBits: 9, Parity: 5, StopBits: 3},
			}}},
			[]string{"path is missing", "gap -1s", "baud 2147483648", "data bits 9", "parity 5", "stop bits 3"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(Grants{Connections: tt.connections})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
		})
	}
}
