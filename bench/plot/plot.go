// Package plot draws lines over logarithmic axes as SVG: what grows tenfold from step to step, such as channels, and what
// they cost. Colours and greys are of middle lightness, so that a drawing is legible on a light page and on a dark one.
package plot

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Chart is one drawing.
type Chart struct {
	// Title is above it, Note small beneath. X and Y name the axes, with units.
	Title, Note, X, Y string
	Lines             []Line
	// Limit is a horizontal line with its name, for what is aimed at; nil for none.
	Limit *Limit
}

// Line is one series, named at its end.
type Line struct {
	Name   string
	Points []Point
}

// Point is a median and the range that the samples had. All are above 0.
type Point struct{ X, Y, Low, High float64 }

// Limit is a value of the Y axis with a name.
type Limit struct {
	Name string
	Y    float64
}

// The drawing's size and the plot's place in it. To the right is room for the names of the lines.
const (
	width, height            = 680, 360
	left, right, top, bottom = 70, 120, 40, 66
	labelHeight              = 15
)

const grey = "#6e7781"

// styles are how the lines differ, in colour and in mark.
var styles = [...]struct{ colour, mark string }{{"#b9651b", "square"}, {"#2f7fc1", "circle"}, {"#8a63c9", "square"}}

// Write draws the chart. It refuses one without points, with more lines than there are styles, and values that a
// logarithmic axis does not have.
func (c Chart) Write(w io.Writer) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("draw %q: %w", c.Title, err)
	}
	_, err := io.WriteString(w, c.draw())
	return err
}

func (c Chart) check() error {
	if len(c.Lines) == 0 || len(c.Lines) > len(styles) {
		return fmt.Errorf("%d lines, there must be 1 to %d", len(c.Lines), len(styles))
	}
	for _, l := range c.Lines {
		if len(l.Points) == 0 {
			return fmt.Errorf("line %q has no points", l.Name)
		}
		for _, p := range l.Points {
			for _, v := range []float64{p.X, p.Y, p.Low, p.High} {
				if !(v > 0) || math.IsInf(v, 0) {
					return fmt.Errorf("line %q has a point %+v, whose values must be above 0", l.Name, p)
				}
			}
		}
	}
	if c.Limit != nil && !(c.Limit.Y > 0) {
		return errors.New("the limit must be above 0")
	}
	return nil
}

func (c Chart) draw() string {
	x, y := c.axes()
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" `+
		`font-family="system-ui, sans-serif" font-size="12" fill="%s">`+"\n", width, height, width, height, grey)
	fmt.Fprintf(&out, "<title>%s</title>\n", escape(c.Title))
	label(&out, left, 20, "start", c.Title, `font-size="14" font-weight="600"`)
	for _, v := range y.ticks() {
		fmt.Fprintf(&out, `<path d="M%d %.1fH%d" stroke="%s" stroke-opacity="0.25"/>`+"\n", left, y.at(v), width-right, grey)
		label(&out, left-8, y.at(v)+4, "end", number(v), "")
	}
	for _, v := range x.ticks() {
		label(&out, x.at(v), height-bottom+18, "middle", number(v), "")
	}
	fmt.Fprintf(&out, `<path d="M%d %dH%d" stroke="%s"/>`+"\n", left, height-bottom, width-right, grey)
	label(&out, (left+width-right)/2, height-bottom+36, "middle", c.X, "")
	label(&out, left, top-6, "start", c.Y, "")
	label(&out, left, height-8, "start", c.Note, `font-size="10"`)
	if c.Limit != nil {
		fmt.Fprintf(&out, `<path d="M%d %.1fH%d" stroke="%s" stroke-dasharray="4 4"/>`+"\n", left, y.at(c.Limit.Y), width-right, grey)
	}
	for i, l := range c.Lines {
		line(&out, l, i, x, y)
	}
	for _, n := range c.names(y) {
		label(&out, width-right+10, n.at+4, "start", n.text, fmt.Sprintf(`fill="%s"`, n.colour))
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func line(out *strings.Builder, l Line, style int, x, y axis) {
	s := styles[style]
	points := slices.SortedFunc(slices.Values(l.Points), func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	var path strings.Builder
	for i, p := range points {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], x.at(p.X), y.at(p.Y))
	}
	fmt.Fprintf(out, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), s.colour)
	for _, p := range points {
		fmt.Fprintf(out, `<path d="M%.1f %.1fV%.1f" stroke="%s" stroke-width="1.5"/>`+"\n", x.at(p.X), y.at(p.Low), y.at(p.High), s.colour)
		switch s.mark {
		case "square":
			fmt.Fprintf(out, `<rect x="%.1f" y="%.1f" width="8" height="8" fill="%s"/>`+"\n", x.at(p.X)-4, y.at(p.Y)-4, s.colour)
		case "circle":
			fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"/>`+"\n", x.at(p.X), y.at(p.Y), s.colour)
		}
	}
}

// name is what stands at the end of a line.
type name struct {
	text, colour string
	at           float64
}

// names puts them beside the ends of their lines, but apart from each other and inside the drawing.
func (c Chart) names(y axis) []name {
	var out []name
	for i, l := range c.Lines {
		last := slices.MaxFunc(l.Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		out = append(out, name{l.Name, styles[i].colour, y.at(last.Y)})
	}
	if c.Limit != nil {
		out = append(out, name{c.Limit.Name, grey, y.at(c.Limit.Y)})
	}
	slices.SortStableFunc(out, func(a, b name) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(out); i++ {
		out[i].at = max(out[i].at, out[i-1].at+labelHeight)
	}
	lowest := float64(height - bottom)
	for i := len(out) - 1; i >= 0; i-- {
		out[i].at = min(out[i].at, lowest)
		lowest = out[i].at - labelHeight
	}
	return out
}

func label(out *strings.Builder, x, y float64, anchor, text, more string) {
	if text == "" {
		return
	}
	if more != "" {
		more = " " + more
	}
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>`+"\n", x, y, anchor, more, escape(text))
}

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a Builder takes everything
	return out.String()
}

// number writes a tick: 0.05, 1, 1,000.
func number(v float64) string {
	text := strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
	if v < 1000 {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
