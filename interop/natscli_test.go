//go:build interop

package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// natsCommand runs the nats command as somebody with a context of his own, and returns all that it prints.
func natsCommand(t *testing.T, n *node, role string, args ...string) (string, error) {
	t.Helper()
	command := absolute(t, "../build/natscli/nats")
	if _, err := os.Stat(command); err != nil {
		t.Fatalf("the nats command is missing (interop/natscli.sh gets it): %v", err)
	}
	config := t.TempDir()
	flags := []string{"--server", n.conn.ConnectedUrl(), "--timeout", "5s"}
	if role != "" {
		// What a node leaves for a role is a context that the command takes as it is.
		folder := filepath.Join(config, "nats", "context")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(n.data, "credentials", role+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "plant.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		flags = []string{"--context", "plant", "--timeout", "5s"}
	}
	cmd := exec.CommandContext(t.Context(), command, append(flags, args...)...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+config, "HOME="+config)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestNATSCommand drives a node by the nats command: without credentials for all that is a look, with a role's context
// for the rest.
func TestNATSCommand(t *testing.T) {
	n := startNode(t, `
  meter:
    driver: DRIVER
    connections: {main: {tcp: "127.0.0.1:1"}}
    settings: {mode: tcp}
    every: 200ms
    retry: {initial: 200ms, max: 200ms}
    devices:
      d:
        settings: {unit: 1}
        points:
          level: {address: "holding:0", type: uint16}
          setpoint: {address: "holding:1", type: uint16, access: rw}
`)
	const anonymous, observer, operator = "", "observer", "operator"
	write := []string{"req", "drover-call.interop.meter.write.d.setpoint", "5"}
	for _, tt := range []struct {
		name, role string
		args       []string
		want       string
	}{
		{"sub", anonymous, []string{"sub", "drover.interop.meter.event.>", "--count", "1"}, `drover\.interop\.meter\.event\.\w+`},
		{"get", anonymous, []string{"req", "drover-call.interop.get.ping", ""}, `"node":"interop"`},
		{"micro ls", anonymous, []string{"micro", "ls"}, `drover-interop`},
		{"micro info", anonymous, []string{"micro", "info", "drover-interop"}, `drover-call\.interop\.\*\.write\.>`},
		{"micro stats", anonymous, []string{"micro", "stats", "drover-interop"}, `Statistics(?s:.*)write`},
		{"micro ping", anonymous, []string{"micro", "ping"}, `drover-interop .*rtt=`},
		{"kv ls", anonymous, []string{"kv", "ls"}, `drover-interop`},
		{"kv status", anonymous, []string{"kv", "status", "drover-interop"}, `Bucket Name: drover-interop`},
		{"kv get", anonymous, []string{"kv", "get", "drover-interop", "heartbeat", "--raw"}, `"node":"interop"`},
		{"stream info", anonymous, []string{"stream", "info", "drover-interop-events"}, `drover\.interop\.\*\.event\.>`},
		{"stream get", observer, []string{"stream", "get", "drover-interop-events", "1"}, `drover\.interop\.meter\.event\.`},
		{"write without credentials", anonymous, write, `Permissions Violation for Publish to "drover-call.interop.meter.write`},
		{"write as observer", observer, write, `Permissions Violation for Publish to "drover-call.interop.meter.write`},
		{"write to a channel that is down", operator, write, `Nats-Service-Error-Code: 503(?s:.*)"code":"call.not-ready"`},
		{"read what is not there", operator, []string{"req", "drover-call.interop.meter.read.d.nothing", ""}, `Nats-Service-Error-Code: 404`},
		{"change as operator", operator, []string{"req", "drover-call.interop.ctl.stop", `{"channel":"meter"}`}, `Permissions Violation`},
		{"change as admin", "admin", []string{"req", "drover-call.interop.ctl.stop", `{"channel":"meter"}`}, `"state":"stopped"`},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			want := regexp.MustCompile(tt.want)
			var out string
			var err error
			// The first events and keys come when the channel has tried to connect.
			until(t, "nats "+strings.Join(tt.args, " ")+" prints "+tt.want, func() bool {
				out, err = natsCommand(t, n, tt.role, tt.args...)
				return want.MatchString(out)
			})
			t.Logf("%v\n%s", err, out)
		})
	}
}

// The answer of a look is JSON for whoever only prints it.
func TestNATSCommandPrintsJSON(t *testing.T) {
	n := startNode(t, "  meter:\n    driver: DRIVER\n    connections: {main: {tcp: \"127.0.0.1:1\"}}\n    settings: {mode: tcp}\n")
	out, err := natsCommand(t, n, "", "req", "drover-call.interop.get.state", "", "--raw")
	if err != nil || !json.Valid([]byte(out)) {
		t.Errorf("%v\n%s", err, out)
	}
}
