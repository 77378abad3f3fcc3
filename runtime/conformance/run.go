package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// runner runs the checks of one driver, one after the other.
type runner struct {
	Config
	// example is what channels are made of. It has no module where there is none: without then says why.
	example channel.Config
	without string
	log     *slog.Logger // of the check at hand
	live    *trial       // with the real device, from check to check
	// held is the memory of its instance at the end of the run, grown by how much that is more than after half of it.
	held, grown uint64
	report      Report
}

// Run runs all checks. The error is of what kept them from being run; what is wrong with the driver is in the report.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	r := &runner{Config: c.withDefaults()}
	defer r.leave()
	for _, check := range []struct {
		name string
		do   func(context.Context) (verdict, error)
	}{
		{"loads", r.loads},
		{"metadata", r.metadata},
		{"schemas", r.schemas},
		{"configure", r.configure},
		{"wrong settings", r.wrongSettings},
		{"no connection", r.noConnection},
		{"nobody there", r.nobodyThere},
		{"silent device", r.silentDevice},
		{"rude device", r.rudeDevice},
		{"noise", r.noise},
		{"stop", r.stop},
		{"yield", r.yield},
		{"device", r.device},
		{"memory", r.memory},
		{"swap", r.swap},
	} {
		begin := time.Now()
		r.log = r.Logger.With("check", check.name)
		v, err := check.do(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("check a driver: %w", context.Cause(ctx))
		case errors.Is(err, errNoLine):
			v = skipped("%v", err)
		case err != nil:
			return nil, fmt.Errorf("check a driver: %s: %w", check.name, err)
		}
		done := Check{Name: check.name, Result: v.result, Text: v.text, Seconds: time.Since(begin).Seconds()}
		r.report.Checks = append(r.report.Checks, done)
		r.Tell(done)
	}
	return &r.report, nil
}

// trial is a channel that runs for a check, and what it says.
type trial struct {
	*channel.Channel
	story   *story
	edition channel.Edition
}

// yieldWithin is how long a session has to yield, which is what nodes give it.
const yieldWithin = 5 * time.Second

// start starts a channel. The caller ends it.
func (r *runner) start(c channel.Config) (*trial, error) {
	host, err := r.Host.Channel(c.Name, module.Grants{Connections: c.Connections})
	if err != nil {
		return nil, fmt.Errorf("make a channel: %w", err)
	}
	t := &trial{story: newStory()}
	c.Deadlines.Yield = yieldWithin
	c.Host, c.Sink, c.Logger = host, t.story, r.log
	if t.Channel, err = channel.New(c); err != nil {
		return nil, errors.Join(err, host.Close())
	}
	t.edition = c.Edition
	t.Start()
	return t, nil
}

func (t *trial) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := t.Close(ctx); err != nil {
		return fmt.Errorf("end a channel: %w", err)
	}
	return nil
}

// settled waits until the channel is ready or has ended, for as long as that may take, and then, while it is ready, for
// so long for its end.
func (t *trial) settled(ctx context.Context, within, watch time.Duration) {
	waiting, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	t.story.until(waiting, func() bool { return t.story.ready || t.story.ended() })
	if watch == 0 {
		return
	}
	watching, cancel := context.WithTimeout(ctx, watch)
	defer cancel()
	t.story.until(watching, t.story.ended)
}

// attempt has a channel make one attempt with devices of a manner, and returns what came of it.
func (r *runner) attempt(ctx context.Context, c channel.Config, m manner, watch time.Duration) (o outcome, err error) {
	connections, p, err := r.connect(c.Connections, m)
	if err != nil {
		return outcome{}, err
	}
	defer p.close()
	c.Connections = connections
	t, err := r.start(once(c, r.Phase))
	if err != nil {
		return outcome{}, err
	}
	t.settled(ctx, 2*r.Phase+patience, watch)
	err = t.end(ctx)
	return t.story.outcome(), err
}

// wrong returns what is always wrong with an outcome: a crash, a breach of the contract, or neither success nor failure.
func (o outcome) wrong() (verdict, bool) {
	switch {
	case o.crash != nil:
		return failed("it crashes: %s", o.why()), true
	case o.failure != nil && strings.HasPrefix(string(o.failure.Code), "abi."):
		return failed("it breaks the contract: %s", o.why()), true
	case o.failure == nil && !o.ready:
		return failed("it neither gets ready nor fails"), true
	}
	return verdict{}, false
}

// gaveUp says whether an attempt ended so that none follows.
func (o outcome) gaveUp() bool { return o.failure != nil && o.failure.Kind != failure.Retryable }

// why is the failure in one line, with the last that the driver said where it crashed.
func (o outcome) why() string {
	f := o.failure
	text := fmt.Sprintf("%s in %s: %s", f.Code, f.Phase, f.Summary)
	if o.crash == nil || len(o.crash.Lines) == 0 {
		return text
	}
	for _, line := range o.crash.Lines {
		if strings.HasPrefix(line.Text, "panic:") && !strings.Contains(text, line.Text) {
			return text + " (" + line.Text + ")"
		}
	}
	return text
}
