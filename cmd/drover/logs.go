package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// logsOptions are the flags of `drover logs`.
type logsOptions struct {
	follow bool
	tail   int
	length time.Duration
}

// AddFlags adds the flags to a set.
func (o *logsOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVarP(&o.follow, "follow", "f", false, "show lines as they come")
	f.IntVarP(&o.tail, "tail", "n", 200, "at most that `number` of the lines that there are")
	f.DurationVar(&o.length, "for", 0, "with -f, end after that `time`, as 10s")
}

func newLogsCommand(g *globals) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs [-f] CHANNEL",
		Short: "Show the log of a channel and its driver",
		Long: `Show the last lines of a channel's log, the node's own about it and the driver's; with -f then those that come. The node
keeps the last 200 of them in memory, from info on or from the channel's level (drover log-level).`,
		Example:           "  drover logs boiler\n  drover logs -f boiler\n  drover logs --json boiler | jq -r 'select(.guest) | .message'",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.completeChannel,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.tail < 0 {
				return usagef("--tail %d: a number of lines is expected", o.tail)
			}
			return runLogs(cmd.Context(), o, args[0], g)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runLogs(ctx context.Context, o logsOptions, channel string, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	p := logPrinter{globals: g, tail: o.tail}
	if !o.follow {
		kept, err := node.logs(ctx, channel, false)
		if err != nil {
			return err
		}
		return p.all(kept)
	}
	ctx, cancel := lasting(ctx, o.length)
	defer cancel()
	return node.followLogs(ctx, channel, &p)
}

// logs returns the last lines of a channel; with follow, those to come are published for a while.
func (r *remote) logs(ctx context.Context, channel string, follow bool) (message.Logs, error) {
	var kept message.Logs
	body := map[string]any{"channel": channel, "follow": follow}
	if err := r.client.Get(ctx, r.node, "logs", body, &kept); err != nil {
		return kept, unreachable(err)
	}
	return kept, nil
}

// followLogs prints the last lines, then those that come, until ctx ends. What is missing between two lines is asked for.
func (r *remote) followLogs(ctx context.Context, channel string, p *logPrinter) error {
	if _, err := r.logs(ctx, channel, false); err != nil { // whether there is such a channel, and we may
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var asking sync.WaitGroup
	asking.Go(func() { cancel(r.keepFollowing(ctx, channel, p)) })
	filter := client.Filter{Node: r.node, Channel: channel, Kinds: []message.Kind{message.KindLog}}
	err := r.client.Watch(ctx, filter, func(m client.Message) error {
		line, err := message.Decode[message.Log](m.Payload)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Raw, err)
		}
		if !p.follows(line) { // some were lost on the way, or came before we listened
			kept, err := r.logs(ctx, channel, true)
			if err != nil {
				return err
			}
			return p.all(kept)
		}
		return p.one(line)
	})
	cancel(nil)
	asking.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = cause
	}
	return unreachable(err)
}

// keepFollowing asks for the lines until ctx ends, again before each lease ends.
func (r *remote) keepFollowing(ctx context.Context, channel string, p *logPrinter) error {
	for ctx.Err() == nil {
		asked := time.Now()
		kept, err := r.logs(ctx, channel, true)
		if err != nil {
			return err
		}
		if err := p.all(kept); err != nil {
			return err
		}
		timer := time.NewTimer(lease(kept, asked) / 3)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return ctx.Err()
}

// lease is for how long lines are published, by the node's clock; between a second and a minute, should the clocks differ.
func lease(kept message.Logs, asked time.Time) time.Duration {
	return min(max(kept.Until.Sub(asked), time.Second), time.Minute)
}

// logPrinter prints lines once, in their order.
type logPrinter struct {
	*globals
	tail int

	mu    sync.Mutex
	epoch string
	seq   uint64
}

// all prints the lines that are new; at first the last ones.
func (p *logPrinter) all(kept message.Logs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := kept.Lines
	if p.epoch == "" {
		p.epoch = kept.Epoch
		lines = lines[max(0, len(lines)-p.tail):]
	}
	for _, line := range lines {
		if err := p.print(line); err != nil {
			return err
		}
	}
	return nil
}

// follows says whether a line is the next one, or was printed.
func (p *logPrinter) follows(line message.Log) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return line.Epoch == p.epoch && line.Seq <= p.seq+1
}

// one prints a line, unless it was.
func (p *logPrinter) one(line message.Log) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.print(line)
}

// print prints a line, unless it was. The lock is held.
func (p *logPrinter) print(line message.Log) error {
	if line.Epoch == p.epoch && line.Seq <= p.seq {
		return nil
	}
	p.epoch, p.seq = line.Epoch, line.Seq
	if p.json {
		return p.printJSON(line)
	}
	_, err := fmt.Fprintln(p.out, logLine(p.palette(), line))
	return err
}

// logLine is a line for people: time, level, whose it is, text, and the fields by name.
func logLine(p palette, l message.Log) string {
	var b strings.Builder
	whose := "host"
	if l.Guest {
		whose = "guest"
	}
	fmt.Fprintf(&b, "%s  %s  %s  %s", l.TS.Local().Format("15:04:05.000"), p.level(l.Level), p.faint(fmt.Sprintf("%-5s", whose)), printable(l.Message))
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		value := l.Fields[name]
		if value == "" || strings.ContainsAny(value, " \"=") {
			value = strconv.Quote(value)
		}
		b.WriteString(" " + p.faint(printable(name)+"=") + printable(value))
	}
	return b.String()
}

// level paints a line's level.
func (p palette) level(level string) string {
	text := fmt.Sprintf("%-5s", printable(level))
	switch level {
	case "error":
		return p.bad(text)
	case "warn":
		return p.warn(text)
	case "debug":
		return p.faint(text)
	}
	return text
}
