package config

import (
	"strings"
	"testing"
	"time"
)

func TestQuarantine(t *testing.T) {
	for text, want := range map[string]Quarantine{
		"":                             {Crashes: 5, Window: 10 * time.Minute},
		"quarantine:":                  {Crashes: 5, Window: 10 * time.Minute},
		"quarantine: {crashes: 1}":     {Crashes: 1, Window: 10 * time.Minute},
		"quarantine: {window: 1d}":     {Crashes: 5, Window: 24 * time.Hour},
		"quarantine: {crashes: never}": {Crashes: Never, Window: 10 * time.Minute},
		"quarantine: {crashes: 1000, window: 1s}": {Crashes: 1000, Window: time.Second},
	} {
		c, err := parseQuarantine(text)
		if err != nil || c.Channels[0].Quarantine != want {
			t.Errorf("%s: got %+v, %v", text, c, err)
		}
	}
}

func TestBadQuarantine(t *testing.T) {
	for text, want := range map[string]string{
		"quarantine: {crashes: 0}":      "a whole number from 1 to 1000",
		"quarantine: {crashes: 1001}":   "a whole number from 1 to 1000",
		"quarantine: {crashes: -1}":     "a whole number from 1 to 1000",
		"quarantine: {crashes: always}": "never or a number of crashes",
		"quarantine: {crashes: 1.5}":    "never or a number of crashes",
		"quarantine: {window: 0s}":      "a duration from 1s",
		"quarantine: {window: 600}":     "a duration with its unit",
		"quarantine: {windows: 1s}":     "did you mean window?",
		"quarantine: never":             "a mapping",
	} {
		_, err := parseQuarantine(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "drover.yaml:4:") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func parseQuarantine(text string) (*Node, error) {
	return Parse("drover.yaml", []byte("node: n1\nchannels: {boiler: {\n driver: a.wasm,\n "+text+" }}\n"))
}
