package drover_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/internal/testguest"
)

// TestDriverReports holds what is said of a driver against the schemas of what the command line prints.
func TestDriverReports(t *testing.T) {
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "testdriver.wasm")
	if err := os.WriteFile(file, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := drover.DescribeDriver(t.Context(), file)
	if err != nil || info.Name != "testdriver" || info.Size != len(binary) {
		t.Errorf("%+v, %v", info, err)
	}
	var told []string
	report, err := drover.TestDriver(t.Context(), file, drover.DriverTest{
		Tell: func(c drover.DriverCheck) { told = append(told, c.Name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != len(report.Checks) || report.Count(drover.DriverPass) == 0 {
		t.Errorf("told %d of %+v", len(told), report)
	}
	page, err := os.ReadFile("docs/drivers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range told {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/drivers.md does not have the check %q", name)
		}
	}
	report.Readings = []drover.DriverReading{{Device: "d", Point: "p", Value: json.RawMessage("21.5"), Quality: "good", Count: 1}}
	for name, printed := range map[string]any{"driver": info, "driver-test": report} {
		text, err := json.Marshal(printed)
		if err != nil {
			t.Fatal(err)
		}
		if err := conforms(name, text); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
}

// TestDriverRefused tells a module that no node takes from a file that is not there.
func TestDriverRefused(t *testing.T) {
	noise := filepath.Join(t.TempDir(), "noise.wasm")
	if err := os.WriteFile(noise, []byte("no module"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := drover.DescribeDriver(t.Context(), noise); !drover.Refused(err) {
		t.Errorf("%v is no refusal", err)
	}
	_, err := drover.TestDriver(t.Context(), noise+".not", drover.DriverTest{})
	if err == nil || drover.Refused(err) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v is a refusal", err)
	}
}
