package metrics

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/supervise"
)

var update = flag.Bool("update", false, "write the golden file")

const goldenFile = "testdata/exposition.txt"

// fixed is a node of which every figure differs from the others.
func fixed() Node {
	stream := natsbridge.StreamStats{
		Trouble: "no stream", Waiting: 101, Unacked: 102, WaitingBytes: 103, LimitBytes: 104, Acked: 105, Duplicates: 106,
		Retried: 107, Failed: 108, Dropped: 109, Refused: 110, Latency: 111 * time.Second,
	}
	events := natsbridge.StreamStats{LimitBytes: 204}
	return Node{
		Version: "1.2.3", ABI: "0.1.0",
		Channels: []Channel{{
			Name: "boiler", Driver: "modbus", Version: "0.2.0", Digest: "sha256:ab",
			State:   supervise.Snapshot{State: supervise.Connected, Attempt: 2, Generation: 1},
			Devices: map[string]int{"online": 3, "degraded": 4, "offline": 5},
			Counters: channel.Counters{
				Polls: 6, Overruns: 7, Good: 8, Uncertain: 9, Bad: 10, LogDropped: 11, Quarantines: 12, Waiting: 13, Taken: 14,
				Failures: map[channel.FailureKind]uint64{
					{Phase: failure.PhaseConnect, Code: "io.refused"}: 15, {Phase: failure.PhaseRun, Code: "driver.broken"}: 16,
				},
			},
			Usage:    channel.Usage{CPU: 1700 * time.Millisecond, Memory: 18 << 20, Highest: 19 << 20},
			Received: 20, Sent: 21, Denied: 4, Overflowed: 5,
		}, {
			Name: "broken", State: supervise.Snapshot{State: supervise.Failed},
		}},
		NATS: &natsbridge.Stats{
			Published: 30, DroppedData: 31, DroppedControl: 32, DroppedReplies: 33, Refused: 34, Waiting: 35, WaitingBytes: 36,
			RingBytes: 37, Connected: true, Reconnects: 38, Violations: 39,
			Latency: natsbridge.Histogram{
				Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{40, 41, 42}, Sum: 43 * time.Second,
			},
			Endpoints: map[string]natsbridge.EndpointStats{"write": {
				Answered: 50, Failed: 6, Codes: map[string]uint64{message.ErrRange.Code: 2, "device.*": 4},
			}},
			Data: stream, Events: events,
			States: natsbridge.StateStats{Kept: true, Waiting: 60, Written: 61, Failed: 62},
		},
	}
}

// exposition is what a scrape gets.
func exposition(t *testing.T, read func() Node) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newCollector(read)); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler(registry).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != 200 {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// Dashboards and alarms rely on names, types, labels and units: a difference here is one that users notice.
func TestExposition(t *testing.T) {
	got := exposition(t, fixed)
	if *update {
		if err := os.WriteFile(goldenFile, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error("-want +got (-update writes it):\n" + diff)
	}
	for _, m := range all() {
		if !strings.Contains(got, "\n# TYPE "+m.name+" ") && !strings.HasPrefix(got, "# HELP "+m.name+" ") {
			t.Errorf("%s is never said", m.name)
		}
	}
}

// A node that starts has no figures yet, and says what it is.
func TestWhileStarting(t *testing.T) {
	const want = `drover_build_info{abi="0.1.0",version="1.2.3"} 1`
	if got := exposition(t, func() Node { return Node{Version: "1.2.3", ABI: "0.1.0"} }); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a driver calls itself must not break a scrape.
func TestForeignText(t *testing.T) {
	got := exposition(t, func() Node { return Node{Channels: []Channel{{Name: "c", Driver: "a\xff\n\"", Digest: "d"}}} })
	if want := `driver="a�\n\""`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Nobody reads the figures but who asks, once each time.
func TestReadsAtScrape(t *testing.T) {
	reads := 0
	h, err := Handler(func() Node { reads++; return fixed() })
	if err != nil || reads != 0 {
		t.Fatalf("%v; read %d times before the first scrape", err, reads)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"go_goroutines ", "process_start_time_seconds ", "drover_channel_state{"} {
		if !strings.Contains(answer.Body.String(), "\n"+want) {
			t.Errorf("%s is missing", want)
		}
	}
	if reads != 1 {
		t.Errorf("read %d times for one scrape", reads)
	}
}

// The page for users has a row for each family, with its type, labels and help, and no other.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(exposition(t, fixed), -1) {
		types[m[1]] = m[2]
	}
	var want []string
	for _, m := range all() {
		labels := ""
		for _, l := range m.labels {
			labels += " `" + l + "`"
		}
		want = append(want, "| `"+m.name+"` | "+types[m.name]+" |"+labels+" | "+m.help+" |")
	}
	got := regexp.MustCompile("(?m)^\\| `drover_.*$").FindAllString(string(page), -1)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the metrics (-) and the page (+) differ:\n" + diff)
	}
}
