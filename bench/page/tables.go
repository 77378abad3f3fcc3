package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/droverhq/drover/bench/figure"
)

// absent stands for what the run did not measure.
const absent = "Not measured."

// table returns rows as Markdown; the columns after the first so many are numbers.
func table(words int, rows ...[]string) string {
	var out strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&out, "| %s |\n", strings.Join(row, " | "))
		if i > 0 {
			continue
		}
		for column := range row {
			out.WriteString("|" + map[bool]string{true: "---", false: "--:"}[column < words])
		}
		out.WriteString("|\n")
	}
	return out.String()
}

// suite returns all figures of a suite.
func suite(r figure.Report, name string) string {
	figures := r.Suite(name)
	if len(figures) == 0 {
		return absent
	}
	rows := [][]string{{"figure", "variant", "median", "least to most", "unit", "ratio", "aim"}}
	for _, f := range figures {
		for i, s := range f.Series {
			row := []string{"", s.Name, figure.Number(s.Median), figure.Number(s.Min) + " to " + figure.Number(s.Max), f.Unit, "", ""}
			if i == 0 {
				row[0], row[6] = f.Name, f.Aim
			}
			if s.Ratio != 0 {
				row[5] = figure.Number(s.Ratio)
			}
			rows = append(rows, row)
		}
	}
	return table(2, rows...)
}

// aims returns the figures that something is wanted of.
func aims(r figure.Report) string {
	rows := [][]string{{"what", "aim", "drover", "bare poller", "ratio"}}
	for _, f := range r.Figures {
		if f.Aim == "" {
			continue
		}
		// The last variant is what was done about it: drover, metered, beside the most others.
		last := f.Series[len(f.Series)-1]
		row := []string{f.Suite + ": " + f.Name, f.Aim, withUnit(last.Median, f.Unit), "", ""}
		if bare, ok := f.Variant("bare poller"); ok {
			row[3] = withUnit(bare.Median, f.Unit)
		}
		if last.Ratio != 0 {
			row[4] = figure.Number(last.Ratio)
		}
		rows = append(rows, row)
	}
	if len(rows) == 1 {
		return absent
	}
	return table(2, rows...)
}

func withUnit(v float64, unit string) string {
	return strings.TrimSpace(figure.Number(v) + " " + unit)
}

// growth returns what grows with the channels: a row a metric and program, a column a number of channels.
func growth(r figure.Report) string {
	var channels []int
	for _, g := range grown {
		for _, f := range r.Of(g.metric) {
			channels = append(channels, f.At)
		}
	}
	slices.Sort(channels)
	channels = slices.Compact(channels)
	if len(channels) == 0 {
		return absent
	}
	rows := [][]string{{"what", "program"}}
	for _, n := range channels {
		rows[0] = append(rows[0], fmt.Sprint(n))
	}
	for _, g := range grown {
		for _, program := range []string{"bare poller", "drover"} {
			if row, any := g.row(r, program, channels); any {
				rows = append(rows, row)
			}
		}
	}
	return table(2, rows...)
}

// row returns a program's values of the metric; an empty cell where there is none.
func (g grows) row(r figure.Report, program string, channels []int) (row []string, any bool) {
	row = []string{g.title + ", " + g.unit, program}
	for _, n := range channels {
		cell := ""
		for _, f := range r.Of(g.metric) {
			if s, ok := f.Variant(program); ok && f.At == n {
				cell, any = figure.Number(g.of(s.Median, n)), true
			}
		}
		row = append(row, cell)
	}
	return row, any
}

// about returns what the run was.
func about(r figure.Run) string {
	if r.Date.IsZero() {
		return absent
	}
	rows := [][]string{{"", ""},
		{"date", r.Date.UTC().Format("2006-01-02 15:04 UTC")},
		{"machine", fmt.Sprintf("%s, %d cores, %d GiB", r.Machine, r.Cores, (r.Memory+1<<29)>>30)},
		{"load before the run", fmt.Sprintf("%.2f", r.Load)},
		{"drover", r.Drover},
		{"Go", r.Go},
	}
	var libraries [][]string
	for path, version := range r.Libraries {
		libraries = append(libraries, []string{path, version})
	}
	slices.SortFunc(libraries, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	rows = append(rows, libraries...)
	return table(2, append(rows, []string{"rounds, scale", fmt.Sprintf("%d, %g", r.Rounds, r.Scale)})...)
}
