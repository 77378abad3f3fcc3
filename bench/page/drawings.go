package page

import (
	"fmt"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/plot"
)

// grows is a metric that is measured with ever more channels.
type grows struct {
	metric, title, unit string
	// each divides by the number of channels: what one costs.
	each bool
	// file is the name of its drawing.
	file  string
	limit *plot.Limit
}

// grown are those of the page, in its order.
var grown = []grows{
	{metric: "memory", title: "Memory a channel", unit: "MB", each: true, file: "memory"},
	{metric: "cpu", title: "CPU a channel", unit: "ms a second", each: true, file: "cpu"},
	{metric: "start-warm", title: "Warm start a channel", unit: "s", each: true, file: "start"},
	{metric: "late-p99", title: "Lateness of a cycle, p99", unit: "ms", file: "lateness", limit: &plot.Limit{Name: "aim: 50 ms", Y: 50}},
	{metric: "gap-p50", title: "Gap of a swap, median", unit: "ms", file: "swap", limit: &plot.Limit{Name: "a period", Y: 10}},
}

// of returns a value as the page has it.
func (g grows) of(v float64, channels int) float64 {
	if g.each {
		return v / float64(channels)
	}
	return v
}

// chart returns the metric's drawing; false without values that can be drawn.
func (g grows) chart(r figure.Report) (c plot.Chart, any bool) {
	c = plot.Chart{Title: g.title, X: "channels", Y: g.unit, Note: r.Run.String(), Limit: g.limit}
	for _, program := range []string{"bare poller", "drover"} {
		line := plot.Line{Name: program}
		for _, f := range r.Of(g.metric) {
			s, ok := f.Variant(program)
			p := plot.Point{X: float64(f.At), Y: g.of(s.Median, f.At), Low: g.of(s.Min, f.At), High: g.of(s.Max, f.At)}
			if ok && p.Low > 0 { // what is nothing has no place on a logarithmic axis
				line.Points = append(line.Points, p)
			}
		}
		if len(line.Points) > 0 {
			c.Lines = append(c.Lines, line)
		}
	}
	return c, len(c.Lines) > 0
}

// drawings returns the block that shows them, and which there are.
func drawings(r figure.Report) (block string, charts map[string]plot.Chart) {
	charts = map[string]plot.Chart{}
	for _, g := range grown {
		if c, any := g.chart(r); any {
			charts[g.file+".svg"] = c
			block += fmt.Sprintf("![%s, by the number of channels](performance/%s.svg)\n\n", g.title, g.file)
		}
	}
	if block == "" {
		block = absent
	}
	return block, charts
}
