package sdk

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// TestPointIsTheContracts holds that a point lies in memory as the contract's does, which lift takes it for.
func TestPointIsTheContracts(t *testing.T) {
	own, contracts := reflect.TypeFor[Point](), reflect.TypeFor[driver.Point]()
	if own.NumField() != contracts.NumField() || own.Size() != contracts.Size() || own.Align() != contracts.Align() {
		t.Fatalf("%v has %d members in %d bytes, %v %d in %d", own, own.NumField(), own.Size(), contracts,
			contracts.NumField(), contracts.Size())
	}
	for i := range own.NumField() {
		a, b := own.Field(i), contracts.Field(i)
		same := a.Type == b.Type || a.Type == reflect.TypeFor[time.Duration]() && b.Type == reflect.TypeFor[driver.Duration]()
		if a.Name != b.Name || a.Offset != b.Offset || !same {
			t.Errorf("%s %v at %d, of the contract's %s %v at %d", a.Name, a.Type, a.Offset, b.Name, b.Type, b.Offset)
		}
	}
}

// TestLiftPoints holds that each member has its value, and that no duration is below zero.
func TestLiftPoints(t *testing.T) {
	var c Config
	c.lift(driver.Config{Points: []driver.Point{
		{ID: 1, Device: 2, Name: "a", Scalar: driver.ScalarTypeUint16, Count: 3, Access: driver.AccessReadWrite, Address: `"x"`,
			Period: 4, Phase: 5},
		{ID: 6, Name: "b", Period: math.MaxUint64, Phase: math.MaxInt64 + 1},
	}})
	want := []Point{
		{ID: 1, Device: 2, Name: "a", Scalar: driver.ScalarTypeUint16, Count: 3, Access: driver.AccessReadWrite, Address: `"x"`,
			Period: 4, Phase: 5},
		{ID: 6, Name: "b", Period: Forever, Phase: Forever},
	}
	if !reflect.DeepEqual(c.Points, want) {
		t.Errorf("%+v, want %+v", c.Points, want)
	}
	if c.lift(driver.Config{}); len(c.Points) != 0 {
		t.Errorf("%d points of none", len(c.Points))
	}
}
