package natsbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// values are the keys of a node's bucket and their values.
func values(t *testing.T, url, bucket string) map[string]string {
	t.Helper()
	js, _ := visitor(t, url)
	kv, err := js.KeyValue(bounded(t), bucket)
	if err != nil {
		t.Fatal(err)
	}
	return valuesOf(t, kv)
}

func valuesOf(t *testing.T, kv jetstream.KeyValue) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	watch, err := kv.WatchAll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop() //nolint:errcheck // it has said everything
	all := map[string]string{}
	for entry := range watch.Updates() {
		if entry == nil { // that was all there was
			break
		}
		if entry.Operation() == jetstream.KeyValuePut {
			all[entry.Key()] = string(entry.Value())
		}
	}
	return all
}

func stateOf(t *testing.T, value string) message.State {
	t.Helper()
	s, err := message.Decode[message.State]([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func beatOf(t *testing.T, value string) message.Heartbeat {
	t.Helper()
	b, err := message.Decode[message.Heartbeat]([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// settled waits until all states are written.
func settled(t *testing.T, b *natsbridge.Bridge) {
	t.Helper()
	eventually(t, "the states are written", func() bool {
		st := b.Stats()
		return st.States.Kept && st.States.Waiting == 0 && st.Waiting == 0 && st.Events.Waiting == 0
	})
}

func sayEverything(t *testing.T, b *natsbridge.Bridge) {
	t.Helper()
	b.State("ch", message.State{State: "connected", Number: 3, Generation: 1})
	b.Device("ch", point.DeviceState{Device: "d1", Status: driver.StatusOnline, Since: at})
	b.Handle("ch", "d1", 1, newPoint(t, point.Definition{Name: "p", Device: "d1", Scalar: driver.ScalarTypeBoolean}))
}

// A late comer finds every state in the bucket, by the contract's keys, as it was published; what was removed is gone.
func TestStatesAreKept(t *testing.T) {
	s := startJetStream(t)
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	sub := subscribe(t, s.ClientURL(), "drover.n1.>")
	sayEverything(t, b)
	published := map[string]string{}
	for _, key := range []string{"state.ch", "device.ch.d1", "handle.ch.d1"} {
		published[key] = string(next(t, sub).Data)
	}
	settled(t, b)
	got := values(t, s.ClientURL(), "drover-n1")
	beat := beatOf(t, got["heartbeat"])
	validate(t, "heartbeat", []byte(got["heartbeat"]))
	if beat.Epoch != b.Epoch() || beat.Node != "n1" || beat.Started.IsZero() {
		t.Errorf("heartbeat %+v", beat)
	}
	delete(got, "heartbeat")
	if !maps.Equal(got, published) {
		t.Errorf("kept %v\npublished %v", got, published)
	}
	b.Revoke("ch")
	b.State("ch", message.State{State: "stopped", Number: 6})
	settled(t, b)
	got = values(t, s.ClientURL(), "drover-n1")
	var handle message.Handle
	if err := json.Unmarshal([]byte(got["handle.ch.d1"]), &handle); err != nil || !handle.Revoked {
		t.Errorf("handle %s, %v", got["handle.ch.d1"], err)
	}
	if st := stateOf(t, got["state.ch"]); st.State != "stopped" {
		t.Errorf("state %+v", st)
	}
	b.Forget("ch")
	settled(t, b)
	eventually(t, "forgotten", func() bool { return len(values(t, s.ClientURL(), "drover-n1")) == 1 })
	if err := b.Close(bounded(t)); err != nil {
		t.Error(err)
	}
	if got := values(t, s.ClientURL(), "drover-n1"); len(got) != 0 {
		t.Errorf("left after the end: %v", got)
	}
}

// The latest of many changes is what is kept.
func TestTheLatestStateIsKept(t *testing.T) {
	s := startJetStream(t)
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	for i := range 2000 {
		for c := range 5 {
			b.State(fmt.Sprint("ch", c), message.State{State: "connected", Attempt: uint64(i)})
		}
	}
	settled(t, b)
	got := values(t, s.ClientURL(), "drover-n1")
	for c := range 5 {
		if st := stateOf(t, got[message.KeyState(fmt.Sprint("ch", c))]); st.Attempt != 1999 {
			t.Errorf("channel %d: attempt %d", c, st.Attempt)
		}
	}
}

// A server that was restarted has lost what it had in memory: it is all there again.
func TestStatesComeBack(t *testing.T) {
	t.Parallel()
	options := jetStreamOptions(freeAddress(t), t.TempDir())
	s := run(t, options)
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	sayEverything(t, b)
	settled(t, b)
	before := values(t, s.ClientURL(), "drover-n1")
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "the loss is noticed", func() bool { return !b.Stats().Connected })
	s = run(t, options)
	eventually(t, "connected", func() bool { return b.Stats().Reconnects == 1 })
	settled(t, b)
	eventually(t, "everything is back", func() bool {
		js, _ := visitor(t, s.ClientURL())
		kv, err := js.KeyValue(bounded(t), "drover-n1")
		return err == nil && len(valuesOf(t, kv)) == len(before)
	})
	after := values(t, s.ClientURL(), "drover-n1")
	delete(before, "heartbeat")
	delete(after, "heartbeat")
	if !maps.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
}

// Somebody deletes the bucket and the stream: the node makes them again.
func TestKeptIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), HeartbeatTTL: time.Second, Stream: throughStream})
	sayEverything(t, b)
	settled(t, b)
	js, _ := visitor(t, s.ClientURL())
	for _, name := range []string{"KV_drover-n1", "drover-n1-data"} {
		if err := js.DeleteStream(bounded(t), name); err != nil {
			t.Fatal(err)
		}
	}
	newPoller(b, "ch", "d1").poll()
	eventually(t, "the bucket is back", func() bool {
		kv, err := js.KeyValue(bounded(t), "drover-n1")
		return err == nil && len(valuesOf(t, kv)) == 4
	})
	eventually(t, "the stream is back", func() bool { return b.Stats().Data.Waiting == 0 })
}

// After kill -9, the states are there and the heartbeat is not: they are stale. The node that follows removes them.
func TestStatesOfAKilledNodeAreStale(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	node := startChild(t, "node", strings.TrimPrefix(s.ClientURL(), "nats://"), "")
	var epoch string
	node.until(t, func(line string) bool {
		fmt.Sscan(strings.TrimPrefix(line, "at "), &epoch) //nolint:errcheck // looked at below
		return strings.HasSuffix(line, "true") && len(values(t, s.ClientURL(), "drover-n1")) == 2
	})
	js, _ := visitor(t, s.ClientURL())
	kv, err := js.KeyValue(bounded(t), "drover-n1")
	if err != nil {
		t.Fatal(err)
	}
	watch, err := kv.Watch(bounded(t), message.KeyHeartbeat, jetstream.UpdatesOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop() //nolint:errcheck // the test is over
	node.kill()
	for gone := false; !gone; {
		select {
		case e := <-watch.Updates():
			gone = e != nil && e.Operation() != jetstream.KeyValuePut
		case <-time.After(patience):
			t.Fatal("the heartbeat stays")
		}
	}
	left := valuesOf(t, kv)
	if st := stateOf(t, left["state.ch"]); len(left) != 1 || st.Epoch != epoch {
		t.Errorf("left %v", left)
	}
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	b.State("other", message.State{State: "connecting"})
	settled(t, b)
	now := valuesOf(t, kv)
	if keys := slices.Sorted(maps.Keys(now)); !slices.Equal(keys, []string{"heartbeat", "state.other"}) {
		t.Errorf("the next node has %v", keys)
	}
	if beat := beatOf(t, now["heartbeat"]); beat.Epoch != b.Epoch() {
		t.Errorf("heartbeat of %s", beat.Epoch)
	}
}

// A node that was killed does not keep its successor from starting, before its heartbeat has expired.
func TestTheSuccessorTakesTheNameAtOnce(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	link := startCable(t, strings.TrimPrefix(s.ClientURL(), "nats://"))
	first := startBridge(t, natsbridge.Config{URL: "nats://" + link.address})
	sayEverything(t, first)
	settled(t, first)
	link.Cut() // nobody answers any more, and the heartbeat is there
	eventually(t, "the loss is noticed", func() bool { return !first.Stats().Connected })
	second := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	if !second.Stats().States.Kept {
		t.Error("the name was not taken over")
	}
	beat := beatOf(t, values(t, s.ClientURL(), "drover-n1")["heartbeat"])
	if beat.Epoch != second.Epoch() {
		t.Errorf("heartbeat of %s", beat.Epoch)
	}
	// The first one was only cut off. It comes back, it was there first, and the second gives way.
	link.Mend()
	select {
	case <-second.Displaced():
	case <-first.Displaced():
		t.Fatal("the first one gave way")
	case <-time.After(2 * patience):
		t.Fatal("both go on")
	}
	if err := second.Err(); !errors.Is(err, natsbridge.ErrNameTaken) || !errorMentions(err, first.Epoch()) {
		t.Errorf("got %v", err)
	}
	if err := second.Close(bounded(t)); err != nil {
		t.Error(err)
	}
	settled(t, first)
	if beat := beatOf(t, values(t, s.ClientURL(), "drover-n1")["heartbeat"]); beat.Epoch != first.Epoch() {
		t.Errorf("heartbeat of %s", beat.Epoch)
	}
}

// Two nodes of a name start while the server is away: the one that finds the other gives way, having said nothing.
func TestNameTakenOnceItConnects(t *testing.T) {
	t.Parallel()
	for _, jetStream := range []bool{true, false} {
		options := jetStreamOptions(freeAddress(t), t.TempDir())
		options.JetStream = jetStream
		link := startCable(t, fmt.Sprintf("%s:%d", options.Host, options.Port))
		link.Cut()
		late := startBridge(t, natsbridge.Config{URL: "nats://" + link.address, Stream: throughStream})
		late.Event("ch", "late", nil)
		newPoller(late, "ch", "late").poll()
		s := run(t, options)
		first := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: throughStream})
		sub := subscribe(t, s.ClientURL(), "drover.>")
		link.Mend()
		select {
		case <-late.Displaced():
		case <-time.After(patience):
			t.Fatal("both go on")
		}
		if err := late.Err(); !errors.Is(err, natsbridge.ErrNameTaken) {
			t.Errorf("got %v", err)
		}
		late.Event("ch", "later", nil)
		if err := late.Close(bounded(t)); err != nil {
			t.Error(err)
		}
		first.Event("ch", "mine", nil)
		if m := next(t, sub); m.Subject != "drover.n1.ch.event.mine" {
			t.Errorf("the one that gave way has said %s", m.Subject)
		}
		if first.Err() != nil {
			t.Error(first.Err())
		}
	}
}

