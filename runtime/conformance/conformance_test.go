package conformance_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/hostfuncs"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/conformance"
	"github.com/droverhq/drover/runtime/module"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outside is the outside world in the terms of runtime/module.
type outside struct{ host *hostfuncs.Node }

func (o outside) Channel(name string, g module.Grants) (module.ChannelHost, error) {
	var grants grant.Grants
	for _, c := range g.Connections {
		granted := grant.Connection{
			Name: c.Name, Serial: (*grant.Serial)(c.Serial), UDP: (*grant.UDP)(c.UDP), Listener: (*grant.Listener)(c.Listener),
		}
		if c.TCP != nil {
			granted.TCP = &grant.TCP{Address: c.TCP.Address}
		}
		grants.Connections = append(grants.Connections, granted)
	}
	c, err := o.host.Channel(name, grants)
	return share{c}, err
}

type share struct{ *hostfuncs.Channel }

func (s share) Session(signals module.Signals) module.SessionHost { return s.Channel.Session(signals) }

// rig is the test driver, compiled once.
type rig struct {
	module *module.Module
	host   *hostfuncs.Node
}

var testdriver = sync.OnceValues(func() ([]byte, error) { return testguest.Build("testdriver") })

func newRig(t *testing.T) *rig {
	t.Helper()
	binary, err := testdriver()
	if err != nil {
		t.Fatal(err)
	}
	loader, err := module.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	if r.module, err = loader.Load(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	if r.host, err = hostfuncs.New(hostfuncs.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		for _, err := range []error{r.host.Close(), r.module.Release(ctx), loader.Close(ctx)} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// channel is a channel of the test driver with these settings.
func channel(t *testing.T, settings, more string) *config.Channel {
	t.Helper()
	return channelWith(t, `tcp: "127.0.0.1:1"`, settings, more)
}

// channelWith is channel with a connection of another kind.
func channelWith(t *testing.T, connection, settings, more string) *config.Channel {
	t.Helper()
	text := fmt.Sprintf(`
node: n
channels:
  line:
    driver: testdriver.wasm
    connections: {main: {%s}}
    settings: {%s}
    every: 50ms
    devices: {d: {points: {count: {address: "1", type: uint64, access: rw, scale: 0.1, range: [0, 10], report: change, deadband: 0.1}}}}
    %s
`, connection, settings, more)
	c, err := config.Parse(filepath.Join(t.TempDir(), "drover.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Channels[0]
}

// run runs all checks and returns what came of each, as "result text", by name.
func (r *rig) run(t *testing.T, c conformance.Config) map[string]string {
	t.Helper()
	c.Module, c.Host = r.module, outside{r.host}
	c.Phase, c.Watch = 1500*time.Millisecond, 200*time.Millisecond
	told := map[string]string{}
	c.Tell = func(check conformance.Check) { told[check.Name] = string(check.Result) + " " + check.Text }
	report, err := conformance.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != len(report.Checks) {
		t.Errorf("%d checks, %d of them told", len(report.Checks), len(told))
	}
	return told
}

// echo is a device that answers what it hears.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

// TestDevice runs the test driver with a device: one that does well, one that leaks, and one that is not there.
func TestDevice(t *testing.T) {
	r := newRig(t)
	run := func(t *testing.T, address, settings string) map[string]string {
		c := channel(t, settings, "")
		c.Connections[0].TCP.Address = address
		return r.run(t, conformance.Config{Channel: c, For: 2 * time.Second})
	}
	tests := map[string]struct {
		address, settings string
		device, memory    string
		swap              string
	}{
		"well":           {echo(t), `connection: main, request: "?", keep: true`, "pass ", "pass ", "pass "},
		"a leak":         {echo(t), `connection: main, request: "?", leak: 300000`, "pass ", "fail ", "pass "},
		"values missing": {echo(t), `connection: main, status: offline, cycle: 1, run: "sleep:20s"`, "fail no value of d.count never read", "", ""},
		"nobody":         {"127.0.0.1:1", `connection: main`, "fail it does not get ready: io.refused", "skip its session", "skip its session"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			told := run(t, tt.address, tt.settings)
			for check, want := range map[string]string{"device": tt.device, "memory": tt.memory, "swap": tt.swap} {
				if !strings.HasPrefix(told[check], want) {
					t.Errorf("%s: %s, expected %s", check, told[check], want)
				}
			}
		})
	}
}

// TestOtherConnections has the test driver send datagrams, and listen.
func TestOtherConnections(t *testing.T) {
	r := newRig(t)
	for name, tt := range map[string]struct {
		connection string
		noise      string
	}{
		"datagrams": {`udp: "127.0.0.1:9"`, "pass "},
		"listener":  {`listen: "127.0.0.1:9"`, "skip it listens"},
	} {
		t.Run(name, func(t *testing.T) {
			c := channelWith(t, tt.connection, `connection: main, request: "?"`, "")
			told := r.run(t, conformance.Config{Channel: c})
			for check, text := range told {
				// One of the wrong settings is to ignore a stop, and the test driver counts also when nobody calls.
				if strings.HasPrefix(text, "fail") && check != "wrong settings" && (name != "listener" || check != "silent device") {
					t.Errorf("%s: %s", check, text)
				}
			}
			for check, want := range map[string]string{"noise": tt.noise, "nobody there": "pass ", "stop": "pass ", "yield": "pass "} {
				if !strings.HasPrefix(told[check], want) {
					t.Errorf("%s: %s, expected %s", check, told[check], want)
				}
			}
		})
	}
}

// TestMisbehaviour has the test driver misbehave, and finds it out by the check that is for that, and by no other.
func TestMisbehaviour(t *testing.T) {
	r := newRig(t)
	tests := map[string]struct {
		settings, more string
		// want is what checks say that do not pass, by name; "" is a check that may say anything.
		want map[string]string
	}{
		"a good driver": {settings: `connection: main, request: "?"`},
		"panic in configure": {`configure: panic`, "", map[string]string{
			"configure": "fail it refuses the configuration: trap.unreachable in configure",
		}},
		"configuration refused": {`configure: "fail:fatal"`, "", map[string]string{
			"configure": "fail it refuses the configuration: driver.broken in configure",
		}},
		"panic in connect": {`connect: panic`, "", map[string]string{
			"wrong settings": "fail settings", "no connection": "fail", "nobody there": "fail it crashes: trap.unreachable in connect",
			"silent device": "fail it crashes", "rude device": "fail it crashes", "noise": "fail it crashes",
			"stop": "skip its session does not last", "yield": "skip its session does not last",
		}},
		"giving up": {`connect: "fail:fatal"`, "", map[string]string{
			"nobody there": "fail it gives up for ever", "silent device": "fail it gives up for ever",
			"rude device": "fail it gives up for ever", "stop": "skip", "yield": "skip",
		}},
		"a wish for a device": {`status: online`, "", map[string]string{
			"nobody there": "fail it says that its device is online", "silent device": "fail it", "wrong settings": "",
		}},
		"deaf to stop": {`connection: main, request: "?", ignoreStop: true`, "deadlines: {stop: 1s}", map[string]string{
			"silent device": "fail it crashes: limit.", "noise": "fail it crashes: limit.", "rude device": "",
			"stop": "fail it does not obey: limit.", "yield": "", "wrong settings": "",
		}},
		"deaf to yield": {`connection: main, request: "?", ignoreYield: true`, "", map[string]string{
			"yield": "fail it does not yield within 5s",
		}},
		"broken by taking over": {`connection: main, request: "?", attempts: [2], init: "fail:retryable"`, "", map[string]string{
			"yield": "fail the instance that took over did not get ready",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			told := r.run(t, conformance.Config{Channel: channel(t, tt.settings, tt.more)})
			for check, text := range told {
				want, expected := tt.want[check]
				switch {
				case expected && !strings.HasPrefix(text, want):
					t.Errorf("%s: %s, expected %s", check, text, want)
				case expected || strings.HasPrefix(text, "pass"):
				case name == "a good driver" && strings.HasPrefix(text, "skip there is no device"):
				case strings.HasPrefix(text, "fail"):
					t.Errorf("%s: %s", check, text)
				}
			}
		})
	}
}
