//go:build chaos && linux

package chaos

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/internal/testguest"
)

var (
	seeds  = flag.String("seed", "0", "the seeds of scripts, separated by commas; 0: a random one")
	length = flag.Duration("for", 2*time.Minute, "how long the script is")
)

// patience is how long anything that is to happen may take on a machine that is busy.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestChaos plays the script of each seed in front of a whole node.
func TestChaos(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()) // where nodes leave their files
	heap := settled(t).heap
	dir := drivers(t)
	life(t, dir, script{}) // what the process keeps for good is there after the first
	for text := range strings.SplitSeq(*seeds, ",") {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("-seed %s: numbers are expected, separated by commas", *seeds)
		}
		for seed == 0 {
			seed = uint64(rand.Uint32())
		}
		play(t, dir, seed, heap)
	}
}

// play plays the script of a seed, and compares what the process has before and after; the heap with what it was when
// the process began.
func play(t *testing.T, dir string, seed, heap uint64) {
	t.Helper()
	t.Logf("seed %d for %s", seed, *length)
	before, running := settled(t), goleak.IgnoreCurrent()
	before.heap = heap
	t.Logf("before  %s", before)
	life(t, dir, write(seed, *length))
	goleak.VerifyNone(t, running)
	returned(t, before, belongings{heap: 8 << 20, resident: 64 << 20})
	if t.Failed() {
		t.Fatalf("seed %d failed; again: make chaos SEED=%d FOR=%s", seed, seed, *length)
	}
}

// drivers returns a folder with the drivers, and room for their compiled code.
func drivers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"modbus", "testdriver"} {
		binary, err := testguest.Build(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".wasm"), binary, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "cache"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