// Without JetStream, nothing fails, and one line says what is missing.
func TestWithoutJetStream(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0")
	log, logger := newLog()
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Logger: logger})
	sub := subscribe(t, s.ClientURL(), "drover.n1.>")
	sayEverything(t, b)
	b.Event("ch", "failure", nil)
	for range 4 {
		next(t, sub)
	}
	if st := b.Stats(); st.States.Kept || st.Events.Trouble != "" || st.Events.Waiting != 0 {
		t.Errorf("%+v", st)
	}
	if got := log.count("level=WARN"); got != 1 || log.count("the server has no JetStream") != 1 {
		t.Errorf("%d warnings", got)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Error(err)
	}
}

// A node that may not use JetStream is told by the server, not by a timeout, and goes on.
func TestJetStreamIsNotPermitted(t *testing.T) {
	s, err := embedded.Start(embedded.Config{Listen: "127.0.0.1:0", Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	log, logger := newLog()
	began := time.Now()
	b := startBridge(t, natsbridge.Config{URL: s.URL(), Logger: logger}) // anonymous may only look
	if took := time.Since(began); took > patience/2 {
		t.Errorf("it took %s to start", took)
	}
	eventually(t, "one line says so", func() bool {
		return log.count("states are not kept", "events are not kept", "may not do this") == 1
	})
	if log.count("$JS.API") != 1 {
		t.Error("it is told more than once")
	}
	if b.Stats().States.Kept {
		t.Error("kept")
	}
}

// Events are in their stream once each, also when the server went away in between, and live subscribers see them.
func TestEventsAreKeptOnce(t *testing.T) {
	t.Parallel()
	options := jetStreamOptions(freeAddress(t), t.TempDir())
	s := run(t, options)
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	sub := subscribe(t, s.ClientURL(), "drover.n1.ch.event.failure")
	b.Event("ch", "failure", 0)
	next(t, sub)
	for i := 1; i <= 100; i++ {
		b.Event("ch", "failure", i)
		if i == 50 {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	s = run(t, options)
	eventually(t, "everything is acknowledged", func() bool {
		st := b.Stats()
		return st.Connected && st.Events.Waiting == 0
	})
	kept := contents(t, s.ClientURL(), "drover-n1-events")
	for i, m := range kept {
		e, err := message.Decode[message.Event](m.Data())
		if err != nil || string(e.Detail) != fmt.Sprint(i) {
			t.Fatalf("event %d is %s", i, m.Data())
		}
	}
	if len(kept) != 101 {
		t.Errorf("%d events are kept", len(kept))
	}
}

// What somebody else owns is not touched: neither a stream of our names, nor one that has our subjects.
func TestStreamsOfOthers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		theirs  jetstream.StreamConfig
		trouble []string
	}{
		{"of our name", jetstream.StreamConfig{Name: "drover-n1-data", Subjects: []string{"x"}},
			[]string{"drover-n1-data", "somebody else's"}},
		{"of our subjects", jetstream.StreamConfig{Name: "ALL", Subjects: []string{"drover.>"}},
			[]string{"captured already by the stream ALL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startJetStream(t)
			js, nc := visitor(t, s.ClientURL())
			if _, err := js.CreateStream(bounded(t), tt.theirs); err != nil {
				t.Fatal(err)
			}
			log, logger := newLog()
			b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: throughStream, Logger: logger})
			events := listen(t, nc, "drover.n1.ch.event.delivery")
			newPoller(b, "ch", "d1").poll()
			if m := next(t, events); !strings.Contains(string(m.Data), "stalled") {
				t.Errorf("the event says %s", m.Data)
			}
			for _, words := range tt.trouble {
				if got := b.Stats().Data.Trouble; !strings.Contains(got, words) || log.count(words) == 0 {
					t.Errorf("trouble %q does not say %q, or the log does not", got, words)
				}
			}
			stream, err := js.Stream(bounded(t), tt.theirs.Name)
			if err != nil {
				t.Fatal(err)
			}
			if got := stream.CachedInfo().Config; !slices.Equal(got.Subjects, tt.theirs.Subjects) || len(got.Metadata) > 5 {
				t.Errorf("their stream is %+v now", got)
			}
			if err := js.DeleteStream(bounded(t), tt.theirs.Name); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is taken once there is room", func() bool { return b.Stats().Data.Waiting == 0 })
		})
	}
}

