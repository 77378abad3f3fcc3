package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

func someText(s string) component.Option[driver.Value] { return component.Some(driver.ValueText(s)) }

func TestCalls(t *testing.T) {
	verbs := map[string]natsbridge.Verb{
		"get.ps": func(_ context.Context, body []byte) (any, error) { return map[string]string{"body": string(body)}, nil },
		"ctl.refuse": func(context.Context, []byte) (any, error) {
			return nil, fmt.Errorf("start \"x\": %w", message.ErrNotFound.With("no channel \"x\"\nhere"))
		},
		"ctl.fail":  func(context.Context, []byte) (any, error) { return nil, errors.New("broken") },
		"ctl.panic": func(context.Context, []byte) (any, error) { panic("oh") },
		"ctl.slow": func(ctx context.Context, _ []byte) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"get.odd": func(context.Context, []byte) (any, error) { return func() {}, nil },
	}
	s := startServer(t, "127.0.0.1:0")
	b := startBridge(t, natsbridge.Config{Server: s, Version: "1.2.3", Verbs: verbs})
	c := startClient(t, s)
	ctx := bounded(t)

	var ping message.Ping
	if err := c.Get(ctx, "n1", "ping", nil, &ping); err != nil || ping.Node != "n1" || ping.Epoch != b.Epoch() || ping.Version != "1.2.3" {
		t.Errorf("ping: %+v, %v", ping, err)
	}
	var ps map[string]string
	if err := c.Get(ctx, "n1", "ps", []int{1}, &ps); err != nil || ps["body"] != "[1]" {
		t.Errorf("ps: %v, %v", ps, err)
	}
	for _, tt := range []struct {
		verb string
		want *message.Error
	}{
		{"refuse", message.ErrNotFound}, {"fail", message.ErrInternal}, {"panic", message.ErrInternal},
		{"nonsense", message.ErrUnknownVerb}, {"ping", message.ErrUnknownVerb},
	} {
		err := c.Ctl(ctx, "n1", tt.verb, nil, nil)
		got, ok := errors.AsType[*message.Error](err)
		if !ok || !errors.Is(err, tt.want) || got.Status != tt.want.Status {
			t.Errorf("%s: %v, want %v", tt.verb, err, tt.want)
		}
		if tt.verb == "refuse" && got.Message != `no channel "x" here` {
			t.Errorf("message %q", got.Message)
		}
	}
	if err := c.Get(ctx, "n1", "odd", nil, nil); !errors.Is(err, message.ErrInternal) {
		t.Errorf("an answer that is no JSON: %v", err)
	}
	if err := c.Get(ctx, "n2", "ping", nil, nil); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("another node: %v", err)
	}
	if err := c.Get(ctx, "n.2", "ping", nil, nil); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("a name that is none: %v", err)
	}
	nodes, err := c.Nodes(ctx)
	if err != nil || len(nodes) != 1 || nodes[0].Epoch != ping.Epoch {
		t.Errorf("nodes: %+v, %v", nodes, err)
	}
}

