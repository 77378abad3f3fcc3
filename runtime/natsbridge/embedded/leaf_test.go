package embedded_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// hub is a cluster of ordinary servers that takes leaf nodes.
type hub []*server.Server

// startHub starts servers that know each other. Nobody needs credentials there.
func startHub(t *testing.T, n int) hub {
	t.Helper()
	routes := freePorts(t, n)
	addresses := make([]string, n)
	for i, port := range routes {
		addresses[i] = fmt.Sprintf("nats://127.0.0.1:%d", port)
	}
	var h hub
	for i := range n {
		o := &server.Options{
			ServerName: fmt.Sprintf("hub-%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			LeafNode: server.LeafNodeOpts{Host: "127.0.0.1", Port: server.RANDOM_PORT},
		}
		if n > 1 {
			o.Cluster = server.ClusterOpts{Name: "hub", Host: "127.0.0.1", Port: routes[i]}
			o.Routes = server.RoutesFromStr(strings.Join(addresses, ","))
		} else {
			o.JetStream, o.JetStreamDomain, o.StoreDir = true, "hub", t.TempDir()
		}
		s, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(patience) {
			t.Fatalf("hub-%d is not ready", i)
		}
		h = append(h, s)
	}
	for _, s := range h {
		eventually(t, "the hub is a cluster", func() bool { return s.NumRoutes() >= n-1 })
	}
	return h
}

// remotes is the part of a configuration that makes a server a leaf of the hub.
func (h hub) remotes(t *testing.T) string {
	t.Helper()
	var urls []string
	for _, s := range h {
		varz, err := s.Varz(nil)
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, fmt.Sprintf(`"nats://127.0.0.1:%d"`, varz.LeafNode.Port))
	}
	return fmt.Sprintf("leafnodes {reconnect: 1, remotes: [{urls: [%s]}]}\n", strings.Join(urls, ", "))
}

// startLeaf starts a node's server as a leaf of the hub.
func startLeaf(t *testing.T, h hub, more string, calls bool) *embedded.Server {
	t.Helper()
	s := start(t, embedded.Config{
		Name: "n1", File: conf(t, h.remotes(t)+more), Listen: "127.0.0.1:0", Data: t.TempDir(), LeafCalls: calls,
	})
	eventually(t, "the leaf is connected", func() bool { return s.Links()[0].State == "connected" })
	return s
}