// The stream has exactly the channels that are delivered through it, also when those are others than before, and none.
func TestStreamHasItsChannelsOnly(t *testing.T) {
	s := startJetStream(t)
	js, _ := visitor(t, s.ClientURL())
	for _, tt := range []struct{ channels, subjects []string }{
		{[]string{"b", "a"}, []string{"drover.n1.a.data.>", "drover.n1.b.data.>"}},
		{[]string{"b"}, []string{"drover.n1.b.data.>"}},
		{nil, []string{"drover-n1-data"}},
		{[]string{"c"}, []string{"drover.n1.c.data.>"}},
	} {
		b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: natsbridge.Stream{Channels: tt.channels}})
		if err := b.Close(bounded(t)); err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(bounded(t), "drover-n1-data")
		if err != nil {
			t.Fatal(err)
		}
		if got := stream.CachedInfo().Config.Subjects; !slices.Equal(got, tt.subjects) {
			t.Errorf("subjects %v, want %v", got, tt.subjects)
		}
	}
}

// get.last has every point's last value, also where the last reading was bad, and when each was.
func TestLastHasWhatIsKnown(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	b := startBridge(t, natsbridge.Config{Server: s})
	c := startClient(t, s)
	good, lost, never := at, at.Add(time.Second), point.Definition{Name: "never", Device: "d", Scalar: driver.ScalarTypeBoolean}
	p := newPoint(t, point.Definition{Name: "p", Device: "d", Scalar: driver.ScalarTypeFloat64, Scale: 0.1})
	b.Handle("ch", "d", 1, p, newPoint(t, never))
	p.Accept(p.Convert(driver.Sample{Value: component.Some(driver.ValueFloat64(215))}, good), good)
	p.Lost("io.timeout", lost)
	var values message.Values
	if err := c.Get(bounded(t), "n1", "last", nil, &values); err != nil {
		t.Fatal(err)
	}
	got := values.Channels["ch"]["d"]
	want := message.Value{
		V: json.RawMessage("21.5"), ValueTS: message.Time{Time: good.UTC()},
		Q: "bad", Code: "io.timeout", TS: message.Time{Time: lost.UTC()},
	}
	if len(got) != 1 || fmt.Sprint(got["p"]) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
