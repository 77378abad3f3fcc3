package channel

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/runtime/module"
)

// TestLimitsAreDocumented: docs/limits.md has every limit of a channel, with its figure.
func TestLimitsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	lift := canon.NewGuest(canon.Limits{}).Limits()
	for limit, figure := range map[string]string{
		"Memory of an instance":                     kib(module.DefaultMemory),
		"Computing without a call of the host":      "1s",
		"Samples a second":                          fmt.Sprintf("%d/s", DefaultSamples),
		"Bytes a second":                            strings.ReplaceAll(kib(DefaultBytes), " ", "") + "/s",
		"Samples of one `publish`":                  fmt.Sprint(maxSamples),
		"Bytes of one `publish`":                    kib(maxBytes),
		"Changes of a device's state":               fmt.Sprintf("%d/s", toldRate),
		"Figures of a device":                       fmt.Sprint(maxGauges),
		"Log lines a second":                        fmt.Sprintf("%d/s", DefaultLog),
		"Text of a log line":                        fmt.Sprintf("%d bytes", maxText),
		"Fields of a log line":                      fmt.Sprint(maxFields),
		"Summaries, reasons, progress":              fmt.Sprintf("%d bytes", maxLine),
		"Progress of actions":                       fmt.Sprintf("%d/s", progressRate),
		"Saved state":                               kib(maxBlob),
		"Answer to a command":                       kib(maxBytes),
		"Open ports and connections":                fmt.Sprint(DefaultStreams),
		"Actions of a handle":                       fmt.Sprint(maxActions),
		"Name of an action":                         fmt.Sprint(maxActionName),
		"Each JSON Schema of an action":             kib(maxSchema),
		"Bytes that one call makes the host hold":   kib(uint64(lift.Bytes)),
		"List elements in one call":                 fmt.Sprint(lift.Elements),
		"A driver survives":                         fmt.Sprint(maxStrikes),
		"above 200/s, ten times what is allowed":    fmt.Sprint(flood * DefaultLog),
		"told besides by an event `drover.<node>.<": "denied",
	} {
		if !says(string(text), limit, figure) {
			t.Errorf("docs/limits.md has no line with %q and %q", limit, figure)
		}
	}
}

// says says whether a line has both texts.
func says(text, limit, figure string) bool {
	for line := range strings.Lines(text) {
		if strings.Contains(line, limit) && strings.Contains(line, figure) {
			return true
		}
	}
	return false
}

func kib(n uint64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
