package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newCrashesCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "crashes CHANNEL [N]",
		Short: "Show the crashes of a channel",
		Long: `Show the crashes of a channel that the node keeps, the last one first. With N, show the whole post-mortem of that one:
the stack, the last lines that the driver logged or printed, and its last calls of the host.`,
		Example:           "  drover crashes boiler\n  drover crashes boiler 1",
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: g.completeChannel,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return runCrashes(cmd.Context(), args[0], g)
			}
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 {
				return usagef("%q is no number of a crash, expected 1 for the last, 2 for the one before it", args[1])
			}
			return runCrash(cmd.Context(), args[0], n, g)
		},
	}
}

func runCrashes(ctx context.Context, channel string, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	var kept message.Crashes
	body := map[string]any{"channel": channel}
	if err := node.client.Get(ctx, node.node, "crashes", body, &kept); err != nil {
		return unreachable(err)
	}
	if g.json {
		return g.printJSON(kept)
	}
	if len(kept.Crashes) == 0 {
		fmt.Fprintf(g.out, "no crash of channel %s is kept\n", channel)
	} else {
		fmt.Fprintln(g.out, crashTable(g.palette(), kept.Crashes))
	}
	for _, name := range kept.Damaged {
		fmt.Fprintf(g.err, "drover: the file %s of a crash is damaged and left out\n", printable(name))
	}
	return nil
}

func crashTable(p palette, crashes []message.Crash) string {
	t := newTable(p, "N", "TIME", "CODE", "PHASE", "ATTEMPT", "DIGEST", "SUMMARY")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(1), rightAligned(5)})
	for _, c := range crashes {
		f := c.Failure
		t.AppendRow(table.Row{
			c.N, localTime(f.Time), p.bad(printable(f.Code)), printable(f.Phase), f.Attempt, shortDigest(f.Digest), printable(f.Summary),
		})
	}
	return t.Render()
}

func runCrash(ctx context.Context, channel string, n int, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	var crash message.Crash
	body := map[string]any{"channel": channel, "n": n}
	if err := node.client.Get(ctx, node.node, "crash", body, &crash); err != nil {
		return unreachable(err)
	}
	if g.json {
		return g.printJSON(crash)
	}
	fmt.Fprint(g.out, postMortem(g.palette(), crash))
	return nil
}

// postMortem lays a crash out: facts, stack, lines, calls.
func postMortem(p palette, c message.Crash) string {
	var b strings.Builder
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%s %s\n", p.faint(fmt.Sprintf("%-8s", name)), printable(fmt.Sprintf(format, args...)))
	}
	f := c.Failure
	fact("channel", "%s", c.Channel)
	fact("time", "%s", localTime(f.Time))
	fact("code", "%s, %s", f.Code, f.Kind)
	fact("summary", "%s", f.Summary)
	fact("phase", "%s, attempt %d, generation %d%s", f.Phase, f.Attempt, f.Generation, lasted(c))
	fact("driver", "%s %s, %s", orUnknown(c.Driver), c.Version, orUnknown(f.Digest))
	fact("memory", "%s at most", bytesText(c.Memory))
	fact("cpu", "%s", seconds(c.CPU))
	section := func(title string, n int) {
		if n > 0 {
			fmt.Fprintf(&b, "\n%s\n", p.head(title))
		}
	}
	section("stack, innermost first", len(c.Stack))
	for _, line := range c.Stack {
		fmt.Fprintf(&b, "  %s\n", printable(line))
	}
	section("last lines", len(c.Lines))
	for _, l := range c.Lines {
		fmt.Fprintf(&b, "  %s%-5s  %s\n", clock(l.TS), levelOf(l), printable(l.Text))
	}
	section("last calls of the host", len(c.Calls))
	for _, call := range c.Calls {
		fmt.Fprintf(&b, "  %10s  %s(%s) -> %s\n", duration(call.Duration), printable(call.Name), printable(call.Args), printable(call.Result))
	}
	if c.Cut {
		fmt.Fprintf(&b, "\n%s\n", p.faint("Parts were left out to keep it small."))
	}
	return b.String()
}

// lasted is how long after the beginning of its attempt a crash came.
func lasted(c message.Crash) string {
	if c.Started.IsZero() {
		return ""
	}
	return ", after " + c.Failure.Time.Sub(c.Started.Time).Round(time.Millisecond).String()
}

func localTime(t message.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// clock is the time of day of a line, with two spaces behind it; nothing for a line without a time.
func clock(t message.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("15:04:05.000") + "  "
}

func levelOf(l message.CrashLine) string {
	if l.Level == "" {
		return "print"
	}
	return printable(l.Level)
}

func shortDigest(digest string) string {
	short := strings.TrimPrefix(digest, "sha256:")
	return orUnknown(printable(short[:min(12, len(short))]))
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func bytesText(n uint64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

func seconds(s float64) string { return fmt.Sprintf("%.3f s", s) }

// duration is that of a call; a call that did not return has none.
func duration(s float64) string {
	if s == 0 {
		return "-"
	}
	return time.Duration(s * float64(time.Second)).Round(time.Microsecond / 10).String()
}

// printable keeps what a driver wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ReplaceAll(s, "\t", "    "))
}
