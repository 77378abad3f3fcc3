package crash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func held() message.Quarantine {
	return message.Quarantine{
		Channel: "boiler", Reason: "5 crashes within 10m0s, the last exit", Count: 5, Window: 600,
		Since: message.Time{Time: at}, Digest: "sha256:ab", LastFailure: report(5).Failure,
	}
}

func TestQuarantineSurvives(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir, nil)
	if q, err := s.Quarantined("boiler"); q != nil || err != nil {
		t.Errorf("at first: %v, %v", q, err)
	}
	s.Lift("boiler") // nothing to lift
	s.Quarantine(held())
	finish(t, s)

	next, _ := open(t, dir, nil)
	q, err := next.Quarantined("boiler")
	if err != nil || q == nil {
		t.Fatal(q, err)
	}
	if d := cmp.Diff(held(), *q); d != "" {
		t.Errorf("came back changed (-want +got):\n%s", d)
	}
	next.Lift("boiler")
	finish(t, next)

	last, _ := open(t, dir, nil)
	if q, err := last.Quarantined("boiler"); q != nil || err != nil {
		t.Errorf("lifted: %v, %v", q, err)
	}
}

// Of changes that overtake each other the last one counts.
func TestQuarantineLastOneCounts(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir, nil)
	for range 100 {
		s.Quarantine(held())
		s.Lift("boiler")
	}
	q := held()
	q.Reason = strings.Repeat("x", 1<<20)
	q.LastFailure.Summary = q.Reason
	s.Quarantine(q)
	finish(t, s)
	got, err := s.Quarantined("boiler")
	if err != nil || got == nil || len(got.Reason) != maxText || len(got.LastFailure.Summary) != maxText {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A damaged file is an error that names it, no quarantine, and gone with the next lift.
func TestDamagedQuarantine(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "cut": `{"channel":"boil`, "of another": `{"channel":"pump","reason":"r","digest":"d","since":"2026-11-23T08:20:01Z"}`,
		"without a reason": `{"channel":"boiler","digest":"d","since":"2026-11-23T08:20:01Z"}`, "huge": strings.Repeat(" ", maxQuarantine+1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "quarantine", "boiler.json")
			if err := (real{}).write(path, []byte(text)); err != nil {
				t.Fatal(err)
			}
			s, _ := open(t, dir, nil)
			if q, err := s.Quarantined("boiler"); q != nil || err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("got %+v, %v", q, err)
			}
			s.Lift("boiler")
			finish(t, s)
			if _, err := os.Stat(path); err == nil {
				t.Error("the file is still there")
			}
		})
	}
}
