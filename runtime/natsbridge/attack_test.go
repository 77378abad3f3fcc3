package natsbridge_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// fortress is a node with its own server, and what is attacked in it.
type fortress struct {
	t      *testing.T
	data   string
	server *embedded.Server
	writes atomic.Int64
	log    *lines
}

func newFortress(t *testing.T) *fortress {
	t.Helper()
	f := &fortress{t: t, data: t.TempDir()}
	log, logger := newLog()
	f.log = log
	f.server = startEmbedded(t, embedded.Config{Name: "n1", Listen: "127.0.0.1:0", Data: f.data, Logger: logger})
	drive := func(o *order) {
		f.writes.Add(1)
		obey(o)
	}
	b := startBridge(t, natsbridge.Config{
		Server: f.server, Commands: plant{"ok": newBoiler(t, drive)}, Logger: logger,
		Verbs: map[string]natsbridge.Verb{"ctl.stop": func(context.Context, []byte) (any, error) {
			f.writes.Add(1)
			return "stopped", nil
		}},
	})
	b.Event("ok", "built", nil)
	eventually(t, "the node keeps what it keeps", func() bool { s := b.Stats(); return s.States.Kept && s.Events.Acked > 0 })
	return f
}

func startEmbedded(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	return s
}

// as connects as a role, by the context in the data directory; an empty one is nobody.
func (f *fortress) as(role embedded.Role) *client.Client {
	f.t.Helper()
	o := client.Options{URL: f.server.URL()}
	if role != "" {
		o = client.Options{Context: filepath.Join(f.data, "credentials", string(role)+".json")}
	}
	c, err := client.Connect(bounded(f.t), o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	return c
}

// attacker is a plain NATS client of a role, and what the server has told it.
func (f *fortress) attacker(role embedded.Role) (caller, <-chan error) {
	f.t.Helper()
	told := make(chan error, 256)
	options := []nats.Option{nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { told <- err })}
	if role != "" {
		options = append(options, nkeyOf(f.t, filepath.Join(f.data, "credentials", string(role)+".nk")),
			nats.CustomInboxPrefix(role.InboxPrefix()))
	}
	return callerOf(f.t, f.server.URL(), options...), told
}

func nkeyOf(t *testing.T, file string) nats.Option {
	t.Helper()
	option, err := nats.NkeyOptionFromSeed(file)
	if err != nil {
		t.Fatal(err)
	}
	return option
}

var setpoint = client.Target{Node: "n1", Channel: "ok", Device: "water", Name: "setpoint"}

// operate has an operator write 20 times, and checks that each write is done once, and answered to the operator.
func (f *fortress) operate(when string) {
	f.t.Helper()
	operator := f.as(embedded.RoleOperator)
	before := f.writes.Load()
	for i := range 20 {
		if _, err := operator.Write(bounded(f.t), setpoint, i, client.CommandOptions{}); err != nil {
			f.t.Errorf("%s: %v", when, err)
		}
	}
	if n := f.writes.Load() - before; n != 20 {
		f.t.Errorf("%s: %d of 20 writes were done", when, n)
	}
}