// listen collects what comes to some subjects.
func listen(t *testing.T, nc *nats.Conn, subjects ...string) chan *nats.Msg {
	t.Helper()
	heard := make(chan *nats.Msg, 4096)
	for _, subject := range subjects {
		if _, err := nc.ChanSubscribe(subject, heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return heard
}

// crosses publishes until somebody hears it: interest takes its time over leaf nodes and routes.
func crosses(t *testing.T, from *nats.Conn, subject string, heard chan *nats.Msg) {
	t.Helper()
	eventually(t, subject+" comes across", func() bool {
		if err := from.Publish(subject, []byte("crosses")); err != nil {
			t.Fatal(err)
		}
		return from.Flush() == nil && len(heard) > 0
	})
}

// Telemetry reaches the whole hub, and no call comes from there until calls are wanted.
func TestLeafOfACluster(t *testing.T) {
	h := startHub(t, 3)
	calls := []string{"drover-call.n1.get.ping", "drover-call.n1.ctl.stop", "drover-call.n1.boiler.write.d.p"}
	for _, wanted := range []bool{false, true} {
		t.Run(fmt.Sprintf("commands %v", wanted), func(t *testing.T) {
			s := startLeaf(t, h, "", wanted)
			node, _ := connect(t, "", inProcess(t, s)...)
			asked := listen(t, node, "drover-call.n1.get.*", "drover-call.n1.ctl.*", "drover-call.n1.*.write.>", "control")
			for _, hub := range h {
				nc, _ := connect(t, hub.ClientURL())
				crosses(t, node, "drover.n1.boiler.data.d", listen(t, nc, "drover.>"))
				if wanted {
					for _, call := range calls {
						crosses(t, nc, call, asked)
						for len(asked) > 0 {
							<-asked
						}
					}
					continue
				}
				for _, call := range calls {
					if err := nc.Publish(call, nil); err != nil {
						t.Fatal(err)
					}
				}
				crosses(t, nc, "control", asked)
				for len(asked) > 0 {
					if m := <-asked; m.Subject != "control" {
						t.Errorf("from the hub came %s", m.Subject)
					}
				}
			}
		})
	}
}

// The state of a leaf remote is that of a channel: it says since when, which attempt, and what went wrong.
func TestLeafLink(t *testing.T) {
	h := startHub(t, 1)
	var log record
	s := start(t, embedded.Config{
		Name: "n1", File: conf(t, h.remotes(t)), Listen: "127.0.0.1:0", Data: t.TempDir(), Logger: log.logger(),
	})
	link := func() message.Link { return s.Links()[0] }
	eventually(t, "connected", func() bool { return link().State == "connected" && link().Number == 3 })
	before := link()
	if before.Attempt != 0 || before.Reconnects != 0 || before.Since.IsZero() || !strings.HasPrefix(before.URL, "127.0.0.1:") {
		t.Errorf("got %+v", before)
	}
	port := before.URL
	h[0].Shutdown()
	h[0].WaitForShutdown()
	eventually(t, "reconnecting", func() bool { return link().State == "reconnecting" && link().Attempt > 0 })
	if l := link(); l.Number != 4 || !strings.Contains(l.LastError, "refused") || l.Since.Before(before.Since.Time) {
		t.Errorf("got %+v", l)
	}
	if !strings.Contains(log.String(), "leaf node cannot connect") {
		t.Errorf("the log does not say it:\n%s", log.String())
	}
	again, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		LeafNode: server.LeafNodeOpts{Host: "127.0.0.1", Port: portOf(t, port)},
	})
	if err != nil {
		t.Fatal(err)
	}
	again.Start()
	t.Cleanup(func() { again.Shutdown(); again.WaitForShutdown() })
	eventually(t, "connected again", func() bool { return link().State == "connected" })
	if l := link(); l.Reconnects != 1 || l.Attempt != 0 {
		t.Errorf("got %+v", l)
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	var port int
	if _, err := fmt.Sscanf(address[strings.LastIndexByte(address, ':')+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// The JetStream of a leaf is reached from the hub by its domain: whoever makes a stream there could have it republish
// into a command, or hold a message that a consumer pushes into one.
func TestHubClientWithJetStream(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		t.Run(fmt.Sprintf("commands %v", wanted), func(t *testing.T) {
			h := startHub(t, 1)
			s := startLeaf(t, h, "jetstream {domain: plant}\n", wanted)
			node, _ := connect(t, "", inProcess(t, s)...)
			createStream(t, node, `{"name":"drover-n1-data","subjects":["drover.n1.*.data.>"],"storage":"memory"}`)
			asked := listen(t, node, "drover-call.n1.ctl.*", "control")
			nc, _ := connect(t, h[0].ClientURL())
			eventually(t, "the leaf's JetStream answers", func() bool {
				m, err := nc.Request("$JS.plant.API.STREAM.INFO.drover-n1-data", nil, time.Second)
				return err == nil && !strings.Contains(string(m.Data), `"error"`)
			})
			m, err := nc.Request("$JS.plant.API.STREAM.CREATE.TRAP", []byte(
				`{"name":"TRAP","subjects":["trap"],"storage":"memory","republish":{"src":"trap","dest":"drover-call.n1.ctl.stop"}}`), time.Second)
			made := err == nil && !strings.Contains(string(m.Data), `"error"`)
			if made != wanted {
				t.Errorf("a hub's client made a stream in the leaf: %v, %v", made, err)
			}
			// A consumer can be made, as sourcing needs it; what it pushes has its own subject, which no command has.
			m, err = nc.Request("$JS.plant.API.CONSUMER.CREATE.drover-n1-data", []byte(
				`{"stream_name":"drover-n1-data","config":{"deliver_subject":"drover-call.n1.ctl.stop","ack_policy":"none","deliver_policy":"new"}}`), patience)
			if err != nil || strings.Contains(string(m.Data), `"error"`) {
				t.Fatalf("a consumer: %v, %s", err, m.Data)
			}
			if err := node.Publish("drover.n1.boiler.data.d", []byte(`{"channel":"boiler"}`)); err != nil {
				t.Fatal(err)
			}
			if err := nc.Publish("trap", []byte("caught")); err != nil {
				t.Fatal(err)
			}
			crosses(t, nc, "control", asked)
			for len(asked) > 0 {
				if m := <-asked; m.Subject == "drover-call.n1.ctl.stop" && !wanted {
					t.Errorf("a command came: %s", m.Data)
				}
			}
		})
	}
}
