package node

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// whole sees that a sample leaves no field out, so that a new one is missed here before it is missed at work. except are
// fields that are translated elsewhere.
func whole(t *testing.T, sample any, except ...string) {
	t.Helper()
	v := reflect.ValueOf(sample)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && v.Field(i).IsZero() && !slices.Contains(except, f.Name) {
			t.Errorf("%s.%s is not in the sample", v.Type(), f.Name)
		}
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func TestConnections(t *testing.T) {
	rs485 := &config.RS485{RTSOnSend: true, RxDuringTx: true, DelayBeforeSend: 2 * time.Millisecond, DelayAfterSend: 3 * time.Millisecond}
	serial := &config.Serial{
		Path: "/dev/ttyUSB0", Baud: 19200, DataBits: 7, Parity: config.ParityEven, StopBits: config.StopBitsTwo,
		Gap: 5 * time.Millisecond, RS485: rs485,
	}
	whole(t, *serial)
	whole(t, *rs485)
	got := connections([]*config.Connection{
		{Name: "line", Serial: serial},
		{Name: "plc", TCP: &config.TCP{Address: "10.0.0.5:502"}},
		{Name: "plain", Serial: &config.Serial{Path: "COM3", Baud: 9600, DataBits: 8, Parity: config.ParityNone, StopBits: config.StopBitsOne}},
	})
	equal(t, got, []module.Connection{
		{Name: "line", Serial: &module.SerialPort{
			Path: "/dev/ttyUSB0",
			Mode: driver.Mode{Baud: 19200, DataBits: 7, Parity: driver.ParityEven, StopBits: driver.StopBitsTwo},
			Gap:  5 * time.Millisecond,
			RS485: &driver.RS485{
				Enabled: true, RTSOnSend: true, RxDuringTx: true, DelayBeforeSend: 2, DelayAfterSend: 3,
			},
		}},
		{Name: "plc", TCP: &module.TCPEndpoint{Address: "10.0.0.5:502"}},
		{Name: "plain", Serial: &module.SerialPort{
			Path: "COM3", Mode: driver.Mode{Baud: 9600, DataBits: 8, Parity: driver.ParityNone, StopBits: driver.StopBitsOne},
		}},
	})
}

// TestWords: each word of the configuration has its own case.
func TestWords(t *testing.T) {
	words(t, scalars, 13, []config.Type{
		config.TypeBool, config.TypeInt8, config.TypeInt16, config.TypeInt32, config.TypeInt64, config.TypeUint8,
		config.TypeUint16, config.TypeUint32, config.TypeUint64, config.TypeFloat32, config.TypeFloat64, config.TypeString,
		config.TypeBytes,
	}, map[config.Type]string{config.TypeBool: "boolean", config.TypeString: "text"})
	words(t, accesses, 3, []config.Access{config.AccessRead, config.AccessWrite, config.AccessReadWrite},
		map[config.Access]string{"r": "read", "w": "write", "rw": "read-write"})
	words(t, parities, 5, []config.Parity{config.ParityNone, config.ParityOdd, config.ParityEven, config.ParityMark, config.ParitySpace}, nil)
	words(t, stopBits, 3, []config.StopBits{config.StopBitsOne, config.StopBitsOneAndHalf, config.StopBitsTwo},
		map[config.StopBits]string{"1": "one", "1.5": "one-and-half", "2": "two"})
}

// words compares a table with the names that the driver's side has; those that differ are in names.
func words[K ~string, V interface{ String() string }](t *testing.T, table map[K]V, size int, all []K, names map[K]string) {
	t.Helper()
	if len(table) != size || len(all) != size {
		t.Errorf("%d words, %d of them known here, want %d", len(table), len(all), size)
	}
	for _, word := range all {
		want, ok := names[word]
		if !ok {
			want = string(word)
		}
		if got, ok := (any)(table[word]).(interface{ String() string }); !ok || got.String() != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}

func TestDevices(t *testing.T) {
	whole(t, samplePoint(), "Position")
	whole(t, *samplePoint().Definition)
	whole(t, samplePoint().Report)
	p := samplePoint()
	slow := config.Point{Name: "slow", Address: config.JSON{Raw: `1`}, Definition: &config.Definition{
		Type: config.TypeBool, Access: config.AccessRead, Every: time.Minute, Scale: 1,
	}}
	command := config.Point{Name: "reset", Address: config.JSON{Raw: `2`}, Definition: &config.Definition{
		Type: config.TypeBool, Access: config.AccessWrite, Scale: 1,
	}}
	d := config.Device{Name: "pump", Settings: config.JSON{Raw: `{"unit":7}`}, Points: []*config.Point{&p, &slow, &command}}
	whole(t, d, "Position")
	got := devices(&config.Channel{
		Devices: []*config.Device{&d, {Name: "empty", Settings: config.JSON{Raw: `{}`}}}, IntegerText: true,
	}, 0.25)
	equal(t, got, []channel.Device{
		{Name: "pump", Settings: `{"unit":7}`, Points: []channel.Point{
			{Definition: point.Definition{
				Name: "pressure", Device: "pump", Scalar: driver.ScalarTypeInt16, Count: 4, Access: driver.AccessReadWrite,
				Unit: "bar", Scale: 0.1, Offset: -40, Report: point.ReportChange,
				Deadband: point.Deadband{Width: 2, Percent: true}, Interval: time.Second, Heartbeat: time.Hour,
				Range: &point.Range{Min: -1, Max: 99}, IntegerText: true,
			}, Address: `"holding:100"`, Period: 2 * time.Second, Phase: 500 * time.Millisecond},
			{Definition: point.Definition{Name: "slow", Device: "pump", Access: driver.AccessRead, Scale: 1, IntegerText: true},
				Address: "1", Period: time.Minute, Phase: 2500 * time.Millisecond}, // within the first 10 s, not the minute
			{Definition: point.Definition{Name: "reset", Device: "pump", Access: driver.AccessWrite, Scale: 1, IntegerText: true}, Address: "2"},
		}},
		{Name: "empty", Settings: `{}`},
	})
}

func samplePoint() config.Point {
	return config.Point{
		Name: "pressure", Address: config.JSON{Raw: `"holding:100"`}, Definition: &config.Definition{
			Type: config.TypeInt16, Count: 4,
			Access: config.AccessReadWrite, Every: 2 * time.Second, Scale: 0.1, Offset: -40, Unit: "bar",
			Report: config.Report{Change: true, Deadband: 2, Percent: true, Interval: time.Second, Heartbeat: time.Hour},
			Range:  &config.Range{Min: -1, Max: 99},
		},
	}
}

func TestPolicy(t *testing.T) {
	r := config.Retry{Initial: time.Second, Max: time.Minute, Attempts: 7, Elapsed: time.Hour}
	whole(t, r)
	seven, none := 7, 0
	backoff := supervise.Backoff{Initial: time.Second, Max: time.Minute, Jitter: 0.2}
	equal(t, policy(r), supervise.Policy{Backoff: backoff, MaxRetries: &seven, MaxElapsed: time.Hour})
	r.Attempts = 0
	equal(t, policy(r), supervise.Policy{Backoff: backoff, MaxRetries: &none, MaxElapsed: time.Hour})
	r.Attempts = config.Unlimited
	equal(t, policy(r), supervise.Policy{Backoff: backoff, MaxElapsed: time.Hour})
}

func TestDeadlines(t *testing.T) {
	d := config.Deadlines{Connect: time.Second, Init: 2 * time.Second, Stop: 3 * time.Second}
	whole(t, d)
	equal(t, deadlines(d), supervise.Deadlines{Connect: time.Second, Init: 2 * time.Second, Stop: 3 * time.Second})
}

func TestCredentials(t *testing.T) {
	r := &config.Remote{
		URL: "nats://hub", Creds: "/node.creds", NKey: "/node.nk", Token: "token", User: "user", Password: "password",
		TLS: &config.TLS{CA: "/ca.pem", Cert: "/cert.pem", Key: "/key.pem"},
	}
	want := dial.Credentials{
		File: "/node.creds", NKey: "/node.nk", Token: "token", User: "user", Password: "password",
		CA: "/ca.pem", Cert: "/cert.pem", Key: "/key.pem",
	}
	_, got, err := Server(r)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)
}
