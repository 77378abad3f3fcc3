package config

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"10s", 10 * time.Second}, {"1d", day}, {"1d12h", 36 * time.Hour}, {"1d0s", day}, {"1.5h", 90 * time.Minute},
		{"1m30s", 90 * time.Second}, {"0.05s", 50 * time.Millisecond}, {"100us", 100 * time.Microsecond},
		{"0s", 0}, {"106751d", 106751 * day},
	} {
		if got, err := parseDuration(tt.text); err != nil || got != tt.want {
			t.Errorf("%s: got %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{
		"", "0", "10", "-1s", "+1s", "010s", "1m05s", "1h2d", "1d2d", "1.5d", "d", "s", "1 s", "1dx", "1d-1s",
		"106752d", "106751d24h", "9999999999999999999d", "1S",
	} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Hour: "1h", time.Minute: "1m", 90 * time.Minute: "1h30m", 10 * time.Second: "10s",
		36 * time.Hour: "1d12h", 366 * day: "366d", time.Millisecond: "1ms",
		10 * time.Microsecond: "10µs",
	} {
		got := formatDuration(d)
		if back, err := parseDuration(got); got != want || err != nil || back != d {
			t.Errorf("%v: got %s, read back %v, %v; want %s", d, got, back, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]uint64{"1KiB": 1 << 10, "32MiB": 32 << 20, "4GiB": 4 << 30, "0KiB": 0} {
		if got, ok := parseSize(text); !ok || got != want || text != "0KiB" && formatSize(got) != text {
			t.Errorf("%s: got %d %v (%s), want %d", text, got, ok, formatSize(got), want)
		}
	}
	for _, text := range []string{"", "1", "1MB", "01MiB", "-1MiB", "1.5GiB", "1 MiB", "MiB", "99999999999999999GiB", "1B"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q: got %d, want none", text, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := keys{"baud": nil, "parity": nil, "data_bits": nil}
	for name, want := range map[string]string{
		"buad": "did you mean baud?", "Parity": "did you mean parity?", "databits": "did you mean data_bits?",
		"speed": "expected baud, data_bits or parity",
	} {
		if got := suggest(name, known); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
