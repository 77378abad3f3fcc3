//go:build interop

package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildUnitTestServer builds libmodbus's own test server, with a port that can be chosen.
func buildUnitTestServer(t *testing.T) string {
	t.Helper()
	const examples = "/usr/share/doc/libmodbus-dev/examples/"
	source, err := os.ReadFile(examples + "unit-test-server.c")
	if err != nil {
		t.Fatalf("libmodbus-dev is missing: %v", err)
	}
	const fixed = `modbus_new_tcp("127.0.0.1", 1502)`
	if !strings.Contains(string(source), fixed) {
		t.Fatalf("the test server of this libmodbus does not contain %s", fixed)
	}
	dir := t.TempDir()
	file, program := filepath.Join(dir, "server.c"), filepath.Join(dir, "server")
	free := strings.ReplaceAll(string(source), fixed, `modbus_new_tcp("127.0.0.1", atoi(getenv("PORT")))`)
	if err := os.WriteFile(file, []byte(free), 0o600); err != nil {
		t.Fatal(err)
	}
	cc := exec.Command("gcc", "-o", program, file, "-I", examples, "-I", "/usr/include/modbus", "-lmodbus")
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("build libmodbus's test server: %v\n%s", err, out)
	}
	return program
}

// startUnitTestServer runs the server again and again, because it ends with its client, and returns its port.
func startUnitTestServer(t *testing.T, program string) string {
	t.Helper()
	port := freePort(t)
	// The shell passes the signal on: it is what the test ends.
	loop := `trap 'kill $! 2>/dev/null; exit 0' TERM; while :; do "$0" & wait $!; done`
	p := start(t, "", []string{"PORT=" + port}, "bash", "-c", loop, program)
	t.Cleanup(func() { p.stop(t) })
	return port
}

// What a sound server holds, and its ways to misbehave (the special addresses of unit-test.h): each spoils its own point,
// and another unit behind the same connection is read as before.
func TestLibmodbus(t *testing.T) {
	program := buildUnitTestServer(t)
	var config strings.Builder
	const sound = `{ok: {address: "input:0x108", type: uint16}}`
	for _, c := range []struct{ name, points string }{
		{"sound", `{
          input: {address: "input:0x108", type: uint16},
          zero: {address: "holding:0x160", type: uint16, count: 3},
          bits: {address: "discrete:0x1c4", type: bool, count: 22}}`},
		{"busy", `{p: {address: "holding:0x170", type: uint16}, ok: {address: "input:0x108", type: uint16}}`},
		{"transaction", `{p: {address: "holding:0x171", type: uint16}}`},
		{"slow", `{p: {address: "holding:0x172", type: uint16}}`},
		{"bytewise", `{p: {address: "holding:0x173", type: uint16}}`},
		{"short", `{p: {address: "holding:0x160", type: uint32}}`},
	} {
		config.WriteString("  " + c.name + ":\n    driver: DRIVER\n    connections: {main: {tcp: \"127.0.0.1:" +
			startUnitTestServer(t, program) + "\"}}\n    settings: {mode: tcp, timeout: 1s}\n    every: 300ms\n" +
			"    devices: {d: {settings: {unit: 255}, points: " + c.points + "}, e: {settings: {unit: 1}, points: " + sound + "}}\n")
	}
	n := startNode(t, config.String())
	n.expect(t, map[string]string{
		"sound/d.input": "10",
		"sound/d.zero":  "[0,0,0]",
		// 0xAC 0xDB 0x35, the lowest bit first (Application Protocol 6.2).
		"sound/d.bits": "[false,false,true,true,false,true,false,true,true,true,false,true,true,false,true,true," +
			"true,false,true,false,true,true]",
		"busy/d.p":         "!driver.exception-6",
		"busy/d.ok":        "10",
		"transaction/d.p":  "!io.timeout",
		"transaction/e.ok": "10",
		"slow/d.p":         "0",
		"bytewise/d.p":     "0",
		"short/e.ok":       "10",
	})
	if r, ok := n.last("short/d.p"); !ok || r.Q != "bad" {
		t.Errorf("a response with a register too few: %s %s", r.V, r.Q)
	}
	n.finish(t)
}
