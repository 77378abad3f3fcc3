package supervise_test

import (
	"encoding/json"
	"testing"

	"github.com/droverhq/drover/runtime/supervise"
)

// The numbers and names are a contract with those who watch.
func TestStateNumbersAndNames(t *testing.T) {
	for number, name := range []string{
		"disconnected", "connecting", "initializing", "connected", "reconnecting", "failed", "stopped", "quarantined",
		"state(8)",
	} {
		text, err := json.Marshal(supervise.State(number))
		if err != nil || string(text) != `"`+name+`"` {
			t.Errorf("state %d: %s, %v", number, text, err)
		}
	}
	if supervise.Quarantined != 7 || supervise.Failed != 5 || supervise.Connected != 3 {
		t.Error("the constants do not have their numbers")
	}
}

func TestResultNames(t *testing.T) {
	for number, name := range []string{"adopted", "swapped", "rolled back", "abandoned", "result(4)"} {
		if got := supervise.Result(number).String(); got != name {
			t.Errorf("result %d: %q, want %q", number, got, name)
		}
	}
}