// The wire form, as a caller without our client sees it.
func TestErrorsOnTheWire(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s})
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	m, err := nc.Request("drover-call.n1.get.nonsense", nil, patience)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"status":404,"code":"call.unknown-verb","message":"there is no verb \"get.nonsense\""}`
	if m.Header.Get("Nats-Service-Error") != `there is no verb "get.nonsense"` ||
		m.Header.Get("Nats-Service-Error-Code") != "404" || string(m.Data) != want {
		t.Errorf("got %v %s", m.Header, m.Data)
	}
	late := nats.NewMsg("drover-call.n1.get.ping")
	late.Header.Set("Drover-Timeout", "soon")
	if m, err = nc.RequestMsg(late, patience); err != nil || m.Header.Get("Nats-Service-Error-Code") != "400" {
		t.Errorf("a timeout that is none: %v, %v", m, err)
	}
}

// Calls that hang cost neither the others of their kind, up to the bound, nor any of the other kind.
func TestCallsDoNotBlockEachOther(t *testing.T) {
	entered := make(chan struct{}, 64)
	verbs := map[string]natsbridge.Verb{
		"ctl.hang": func(ctx context.Context, _ []byte) (any, error) {
			entered <- struct{}{}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		},
	}
	s := startServer(t, "127.0.0.1:0")
	b := startBridge(t, natsbridge.Config{Server: s, Verbs: verbs})
	c := startClient(t, s)
	hung := make(chan error, 16)
	for range 16 {
		go func() { hung <- c.Ctl(bounded(t), "n1", "hang", nil, nil) }()
	}
	for range 16 {
		<-entered
	}
	if err := c.Ctl(bounded(t), "n1", "hang", nil, nil); !errors.Is(err, message.ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	if err := c.Get(bounded(t), "n1", "ping", nil, nil); err != nil {
		t.Errorf("a look: %v", err)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Error(err)
	}
	for range 16 {
		if err := <-hung; !errors.Is(err, message.ErrExpired) {
			t.Errorf("closing answered %v", err)
		}
	}
}

func TestCallerSetsTheTime(t *testing.T) {
	left := make(chan time.Duration, 1)
	verbs := map[string]natsbridge.Verb{"get.left": func(ctx context.Context, _ []byte) (any, error) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		return nil, nil
	}}
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Verbs: verbs})
	c := startClient(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := c.Get(ctx, "n1", "left", nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got > 10*time.Minute || got < 9*time.Minute {
		t.Errorf("%s are left, want the bound of 10 min", got)
	}
}

func TestNameTaken(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	b := startBridge(t, natsbridge.Config{Server: s})
	if _, err := natsbridge.New(bounded(t), natsbridge.Config{Server: s, Node: "n1"}); !errors.Is(err, natsbridge.ErrNameTaken) {
		t.Fatalf("got %v", err)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Fatal(err)
	}
	startBridge(t, natsbridge.Config{Server: s})
}

// A wildcard subscription of anybody turns "no responders" into silence; what it answers is no node's answer.
func TestNameIsFreeUnderAWildcard(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	options, err := s.Credentials().Options()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(s.URL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Subscribe("drover-call.>", func(m *nats.Msg) {
		m.Respond([]byte(`{"stream":"ALL","seq":50}`)) //nolint:errcheck // the test sees it
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	startBridge(t, natsbridge.Config{Server: s})
}

func TestLateComersGetTheTruth(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	b := startBridge(t, natsbridge.Config{Server: s})
	p := newPoint(t, point.Definition{Name: "p", Device: "d", Scalar: driver.ScalarTypeUint64})
	silent := newPoint(t, point.Definition{Name: "silent", Device: "d", Scalar: driver.ScalarTypeUint64})
	b.Handle("ch", "d", 4, p, silent)
	b.State("ch", message.State{State: "connected", Number: 3, Generation: 4})
	b.Device("ch", point.DeviceState{Device: "d", Status: driver.StatusOnline})
	r := p.Convert(driver.Sample{Value: component.Some(driver.ValueUnsigned(1 << 63)), Time: at.UnixNano()}, at)
	p.Accept(r, at)
	p.Lost("io.closed", at.Add(time.Second))

	c := startClient(t, s)
	var state message.Snapshot
	if err := c.Get(bounded(t), "n1", "state", nil, &state); err != nil {
		t.Fatal(err)
	}
	got := state.Channels["ch"]
	if got.State == nil || got.State.State != "connected" || got.State.Epoch != b.Epoch() ||
		got.Devices["d"].Status != "online" || got.Handles["d"].Generation != 4 {
		t.Errorf("state: %+v", got)
	}
	var last message.Values
	if err := c.Get(bounded(t), "n1", "last", nil, &last); err != nil {
		t.Fatal(err)
	}
	v, ok := last.Channels["ch"]["d"]["p"]
	if !ok || string(v.V) != "9223372036854775808" || v.Q != "bad" || v.Code != "io.closed" ||
		!v.TS.Equal(at.Add(time.Second)) || !v.ValueTS.Equal(at) {
		t.Errorf("last: %+v", last)
	}
	if _, ok := last.Channels["ch"]["d"]["silent"]; ok {
		t.Error("a point without a reading has a last value")
	}
	b.Forget("ch")
	var empty message.Snapshot
	if err := c.Get(bounded(t), "n1", "state", nil, &empty); err != nil || len(empty.Channels) != 0 {
		t.Errorf("after Forget: %+v, %v", empty, err)
	}
}

func TestConfigNamesAllThatIsWrong(t *testing.T) {
	_, err := natsbridge.New(bounded(t), natsbridge.Config{
		Node: "a.b", Prefix: "x.", CallPrefix: "x", RingBytes: 1,
		Verbs: map[string]natsbridge.Verb{"get.last": nil},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"node", "prefix", "URL", "ring", "get.last"} {
		if !errorMentions(err, want) {
			t.Errorf("%q does not mention %q", err, want)
		}
	}
}
