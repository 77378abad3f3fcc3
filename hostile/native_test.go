//go:build hostile

package hostile

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/failure"
)

// compiled returns the attacks in C.
func compiled(t *testing.T) []attack {
	t.Helper()
	files, err := filepath.Glob("native/*.c")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the attacks: %d files, %v", len(files), err)
	}
	var all []attack
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := newAttack(t, "c-"+strings.TrimSuffix(filepath.Base(file), ".c"), string(text))
		out := filepath.Join(t.TempDir(), "attack.wasm")
		clang := exec.Command("clang", "--target=wasm32", "-O1", "-nostdlib", "-ffreestanding", "-Wall", "-Werror",
			"-Wno-infinite-recursion", "-Wl,--no-entry", "-o", out, file)
		if message, err := clang.CombinedOutput(); err != nil {
			t.Fatalf("compile %s: %v (Debian's clang and lld)\n%.2000s", file, err, message)
		}
		if a.binary, err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// scripted returns the attacks in Go: the test driver with these settings.
func scripted(t *testing.T) []attack {
	t.Helper()
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	all := []attack{
		{name: "go-loop", phase: failure.PhaseRun, code: failure.LimitCPU, settings: `{"run": "loop"}`},
		{name: "go-loop-in-configure", phase: failure.PhaseConfigure, code: failure.LimitCPU, settings: `{"configure": "loop"}`},
		{name: "go-recurse", phase: failure.PhaseRun, code: failure.LimitStack, settings: `{"run": "recurse"}`},
		{name: "go-oom", phase: failure.PhaseInit, code: failure.LimitMemory, settings: `{"init": "oom"}`},
		{name: "go-exit", phase: failure.PhaseConnect, code: failure.Exit, settings: `{"connect": "exit:0"}`},
		{name: "go-panic", phase: failure.PhaseRun, code: failure.TrapUnreachable, settings: `{"run": "panic"}`},
		{name: "go-sleep", phase: failure.PhaseConnect, code: failure.LimitDeadline, settings: `{"connect": "sleep"}`},
		{name: "go-deaf", phase: stopPhase, code: failure.LimitCPU, settings: `{"ignoreStop": true}`},
	}
	for i := range all {
		all[i].binary = binary
	}
	return all
}
