package config

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

// What a channel more may take of the heap, in bytes, as long as there is its configuration: one of 100 points of a
// template, one with a variable in each of their addresses, and one that is written out.
const (
	templateBudget = 4 << 10
	variableBudget = 15 << 10
	writtenBudget  = 13 << 10
)

// manyChannels is a configuration of so many channels of 100 points, which template has for them, or else their own text.
func manyChannels(t testing.TB, channels int, template, own string) string {
	t.Helper()
	var points, file strings.Builder
	for p := range 100 {
		fmt.Fprintf(&points, "p%d: {address: \"holding:ADDRESS%d\", type: uint16, scale: 0.1, unit: bar}, ", p, p)
	}
	file.WriteString("node: n\ntemplates:\n  meter: {settings: {unit: \"${unit}\"}" + template + "}\nchannels:\n")
	for i := range channels {
		fmt.Fprintf(&file, "  c%d: {driver: modbus.wasm, connections: {main: {tcp: \"10.0.0.5:%d\"}}, devices: {d: {use: meter, vars: {unit: %d}%s}}}\n",
			i, i+1, i+1, own)
	}
	text := file.String()
	for form, address := range map[string]string{"POINTS": "", "VARIABLES": "${unit}"} {
		text = strings.ReplaceAll(text, form, "{"+strings.ReplaceAll(points.String(), "ADDRESS", address)+"}")
	}
	return text
}

// TestBytesAChannel holds what a channel takes against its budget: a node keeps the configuration of all.
func TestBytesAChannel(t *testing.T) {
	for _, test := range []struct {
		name, template, own string
		most                int64
	}{
		{"from a template", ", points: POINTS", "", templateBudget},
		{"with variables", ", points: VARIABLES", "", variableBudget},
		{"written out", "", ", points: POINTS", writtenBudget},
	} {
		t.Run(test.name, func(t *testing.T) {
			const few, many = 5, 105
			each := (kept(t, manyChannels(t, many, test.template, test.own)) - kept(t, manyChannels(t, few, test.template, test.own))) / (many - few)
			t.Logf("%d bytes a channel of 100 points", each)
			if each > test.most {
				t.Errorf("%d bytes a channel, at most %d", each, test.most)
			}
		})
	}
}

// kept is what a configuration takes of the heap once it was read.
func kept(t *testing.T, text string) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drover.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := inUse()
	n, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	after := inUse()
	goruntime.KeepAlive(n)
	return after - before
}

func inUse() int64 {
	goruntime.GC()
	goruntime.GC() // what finalizers let go
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkChannelsOfATemplate parses 1,000 channels of 100 points.
func BenchmarkChannelsOfATemplate(b *testing.B) {
	text := manyChannels(b, 1000, ", points: POINTS", "")
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, text)
	}
}

// BenchmarkChannelsWrittenOut parses 1,000 channels of 100 points that no template has.
func BenchmarkChannelsWrittenOut(b *testing.B) {
	text := manyChannels(b, 1000, "", ", points: POINTS")
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, text)
	}
}
