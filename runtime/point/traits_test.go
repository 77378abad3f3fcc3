package point

import (
	"reflect"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

// TestMakerShares sees that points share what is the same of them, and nothing else.
func TestMakerShares(t *testing.T) {
	var m Maker
	define := func(change func(*Definition)) *Point {
		t.Helper()
		d := Definition{Name: "a", Device: "d", Scalar: driver.ScalarTypeInt16, Scale: 1, Range: &Range{Min: 0, Max: 1}}
		change(&d)
		p, err := m.New(d)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Definition(); !reflect.DeepEqual(got, d) {
			t.Errorf("got %+v, want %+v", got, d)
		}
		return p
	}
	first := define(func(*Definition) {})
	if other := define(func(d *Definition) { d.Name = "b" }); other.traits != first.traits || other.Name() != "b" {
		t.Error("points with other names share nothing")
	}
	for name, change := range map[string]func(*Definition){
		"range": func(d *Definition) { d.Range.Max = 2 }, "no range": func(d *Definition) { d.Range = nil },
		"scale": func(d *Definition) { d.Scale = 2 }, "device": func(d *Definition) { d.Device = "e" },
	} {
		if other := define(change); other.traits == first.traits {
			t.Errorf("points with another %s share their traits", name)
		}
	}
}
