package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/droverhq/drover/guests/modbus/client"
	"github.com/droverhq/drover/internal/sim/modbus"
)

// build runs `go build`.
func build(t *testing.T, environment []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-trimpath"}, args...)...)
	cmd.Env = append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %q: %v\n%s", args, err, out)
	}
}

// TestScripts runs the sessions of testdata/script: each is what a user types, and what comes of it. The command is
// built as users build it, also when the tests run with the race detector, under which a driver compiles for a minute.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	build(t, nil, "-o", dir, ".")
	guest := func(name string) (file string) {
		file = filepath.Join(dir, name+".wasm")
		build(t, []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}, "-buildmode=c-shared", "-o", file, "../../guests/"+name)
		return file
	}
	driver, testdriver := guest("modbus"), guest("testdriver")
	newer := anotherVersion(t, driver)
	goEnvironment := goEnvironment(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", dir+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("DROVERPATH", dir)
			env.Setenv("DRIVER", driver)
			env.Setenv("MODBUS", "modbus@"+client.Version)
			env.Setenv("TESTDRIVER", testdriver)
			env.Setenv("NEWDRIVER", newer)
			env.Setenv("HOME", env.WorkDir)
			env.Vars = append(env.Vars, goEnvironment...)
			env.Setenv("XDG_RUNTIME_DIR", filepath.Join(env.WorkDir, "runtime"))
			return os.Mkdir(filepath.Join(env.WorkDir, "runtime"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"certificates": certificates,
			"damage":       damage,
			"device":       startDevice,
			"exits":        exits,
			"expand":       expand,
			"hangup":       hangup,
			"interrupt":    interrupt,
			"sigterm":      sigterm,
			"tlsserver":    tlsServer,
			"freeport":     freePort,
			"full":         full,
			"until":        until,
		},
	})
}

// anotherVersion is a module under another digest: with a custom section (WebAssembly core 5.5.3) at its end.
func anotherVersion(t *testing.T, file string) string {
	t.Helper()
	binary, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := file + ".new.wasm"
	if err := os.WriteFile(other, append(binary, 0, 5, 3, 'n', 'e', 'w', '!'), 0o600); err != nil {
		t.Fatal(err)
	}
	return other
}

// goEnvironment is what the go command needs in a script: its caches, since HOME is another one there, and no network.
// CHECKOUT is this repository.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(out))
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"GOCACHE=" + caches[0], "GOMODCACHE=" + caches[1], "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "CHECKOUT=" + checkout,
	}
}

// freePort is `freeport NAME`: it sets NAME to an address of this machine that nobody listens on.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], listener.Addr().String())
	ts.Check(listener.Close())
}

// startDevice is `device`: it starts a boiler on Modbus TCP and sets DEVICE to its address.
func startDevice(ts *testscript.TestScript, _ bool, _ []string) {
	server, err := modbus.ListenTCP(modbus.Config{Units: map[uint8]*modbus.Device{1: modbus.NewBoiler(time.Now)}})
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() }) // Nothing is left to lose.
	ts.Setenv("DEVICE", server.Addr())
}

// damage is `damage FOLDER`: it writes over the modules of a node's store.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.wasm"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("%s has no modules", args[0])
	}
	for _, file := range files {
		ts.Check(os.WriteFile(file, []byte("spoilt"), 0o600))
	}
}

// exits is `exits CODE COMMAND...`: it runs a command and checks how it ends. Its output is that of exec.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if err == nil {
		ts.Fatalf("it succeeded, want exit code %s", args[0])
	}
	if want := "exit status " + args[0]; err.Error() != want {
		ts.Fatalf("%v, want %s", err, want)
	}
}

// expand is `expand FILE`: it replaces $NAMES in a file.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	text, err := os.ReadFile(file)
	ts.Check(err)
	ts.Check(os.WriteFile(file, []byte(os.Expand(string(text), ts.Getenv)), 0o600))
}

// interrupt is `interrupt WORD`: it is Ctrl-C for what runs in the background with that word.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	for _, cmd := range ts.BackgroundCmds() {
		if slices.Contains(cmd.Args, args[0]) {
			ts.Check(cmd.Process.Signal(syscall.SIGINT))
		}
	}
}

// sigterm is `sigterm`: it asks all that runs in the background to end.
func sigterm(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

// hangup is `hangup`: it asks all that runs in the background to read its file again.
func hangup(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGHUP))
	}
}

// until is `until PATTERN COMMAND...`: it runs a command again and again until it prints what matches; with !, until it
// fails with an error that matches.
func until(ts *testscript.TestScript, fails bool, args []string) {
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	var seen bytes.Buffer
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if fails {
			out = ts.ReadFile("stderr")
		}
		if (err != nil) == fails && pattern.MatchString(out) {
			return
		}
		time.Sleep(100 * time.Millisecond) // It waits for another process.
		seen.Reset()
		fmt.Fprintf(&seen, "%v\n%s%s", err, out, ts.ReadFile("stderr"))
	}
	ts.Fatalf("%v never printed %s; last: %s", args[1:], pattern, seen.String())
}
