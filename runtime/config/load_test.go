package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// at is a place in the file of newTestReader's tests.
func at(line, column int32) Position {
	return Position{File: "/etc/drover/drover.yaml", Line: line, Column: column}
}

func mustParse(t testing.TB, data string) *Node {
	t.Helper()
	n, err := newTestReader("/etc/drover/drover.yaml").parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWhole reads every key, in flow and block style.
func TestWhole(t *testing.T) {
	data, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := mustParse(t, string(data))
	want := &Node{
		File: "/etc/drover/drover.yaml", Files: []string{"/etc/drover/drover.yaml"}, Name: "plant-1", Data: "/var/lib/drover",
		NATS: NATS{Remote: &Remote{
			URL: "tls://a:4222,tls://b:4222", User: "me", Password: "s3cret",
			TLS: &TLS{CA: "/etc/drover/ca.pem", Cert: "/c.pem", Key: "/k.pem"},
		}, Stream: Stream{
			MaxBytes: 2 << 30, MaxAge: 7 * day, Storage: StorageMemory, Buffer: 1 << 20, OnFull: OnFullBackpressure,
		}},
		Channels: []*Channel{{
			Name: "zulu", Driver: "/etc/drover/modbus.wasm", Delivery: DeliveryStream,
			PointMessages: true, IntegerText: true,
			Connections: []*Connection{
				{Name: "main", Serial: &Serial{
					Path: "/dev/ttyUSB0", Baud: 19200, DataBits: 7, Parity: ParityEven, StopBits: StopBitsOneAndHalf,
					Gap: 20 * time.Millisecond,
					RS485: &RS485{RxDuringTx: true, DelayBeforeSend: time.Millisecond,
						DelayAfterSend: 2 * time.Millisecond},
				}},
				{Name: "side", TCP: &TCP{Address: "[fd00::5]:502", TLS: &PeerTLS{
					CA: "/etc/drover/plc.pem", Cert: "/c.pem", Key: "/k.pem", ServerName: "plc.example",
				}}},
				{Name: "bus", UDP: &UDP{Address: "10.0.0.255:47808", Local: netip.MustParseAddrPort("0.0.0.0:47808")}},
				{Name: "push", Listener: &Listener{
					Address: netip.MustParseAddrPort("[::]:5000"),
					From:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::5/128")},
				}},
			},
			Grants: Grants{
				TCP: []Pattern{
					{Prefix: netip.MustParsePrefix("10.0.0.0/24"), First: 502, Last: 502},
					{Name: "meter.lan", First: 5000, Last: 5010},
				},
				UDP: []Pattern{{Prefix: netip.MustParsePrefix("fd00::/64"), First: 47808, Last: 47808}},
			},
			Limits: Limits{
				Memory: 64 << 20, Stack: 8 << 20, Compute: 2 * time.Second, CPU: 0.25,
				Samples: 500, Bytes: 1 << 20, Log: 5, Streams: 4,
			},
			Retry:      Retry{Initial: 2 * time.Second, Max: time.Minute, Attempts: 0, Elapsed: 36 * time.Hour},
			Deadlines:  Deadlines{Connect: time.Second, Init: 2 * time.Second, Stop: 3 * time.Second},
			Quarantine: Quarantine{Crashes: Never, Window: time.Hour},
			Settings:   JSON{Raw: `{"mode":"rtu"}`},
			every:      2 * time.Second,
			Devices: []*Device{
				{Name: "z", Settings: JSON{Raw: `{"unit":1}`}, every: 3 * time.Second, Points: []*Point{
					{Name: "q", Address: JSON{Raw: `"holding:1"`}, Definition: &Definition{
						Type: TypeInt16, Count: 4,
						Access: AccessReadWrite, Every: 4 * time.Second, Scale: 0.1, Offset: -40, Unit: "°C",
						Report: Report{Change: true, Deadband: 5, Percent: true, Interval: time.Second,
							Heartbeat: 10 * time.Minute},
						Range: &Range{Min: -10, Max: 90.5},
					}},
					{Name: "b", Address: JSON{Raw: `{"table":"coil","at":256}`}, Definition: &Definition{Type: TypeBool,
						Access: AccessRead, Every: 3 * time.Second, Scale: 1}},
				}},
				{Name: "a", Settings: JSON{Raw: `{}`}, Points: []*Point{
					{Name: "p", Address: JSON{Raw: `5`}, Definition: &Definition{Type: TypeUint64, Access: AccessRead,
						Every: 2 * time.Second, Scale: 1}},
					{Name: "w", Address: JSON{Raw: `6`}, Definition: &Definition{Type: TypeString, Access: AccessWrite, Scale: 1}},
				}},
			},
		}, {
			Name: "alpha", Driver: "/opt/m.wasm", Delivery: DeliveryCore,
			Limits:     defaultLimits(),
			Retry:      Retry{Initial: time.Second, Max: 30 * time.Second, Attempts: Unlimited},
			Deadlines:  Deadlines{Connect: 15 * time.Second, Init: 15 * time.Second, Stop: 5 * time.Second},
			Quarantine: Quarantine{Crashes: 5, Window: 10 * time.Minute},
			Settings:   JSON{Raw: `{}`},
			Devices: []*Device{{Name: "d", Settings: JSON{Raw: `{}`}, Points: []*Point{
				{Name: "p", Address: JSON{Raw: `5`}, Definition: &Definition{Type: TypeFloat32, Access: AccessRead,
					Every: time.Second, Scale: 1}},
			}}},
		}},
	}
	diff := cmp.Diff(want, got, cmp.AllowUnexported(Channel{}, Device{}), cmpopts.IgnoreTypes(Position{}),
		cmpopts.IgnoreUnexported(JSON{}, Serial{}, UDP{}, Listener{}), cmpopts.EquateComparable(netip.AddrPort{}, netip.Prefix{}))
	if diff != "" {
		t.Error("-want +got:\n" + diff)
	}
}

func TestPositions(t *testing.T) {
	n := mustParse(t, `node: n
channels:
  a:
    driver: m.wasm
    connections:
      main: {tcp: "h:1"}
    devices:
      d:
        points:
          p: {address: 1, type: bool}
`)
	c := n.Channels[0]
	got := []Position{c.Position, c.DriverPosition, c.Connections[0].Position, c.Devices[0].Position,
		c.Devices[0].Points[0].Position}
	want := []Position{at(3, 3), at(4, 13), at(6, 7), at(8, 7), at(10, 11)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
}

func TestDefaults(t *testing.T) {
	n := mustParse(t, "node: n\nchannels:\n")
	want := &Node{
		File: "/etc/drover/drover.yaml", Files: []string{"/etc/drover/drover.yaml"}, Name: "n", Data: "/etc/drover/data",
		NATS: NATS{Embedded: &Embedded{
			Listen: "127.0.0.1:4222", JetStream: true, Store: Store{Memory: 64 << 20, Disk: 1 << 30, Sync: 10 * time.Second},
		}, Stream: Stream{MaxBytes: 512 << 20, Storage: StorageFile, Buffer: 32 << 20, OnFull: OnFullDropOldest}},
	}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
}

// A secret's text is neither in a problem nor in what formatting a node gives.
func TestSecretsStayHidden(t *testing.T) {
	r := newTestReader("f.yaml")
	_, err := r.parse([]byte(`node: "${env:TOKEN} x"
nats: {url: "${env:TOKEN}"}
channels: {a: {driver: m.wasm, every: "${env:TOKEN}", limits: {memory: "${env:TOKEN}"}}}
`))
	if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Count(err.Error(), "${env:TOKEN}") != 4 {
		t.Errorf("got %v", err)
	}
	n := mustParse(t, `node: n
nats: {url: nats://hub, token: "${env:TOKEN}"}
channels: {}
`)
	encoded, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(encoded), fmt.Sprintf("%v", n.NATS.Remote), fmt.Sprintf("%+v", *n.NATS.Remote), fmt.Sprintf("%#v", *n.NATS.Remote),
	} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, redacted) {
			t.Errorf("got %s", text)
		}
	}
	if got := string(n.NATS.Remote.Token); got != "s3cret" {
		t.Errorf("token %q", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "drover.yaml")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DROVER_TEST_UNIT", "7")
	write("token", "abc\r\n")
	write("drover.yaml", `node: n
channels:
  a: {driver: m.wasm, settings: {token: "x-${file:token}", unit: "${env:DROVER_TEST_UNIT}"}}
`)
	n, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := n.Channels[0].Settings.Raw, `{"token":"x-abc","unit":"7"}`; got != want {
		t.Errorf("settings %s, want %s", got, want)
	}
	if got, want := n.Channels[0].Driver, filepath.Join(dir, "m.wasm"); got != want {
		t.Errorf("driver %s, want %s", got, want)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	for _, tt := range []struct{ name, content, want, err string }{
		{"one line end goes", "a\n\n", "a\n", ""},
		{"empty", "", "", ""},
		{"largest", strings.Repeat("x", maxSecretFile), strings.Repeat("x", maxSecretFile), ""},
		{"too large", strings.Repeat("x", maxSecretFile+1), "", "expected at most 64KiB"},
		{"no text", "\xff", "", "expected UTF-8 text"},
	} {
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readSecretFile(path)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: got %d bytes, %v; want %d bytes, %q", tt.name, len(got), err, len(tt.want), tt.err)
		}
	}
	irregular := dir
	if runtime.GOOS == "linux" {
		irregular = "/dev/zero"
	}
	if _, err := readSecretFile(irregular); err == nil || err.Error() != "expected a regular file" {
		t.Errorf("%s: got %v", irregular, err)
	}
}
