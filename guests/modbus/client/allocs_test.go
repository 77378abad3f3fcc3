package client

import (
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// quietHost answers at once and keeps nothing, so that what is allocated is the driver's.
type quietHost struct {
	*sdktest.Host
	peer      *peer
	now       time.Time
	replies   map[string][]byte
	reply     []byte
	published int
}

func (h *quietHost) Now() time.Time {
	h.now = h.now.Add(time.Millisecond)
	return h.now
}

// StreamWrite looks the reply up by the request without its transaction id.
func (h *quietHost) StreamWrite(
	_ sdk.StreamHandle, data []byte, _ uint64,
) component.Result[component.Unit, driver.IOError] {
	key := data
	if h.peer.tcp {
		key = data[2:]
	}
	reply, ok := h.replies[string(key)]
	if !ok {
		reply = h.peer.serve(data)[0].Data
		h.replies[string(key)] = reply
	}
	if h.peer.tcp {
		copy(reply, data[:2])
	}
	h.reply = reply
	return component.Done[driver.IOError]()
}

func (h *quietHost) StreamRead(
	_ sdk.StreamHandle, limit uint32, _ uint64, buf []byte,
) component.Result[[]byte, driver.IOError] {
	n := min(int(limit), len(h.reply))
	if n == 0 {
		return component.Err[[]byte](driver.IOErrorTimeout)
	}
	buf = append(buf, h.reply[:n]...)
	h.reply = h.reply[n:]
	return component.OK[driver.IOError](buf)
}

func (h *quietHost) StreamReadFrame(
	s sdk.StreamHandle, _ uint32, _, _ uint64, expect uint32, buf []byte,
) component.Result[[]byte, driver.IOError] {
	return h.StreamRead(s, expect, 0, buf)
}

func (h *quietHost) Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	for i := range samples {
		if samples[i].Quality == driver.QualityGood {
			h.published++
		}
	}
	return component.OK[driver.PublishError](uint32(len(samples)))
}

func (h *quietHost) Gauges(driver.DeviceID, []component.Tuple2[string, float64]) {}

// newQuiet returns a session on a quiet host, and the function that polls once.
func newQuiet(tb testing.TB, kind driver.ConnectionKind) (*quietHost, func() error) {
	tb.Helper()
	conf := newConfig(kind, ``)
	p := newPeer(kind == onTCP, 1, 2)
	for unit := range p.units {
		conf.device(int(unit), "").points("holding:0 uint16", "holding:1 uint32", "holding:3 float32", "holding:5/8 text",
			"holding:9.3 boolean", "holding:10 uint16*20", "input:0 int64", "coil:0 boolean", "coil:3 boolean*40")
		p.units[unit].registers = map[uint16]uint16{5: 0x4142, 6: 0x4300}
	}
	host := &quietHost{Host: sdktest.New(tb), peer: p, now: time.Unix(1_800_000_000, 0), replies: map[string][]byte{}}
	host.Connect("main", kind, nil).Mode = driver.Mode{Baud: 115200}
	host.Context(conf.Config)
	ctx := sdk.NewContext(host, &conf.Config, host.Session)
	connector, err := Driver{}.Configure(&conf.Config)
	if err != nil {
		tb.Fatal(err)
	}
	connected, err := connector.Connect(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	s := connected.(*session)
	groups := sdk.NewScheduler(conf.Points, host.Now()).Groups()
	s.plan(groups)
	batch := sdk.NewBatch(ctx)
	return host, func() error {
		if err := s.poll(ctx, groups[0], batch); err != nil {
			return err
		}
		return batch.Publish()
	}
}

func TestPollAllocatesNothing(t *testing.T) {
	for _, kind := range []driver.ConnectionKind{onTCP, onSerial} {
		t.Run(kind.String(), func(t *testing.T) {
			host, poll := newQuiet(t, kind)
			if err := poll(); err != nil {
				t.Fatal(err)
			}
			before := host.published
			var failed error
			if n := testing.AllocsPerRun(100, func() { failed = poll() }); n != 0 || failed != nil {
				t.Errorf("%v allocations a cycle, %v", n, failed)
			}
			if got := host.published - before; got != 101*18 {
				t.Errorf("%d good samples, want %d", got, 101*18)
			}
		})
	}
}

func BenchmarkPoll(b *testing.B) {
	_, poll := newQuiet(b, onTCP)
	b.ReportAllocs()
	for b.Loop() {
		if err := poll(); err != nil {
			b.Fatal(err)
		}
	}
}
