package natsbridge_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// startStreams starts a server that somebody else runs, with JetStream.
func startStreams(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not listen")
	}
	return s
}

// TestCaptured: a stream over the calls is found at the start, and made known in every way.
func TestCaptured(t *testing.T) {
	s := startStreams(t)
	c := callerOf(t, s.ClientURL())
	for name, subject := range map[string]string{"OTHER": "drover-call.n2.>", "WRITES": "*.n1.*.write.>"} {
		body, err := json.Marshal(map[string]any{"name": name, "subjects": []string{subject}, "storage": "memory", "no_ack": true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Request("$JS.API.STREAM.CREATE."+name, body, patience); err != nil {
			t.Fatal(err)
		}
	}
	events := c.listen("drover.n1._.event.captured")
	log := &journal{}
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), CommandPolicy: natsbridge.CommandsAll, Logger: slog.New(slog.NewTextHandler(log, nil))})
	found := detail[message.Captured](t, next(t, events))
	if !slices.Equal(found.Streams, []string{"WRITES"}) || found.Subject != "drover-call.n1.>" {
		t.Errorf("event %+v", found)
	}
	if got := b.Stats().CapturedBy; !slices.Equal(got, []string{"WRITES"}) {
		t.Errorf("stats %q", got)
	}
	if ping := decoded[message.Ping](t, c.call("get.ping", "", "").Data); !slices.Equal(ping.CapturedBy, []string{"WRITES"}) {
		t.Errorf("ping %+v", ping)
	}
	if !strings.Contains(log.String(), "streams capture the calls") || !strings.Contains(log.String(), "streams=WRITES") {
		t.Errorf("log:\n%s", log)
	}
}

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// TestRepliesOfThoseWhoAreGone: what is done while the server is away is answered to nobody, then or later.
func TestRepliesOfThoseWhoAreGone(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0")
	url := s.ClientURL()
	sent := make(chan *order, 1)
	b := startBridge(t, natsbridge.Config{URL: url, CommandPolicy: natsbridge.CommandsAll, Commands: plant{
		"boiler": newBoiler(t, func(o *order) { o.take(); sent <- o }),
	}})
	answers := subscribe(t, url, "answers")
	m := request("boiler.write.water.limit", "Drover-Timeout: 10m", "1")
	m.Reply = "answers"
	eventually(t, "the node has it", func() bool {
		if err := callerOf(t, url).PublishMsg(m); err != nil {
			t.Fatal(err)
		}
		select {
		case o := <-sent:
			sent <- o
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "the loss is noticed", func() bool { return !b.Stats().Connected })
	obey(<-sent)
	startForeign(t, strings.TrimPrefix(url, "nats://"))
	eventually(t, "connected again", func() bool { return b.Stats().Connected })
	b.Event("boiler", "after", nil)
	eventually(t, "what is said is published", func() bool { return b.Stats().Waiting == 0 && b.Stats().DroppedReplies > 0 })
	if n, _, err := answers.Pending(); err != nil || n != 0 {
		t.Errorf("%d answers came later, %v", n, err)
	}
}
