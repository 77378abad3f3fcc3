//go:build hostile

package hostile

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/failure"
)

// compiled returns the attacks in C and in Rust.
func compiled(t *testing.T) []attack {
	t.Helper()
	return slices.Concat(inC(t), inRust(t))
}

// sources calls f with each attack in a language, whose name it begins with, and where its source is.
func sources(t *testing.T, language, suffix string, f func(a attack, file string)) {
	t.Helper()
	files, err := filepath.Glob("native/*" + suffix)
	if err != nil || len(files) == 0 {
		t.Fatalf("find the attacks: %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name := strings.TrimSuffix(filepath.Base(file), suffix); name != "world" {
			f(newAttack(t, language+"-"+name, string(text)), file)
		}
	}
}

func inC(t *testing.T) (all []attack) {
	t.Helper()
	sources(t, "c", ".c", func(a attack, file string) {
		out := filepath.Join(t.TempDir(), "attack.wasm")
		clang := exec.Command("clang", "--target=wasm32", "-O1", "-nostdlib", "-ffreestanding", "-Wall", "-Werror",
			"-Wno-infinite-recursion", "-Wl,--no-entry", "-o", out, file)
		if message, err := clang.CombinedOutput(); err != nil {
			t.Fatalf("compile %s: %v (Debian's clang and lld)\n%.2000s", file, err, message)
		}
		a.binary = read(t, out)
		all = append(all, a)
	})
	return all
}

func inRust(t *testing.T) (all []attack) {
	t.Helper()
	var stderr strings.Builder
	cargo := exec.Command("./rust.sh")
	cargo.Stderr = &stderr
	folder, err := cargo.Output()
	if err != nil {
		t.Fatalf("compile the attacks in Rust: %v (Debian's cargo-web, rustc-web, rust-web-src and lld)\n%.2000s", err, &stderr)
	}
	sources(t, "rust", ".rs", func(a attack, _ string) {
		a.binary = read(t, filepath.Join(strings.TrimSpace(string(folder)), strings.TrimPrefix(a.name, "rust-")+".wasm"))
		all = append(all, a)
	})
	return all
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
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
