//go:build linux || darwin

package drover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// site is a node that is run by its file, as by the command line, and those who apply files to it.
type site struct {
	t    *testing.T
	dir  string
	file string
	data string
	nats string
	node *drover.Node
	conn *nats.Conn
	ear  *ear
	log  *logText
}

// logText is a log that is read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) has(words ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return true
		}
	}
	return false
}

// newSite is a folder with the driver, which no node runs yet, and a server that is there all the time.
func (r *rig) newSite(t *testing.T) *site {
	t.Helper()
	url, user, password := startServer(t)
	s := &site{t: t, dir: t.TempDir(), nats: remote(url, user, password)}
	s.file, s.data = filepath.Join(s.dir, "drover.yaml"), filepath.Join(s.dir, "data")
	binary, err := os.ReadFile(filepath.Join(r.dir, "modbus.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("modbus.wasm", string(binary))
	if err := os.Mkdir(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(r.dir, "cache"), filepath.Join(s.data, "cache")); err != nil {
		t.Fatal(err)
	}
	s.conn = connect(t, url, nats.UserInfo(user, password))
	s.ear = listen(t, url, "drover.n1.>")
	return s
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// release puts another version of the driver in its file: other bytes, the same behaviour. A custom section (WebAssembly
// core 5.5.3) makes the difference.
func (s *site) release(version string) {
	s.t.Helper()
	binary, err := os.ReadFile(filepath.Join(s.dir, "modbus.wasm"))
	if err != nil {
		s.t.Fatal(err)
	}
	section := append([]byte{byte(len("release"))}, "release"+version...)
	s.write("modbus.wasm", string(binary)+string([]byte{0, byte(len(section))})+string(section))
}

func (s *site) digest(name string) string {
	s.t.Helper()
	digest, err := config.DigestOf(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return digest
}

// describe writes the file: its channels.
func (s *site) describe(channels string) {
	s.t.Helper()
	s.write("drover.yaml", "node: n1\ndata: data\nnats: "+s.nats+"\nchannels:\n"+channels)
}

// run runs the node by its file, or by what was applied last.
func (s *site) run(byFile bool) {
	s.t.Helper()
	read := func() (*config.Node, *drover.Source, error) { return drover.LastApplied(s.data) }
	if byFile {
		read = func() (*config.Node, *drover.Source, error) { return drover.Collect(s.file) }
	}
	c, source, err := read()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*patience)
	defer cancel()
	s.log = new(logText)
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	s.node, err = drover.Start(ctx, c, drover.Options{Logger: logger, Version: "1.2.3", Source: source})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { stop(s.t, s.node) })
}

// again ends the node and runs it once more.
func (s *site) again(byFile bool) {
	s.t.Helper()
	stop(s.t, s.node)
	s.run(byFile)
}

// call makes a call, and holds its answer against the schema of that name.
func (s *site) call(verb, schema string, body, answer any) *message.Error {
	s.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request := nats.NewMsg("drover-call.n1." + verb)
	request.Data, request.Header = data, nats.Header{message.HeaderTimeout: {(2 * patience).String()}}
	m, err := s.conn.RequestMsg(request, 2*patience)
	if err != nil {
		s.t.Fatalf("%s: %v", verb, err)
	}
	if m.Header.Get(message.HeaderErrorStatus) != "" {
		var refusal message.Error
		if err := json.Unmarshal(m.Data, &refusal); err != nil {
			s.t.Fatal(err)
		}
		return &refusal
	}
	if err := conforms(schema, m.Data); err != nil {
		s.t.Errorf("%s: %v: %s", verb, err, m.Data)
	}
	if err := json.Unmarshal(m.Data, answer); err != nil {
		s.t.Fatal(err)
	}
	return nil
}

// must is call, for what is not refused.
func (s *site) must(verb, schema string, body, answer any) {
	s.t.Helper()
	if refusal := s.call(verb, schema, body, answer); refusal != nil {
		s.t.Fatalf("%s: %v", verb, refusal)
	}
}

// apply applies the file. The trial is short: devices answer at once.
func (s *site) apply(dry bool) message.Applied {
	s.t.Helper()
	b, err := config.Collect(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	data, err := b.Pack()
	if err != nil {
		s.t.Fatal(err)
	}
	if most := s.conn.MaxPayload(); int64(len(data))*4/3 > most {
		s.t.Errorf("the bundle has %d bytes, a message at most %d", len(data), most)
	}
	trial := 1.0
	var a message.Applied
	s.must("ctl.apply", "applied", message.Apply{Bundle: data, DryRun: dry, By: "ada@desk", Trial: &trial}, &a)
	return a
}

// applied applies the file and wants these results, as "channel: result".
func (s *site) applied(want ...string) message.Applied {
	s.t.Helper()
	a := s.apply(false)
	got := []string{}
	for _, r := range a.Results {
		got = append(got, r.Channel+": "+r.Result)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(a.Problems) > 0 || a.Unrecorded != "" {
		s.t.Fatalf("applied %+v, want %v", a, want)
	}
	return a
}

// process is what a channel is and does.
func (s *site) process(channel string) message.Process {
	s.t.Helper()
	var ps message.Processes
	s.must("get.ps", "ps", nil, &ps)
	for _, p := range ps.Channels {
		if p.Channel == channel {
			return p
		}
	}
	s.t.Fatalf("no channel %s in %+v", channel, ps)
	return message.Process{}
}

// until waits until something is so.
func (s *site) until(what string, is func() bool) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// value waits until a channel's data has that value.
func (s *site) value(subject, value string) heard {
	s.t.Helper()
	device, point, _ := strings.Cut(subject, ".")
	channel, device, _ := strings.Cut(device, "/")
	return s.ear.next(s.t, subject+" = "+value, func(h heard) bool {
		return h.subject == "drover.n1."+channel+".data."+device && string(h.Points[point].V) == value
	})
}

// connected waits until a channel is.
func (s *site) connected(channel string) {
	s.t.Helper()
	s.ear.next(s.t, channel+" connected", func(h heard) bool {
		return h.subject == "drover.n1."+channel+".state" && h.State == "connected"
	})
}

// boilerAt is a channel with a boiler.
func boilerAt(name, address, more, point string) string {
	return fmt.Sprintf("  %s:\n    driver: modbus.wasm\n    connections: {main: {tcp: %q}}\n    every: 50ms\n    %s\n"+
		"    devices: {boiler: {settings: {unit: 1}, points: {temperature: {address: \"input:0\", type: int16%s}}}}\n",
		name, address, more, point)
}

// applied: what differs is changed, and the rest left alone.
func (r *rig) applied(t *testing.T) {
	for name, test := range map[string]func(*rig, *testing.T){
		"what differs":       (*rig).appliedDifferences,
		"what breaks":        (*rig).appliedBreaks,
		"what holds":         (*rig).appliedHolds,
		"what is down":       (*rig).appliedDown,
		"many":               (*rig).appliedMany,
		"a disk that fails":  (*rig).appliedUnrecorded,
		"a port that moves":  (*rig).appliedMovedPort,
		"a file on reload":   (*rig).reloaded,
		"a damaged record":   (*rig).appliedDamage,
		"where it is not so": (*rig).appliedElsewhere,
	} {
		t.Run(name, func(t *testing.T) { test(r, t) })
	}
}

func (r *rig) appliedDifferences(t *testing.T) {
	p, q := startPlant(t), startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", p.tcp.Addr(), "", "") + boilerAt("other", q.tcp.Addr(), "", ""))
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	s.value("other/boiler.temperature", "215")

	if a := s.apply(true); len(a.Changes) != 0 || !a.DryRun {
		t.Errorf("the same file differs: %+v", a)
	}
	s.applied()

	// In place: the driver does not notice, and numbers go on.
	before := s.process("plc").State.Generation
	s.describe(boilerAt("plc", p.tcp.Addr(), "limits: {cpu: 50%}", ", scale: 0.1, unit: °C") + boilerAt("other", q.tcp.Addr(), "", ""))
	dry := s.apply(true)
	if len(dry.Changes) != 1 || dry.Changes[0].Effect != "in-place" || len(dry.Changes[0].Changes) != 3 || len(dry.Results) != 0 {
		t.Errorf("the difference: %+v", dry)
	}
	s.value("plc/boiler.temperature", "215")
	s.applied("plc: in place")
	scaled := s.value("plc/boiler.temperature", "21.5")
	if next := s.value("plc/boiler.temperature", "21.5"); next.Seq != scaled.Seq+1 {
		t.Errorf("seq %d after %d", next.Seq, scaled.Seq)
	}
	if after := s.process("plc").State.Generation; after != before {
		t.Errorf("generation %d after %d", after, before)
	}

	// Settings and points: a swap, which keeps the connection and the numbers.
	seq := s.value("plc/boiler.temperature", "21.5").Seq
	s.describe(boilerAt("plc", p.tcp.Addr(), "settings: {timeout: 2s}", ", scale: 0.1, unit: °C") + boilerAt("other", q.tcp.Addr(), "", ""))
	s.applied("plc: swapped")
	for seq > 0 {
		h := s.value("plc/boiler.temperature", "21.5")
		if h.Seq != seq+1 {
			t.Errorf("seq %d after %d", h.Seq, seq)
		}
		if seq = h.Seq; h.TS > s.process("plc").State.Since.Format(time.RFC3339Nano) {
			break
		}
	}
	if n := p.tcp.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}

	// Another endpoint, a channel that goes and one that comes.
	s.describe(boilerAt("plc", q.tcp.Addr(), "", "") + boilerAt("third", p.tcp.Addr(), "delivery: core", ", offset: 1"))
	s.applied("plc: swapped", "other: removed", "third: added")
	s.value("third/boiler.temperature", "216")
	if m, err := s.conn.Request("drover-call.n1.other.read.boiler.temperature", nil, patience); err != nil || m.Header.Get(message.HeaderErrorStatus) != "404" {
		t.Errorf("the removed channel answers %v, %v", m, err)
	}
	var state message.Snapshot
	ask(t, s.conn, "drover-call.n1.get.state", "", &state)
	if _, still := state.Channels["other"]; still || len(state.Channels) != 2 {
		t.Errorf("get.state has %v", state.Channels)
	}
	var ps message.Processes
	ask(t, s.conn, "drover-call.n1.get.ps", "", &ps)
	if len(ps.Channels) != 2 || ps.Channels[0].Channel != "plc" || ps.Channels[1].Channel != "third" {
		t.Errorf("ps has %+v", ps.Channels)
	}

	// What the node itself says waits for its next start.
	s.write("drover.yaml", "node: n1\ndata: data\nhttp: {listen: 127.0.0.1:0}\nnats: "+s.nats+"\nchannels:\n"+
		boilerAt("plc", q.tcp.Addr(), "", ""))
	a := s.applied("third: removed")
	if len(a.Restart) != 1 || a.Restart[0].Path != "http.listen" || s.node.HTTP() != "" {
		t.Errorf("what waits: %+v", a.Restart)
	}
	s.again(false)
	if s.node.HTTP() == "" {
		t.Error("what waited is forgotten")
	}
	s.value("plc/boiler.temperature", "215")
}

func (r *rig) appliedBreaks(t *testing.T) {
	p, q := startPlant(t), startPlant(t)
	s := r.newSite(t)
	good := boilerAt("plc", p.tcp.Addr(), "", "") + boilerAt("other", q.tcp.Addr(), "", "")
	s.describe(good)
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	s.value("other/boiler.temperature", "215")
	from := s.process("plc")

	// Everything that can be wrong with a file is said at once, and nothing is touched.
	s.describe(boilerAt("plc", p.tcp.Addr(), "settings: {colour: red}", ", scale: 0.5") +
		strings.Replace(boilerAt("other", q.tcp.Addr(), "", ", scale: 0.5"), "modbus.wasm", "nowhere.wasm", 1))
	a := s.apply(false)
	if len(a.Problems) != 2 || len(a.Results) != 0 || a.Problems[0].Line != 9 || !strings.Contains(a.Problems[1].Message, "nowhere.wasm") {
		t.Errorf("problems: %+v", a.Problems)
	}
	s.describe("  plc: {")
	if a := s.apply(false); len(a.Problems) != 1 || !strings.Contains(a.Problems[0].Message, "no YAML") {
		t.Errorf("problems: %+v", a.Problems)
	}
	if now := s.process("plc"); now.State.Generation != from.State.Generation || now.State.Attempt != from.State.Attempt {
		t.Errorf("a bad file has changed it: %+v", now.State)
	}
	s.value("plc/boiler.temperature", "215")

	// What does not stand its trial is rolled back, the others go on, and the record has what is in effect.
	s.describe(strings.Replace(boilerAt("plc", p.tcp.Addr(), "settings: {timeout: 100ms}", ""), "unit: 1", "unit: 9", 1) +
		boilerAt("other", q.tcp.Addr(), "", ", scale: 0.1"))
	a = s.applied("plc: rolled back", "other: in place")
	if i := slices.IndexFunc(a.Results, func(r message.ApplyResult) bool { return r.Channel == "plc" }); a.Results[i].Why == "" {
		t.Errorf("it does not say why: %+v", a.Results)
	}
	s.value("plc/boiler.temperature", "215")
	s.value("other/boiler.temperature", "21.5")
	if again := s.apply(true); len(again.Changes) != 1 || again.Changes[0].Channels[0] != "plc" {
		t.Errorf("the difference afterwards: %+v", again.Changes)
	}
	s.again(false)
	s.value("plc/boiler.temperature", "215")
	s.value("other/boiler.temperature", "21.5")
	s.applied("plc: rolled back")

	// Two at once: the second is told.
	s.describe(boilerAt("plc", p.tcp.Addr(), "settings: {timeout: 3s}", "") + boilerAt("other", q.tcp.Addr(), "", ", scale: 0.1"))
	first := make(chan message.Applied, 1)
	go func() { first <- s.apply(false) }()
	s.until("the first one changes something", func() bool {
		var now message.Applying
		s.must("get.apply", "applying", nil, &now)
		return now.Phase == "changing"
	})
	if refusal := s.call("ctl.apply", "applied", message.Apply{Bundle: packed(t, s.file)}, nil); refusal == nil || refusal.Status != 409 {
		t.Errorf("a second one: %v", refusal)
	}
	if a := <-first; len(a.Results) != 1 || a.Results[0].Result != "swapped" {
		t.Errorf("the first one: %+v", a)
	}
	if refusal := s.call("ctl.apply", "applied", message.Apply{Bundle: []byte("no bundle")}, nil); refusal == nil || refusal.Status != 400 {
		t.Errorf("no bundle: %v", refusal)
	}
}

func packed(t *testing.T, file string) []byte {
	t.Helper()
	b, err := config.Collect(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// appliedHolds: files that change, swaps and starts.
func (r *rig) appliedHolds(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ""))
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	pinned := s.digest("modbus.wasm")

	// A file that has changed is pending, also over starts, until somebody applies it.
	s.release("2")
	for _, byFile := range []bool{true, false, true} {
		if now := s.process("plc"); now.Digest != pinned || now.Pending != s.digest("modbus.wasm") {
			t.Errorf("runs %s, pending %s", now.Digest, now.Pending)
		}
		s.again(byFile)
		s.value("plc/boiler.temperature", "215")
		if !s.log.has("level=WARN", "changed since it was applied", "channel=plc") {
			t.Error("nothing is said of the file that has changed")
		}
	}
	dry := s.apply(true)
	if len(dry.Changes) != 1 || dry.Changes[0].Effect != "driver" || dry.Changes[0].Changes[0].Path != "driver" {
		t.Errorf("the difference: %+v", dry.Changes)
	}
	s.applied("plc: swapped")
	if now := s.process("plc"); now.Digest != s.digest("modbus.wasm") || now.Pending != "" {
		t.Errorf("runs %s, pending %s", now.Digest, now.Pending)
	}
	s.again(true)
	if now := s.process("plc"); now.Digest != s.digest("modbus.wasm") || now.Pending != "" || s.log.has("level=WARN", "changed since") {
		t.Errorf("after a start it runs %s, pending %s", now.Digest, now.Pending)
	}

	// A swap holds over starts and applies, until the configuration names another driver.
	s.value("plc/boiler.temperature", "215")
	binary, err := os.ReadFile(filepath.Join(s.dir, "modbus.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("named.wasm", string(binary))
	s.write("copy.wasm", string(binary))
	s.release("3")
	if err := os.Rename(filepath.Join(s.dir, "modbus.wasm"), filepath.Join(s.dir, "swapped.wasm")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(s.dir, "copy.wasm"), filepath.Join(s.dir, "modbus.wasm")); err != nil {
		t.Fatal(err)
	}
	none, swapped := 0.0, s.digest("swapped.wasm")
	var done message.Swap
	if refusal := s.call("ctl.swap", "swapped", message.SwapRequest{
		Channel: "plc", Module: filepath.Join(s.dir, "swapped.wasm"), Trial: &none, By: "bob@desk",
	}, &done); refusal != nil || done.Result != "swapped" {
		t.Fatalf("swap: %v, %+v", refusal, done)
	}
	for range 2 {
		if now := s.process("plc"); now.Digest != swapped || now.Override == nil || now.Override.By != "bob@desk" || now.Pending != "" {
			t.Errorf("the swap does not hold: %+v", now)
		}
		s.describe(boilerAt("plc", p.tcp.Addr(), "", ", scale: 0.1"))
		a := s.apply(false)
		if len(a.Overrides) != 1 || a.Overrides[0].Ended || a.Overrides[0].Digest != swapped {
			t.Errorf("the difference does not show the swap: %+v", a)
		}
		s.value("plc/boiler.temperature", "21.5")
		s.again(true)
		s.value("plc/boiler.temperature", "21.5")
	}
	s.describe(strings.Replace(boilerAt("plc", p.tcp.Addr(), "", ", scale: 0.1"), "modbus.wasm", "named.wasm", 1))
	a := s.applied("plc: swapped")
	if len(a.Overrides) != 1 || !a.Overrides[0].Ended {
		t.Errorf("the swap has not ended: %+v", a.Overrides)
	}
	for range 2 {
		if now := s.process("plc"); now.Digest != s.digest("named.wasm") || now.Override != nil {
			t.Errorf("runs %+v", now)
		}
		s.again(false)
		s.value("plc/boiler.temperature", "21.5")
	}

	// `run -c` ends a swap as well, where its file names another driver.
	if refusal := s.call("ctl.swap", "swapped", message.SwapRequest{
		Channel: "plc", Module: filepath.Join(s.dir, "swapped.wasm"), Trial: &none,
	}, &done); refusal != nil || done.Result != "swapped" {
		t.Fatalf("swap: %v, %+v", refusal, done)
	}
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ""))
	s.again(true)
	if now := s.process("plc"); now.Digest != s.digest("modbus.wasm") || now.Override != nil {
		t.Errorf("runs %+v", now)
	}
}

// appliedDown: what is changed in a channel that is down holds at its next Ready.
func (r *rig) appliedDown(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", "127.0.0.1:1", "retry: {initial: 1h, max: 1h}", "") + boilerAt("halted", p.tcp.Addr(), "", ""))
	s.run(true)
	s.ear.next(t, "a refused connection", func(h heard) bool { return h.subject == "drover.n1.plc.event.backoff" })
	s.value("halted/boiler.temperature", "215")
	var state message.State
	if refusal := s.call("ctl.stop", "state", map[string]string{"channel": "halted"}, &state); refusal != nil {
		t.Fatal(refusal)
	}
	s.describe(boilerAt("plc", "127.0.0.1:1", "retry: {initial: 1h, max: 1h}", ", scale: 0.1") +
		boilerAt("halted", p.tcp.Addr(), "settings: {timeout: 2s}", ", scale: 0.1"))
	s.applied("plc: in place", "halted: adopted")
	if now := s.process("halted"); now.State.State != "stopped" {
		t.Errorf("an apply has started it: %+v", now.State)
	}
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ", scale: 0.1") + boilerAt("halted", p.tcp.Addr(), "settings: {timeout: 2s}", ", scale: 0.1"))
	s.applied("plc: adopted")
	s.value("plc/boiler.temperature", "21.5")
	s.must("ctl.start", "state", map[string]string{"channel": "halted"}, &state)
	s.value("halted/boiler.temperature", "21.5")
}

// appliedMany: 500 meters of 40 points are applied within a message, and another scale of their template touches no driver.
func (r *rig) appliedMany(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	meters := func(scale string) {
		var list, channels strings.Builder
		list.WriteString("name,address,type,scale,unit\n")
		for i := range 40 {
			fmt.Fprintf(&list, "p%d,input:0,int16,%s,kWh\n", i, scale)
		}
		s.write("meter.csv", list.String())
		for l := range 4 {
			fmt.Fprintf(&channels, "  line%d:\n    driver: modbus.wasm\n    connections: {main: {tcp: %q}}\n    every: 1h\n    devices:\n",
				l, p.tcp.Addr())
			for i := range 125 {
				fmt.Fprintf(&channels, "      m%d: {use: meter, vars: {unit: 1}}\n", i)
			}
		}
		channels.WriteString("templates: {meter: {settings: {unit: \"${unit}\"}, points: meter.csv}}\n")
		s.describe(channels.String())
	}
	meters("0.1")
	s.run(true)
	s.value("line3/m124.p39", "21.5")
	s.until("all are connected", func() bool { return p.tcp.Stats().Connections == 4 && s.process("line0").Online == 125 })
	before := s.process("line3")
	meters("0.01")
	a := s.applied("line0: in place", "line1: in place", "line2: in place", "line3: in place")
	if len(a.Changes) != 1 || len(a.Changes[0].Channels) != 4 || len(a.Changes[0].Changes) != 40 ||
		len(a.Changes[0].Changes[0].Devices)+a.Changes[0].Changes[0].MoreDevices != 125 {
		t.Errorf("the difference: %+v", a.Changes)
	}
	now := s.process("line3")
	if now.State.Generation != before.State.Generation || now.State.Attempt != before.State.Attempt || p.tcp.Stats().Connections != 4 {
		t.Errorf("it was touched: %+v", now.State)
	}
	var read json.RawMessage
	ask(t, s.conn, "drover-call.n1.line3.read.m124.p39", "", &read)
	if !strings.Contains(string(read), "2.15") {
		t.Errorf("a reading: %s", read)
	}
}

// appliedUnrecorded: a data directory that takes nothing costs the record alone, and that is said.
func (r *rig) appliedUnrecorded(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ""))
	s.write("data/applied", "in the way")
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	if !s.log.has("level=ERROR", "not recorded") {
		t.Error("nothing is said at the start")
	}
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ", scale: 0.1"))
	a := s.apply(false)
	if a.Unrecorded == "" || len(a.Results) != 1 || a.Results[0].Result != "in place" {
		t.Errorf("applied %+v", a)
	}
	s.value("plc/boiler.temperature", "21.5")
}

