package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 20, 1, 5, time.FixedZone("CET", 3600))
	b, err := json.Marshal(Time{at})
	if err != nil || string(b) != `"2026-11-23T08:20:01.000000005Z"` {
		t.Errorf("got %s, %v", b, err)
	}
	var back Time
	if err := json.Unmarshal(b, &back); err != nil || !back.Equal(at) || back.Location() != time.UTC {
		t.Errorf("got %v, %v", back, err)
	}
	for _, bad := range []string{`1`, `"yesterday"`, `""`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestSubject(t *testing.T) {
	tests := []struct {
		text string
		want Subject
	}{
		{"n.c.data.d", Subject{Node: "n", Channel: "c", Kind: KindData, Device: "d"}},
		{"n.c.data.d.p", Subject{Node: "n", Channel: "c", Kind: KindData, Device: "d", Point: "p"}},
		{"n.c.device.d", Subject{Node: "n", Channel: "c", Kind: KindDevice, Device: "d"}},
		{"n.c.state", Subject{Node: "n", Channel: "c", Kind: KindState}},
		{"n.c.log", Subject{Node: "n", Channel: "c", Kind: KindLog}},
		{"n.c.event.failure", Subject{Node: "n", Channel: "c", Kind: KindEvent, Event: "failure"}},
		{"n.handle.c.d", Subject{Node: "n", Channel: "c", Kind: KindHandle, Device: "d"}},
	}
	for _, tt := range tests {
		got, err := ParseSubject("a.b", "a.b."+tt.text)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("%s: got %+v (%s), %v", tt.text, got, got, err)
		}
	}
	for _, bad := range []string{
		"", "n", "n.c", "n.c.data", "n.c.state.d", "n.c.data.d.p.x", "n.c.device.d.p", "n.c.state.d.p",
		"n.handle.c.d.p", "n.c.nonsense", "n..data.d", "n.c.event", "n.handle.c",
	} {
		if got, err := ParseSubject("drover", "drover."+bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %+v, %v", bad, got, err)
		}
	}
	if _, err := ParseSubject("drover", "other.n.c.state"); !errors.Is(err, ErrMalformed) {
		t.Errorf("another prefix: %v", err)
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("ask: %w", ErrNotFound.With("no channel \"x\""))
	if !errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnknownVerb) || errors.Is(err, errors.ErrUnsupported) {
		t.Error("errors compare by code")
	}
}

// FuzzSubject: what parses prints the same again.
func FuzzSubject(f *testing.F) {
	f.Add("drover.n.c.data.d")
	f.Add("drover.n.handle.c.d")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSubject("drover", text); err == nil && "drover."+s.String() != text {
			t.Errorf("%q became %q", text, s)
		}
	})
}

// FuzzDecode: foreign bytes are decoded or refused, and what was decoded encodes to what decodes to the same.
func FuzzDecode(f *testing.F) {
	const header = `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e",`
	f.Add([]byte(header + `"seq":42,"points":{"p":{"v":21.5},"q":{"q":"bad","code":"io.timeout"}}}`))
	f.Add([]byte(header + `"state":"connected","number":3,"attempt":1,"generation":1,"retries_left":0}`))
	f.Add([]byte(header + `"generation":1,"points":{"p":{"type":"int8","access":"r","range":{"min":0,"max":1}}}}`))
	f.Add([]byte(`{"node":"n","channels":{"c":{"state":null,"devices":{"d":{"gauges":{"x":1e300}}}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		again[Data](t, b)
		again[State](t, b)
		again[Device](t, b)
		again[Event](t, b)
		again[Log](t, b)
		again[Handle](t, b)
		again[Snapshot](t, b)
		again[Values](t, b)
		again[Ping](t, b)
	})
}

func again[T any](t *testing.T, b []byte) {
	t.Helper()
	m, err := Decode[T](b)
	if err != nil {
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("decode: %v", err)
		}
		return
	}
	first, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("encode %T: %v", m, err)
	}
	if m, err = Decode[T](first); err != nil {
		t.Fatalf("decode %s: %v", first, err)
	}
	if second, err := json.Marshal(m); err != nil || string(second) != string(first) {
		t.Errorf("%s became %s, %v", first, second, err)
	}
}
