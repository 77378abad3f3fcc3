package figure

import "fmt"

// Group is figures that are measured together, of the same variants.
type Group []Figure

// The variants of a pair.
const (
	Bare   = 0
	Drover = 1
)

// Pair returns figures of the bare poller and Drover with so many channels.
func Pair(suite string, channels int, figures ...Figure) Group {
	for i := range figures {
		f := &figures[i]
		f.Suite, f.At = suite, channels
		if channels > 0 {
			f.Name = fmt.Sprintf("%s, %s", f.Name, Counted(channels))
		}
		f.Series = []Series{{Name: "bare poller"}, {Name: "drover"}}
	}
	return figures
}

// Alone returns figures of Drover with so many channels, of what the bare poller does not have.
func Alone(suite string, channels int, figures ...Figure) Group {
	g := Pair(suite, channels, figures...)
	for i := range g {
		g[i].Series = []Series{{Name: "drover"}}
	}
	return g
}

// Counted says how many channels there are.
func Counted(channels int) string {
	if channels == 1 {
		return "1 channel"
	}
	return fmt.Sprintf("%d channels", channels)
}

// Add adds a sample of a variant to each figure, in their order.
func (g Group) Add(variant int, samples ...float64) {
	for i, v := range samples {
		s := &g[i].Series[variant]
		s.Samples = append(s.Samples, v)
	}
}

// Done returns the figures with what their samples come to.
func (g Group) Done() []Figure {
	var out []Figure
	for _, f := range g {
		out = append(out, f.Done())
	}
	return out
}
