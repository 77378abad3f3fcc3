package figure

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Print writes a table of the figures: a line for each variant.
func Print(w io.Writer, figures []Figure) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder, t.Style().Options.SeparateColumns = false, false
	t.Style().Format.Header = text.FormatLower
	t.AppendHeader(table.Row{"figure", "variant", "median", "min", "max", "unit", "ratio", "aim"})
	for _, f := range figures {
		for i, s := range f.Series {
			row := table.Row{"", s.Name, Number(s.Median), Number(s.Min), Number(s.Max), f.Unit, "", ""}
			if i == 0 {
				row[0], row[7] = f.Suite+": "+f.Name, f.Aim
			}
			if s.Ratio != 0 {
				row[6] = fmt.Sprintf("%.3f", s.Ratio)
			}
			t.AppendRow(row)
		}
	}
	right := func(n int) table.ColumnConfig {
		return table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight}
	}
	t.SetColumnConfigs([]table.ColumnConfig{right(3), right(4), right(5), right(7)})
	t.Render()
}

// Number prints three or four significant digits without an exponent.
func Number(v float64) string {
	digits := 3
	if a := math.Abs(v); a > 0 {
		digits = min(max(3-int(math.Floor(math.Log10(a))), 0), 6)
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
