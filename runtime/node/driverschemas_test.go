package node

import (
	"fmt"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

// TestDriverSchemas sees that a driver's schemas are compiled once, and that each channel has all evaluations for itself.
func TestDriverSchemas(t *testing.T) {
	var d driverSchemas
	m := driver.Metadata{Settings: `{"type": "object"}`}
	first, err := d.of(m)
	if err != nil {
		t.Fatal(err)
	}
	*first.settings.left = 0
	second, err := d.of(m)
	if err != nil {
		t.Fatal(err)
	}
	if second.settings.Schema != first.settings.Schema {
		t.Error("compiled again")
	}
	if left := *second.settings.left; left != firstEvaluations {
		t.Errorf("%d evaluations are left after another channel's", left)
	}
	if _, err := d.of(driver.Metadata{Settings: `{"type": 1}`}); err == nil {
		t.Error("a schema that is wrong compiles")
	}
	for i := range mostDrivers + 5 {
		if _, err := d.of(driver.Metadata{Name: "many", Settings: fmt.Sprintf(`{"minProperties": %d}`, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.compiled); n > mostDrivers {
		t.Errorf("%d drivers are kept, at most %d", n, mostDrivers)
	}
}
