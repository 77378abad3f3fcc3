package figure

import (
	"errors"
	"strings"
	"testing"
)

func TestMeasureTakesTurns(t *testing.T) {
	var order strings.Builder
	sample := func(name string, value float64) Variant {
		return Variant{Name: name, Run: func() (float64, error) { order.WriteString(name); return value, nil }}
	}
	f, err := Measure(Figure{Name: "work"}, 3, sample("a", 2), sample("b", 3))
	if err != nil {
		t.Fatal(err)
	}
	if got := order.String(); got != "ab"+"ab"+"ba"+"ab" {
		t.Errorf("order %s", got)
	}
	if f.Series[0].Ratio != 0 || f.Series[1].Ratio != 1.5 || len(f.Series[1].Samples) != 3 {
		t.Errorf("%+v", f.Series)
	}
}

func TestMeasureSaysWhatFailed(t *testing.T) {
	broken := errors.New("broken")
	_, err := Measure(Figure{Name: "work"}, 1, Variant{Name: "a", Run: func() (float64, error) { return 0, broken }})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "work, a") {
		t.Errorf("%v", err)
	}
}

func TestQuantile(t *testing.T) {
	samples := []float64{5, 1, 4, 2, 3, 10, 9, 8, 7, 6}
	for q, want := range map[float64]float64{0: 1, 0.1: 1, 0.5: 5, 0.91: 10, 0.99: 10, 1: 10} {
		if got := Quantile(samples, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if samples[0] != 5 {
		t.Error("the samples were changed")
	}
}
