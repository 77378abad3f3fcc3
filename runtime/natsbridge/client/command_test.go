package client_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// impostor answers commands as a node would, or as no node would.
func impostor(t *testing.T, answer func(*nats.Msg)) *client.Client {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not listen")
	}
	closed := make(chan struct{})
	nc, err := nats.Connect(s.ClientURL(), nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	if _, err := nc.Subscribe("drover-call.n1.>", answer); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return connect(t, client.Options{URL: s.ClientURL()})
}

func reply(m *nats.Msg, header nats.Header, body string) {
	_ = m.RespondMsg(&nats.Msg{Header: header, Data: []byte(body)})
}

var target = client.Target{Node: "n1", Channel: "boiler", Device: "water", Name: "setpoint"}

func TestCommand(t *testing.T) {
	sent := make(chan *nats.Msg, 1)
	c := impostor(t, func(m *nats.Msg) {
		sent <- m
		reply(m, nil, `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1","v":42}`)
	})
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.FixedZone("CET", 3600))
	o := client.CommandOptions{Timeout: 1500 * time.Millisecond, NotAfter: at, Key: "k", Generation: 7, Caller: "alice"}
	answer, err := c.Write(bounded(t), target, 42, o)
	if err != nil || string(answer.V) != "42" || answer.Epoch != "e1" {
		t.Errorf("got %+v, %v", answer, err)
	}
	got := <-sent
	for name, want := range map[string]string{
		"Drover-Timeout": "1.5s", "Drover-Not-After": "2026-11-23T08:00:00Z", "Drover-Key": "k", "Drover-Generation": "7",
		"Drover-Caller": "alice",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if got.Subject != "drover-call.n1.boiler.write.water.setpoint" || string(got.Data) != "42" {
		t.Errorf("sent %s %s", got.Subject, got.Data)
	}
	for _, bad := range []client.Target{{Node: "n1", Channel: "a.b", Device: "d"}, {Node: "n1", Channel: "*", Device: "d"}, {}} {
		if _, err := c.Read(bounded(t), bad, o); !errors.Is(err, message.ErrNotFound) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestCommandFails(t *testing.T) {
	refusal := nats.Header{"Nats-Service-Error": {"no"}, "Nats-Service-Error-Code": {"503"}, "Drover-Error-Code": {"call.not-ready"}}
	for _, tt := range []struct {
		name   string
		answer func(*nats.Msg)
		want   error
		text   string
	}{
		{"refused", func(m *nats.Msg) {
			reply(m, refusal, `{"status":503,"code":"call.not-ready","message":"no","state":"stopped"}`)
		}, message.ErrNotReady, "no"},
		{"silence", func(*nats.Msg) {}, client.ErrNoAnswer, ""},
		{"a stream", func(m *nats.Msg) { reply(m, nil, `{"stream":"ALL","seq":50}`) }, client.ErrNoAnswer, "stream ALL captures"},
		{"nonsense", func(m *nats.Msg) { reply(m, nil, `[]`) }, message.ErrMalformed, ""},
		{"nothing", func(m *nats.Msg) { reply(m, nil, ``) }, message.ErrMalformed, ""},
		{"no node's", func(m *nats.Msg) { reply(m, nil, `{}`) }, message.ErrMalformed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := impostor(t, tt.answer)
			_, err := c.Write(bounded(t), target, 42, client.CommandOptions{Timeout: time.Millisecond})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v", err)
			}
			if e, ok := errors.AsType[*message.Error](err); ok && e.State != "stopped" && tt.name == "refused" {
				t.Errorf("got %+v", e)
			}
		})
	}
	c := impostor(t, func(*nats.Msg) {})
	if _, err := c.Read(bounded(t), client.Target{Node: "n2", Channel: "c", Device: "d"}, client.CommandOptions{}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("no node: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Write(ctx, target, 1, client.CommandOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestInvoke: a long action is followed to its end; it is asked by its key, and events make that sooner.
func TestInvoke(t *testing.T) {
	var asked atomic.Int32
	c := impostor(t, func(m *nats.Msg) {
		key := m.Header.Get("Drover-Key")
		const header = `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1",`
		if asked.Add(1) > 1 {
			reply(m, nil, header+`"status":200,"id":"`+key+`","result":{"ok":true}}`)
			return
		}
		reply(m, nil, header+`"status":202,"id":"`+key+`"}`)
		for _, detail := range []string{
			`{"id":"other","action":"flush","status":200,"duration":1}`,
			`{"id":"` + key + `","action":"flush","status":202,"text":"half","fraction":0.5,"duration":1}`,
			`{"id":"` + key + `","action":"flush","status":200,"duration":2}`,
		} {
			event := &nats.Msg{Subject: "drover.n1.boiler.event.action", Data: []byte(header + `"detail":` + detail + `}`), Sub: m.Sub}
			m.Reply = event.Subject
			_ = m.RespondMsg(event)
		}
	})
	var progress []string
	answer, err := c.Invoke(bounded(t), target, nil, client.CommandOptions{}, func(e message.ActionEvent) { progress = append(progress, e.Text) })
	if err != nil || answer.Status != 200 || string(answer.Result) != `{"ok":true}` || asked.Load() != 2 {
		t.Errorf("got %+v after %d, %v", answer, asked.Load(), err)
	}
	if len(progress) != 1 || progress[0] != "half" {
		t.Errorf("progress %q", progress)
	}
}

// TestInvokeGivenUp: the end of ctx ends the wait, not the action.
func TestInvokeGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(bounded(t))
	c := impostor(t, func(m *nats.Msg) {
		reply(m, nil, `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1","status":202,"id":"x"}`)
		cancel()
	})
	if _, err := c.Invoke(ctx, target, nil, client.CommandOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
