package natsbridge_test

import (
	"strings"
	"testing"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// Failures that happen while the server is away are not pushed out by data, of which more comes than there is room for,
// and each arrives exactly once when the server is back.
func TestFailuresOutliveAnOutage(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0")
	url := s.ClientURL()
	sub := subscribe(t, url, "drover.n1.ch.event.>")
	b := startBridge(t, natsbridge.Config{URL: url, RingBytes: 1 << 20})
	b.Event("ch", "before", nil)
	next(t, sub)
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "the loss is noticed", func() bool { return !b.Stats().Connected })

	const failures = 50
	batch := point.Batch{Device: "d", Time: at}
	for range 200 {
		batch.Readings = append(batch.Readings, reading(t, "point"+strings.Repeat("x", len(batch.Readings)), 1, at))
	}
	for attempt := range failures {
		b.Event("ch", "failure", failure.Record{
			Phase: failure.PhaseConnect, Kind: failure.Retryable, Code: failure.IORefused, Summary: "away", Attempt: uint64(attempt + 1), Time: at,
		})
		for dropped := b.Stats().DroppedData; b.Stats().DroppedData < dropped+10; {
			batch.Seq++
			b.Data("ch", batch)
		}
	}
	startForeign(t, strings.TrimPrefix(url, "nats://"))
	eventually(t, "the connection is back", func() bool { return b.Stats().Connected })
	b.Event("ch", "end", nil)
	var attempts []uint64
	for m := next(t, sub); !strings.HasSuffix(m.Subject, ".end"); m = next(t, sub) {
		e, err := message.Decode[message.Event](m.Data)
		if err != nil {
			t.Fatal(err)
		}
		f, err := message.Decode[message.Failure](e.Detail)
		if err != nil {
			t.Fatal(err)
		}
		attempts = append(attempts, f.Attempt)
	}
	for i, attempt := range attempts {
		if attempt != uint64(i+1) {
			t.Fatalf("heard the failures of attempts %v", attempts)
		}
	}
	if st := b.Stats(); len(attempts) != failures || st.DroppedControl != 0 || st.DroppedData < 10*failures {
		t.Errorf("heard %d failures; %+v", len(attempts), st)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Error(err)
	}
}
