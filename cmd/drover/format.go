package main

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// newTable returns a table without lines, aligned by spaces.
func newTable(p palette, columns ...string) table.Writer {
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	header := make(table.Row, len(columns))
	for i, c := range columns {
		header[i] = p.faint(c)
	}
	t.AppendHeader(header)
	return t
}

func rightAligned(column int) table.ColumnConfig {
	return table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight}
}

// quality returns what is to be said of a reading that is not good.
func quality(p palette, s shown) string {
	switch {
	case s.quality == "good":
		return ""
	case s.code == "":
		return p.bad(s.quality)
	}
	return p.bad(s.quality + " " + s.code)
}

// reason returns, in brackets, why a channel is in its state; nothing where that needs no reason.
func reason(s message.State) string {
	switch {
	case s.State == "connected" || s.State == "connecting" || s.State == "initializing":
		return ""
	case s.State == "quarantined" && s.LastFailure != nil:
		return " (" + s.Reason + ": " + s.LastFailure.Summary + ")"
	case s.LastFailure != nil:
		return " (" + s.LastFailure.Code + ": " + s.LastFailure.Summary + ")"
	case s.Reason != "":
		return " (" + s.Reason + ")"
	}
	return ""
}

// age returns how long ago something was, coarsely.
func age(now, at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	d := max(0, now.Sub(at))
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// plural returns "1 point" or "2 points".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
