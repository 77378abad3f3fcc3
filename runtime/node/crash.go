package node

import (
	"strings"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/supervise"
)

// crashOf is a crash as it is kept. Channel, epoch and driver are left to the caller.
func crashOf(c channel.Crash) message.Crash {
	left := c.PostMortem
	m := message.Crash{
		Failure: natsbridge.FailureOf(c.Record), Started: message.Time{Time: c.Started},
		Memory: left.Memory, CPU: left.CPU.Seconds(), Stack: stackLines(left.Stack),
	}
	if left.Stack == "" {
		m.Stack = stackLines(c.Detail)
	}
	for _, l := range c.Lines {
		line := message.CrashLine{TS: message.Time{Time: l.Time}, Text: l.Text}
		if !l.Printed {
			line.Level = strings.ToLower(l.Level.String())
		}
		m.Lines = append(m.Lines, line)
	}
	if len(c.Lines) == 0 { // no channel was there to take them
		for _, text := range left.Output {
			m.Lines = append(m.Lines, message.CrashLine{Text: text})
		}
	}
	for _, call := range left.Calls {
		m.Calls = append(m.Calls, message.CrashCall{
			Name: call.Name, Args: call.Args, Result: call.Result, Duration: call.Duration.Seconds(),
		})
	}
	return m
}

// stackLines are the lines of a stack, without their indentation.
func stackLines(stack string) []string {
	var lines []string
	for line := range strings.Lines(stack) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// quarantineOf is a quarantine as it is told and kept.
func quarantineOf(channel string, c supervise.CrashLoop) message.Quarantine {
	return message.Quarantine{
		Channel: channel, Reason: c.Reason, Count: c.Crashes, Window: c.Window.Seconds(),
		Since: message.Time{Time: c.Since}, Digest: c.LastFailure.Digest, LastFailure: natsbridge.FailureOf(c.LastFailure),
	}
}

// crashLoopOf is quarantineOf's other way.
func crashLoopOf(q message.Quarantine) *supervise.CrashLoop {
	f := q.LastFailure
	return &supervise.CrashLoop{
		Reason: q.Reason, Crashes: q.Count, Window: time.Duration(q.Window * float64(time.Second)), Since: q.Since.Time,
		LastFailure: failure.Record{
			Phase: failure.Phase(f.Phase), Kind: failure.Kind(f.Kind), Code: failure.Code(f.Code), Summary: f.Summary,
			Attempt: f.Attempt, Generation: f.Generation, Digest: f.Digest, Time: f.Time.Time,
		},
	}
}

// quarantined returns why a member was quarantined before the node's start, or nil: for a driver of another digest, or
// with quarantine switched off, that counts no more. A file that cannot be read is an error in the log and no reason.
func (n *Node) quarantined(m *member) *supervise.CrashLoop {
	q, err := n.crashes.Quarantined(m.config.Name)
	switch logger := n.config.Logger.With("channel", m.config.Name); {
	case err != nil:
		logger.Error("the channel starts although it may be quarantined", "error", err)
	case q == nil:
	case q.Digest != m.module.Digest():
		logger.Info("quarantine lifted: another driver", "reason", q.Reason, "since", q.Since.Time)
	case m.config.Quarantine.Crashes == config.Never:
		logger.Info("quarantine lifted: switched off", "reason", q.Reason, "since", q.Since.Time)
	default:
		return crashLoopOf(*q)
	}
	return nil
}
