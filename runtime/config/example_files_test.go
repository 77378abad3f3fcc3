package config

import (
	"path/filepath"
	"testing"
)

// The examples load, and their numbers are what their comments say.
func TestExamples(t *testing.T) {
	for _, tt := range []struct {
		name            string
		devices, points int
		kind            string
	}{
		{"meter-rs485", 3, 7, "serial"},
		{"plc-tcp", 2, 7, "tcp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Load(filepath.Join("..", "..", "examples", tt.name, "drover.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			c := n.Channels[0]
			points := 0
			for _, d := range c.Devices {
				points += len(d.Points)
			}
			kind := "tcp"
			if c.Connections[0].Serial != nil {
				kind = "serial"
			}
			if len(c.Devices) != tt.devices || points != tt.points || kind != tt.kind {
				t.Errorf("%d devices, %d points, %s; want %d, %d, %s",
					len(c.Devices), points, kind, tt.devices, tt.points, tt.kind)
			}
			if got, want := filepath.Base(c.Driver), "modbus.wasm"; got != want || !filepath.IsAbs(c.Driver) {
				t.Errorf("driver %s, want the absolute path of %s", c.Driver, want)
			}
		})
	}
}