// Nobody below an admin can make a stream that captures the calls, listen to answers, take calls away by a queue group,
// aim a consumer at a command, say that a device has another value, or answer for the node's service.
func TestAttacks(t *testing.T) {
	f := newFortress(t)
	bystander := subscribe(t, f.server.URL(), "drover.n1.fake.>")
	for _, role := range []embedded.Role{"", embedded.RoleObserver, embedded.RoleOperator} {
		nc, told := f.attacker(role)
		name := "as " + string(role)
		for subject, body := range map[string]string{
			"$JS.API.STREAM.CREATE.CALLS":                        `{"name":"CALLS","subjects":["drover-call.>"]}`,
			"$JS.API.STREAM.UPDATE.drover-n1-events":             `{"name":"drover-n1-events","subjects":["drover-call.>"]}`,
			"$JS.API.CONSUMER.CREATE.drover-n1-events":           `{"config":{"deliver_subject":"drover-call.n1.ctl.stop"}}`,
			"$JS.API.CONSUMER.DURABLE.CREATE.drover-n1-events.x": `{"config":{"deliver_subject":"drover-call.n1.ctl.stop"}}`,
			"drover-call.n1.ctl.stop":                            `{"channel":"ok"}`,
			"drover.n1.fake.data.water":                          `{"points":{"supply":{"v":1000}}}`,
			"drover.n1.fake.state":                               `{"state":"failed"}`,
			"$KV.drover-n1.heartbeat":                            `{}`,
			"_INBOX_n1.x":                                        "answer",
			"_INBOX_drover.admin.x":                              "answer",
			"$SYS.REQ.SERVER.PING":                               "",
		} {
			if err := nc.Publish(subject, []byte(body)); err != nil {
				t.Fatal(err)
			}
			refused(t, told, subject)
		}
		for _, subject := range []string{"_INBOX_n1.>", "_INBOX_drover.>", "_INBOX_drover.admin.>", "$SRV.PING", "$SRV.>", "$SYS.>", ">"} {
			if _, err := nc.SubscribeSync(subject); err != nil {
				t.Fatal(err)
			}
			refused(t, told, subject)
		}
		if _, err := nc.QueueSubscribe("drover-call.n1.*.write.>", "q", func(*nats.Msg) { t.Error("a call was stolen") }); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-told:
			if !strings.Contains(err.Error(), `queue "q"`) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(patience):
			t.Errorf("%s: calls can be stolen", name)
		}
		sniffed := nc.listen("_INBOX.>")
		f.operate(name)
		if n, _, _ := sniffed.Pending(); n != 0 {
			t.Errorf("%s: %d answers were sniffed", name, n)
		}
	}
	if m, err := bystander.NextMsg(time.Millisecond); err == nil {
		t.Errorf("a lie came through: %s", m.Data)
	}
	if f.log.count("client refused") == 0 || f.server.Violations() < 50 {
		t.Errorf("the log has %d refusals, of %d", f.log.count("client refused"), f.server.Violations())
	}
}

// Who is refused by the server hears it at once, as an error that says so, and not as silence.
func TestRefusalsAreTold(t *testing.T) {
	f := newFortress(t)
	for _, role := range []embedded.Role{"", embedded.RoleObserver} {
		c := f.as(role)
		_, err := c.Write(bounded(t), setpoint, 1, client.CommandOptions{})
		told, ok := errors.AsType[*message.Error](err)
		if !ok || told.Status != 403 || !errors.Is(err, client.ErrDenied) || !strings.Contains(err.Error(), "drover-call.n1.ok.write.water.setpoint") {
			t.Errorf("a write as %q: %v", role, err)
		}
		if err := c.Ctl(bounded(t), "n1", "stop", nil, nil); !errors.Is(err, client.ErrDenied) {
			t.Errorf("a change as %q: %v", role, err)
		}
		if err := c.Get(bounded(t), "n1", "ping", nil, nil); err != nil {
			t.Errorf("a look as %q: %v", role, err)
		}
	}
	if err := f.as(embedded.RoleOperator).Ctl(bounded(t), "n1", "stop", nil, nil); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a change as operator: %v", err)
	}
	if err := f.as(embedded.RoleAdmin).Ctl(bounded(t), "n1", "stop", nil, nil); err != nil {
		t.Errorf("a change as admin: %v", err)
	}
	if f.writes.Load() != 1 {
		t.Errorf("%d came through", f.writes.Load())
	}
}

// What a stream sends to a command is refused by the node, whoever made the stream: a consumer that pushes into it, and
// a stream that republishes into it.
func TestStreamsAimedAtCommands(t *testing.T) {
	f := newFortress(t)
	admin, _ := f.attacker(embedded.RoleAdmin)
	// A consumer pushes only where somebody subscribes to the very subject; the node's subscriptions are wildcards.
	admin.listen("drover-call.n1.ctl.stop")
	for i, request := range [][2]string{
		{"STREAM.CREATE.AMMO", `{"name":"AMMO","subjects":["ammo.stop"],"storage":"memory"}`},
		{"CONSUMER.CREATE.AMMO", `{"stream_name":"AMMO","config":{"deliver_subject":"drover-call.n1.ctl.stop","ack_policy":"none"}}`},
		{"STREAM.CREATE.TRAP", `{"name":"TRAP","subjects":["trap"],"storage":"memory","republish":{"src":"trap","dest":"drover-call.n1.ctl.stop"}}`},
	} {
		m, err := admin.Request("$JS.API."+request[0], []byte(request[1]), patience)
		if err != nil || strings.Contains(string(m.Data), `"error"`) {
			t.Fatalf("%d: %v, %s", i, err, m.Data)
		}
	}
	for _, subject := range []string{"ammo.stop", "trap"} {
		if _, err := admin.Request(subject, []byte(`{"channel":"ok"}`), patience); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both are refused", func() bool { return f.log.count("refused what a stream sent to a command") == 2 })
	if n := f.writes.Load(); n != 0 {
		t.Errorf("%d commands were done", n)
	}
	f.operate("after all that")
}
