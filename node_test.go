//go:build linux || darwin

package drover_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover"
	sim "github.com/droverhq/drover/internal/sim/modbus"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// anywhere is an embedded server on a free port.
const anywhere = `{embedded: {listen: "127.0.0.1:0"}}`

// plant is a device on TCP and two units on a line.
type plant struct {
	tcp    *sim.TCPServer
	rtu    *sim.RTUServer
	boiler *sim.Device
	line   *sim.PTY
}

func startPlant(t *testing.T) *plant {
	t.Helper()
	p := &plant{boiler: sim.NewDevice(nil)}
	p.boiler.Update(func(m *sim.Memory) {
		m.SetInput(0, 215)
		m.SetInput(1, sim.Uint64(1<<53+1)...)
		m.SetDiscretes(0, true)
	})
	var err error
	if p.tcp, err = sim.ListenTCP(sim.Config{Units: map[uint8]*sim.Device{1: p.boiler}}); err != nil {
		t.Fatal(err)
	}
	if p.line, err = sim.OpenPTY(); err != nil {
		t.Fatal(err)
	}
	units := map[uint8]*sim.Device{}
	for unit := range uint8(2) {
		units[unit+1] = sim.NewDevice(nil)
		units[unit+1].Update(func(m *sim.Memory) { m.SetHolding(100, sim.Float32(float32(unit)+0.1)...) })
	}
	p.rtu = sim.ServeRTU(sim.Config{Units: units}, p.line)
	t.Cleanup(func() { p.close(t) })
	return p
}

func (p *plant) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.tcp.Close(), p.rtu.Close()); err != nil {
		t.Error(err)
	}
}

// channels are those of a plant.
func (p *plant) channels() string {
	return fmt.Sprintf(`
  plc:
    driver: modbus.wasm
    connections: {main: {tcp: %q}}
    every: 50ms
    devices:
      boiler:
        settings: {unit: 1}
        points:
          temperature: {address: "input:0", type: int16, scale: 0.1, unit: °C}
          energy: {address: "input:1", type: uint64}
          flame: {address: "discrete:0", type: bool}
          nothing: {address: "coil:9", type: bool}
  meters:
    driver: modbus.wasm
    connections: {main: {serial: %q, baud: 115200}}
    every: 50ms
    devices:
      one: {settings: {unit: 1}, points: {power: {address: "holding:100", type: float32}}}
      two: {settings: {unit: 2}, points: {power: {address: "holding:100", type: float32}}}
`, p.tcp.Addr(), p.line.Path())
}

// line has values of devices on TCP and on a serial line go to a subscriber.
func (r *rig) line(t *testing.T) {
	p := startPlant(t)
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>") // from the first cycle on: what cannot be read is said once
	n := start(t, r.config(t, remote(url, user, password), p.channels()))
	seqs := map[string]uint64{}
	values := map[string]string{}
	epoch := ""
	collect := func(h heard) bool {
		device, ok := strings.CutPrefix(h.subject, "drover.n1.")
		if !ok {
			t.Errorf("heard on %s", h.subject)
		}
		if epoch == "" {
			epoch = h.Epoch
		}
		if h.Epoch != epoch {
			t.Errorf("%s: epoch %s after %s", h.subject, h.Epoch, epoch)
		}
		if !strings.Contains(h.subject, ".data.") {
			return false
		}
		if last := seqs[device]; last != 0 && h.Seq != last+1 {
			t.Errorf("%s: %d after %d", h.subject, h.Seq, last)
		}
		seqs[device] = h.Seq
		for name, point := range h.Points {
			values[device+"."+name] = string(point.V) + point.Q + " " + point.Code
		}
		return seqs["plc.data.boiler"] >= 5 && seqs["meters.data.one"] >= 5 && seqs["meters.data.two"] >= 5
	}
	e.next(t, "five cycles of each device", collect)
	want := map[string]string{
		"plc.data.boiler.temperature": "21.5 ",
		"plc.data.boiler.energy":      "9007199254740993 ", // all digits, more than a float has
		"plc.data.boiler.flame":       "true ",
		"plc.data.boiler.nothing":     "bad driver.exception-2",
		"meters.data.one.power":       "0.1 ",
		"meters.data.two.power":       "1.1 ",
	}
	for name, value := range want {
		if values[name] != value {
			t.Errorf("%s is %q, want %q", name, values[name], value)
		}
	}
	if len(values) != len(want) {
		t.Errorf("heard %v", values)
	}
	p.boiler.Update(func(m *sim.Memory) { m.SetInput(0, 0xff38) }) // -200
	e.next(t, "the new temperature", func(h heard) bool {
		collect(h)
		return values["plc.data.boiler.temperature"] == "-20 "
	})
	stop(t, n)
	for _, channel := range []string{"plc", "meters"} {
		e.next(t, "the end of "+channel, func(h heard) bool {
			collect(h)
			return h.subject == "drover.n1."+channel+".state" && h.State == "stopped"
		})
	}
	if n := p.tcp.Stats().Clients; n != 0 {
		t.Errorf("%d connections are open after the stop", n)
	}
	if nodes, err := client.LocalNodes(); err != nil || len(nodes) != 0 {
		t.Errorf("the node left %v, %v", nodes, err)
	}
}