// appliedMovedPort: two channels change their serial ports with each other, which neither can open while the other has it.
func (r *rig) appliedMovedPort(t *testing.T) {
	p, q := startPlant(t), startPlant(t)
	s := r.newSite(t)
	line := func(name, port string) string {
		return fmt.Sprintf("  %s:\n    driver: modbus.wasm\n    connections: {main: {serial: %q, baud: 19200}}\n    settings: {mode: rtu}\n    every: 50ms\n"+
			"    devices: {meter: {settings: {unit: 1}, points: {power: {address: \"holding:100\", type: float32}}}}\n", name, port)
	}
	s.describe(line("a", p.line.Path()) + line("b", q.line.Path()))
	s.run(true)
	s.value("a/meter.power", "0.1")
	s.value("b/meter.power", "0.1")
	s.describe(line("a", q.line.Path()) + line("b", p.line.Path()))
	s.applied("a: adopted", "b: adopted")
	s.connected("a")
	s.value("a/meter.power", "0.1")
	s.value("b/meter.power", "0.1")
	if n := s.process("a").State.Attempt; n != 2 {
		t.Errorf("attempt %d", n)
	}
}

// reloaded: the same by the node's own hand, as SIGHUP does.
func (r *rig) reloaded(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ""))
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	s.describe("  plc: 5")
	a, err := s.node.Reload(t.Context(), s.file)
	if err != nil || len(a.Problems) != 1 || !s.log.has("level=ERROR", "nothing was changed") {
		t.Errorf("a bad file: %+v, %v", a, err)
	}
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ", scale: 0.1"))
	if a, err := s.node.Reload(t.Context(), s.file); err != nil || len(a.Results) != 1 {
		t.Errorf("reloaded %+v, %v", a, err)
	}
	s.value("plc/boiler.temperature", "21.5")
	if _, err := s.node.Reload(t.Context(), filepath.Join(s.dir, "gone.yaml")); err == nil {
		t.Error("a file that is not there was applied")
	}
}

