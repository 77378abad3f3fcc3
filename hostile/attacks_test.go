//go:build hostile

package hostile

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// compute is how long a small attack may compute without calling the host: less than by default, so that the suite is
// quick.
const compute = 400 * time.Millisecond

// mostDenied is how often one who is denied a thousand times is told of at most: ten times at once and then once a second,
// on a machine that may be slow.
const mostDenied = 100

// TestAttacks has each attack run alone beside a healthy channel: with instances that start from an image, and with such
// that are initialised each.
func TestAttacks(t *testing.T) {
	attacks := slices.Concat(readAttacks(t), compiled(t), scripted(t))
	t.Run("snapshot", func(t *testing.T) { attackAll(t, attacks, false) })
	t.Run("ordinary", func(t *testing.T) { attackAll(t, attacks, true) })
}

func attackAll(t *testing.T, attacks []attack, each bool) {
	before := count(t)
	t.Run("all", func(t *testing.T) {
		r := newRig(t)
		if each {
			r.loader.InitialiseEach()
		}
		neighbour := r.neighbour(t)
		for _, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				r.attack(t, a)
				neighbour.cycles(t, 1)
			})
		}
		neighbour.intact(t)
	})
	returned(t, before, 512<<20)
}

// attack runs an attack to its end, which must be the documented one.
func (r *rig) attack(t *testing.T, a attack) {
	m, err := r.load(t, a.binary)
	if a.phase == failure.PhaseDescribe {
		if err == nil {
			t.Fatalf("it was taken, want %s", a.code)
		}
		expect(t, a, failure.From("", err))
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	c, e := r.start(t, "attack", m, cmp.Or(a.settings, "{}"), module.Limits{Compute: compute})
	if a.phase == stopPhase {
		e.await(t, "its session", func() bool { return e.ready })
		closeChannel(t, c)
		a.phase = failure.PhaseRun
	}
	if a.code == "" {
		if len(e.failures) > 0 {
			t.Errorf("a stop is no failure, but %v", e.failures)
		}
		return
	}
	e.await(t, "its failure", func() bool { return len(e.failures) > 0 })
	closeChannel(t, c)
	if len(e.failures) != 1 || e.denied > mostDenied {
		t.Errorf("%d failures, and %d events of what was denied", len(e.failures), e.denied)
	}
	f := e.failures[0]
	expect(t, a, &failure.Failure{Phase: f.Phase, Code: f.Code, Summary: f.Summary})
}

func expect(t *testing.T, a attack, f *failure.Failure) {
	t.Helper()
	if f == nil || f.Phase != a.phase || f.Code != a.code {
		t.Errorf("got %v, want %s %s", f, a.phase, a.code)
		return
	}
	if len(f.Summary) > 1024 || f.Summary == "" {
		t.Errorf("a summary of %d bytes", len(f.Summary))
	}
	t.Log(f)
}
