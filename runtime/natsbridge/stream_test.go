package natsbridge_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

var cutFor = flag.Duration("cut", 300*time.Millisecond, "how long TestStreamOverACutLink cuts the link")

var throughStream = natsbridge.Stream{Channels: []string{"ch"}}

// NATS is restarted under load, in order and then killed: the stream has everything once and in order.
func TestStreamSurvivesTheServer(t *testing.T) {
	t.Parallel()
	address, dir := freeAddress(t), t.TempDir()
	url := "nats://" + address
	s := run(t, jetStreamOptions(address, dir))
	b := startBridge(t, natsbridge.Config{URL: url, Stream: throughStream})
	stop := load(t, b, time.Millisecond)
	arrived := func(more uint64) {
		t.Helper()
		from := b.Stats().Data.Acked
		eventually(t, "messages arrive", func() bool { return b.Stats().Data.Acked > from+more })
	}
	arrived(500)
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "messages wait", func() bool { return b.Stats().Data.Waiting > 500 })
	child := startChild(t, "server", address, dir)
	child.until(t, func(line string) bool { return line == "ready" })
	arrived(500)
	child.kill()
	eventually(t, "the loss is noticed", func() bool { return !b.Stats().Connected })
	run(t, jetStreamOptions(address, dir))
	arrived(500)
	wants(t, url, b, stop())
	if got := b.Stats().Reconnects; got != 2 {
		t.Errorf("%d reconnects", got)
	}
}

// The link is slow and cut again and again, with messages and answers on it.
func TestStreamOverACutLink(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	link := startCable(t, strings.TrimPrefix(s.ClientURL(), "nats://"))
	b := startBridge(t, natsbridge.Config{URL: "nats://" + link.address, Stream: throughStream})
	stop := load(t, b, max(time.Millisecond, *cutFor/1000)) // what is read meanwhile has room in the buffer
	link.Delay(5 * time.Millisecond)
	for range 2 {
		from := b.Stats().Data.Acked
		eventually(t, "messages arrive", func() bool {
			st := b.Stats().Data
			return st.Acked > from+200 && st.Unacked > 0
		})
		link.Cut()
		<-time.After(*cutFor)
		link.Mend()
		eventually(t, "the link is up", func() bool { return b.Stats().Connected })
	}
	link.Delay(0)
	wants(t, s.ClientURL(), b, stop())
}

// The answers are lost, and the link is away for longer than the stream knows the ids of its messages: its end says what
// it has.
func TestStreamKnowsItsEndBeyondTheWindow(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	link := startCable(t, strings.TrimPrefix(s.ClientURL(), "nats://"))
	b := startBridge(t, natsbridge.Config{URL: "nats://" + link.address, Stream: throughStream})
	js, _ := visitor(t, s.ClientURL())
	stream, err := js.Stream(bounded(t), "drover-n1-data")
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Duplicates = 100 * time.Millisecond
	if _, err := js.UpdateStream(bounded(t), config); err != nil {
		t.Fatal(err)
	}
	p := newPoller(b, "ch", "d1")
	p.poll()
	eventually(t, "acknowledged", func() bool { return b.Stats().Data.Acked == 1 })
	link.Deafen(true) // messages arrive, answers do not
	for range 50 {
		p.poll()
	}
	eventually(t, "stored", func() bool {
		info, err := stream.Info(bounded(t))
		return err == nil && info.State.Msgs == p.seq
	})
	<-time.After(3 * config.Duplicates)
	link.Cut()
	link.Deafen(false)
	p.poll()
	link.Mend()
	eventually(t, "acknowledged", func() bool { return b.Stats().Data.Waiting == 0 })
	if got := count(t, contents(t, s.ClientURL(), "drover-n1-data"))[b.Epoch()+" drover.n1.ch.data.d1"]; got != p.seq {
		t.Errorf("stored %d of %d", got, p.seq)
	}
	if st := b.Stats().Data; st.Retried < 50 || st.Duplicates != 0 || st.Acked != p.seq {
		t.Errorf("%+v", st)
	}
}

