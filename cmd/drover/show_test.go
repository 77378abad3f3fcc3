package main

import (
	"strings"
	"testing"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// TestGrantTable: all that a channel may reach has a line that says how.
func TestGrantTable(t *testing.T) {
	got := grantTable(palette{}, []message.Grant{
		{Name: "line", Kind: "serial", To: "/dev/ttyUSB0", Mode: "9600 baud"},
		{Name: "plc", Kind: "tcp", To: "10.0.0.5:802", TLS: &message.GrantTLS{ServerName: "plc.example", CA: "/ca.pem", Cert: "/c.pem"}},
		{Name: "other", Kind: "tcp", To: "10.0.0.6:802", TLS: &message.GrantTLS{ServerName: "10.0.0.6"}},
		{Name: "bus", Kind: "udp", To: "10.0.0.255:47808", Local: "0.0.0.0:47808"},
		{Name: "push", Kind: "listener", To: "0.0.0.0:5000", From: []string{"10.0.0.0/24", "fd00::5/128"}},
		{Kind: "tcp", To: "10.0.0.0/24:502"},
	})
	want := []string{
		"NAME KIND TO", "line serial /dev/ttyUSB0 9600 baud",
		"plc tcp 10.0.0.5:802 TLS with plc.example, trusting /ca.pem, as /c.pem", "other tcp 10.0.0.6:802 TLS with 10.0.0.6",
		"bus udp 10.0.0.255:47808 bound to 0.0.0.0:47808", "push listener 0.0.0.0:5000 for 10.0.0.0/24, fd00::5/128",
		"(pattern) tcp 10.0.0.0/24:502",
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), got)
	}
	for i, line := range lines {
		if text := strings.Join(strings.Fields(line), " "); text != want[i] {
			t.Errorf("got  %q\nwant %q", text, want[i])
		}
	}
}
