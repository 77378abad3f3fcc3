package natsbridge_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// dataSubjects are the subjects of the node's stream of data at present.
func dataSubjects(t *testing.T, js jetstream.JetStream) []string {
	t.Helper()
	s, err := js.Stream(bounded(t), "drover-n1-data")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(slices.Values(s.CachedInfo().Config.Subjects))
}

func subjectsBecome(t *testing.T, js jetstream.JetStream, want ...string) {
	t.Helper()
	eventually(t, "the stream has the subjects "+strings.Join(want, ", "), func() bool {
		return slices.Equal(dataSubjects(t, js), want)
	})
}

// Channels go into the stream and out of it under load: what each said while it was in is there once and in order.
func TestChannelsEnterAndLeaveTheStream(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	js, _ := visitor(t, s.ClientURL())
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL(), Stream: throughStream})
	stop := load(t, b, 1e6)
	late := newPoller(b, "late", "d1")
	b.Deliver("late", true)
	for range 200 {
		late.poll()
	}
	subjectsBecome(t, js, "drover.n1.ch.data.>", "drover.n1.late.data.>")
	for range 200 {
		late.poll()
	}
	eventually(t, "the late one is stored", func() bool {
		return count(t, contents(t, s.ClientURL(), "drover-n1-data"))[b.Epoch()+" drover.n1.late.data.d1"] == late.seq
	})
	polled := stop()
	b.Deliver("ch", false)
	subjectsBecome(t, js, "drover.n1.late.data.>")
	if got := count(t, contents(t, s.ClientURL(), "drover-n1-data"))[b.Epoch()+" drover.n1.ch.data.d1"]; got != polled {
		t.Errorf("stored %d of %d", got, polled)
	}
	if st := b.Stats().Data; st.Dropped != 0 || st.Refused != 0 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
	core := subscribe(t, s.ClientURL(), "drover.n1.ch.data.d1")
	newPoller(b, "ch", "d1").poll()
	if got := next(t, core); got.Header.Get(jetstream.MsgIDHeader) != "" {
		t.Errorf("a channel of core delivery still goes into the stream: %v", got.Header)
	}
}

// The first channel of a node that is delivered through the stream comes while it runs, and goes again.
func TestFirstAndLastChannelOfTheStream(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	js, _ := visitor(t, s.ClientURL())
	b := startBridge(t, natsbridge.Config{URL: s.ClientURL()})
	for range 2 {
		b.Deliver("ch", true)
		p := newPoller(b, "ch", "d1")
		acked := b.Stats().Data.Acked
		for range 10 {
			p.poll()
		}
		eventually(t, "acknowledged", func() bool { return b.Stats().Data.Acked == acked+10 })
		b.Deliver("ch", false)
		subjectsBecome(t, js, "drover-n1-data")
	}
}

// A channel is removed while the server is away: what it has said by then is stored, and its subjects go after that.
func TestRemovedChannelLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := startJetStream(t)
	js, _ := visitor(t, s.ClientURL())
	link := startCable(t, strings.TrimPrefix(s.ClientURL(), "nats://"))
	b := startBridge(t, natsbridge.Config{URL: "nats://" + link.address, Stream: natsbridge.Stream{Channels: []string{"ch", "stays"}}})
	b.State("ch", message.State{State: "connected", Number: 3})
	b.Device("ch", point.DeviceState{Device: "d1", Status: driver.StatusOnline})
	b.Device("ch", point.DeviceState{Device: "d2", Status: driver.StatusOnline})
	b.Handle("ch", "d1", 1)
	eventually(t, "states are kept", func() bool { return b.Stats().States.Written == 4 && b.Stats().States.Waiting == 0 })
	p, stays := newPoller(b, "ch", "d1"), newPoller(b, "stays", "d1")
	link.Cut()
	eventually(t, "the loss is noticed", func() bool { return !b.Stats().Connected })
	for range 50 {
		p.poll()
		stays.poll()
	}
	b.ForgetDevice("ch", "d2")
	b.Forget("ch")
	stays.poll()
	link.Mend()
	eventually(t, "everything is acknowledged", func() bool { return b.Stats().Data.Waiting == 0 && b.Stats().Data.Acked == 101 })
	counts := count(t, contents(t, s.ClientURL(), "drover-n1-data"))
	if counts[b.Epoch()+" drover.n1.ch.data.d1"] != 50 || counts[b.Epoch()+" drover.n1.stays.data.d1"] != 51 {
		t.Errorf("stored %v", counts)
	}
	subjectsBecome(t, js, "drover.n1.stays.data.>")
	bucket, err := js.KeyValue(bounded(t), "drover-n1")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bucket forgets the channel", func() bool {
		keys, err := bucket.Keys(bounded(t))
		return err == nil && slices.Equal(keys, []string{message.KeyHeartbeat})
	})
	_, nc := visitor(t, s.ClientURL())
	answer, err := nc.RequestWithContext(bounded(t), "drover-call.n1.get.state", nil)
	if err != nil {
		t.Fatal(err)
	}
	var state message.Snapshot
	if err := json.Unmarshal(answer.Data, &state); err != nil || len(state.Channels) != 0 {
		t.Errorf("get.state answers %s", answer.Data)
	}
}