// The node is killed: the stream has a part of what it published, without gap and repetition, and all that it was told.
// What is lost is what was not acknowledged.
func TestNodeIsKilled(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	address := strings.TrimPrefix(s.ClientURL(), "nats://")
	for range 2 { // the second one starts within the dedupe window, with the same numbers
		node := startChild(t, "node", address, "")
		var epoch string
		var polled, acked uint64
		var kept bool
		node.until(t, func(line string) bool {
			fmt.Sscan(strings.TrimPrefix(line, "at "), &epoch, &polled, &acked, &kept) //nolint:errcheck // looked at below
			return kept && acked > 1000
		})
		node.kill()
		counts := count(t, contents(t, s.ClientURL(), "drover-n1-data"))
		stored := counts[epoch+" drover.n1.ch.data.d1"]
		if stored < acked {
			t.Errorf("%d were acknowledged and %d stored", acked, stored)
		}
		t.Logf("polled at least %d, acknowledged at least %d, stored %d", polled, acked, stored)
	}
}

// A node that starts again counts from 1 again: nothing is taken for a repetition.
func TestNodeRestartsWithinTheWindow(t *testing.T) {
	s := startJetStream(t)
	want := tally{}
	for range 3 {
		b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: throughStream})
		p := newPoller(b, "ch", "d1")
		for range 50 {
			p.poll()
		}
		if err := b.Close(bounded(t)); err != nil {
			t.Error(err)
		}
		want[b.Epoch()+" drover.n1.ch.data.d1"] = 50
	}
	if got := count(t, contents(t, s.ClientURL(), "drover-n1-data")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
}

// A cycle too large for one message is a message a part, each with an id of its own.
func TestStreamTakesParts(t *testing.T) {
	s := startJetStream(t)
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Epoch: "e1", Stream: throughStream})
	batch := largeBatch(t)
	if !b.Data("ch", batch) {
		t.Error("not taken")
	}
	eventually(t, "acknowledged", func() bool { st := b.Stats().Data; return st.Acked > 1 && st.Waiting == 0 })
	var ids []string
	for _, m := range contents(t, s.ClientURL(), "drover-n1-data") {
		ids = append(ids, m.Headers().Get(jetstream.MsgIDHeader))
	}
	for i, id := range ids {
		if want := fmt.Sprintf("n1.ch.d.e1.7.%d", i+1); id != want {
			t.Errorf("id %s, want %s", id, want)
		}
	}
}

