//go:build interop

package interop

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

var soak = flag.Duration("soak", 10*time.Second, "how long TestSoak runs")

// cycles is what was heard of one device: a message a cycle.
type cycles struct {
	period      time.Duration
	count       int
	first, last time.Time
	seq         uint64
	holes, late int
	bad         int
	widest      time.Duration
}

// TestSoak polls pymodbus over TCP and over a serial line at once: no cycle is lost, and the memory stays flat.
//
// A cycle counts as late when it comes more than half a period after its time; this machine may be busy with others, so
// that only lost ones fail. What was measured is logged.
func TestSoak(t *testing.T) {
	port := freePort(t)
	start(t, asJSON(t, units()), nil, python, "testdata/pymodbus_server.py", "tcp", port)
	listening(t, port)
	ours, theirs := ptyPair(t)
	held := units()
	delete(held, "4")
	start(t, asJSON(t, held), nil, python, "testdata/pymodbus_server.py", "rtu", theirs)
	n := startNode(t, `  plc:
    driver: DRIVER
    connections:
      main: {tcp: "127.0.0.1:`+port+`"}
    settings: {mode: tcp}
    every: 100ms
    devices:
`+deviceList(1)+`  line:
    driver: DRIVER
    connections:
      main: {serial: `+ours+`, baud: 19200, parity: none}
    settings: {mode: rtu, timeout: 500ms}
    every: 1s
    devices:
`+deviceList(3))
	n.expect(t, expectUnits("plc", 1))
	n.expect(t, expectUnits("line", 3))

	heard := map[string]*cycles{"plc/" + orders[0]: {period: 100 * time.Millisecond}}
	for _, order := range orders[:3] {
		heard["line/"+order] = &cycles{period: time.Second}
	}
	var mu sync.Mutex
	sub, err := n.conn.Subscribe("drover.*.*.data.*", func(m *nats.Msg) {
		tokens := strings.Split(m.Subject, ".")
		mu.Lock()
		defer mu.Unlock()
		if c := heard[tokens[2]+"/"+tokens[4]]; c != nil {
			c.hear(m.Data)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	begin := n.rss(t)
	time.Sleep(*soak)
	end := n.rss(t)
	if err := sub.Unsubscribe(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for name, c := range heard {
		expected := int(c.last.Sub(c.first)/c.period) + 1
		t.Logf("%-10s %6d cycles of %6d, %d holes, %d late, widest gap %s, %d bad", name, c.count, expected, c.holes, c.late, c.widest, c.bad)
		if c.count < expected-1 || c.holes > 0 || c.bad > 0 || time.Since(c.last) > 5*c.period+time.Second {
			t.Errorf("%s: cycles were lost", name)
		}
	}
	t.Logf("resident memory: %d KiB at the start, %d KiB after %s", begin, end, *soak)
	if end > begin+begin/4 {
		t.Errorf("resident memory grew from %d to %d KiB", begin, end)
	}
	n.finish(t)
}

func (c *cycles) hear(body []byte) {
	var m struct {
		TS     time.Time          `json:"ts"`
		Seq    uint64             `json:"seq"`
		Points map[string]reading `json:"points"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		c.bad++
		return
	}
	for _, p := range m.Points {
		if p.Q != "" {
			c.bad++
			break
		}
	}
	if c.count > 0 {
		if m.Seq != c.seq+1 {
			c.holes++
		}
		gap := m.TS.Sub(c.last)
		c.widest = max(c.widest, gap)
		if gap > c.period*3/2 {
			c.late++
		}
	} else {
		c.first = m.TS
	}
	c.count, c.seq, c.last = c.count+1, m.Seq, m.TS
}

// rss returns the node's resident memory in KiB.
func (n *node) rss(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.process.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