// appliedDamage: a damaged record is said, and costs what was recorded.
func (r *rig) appliedDamage(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ""))
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	stop(t, s.node)
	s.write("data/applied/record.json", `{"version": 1, "pins": `)
	if _, _, err := drover.LastApplied(s.data); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	s.write("data/applied/record.json", `{"version": 1, "pins": `)
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	if !s.log.has("level=ERROR", "damaged") {
		t.Error("nothing is said")
	}
	if _, _, err := drover.LastApplied(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no configuration was applied") {
		t.Errorf("got %v", err)
	}
}

// appliedElsewhere: the configuration was read where its driver's file is another one: that is what is wanted, and the
// node says that it does not have it.
func (r *rig) appliedElsewhere(t *testing.T) {
	p := startPlant(t)
	s := r.newSite(t)
	s.describe(boilerAt("plc", p.tcp.Addr(), "", ""))
	s.run(true)
	s.value("plc/boiler.temperature", "215")
	b, err := config.Collect(s.file)
	if err != nil {
		t.Fatal(err)
	}
	path, elsewhere := filepath.Join(s.dir, "modbus.wasm"), "sha256:"+strings.Repeat("5", 64)
	if b.Pins[path] != s.digest("modbus.wasm") {
		t.Errorf("pins %v", b.Pins)
	}
	b.Pins[path] = elsewhere
	data, err := b.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var a message.Applied
	s.must("ctl.apply", "applied", message.Apply{Bundle: data}, &a)
	want := message.MissingModule{Path: path, Digest: elsewhere}
	if len(a.Problems) != 1 || len(a.Missing) != 1 || a.Missing[0] != want || len(a.Results) != 0 {
		t.Errorf("answered %+v", a)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}