// full is a server whose store is full, and what makes room in it.
func TestStreamOfAFullDisk(t *testing.T) {
	t.Parallel()
	options := jetStreamOptions(freeAddress(t), t.TempDir())
	options.JetStreamMaxStore = 24 << 20
	s := run(t, options)
	stream := throughStream
	stream.MaxBytes = 4 << 20
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: stream})
	js, nc := visitor(t, s.ClientURL())
	events := listen(t, nc, "drover.n1.ch.event.delivery")
	core := listen(t, nc, "drover.n1.other.data.d1")
	hog, err := js.CreateStream(bounded(t), jetstream.StreamConfig{Name: "HOG", Subjects: []string{"hog"}})
	if err != nil {
		t.Fatal(err)
	}
	for filled := false; !filled; {
		_, err := js.Publish(bounded(t), "hog", make([]byte, 512<<10))
		filled = err != nil
	}
	p, other := newPoller(b, "ch", "d1"), newPoller(b, "other", "d1")
	eventually(t, "the failure is told", func() bool {
		p.poll()
		return strings.Contains(b.Stats().Data.Trouble, "insufficient")
	})
	p.poll()
	m := next(t, events)
	for !strings.Contains(string(m.Data), "stalled") {
		m = next(t, events)
	}
	if !strings.Contains(string(m.Data), "insufficient") {
		t.Errorf("the event says %s", m.Data)
	}
	for range 10 { // polling and core delivery go on
		p.poll()
		other.poll()
		next(t, core)
	}
	if st := b.Stats().Data; st.Status != "stalled" || st.Waiting == 0 {
		t.Errorf("%+v", st)
	}
	if err := hog.Purge(bounded(t)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything is acknowledged", func() bool { return b.Stats().Data.Waiting == 0 })
	counts := count(t, contents(t, s.ClientURL(), "drover-n1-data"))
	if got := counts[b.Epoch()+" drover.n1.ch.data.d1"]; got != p.seq {
		t.Errorf("stored %d of %d", got, p.seq)
	}
	if st := b.Stats().Data; st.Status != "flowing" || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

// JetStream ends on a server that goes on, as it does when the disk has no space: events are seen all the same.
func TestJetStreamEndsAlone(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	log, logger := newLog()
	b := startBridge(t, natsbridge.Config{
		URL: s.ClientURL(), Stream: throughStream, Logger: logger, HeartbeatTTL: time.Second,
	})
	_, nc := visitor(t, s.ClientURL())
	events := listen(t, nc, "drover.n1.ch.event.failure")
	b.Event("ch", "failure", 1)
	next(t, events)
	eventually(t, "kept", func() bool { return b.Stats().Events.Waiting == 0 })
	if err := s.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	b.Event("ch", "failure", 2)
	for seen := ""; !strings.Contains(seen, `"detail":3`); {
		if !strings.Contains(seen, `"detail":2`) {
			b.Event("ch", "failure", 3)
		}
		seen = string(next(t, events).Data)
	}
	newPoller(b, "ch", "d1").poll()
	eventually(t, "the trouble is shown", func() bool { return b.Stats().Data.Trouble != "" && !b.Stats().States.Kept })
	eventually(t, "and logged", func() bool { return log.count("the data of channels with delivery: stream waits") > 0 })
	if err := b.Close(bounded(t)); err == nil || !errorMentions(err, "1 messages were not published") {
		t.Errorf("close: %v", err)
	}
}

// With drop_oldest, what was published first goes first, after it was said, and is counted.
func TestStreamDropsTheOldest(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0") // without JetStream
	stream := throughStream
	stream.Buffer = 1 << 20
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: stream})
	events := subscribe(t, s.ClientURL(), "drover.n1.ch.event.delivery")
	p := newPoller(b, "ch", "d1")
	for b.Stats().Data.Dropped < 100 {
		p.poll()
	}
	st := b.Stats().Data
	if st.WaitingBytes > st.LimitBytes || st.Waiting+int(st.Dropped) != int(p.seq) {
		t.Errorf("polled %d, %+v", p.seq, st)
	}
	for _, status := range []string{"stalled", "filling", "full"} {
		m := next(t, events)
		validate(t, "delivery", m.Data)
		e, err := message.Decode[message.Event](m.Data)
		if err != nil || !strings.Contains(string(e.Detail), `"status":"`+status+`"`) {
			t.Fatalf("event %s, want %s", m.Data, status)
		}
		if dropped := strings.Contains(string(e.Detail), `"dropped":0`); status != "full" && !dropped {
			t.Errorf("told too late: %s", e.Detail)
		}
	}
	if err := b.Close(bounded(t)); err == nil || !errorMentions(err, fmt.Sprintf("%d messages were not published", st.Waiting)) {
		t.Errorf("close: %v", err)
	}
}

// With backpressure, there is no room until the stream has taken a part.
func TestStreamHoldsBack(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	stream := throughStream
	stream.Buffer, stream.Backpressure = 1<<20, true
	b := startBridge(t, natsbridge.Config{URL: "nats://" + address, Stream: stream})
	p := newPoller(b, "ch", "d1")
	c := make(chan struct{}, 1)
	for b.Room("ch", c) {
		p.poll()
	}
	if !b.Room("other", c) {
		t.Error("a channel of core delivery is held up")
	}
	if st := b.Stats().Data; st.Dropped != 0 || st.Status != "full" {
		t.Errorf("%+v", st)
	}
	s := run(t, jetStreamOptions(address, t.TempDir()))
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("no room")
	}
	if !b.Room("ch", c) {
		t.Error("told of room that is not there")
	}
	eventually(t, "everything is acknowledged", func() bool { return b.Stats().Data.Waiting == 0 })
	if got := count(t, contents(t, s.ClientURL(), "drover-n1-data"))[b.Epoch()+" drover.n1.ch.data.d1"]; got != p.seq {
		t.Errorf("stored %d of %d", got, p.seq)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Errorf("close: %v, %+v", err, b.Stats())
	}
}
