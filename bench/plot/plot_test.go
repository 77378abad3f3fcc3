package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func chart() Chart {
	return Chart{Title: "Memory <a channel>", Note: "two cores", X: "channels", Y: "MiB",
		Lines: []Line{
			{"bare poller", []Point{{1, 7, 6, 8}, {10, 0.8, 0.7, 0.9}, {100, 0.1, 0.09, 0.2}, {1000, 0.05, 0.05, 0.05}}},
			{"drover", []Point{{1000, 0.06, 0.05, 0.07}, {1, 20, 19, 30}}},
		},
		Limit: &Limit{"aim", 0.2},
	}
}

// texts returns the drawing's texts, and checks that it is XML.
func texts(t *testing.T, drawing string) []string {
	t.Helper()
	var out []string
	inside := false
	for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, drawing)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.CharData:
			if inside {
				out = append(out, string(token))
			}
		case xml.EndElement:
			inside = false
		}
	}
}

func TestDrawing(t *testing.T) {
	var out strings.Builder
	if err := chart().Write(&out); err != nil {
		t.Fatal(err)
	}
	got := texts(t, out.String())
	for _, want := range []string{"Memory <a channel>", "two cores", "channels", "MiB", "bare poller", "drover", "aim", "1,000", "0.1"} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no text %q in %q", want, got)
		}
	}
}

func TestEqualRatiosAreEquallyFarApart(t *testing.T) {
	x, y := chart().axes()
	for _, a := range []axis{x, y} {
		if one, two := a.at(10)-a.at(1), a.at(100)-a.at(10); math.Abs(one-two) > 1e-6 {
			t.Errorf("decades are %v and %v wide", one, two)
		}
	}
	if y.at(1) < y.at(10) {
		t.Error("more is lower")
	}
}

func TestEverythingIsInside(t *testing.T) {
	x, y := chart().axes()
	for _, l := range chart().Lines {
		for _, p := range l.Points {
			if x.at(p.X) < left || x.at(p.X) > width-right {
				t.Errorf("%v is at x %v", p, x.at(p.X))
			}
			for _, v := range []float64{p.Y, p.Low, p.High} {
				if y.at(v) < top || y.at(v) > height-bottom {
					t.Errorf("%v is at y %v", p, y.at(v))
				}
			}
		}
	}
}

func TestAxisEndsAtTicks(t *testing.T) {
	for _, c := range []struct{ least, most, low, high float64 }{
		{0.05, 30, 0.05, 50}, {3, 4, 2, 5}, {1, 1, 1, 2}, {7, 7, 5, 10}, {99, 101, 50, 200}, {1, 1000, 1, 1000}, {0.002, 0.009, 0.002, 0.01},
	} {
		low, high := axis{low: c.least, high: c.most}.round()
		if math.Abs(low/c.low-1) > 1e-9 || math.Abs(high/c.high-1) > 1e-9 {
			t.Errorf("%v to %v: the axis goes from %v to %v, want %v to %v", c.least, c.most, low, high, c.low, c.high)
		}
		if ticks := (axis{low: low, high: high}).ticks(); len(ticks) < 2 {
			t.Errorf("%v to %v: ticks %v", c.least, c.most, ticks)
		}
	}
}

func TestNamesStandApart(t *testing.T) {
	c := chart()
	c.Limit = &Limit{"aim", 0.055}
	_, y := c.axes()
	names := c.names(y)
	if len(names) != 3 {
		t.Fatalf("%v", names)
	}
	for i, n := range names {
		if i > 0 && n.at-names[i-1].at < labelHeight {
			t.Errorf("%q and %q overlap", n.text, names[i-1].text)
		}
		if n.at < top || n.at > height-bottom {
			t.Errorf("%q is at %v", n.text, n.at)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]Chart{
		"no line":      {},
		"no point":     {Lines: []Line{{Name: "a"}}},
		"zero":         {Lines: []Line{{"a", []Point{{1, 0, 0, 1}}}}},
		"no number":    {Lines: []Line{{"a", []Point{{1, math.NaN(), 1, 1}}}}},
		"a limit of 0": {Lines: []Line{{"a", []Point{{1, 1, 1, 1}}}}, Limit: &Limit{}},
		"many":         {Lines: make([]Line, 9)},
	} {
		var out strings.Builder
		if err := c.Write(&out); err == nil || out.Len() > 0 {
			t.Errorf("%s: drawn, %v", name, err)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.05: "0.05", 1: "1", 500: "500", 1000: "1,000", 2000000: "2,000,000"} {
		if got := number(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}