// calls asks the node and tells it what to do.
func (r *rig) calls(t *testing.T) {
	url, user, password := startServer(t)
	start(t, r.config(t, remote(url, user, password), `
  steady: {driver: testdriver.wasm, every: 50ms, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}
  missing: {driver: missing.wasm, devices: {a: {points: {b: {address: 0, type: bool}}}, c: {}}}
`))
	e := listen(t, url, "drover.n1.steady.>")
	e.on(t, "drover.n1.steady.data.pump")

	var ps message.Processes
	ask(t, e.conn, "drover-call.n1.get.ps", "", &ps)
	if len(ps.Channels) != 2 || ps.Node != "n1" || ps.Epoch != e.heard[0].Epoch {
		t.Fatalf("got %+v", ps)
	}
	steady, missing := ps.Channels[0], ps.Channels[1]
	if steady.Channel != "steady" || steady.Driver != "testdriver" || steady.Version != "0.1.0" ||
		!strings.HasPrefix(steady.Digest, "sha256:") || steady.Devices != 1 || steady.Points != 1 || steady.State.State != "connected" {
		t.Errorf("got %+v", steady)
	}
	if missing.Driver != "" || missing.Devices != 2 || missing.Points != 1 || missing.State.State != "failed" ||
		missing.State.LastFailure == nil || missing.State.LastFailure.Code != "io.not-found" {
		t.Errorf("got %+v", missing)
	}
	var ping message.Ping
	if ask(t, e.conn, "drover-call.n1.get.ping", "", &ping); ping.Version != "1.2.3" {
		t.Errorf("got %+v", ping)
	}
	if m, err := e.conn.Request("drover-call.n1.ctl.stop", []byte(`{"channel":"steady"}`), patience/100); err == nil {
		t.Errorf("a stranger may stop a channel: %s", m.Data)
	}

	admin := connect(t, url, nats.UserInfo(user, password))
	var state message.State
	ask(t, admin, "drover-call.n1.ctl.stop", `{"channel":"steady"}`, &state)
	if state.State != "stopped" || state.Attempt != 1 {
		t.Errorf("after stop: %+v", state)
	}
	e.next(t, "stopped", func(h heard) bool { return h.State == "stopped" })
	last := e.last("drover.n1.steady.data.pump")
	ask(t, admin, "drover-call.n1.ctl.start", `{"channel":"steady"}`, &state)
	h := e.on(t, "drover.n1.steady.data.pump")
	if h.Seq != last.Seq+1 || string(h.Points["count"].V) != "1" {
		t.Errorf("%s after %s", h.payload, last.payload)
	}
	ask(t, admin, "drover-call.n1.ctl.restart", `{"channel":"steady"}`, &state)
	if e.next(t, "connected", func(h heard) bool { return h.State == "connected" && h.Attempt == 3 }); state.Attempt < 2 {
		t.Errorf("after restart: %+v", state)
	}
	for body, code := range map[string]string{`{"channel":"nobody"}`: "404", `{"channel":"missing"}`: "503", `channel`: "400"} {
		m, err := admin.Request("drover-call.n1.ctl.restart", []byte(body), patience)
		if err != nil || m.Header.Get("Nats-Service-Error-Code") != code {
			t.Errorf("%s: got %v, %v, want %s", body, m, err, code)
		}
	}
}

// last returns the last message that was heard of a subject.
func (e *ear) last(subject string) (last heard) {
	for _, h := range e.heard {
		if h.subject == subject {
			last = h
		}
	}
	return last
}

// refused are configurations with which no node starts: the error says why, and nothing is left running.
func (r *rig) refused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	steady := "  steady: {driver: testdriver.wasm, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}\n"
	refuse := func(c *config.Node, want string) error {
		t.Helper()
		n, err := drover.Start(t.Context(), c, drover.Options{})
		if err == nil {
			stop(t, n)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		return err
	}

	wrong := r.config(t, anywhere, steady+"  wrong:\n    driver: testdriver.wasm\n    settings:\n      colour: red\n")
	err = refuse(wrong, "drover.yaml:9:15: channels.wrong.settings.colour: ")
	if problems, ok := errors.AsType[config.Problems](err); !ok || len(problems) != 1 {
		t.Errorf("got %#v", err)
	}
	problems, err := drover.Check(t.Context(), wrong)
	if err != nil || len(problems) != 1 || problems[0].Line != 9 {
		t.Errorf("check: %v, %v", problems, err)
	}

	_ = refuse(r.config(t, fmt.Sprintf("{embedded: {listen: %q}}", taken.Addr()), steady), "address already in use")

	there := remote(startServer(t))
	start(t, r.config(t, there, steady))
	if err := refuse(r.config(t, there, steady), "taken"); !errors.Is(err, natsbridge.ErrNameTaken) {
		t.Errorf("got %v", err)
	}

	file := r.config(t, anywhere, steady)
	file.Data = filepath.Join(r.dir, "testdriver.wasm")
	_ = refuse(file, "data directory")
}

// run is a node for as long as its context lasts.
func (r *rig) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := r.config(t, anywhere, "  steady: {driver: testdriver.wasm, every: 50ms, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}\n")
	var e *ear
	err := drover.Run(ctx, c, drover.Options{}, func(n *drover.Node) {
		e = listen(t, n.URL(), "drover.>")
		e.on(t, "drover.n1.steady.data.pump")
		cancel()
	})
	if err != nil {
		t.Error(err)
	}
	e.next(t, "the end", func(h heard) bool { return h.State == "stopped" })
	c.Name = "in valid"
	if err := drover.Run(t.Context(), c, drover.Options{}, nil); err == nil {
		t.Error("a node without a valid name ran")
	}
	if _, err := os.Stat(filepath.Join(c.Data, "jetstream")); err != nil {
		t.Errorf("JetStream is not under the data directory: %v", err)
	}
}
