//go:build linux || darwin

package drover_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	sim "github.com/droverhq/drover/internal/sim/modbus"
	"github.com/droverhq/drover/internal/testcert"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// grants are devices behind everything that a channel can be granted, and drivers that want more.
func (r *rig) grants(t *testing.T) {
	t.Run("reach", r.reach)
	t.Run("denied", r.denied)
	t.Run("distrust", r.distrust)
}

// echoUDP is a device that sends back what it gets.
func echoUDP(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(append([]byte("re "), buf[:n]...), from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return conn.LocalAddr().String()
}

// secureDevice is a Modbus device that speaks TLS alone, with those whom its authority knows.
func secureDevice(t *testing.T, a *testcert.Authority) *sim.TCPServer {
	t.Helper()
	for _, name := range []string{"plc", "node"} {
		if err := a.IssueAs(name, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{name + ".example"}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.LoadX509KeyPair(a.File("plc.pem"), a.File("plc-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(a.File("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	device := sim.NewDevice(nil)
	device.Update(func(m *sim.Memory) { m.SetHolding(0, 42) })
	s, err := sim.ListenTCP(sim.Config{Units: map[uint8]*sim.Device{1: device}, TLS: &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newAuthority(t *testing.T) *testcert.Authority {
	t.Helper()
	a, err := testcert.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// reach has values come by UDP, by TLS, from a device that connects by itself, and from an address that a pattern covers.
func (r *rig) reach(t *testing.T) {
	a := newAuthority(t)
	device, plain, push := secureDevice(t, a), startPlant(t), freeAddress(t)
	_, port, err := net.SplitHostPort(plain.tcp.Addr())
	if err != nil {
		t.Fatal(err)
	}
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>")
	const points = `{pump: {points: {text: {address: 0, type: bytes, every: 1h}, count: {address: 0, type: uint64, every: 50ms}}}}`
	start(t, r.config(t, remote(url, user, password), fmt.Sprintf(`
  udp:
    driver: testdriver.wasm
    connections: {main: {udp: %q, local: "127.0.0.1:0"}}
    settings: {connection: main, request: hello, forward: true}
    devices: %s
  push:
    driver: testdriver.wasm
    connections: {main: {listen: %q, from: [127.0.0.0/8]}}
    settings: {connection: main, forward: true}
    devices: %s
  secure:
    driver: modbus.wasm
    connections: {main: {tcp: %q, tls: {ca: %q, cert: %q, key: %q, server_name: plc.example}}}
    devices: {plc: {settings: {unit: 1}, points: {level: {address: "holding:0", type: uint16}}}}
    every: 50ms
  scanner:
    driver: testdriver.wasm
    grants: {tcp: ["127.0.0.0/8:%s"], udp: ["127.0.0.1:1-65535", "meter.lan:5000-5010"]}
    settings: {connect: "dial:%s"}
    devices: %s
`, echoUDP(t), points, push, points, device.Addr(), a.File("ca.pem"), a.File("node.pem"), a.File("node-key.pem"), port,
		plain.tcp.Addr(), points)))
	bytesIn := func(h heard) string {
		var encoded string
		if json.Unmarshal(h.Points["text"].V, &encoded) != nil {
			return ""
		}
		text, _ := base64.StdEncoding.DecodeString(encoded)
		return string(text)
	}
	e.expect(t, "an answer by UDP", func(h heard) bool {
		return h.subject == "drover.n1.udp.data.pump" && bytesIn(h) == "re hello"
	})
	e.expect(t, "a value by TLS", func(h heard) bool {
		return h.subject == "drover.n1.secure.data.plc" && string(h.Points["level"].V) == "42"
	})
	e.expect(t, "a count of who reached an address", func(h heard) bool {
		return h.subject == "drover.n1.scanner.data.pump" && len(h.Points["count"].V) > 0
	})
	e.expect(t, "a listener", func(h heard) bool { return h.subject == "drover.n1.push.data.pump" })
	conn, err := net.Dial("tcp", push)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("42 pulses")); err != nil {
		t.Fatal(err)
	}
	e.expect(t, "what a device pushed", func(h heard) bool {
		return h.subject == "drover.n1.push.data.pump" && bytesIn(h) == "42 pulses"
	})
	for channel, want := range map[string]string{
		"udp":    `[{"name":"main","kind":"udp","to":"127.0.0.1:`,
		"push":   fmt.Sprintf(`[{"name":"main","kind":"listener","to":%q,"from":["127.0.0.0/8"]}]`, push),
		"secure": fmt.Sprintf(`"tls":{"server_name":"plc.example","ca":%q,"cert":%q}}]`, a.File("ca.pem"), a.File("node.pem")),
		"scanner": fmt.Sprintf(`[{"kind":"tcp","to":"127.0.0.0/8:%s"},{"kind":"udp","to":"127.0.0.1:1-65535"},`+
			`{"kind":"udp","to":"meter.lan:5000-5010"}]`, port),
	} {
		var show message.Show
		ask(t, e.conn, "drover-call.n1.get.show", fmt.Sprintf(`{"channel":%q}`, channel), &show)
		grants, err := json.Marshal(show.Grants)
		if err != nil || !strings.Contains(string(grants), want) || strings.Contains(string(grants), "key.pem") {
			t.Errorf("%s may reach %s, %v; want %s", channel, grants, err, want)
		}
	}
}

// denied are drivers that want what they were not granted: each time is one event, and a failure that ends the channel.
func (r *rig) denied(t *testing.T) {
	home := freeAddress(t)
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>")
	wants := map[string]struct{ behaviour, grants, name, reason string }{
		"address":  {"dial:" + home, `{}`, home, "no pattern of grants.tcp covers"},
		"anywhere": {"dial:" + home, `{tcp: ["0.0.0.0/0:1-65535"]}`, home, "no pattern of grants.tcp covers"},
		"name":     {"dial:secret.example:53", `{tcp: ["0.0.0.0/0:53"]}`, "secret.example:53", "no pattern of grants.tcp covers"},
		"datagram": {"datagram:" + home, `{tcp: ["127.0.0.1:1-65535"]}`, home, "no pattern of grants.udp covers"},
		"listener": {"listen:door", `{}`, "door", "no listener connection of that name"},
	}
	var channels strings.Builder
	for name, w := range wants {
		fmt.Fprintf(&channels, "  %s: {driver: testdriver.wasm, grants: %s, settings: {run: %q}}\n", name, w.grants, w.behaviour)
	}
	start(t, r.config(t, remote(url, user, password), channels.String()))
	events := map[string][]string{}
	failed := map[string]bool{}
	e.next(t, "every channel's end", func(h heard) bool {
		channel := strings.Split(h.subject, ".")[2]
		switch {
		case strings.HasSuffix(h.subject, ".event.denied"):
			events[channel] = append(events[channel], h.payload)
		case strings.HasSuffix(h.subject, ".state") && h.State == "failed":
			failed[channel] = true
		}
		return len(failed) == len(wants)
	})
	for channel, w := range wants {
		if len(events[channel]) != 1 {
			t.Errorf("%s: heard %q", channel, events[channel])
			continue
		}
		var event struct {
			Detail struct{ Name, Reason, Phase string }
		}
		if err := json.Unmarshal([]byte(events[channel][0]), &event); err != nil {
			t.Fatal(err)
		}
		if d := event.Detail; d.Name != w.name || !strings.Contains(d.Reason, w.reason) || d.Phase != "run" {
			t.Errorf("%s: heard %+v", channel, d)
		}
	}
}

// distrust is a device whose certificate nobody trusts, and one that wants another client: the failure says which it is.
func (r *rig) distrust(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	device := secureDevice(t, a)
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>")
	channels := ""
	for name, how := range map[string]string{
		"stranger": fmt.Sprintf("{ca: %q, server_name: plc.example}", other.File("ca.pem")),
		"misnamed": fmt.Sprintf("{ca: %q}", a.File("ca.pem")),
		"nobody":   fmt.Sprintf("{ca: %q, server_name: plc.example}", a.File("ca.pem")),
	} {
		channels += fmt.Sprintf(`
  %s:
    driver: modbus.wasm
    connections: {main: {tcp: %q, tls: %s}}
    devices: {plc: {settings: {unit: 1}, points: {level: {address: "holding:0", type: uint16}}}}
`, name, device.Addr(), how)
	}
	start(t, r.config(t, remote(url, user, password), channels))
	for channel, want := range map[string]string{
		"stranger": "an authority that is not trusted", "misnamed": "its certificate is for plc.example and not for 127.0.0.1",
		"nobody": "it wants a client certificate",
	} {
		e.expect(t, "the failure of "+channel, func(h heard) bool {
			d := h.Detail
			return h.subject == "drover.n1."+channel+".event.failure" && d.Code == "io.tls" && d.Kind == "retryable" &&
				strings.Contains(d.Summary, want)
		})
	}
}
