package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// programs is how many programs are made.
const programs = 400

// TestPrograms runs random programs as they are and rewritten: results, traps, memory and globals must be the same. What
// a program did between two yields must not be more than the allowance and what one charge may be late.
func TestPrograms(t *testing.T) {
	ends := map[string]int{}
	yields := 0
	for seed := range uint64(programs) {
		binary := makeProgram(seed)
		want := runProgram(t, instance(t, binary, false, nil))
		got, n := runBounded(t, seed, binary)
		yields += n
		if got.text != want.text || !bytes.Equal(got.memory, want.memory) {
			t.Errorf("seed %d: %s, unmetered %s", seed, got.text, want.text)
		}
		ends[want.end]++
	}
	if ends["returns"] < programs/10 || len(ends) < 4 || yields < programs {
		t.Errorf("programs of little use: %v, %d yields", ends, yields)
	}
	t.Logf("%v, %d yields", ends, yields)
}

type ended struct {
	text, end string
	memory    []byte
}

// runBounded runs a program metered and looks at the work done whenever it yields.
func runBounded(t *testing.T, seed uint64, binary []byte) (ended, int) {
	t.Helper()
	const allowance, late = 300, 1500 // no function of a program is longer
	var m api.Module
	last, yields := uint64(0), 0
	m = instance(t, binary, true, func() int64 {
		yields++
		work := m.ExportedGlobal("work").Get()
		if work-last > allowance+late {
			t.Errorf("seed %d: %d instructions between two yields", seed, work-last)
		}
		last = work
		return allowance
	})
	return runProgram(t, m), yields
}

func runProgram(t *testing.T, m api.Module) ended {
	t.Helper()
	results, err := m.ExportedFunction("run").Call(context.Background(), 12, 34)
	e := ended{end: "returns"}
	if err != nil {
		e.end = trapText(err)
	}
	if errors.Is(err, errStack) {
		t.Error(err)
	}
	e.text = fmt.Sprint(results, trapText(err))
	for _, g := range []string{"left", "work", "a", "b"} {
		e.text += fmt.Sprintf(" %s=%d", g, m.ExportedGlobal(g).Get())
	}
	content, _ := m.Memory().Read(0, m.Memory().Size())
	e.memory = bytes.Clone(content)
	return e
}
