package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/record"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
	"github.com/droverhq/drover/runtime/supervise"
)

// longestTrial bounds what a caller may want.
const longestTrial = time.Hour

// ctlSwap puts another driver in the place of a channel's. The swap goes on when its caller has gone.
func (n *Node) ctlSwap(ctx context.Context, body []byte) (any, error) {
	r, err := swapRequest(body)
	if err != nil {
		return nil, err
	}
	release, err := n.members.hold("a swap", r.Channel)
	if err != nil {
		return nil, err
	}
	type outcome struct {
		swap message.Swap
		err  error
	}
	done := make(chan outcome, 1)
	n.swaps.Go(func() {
		var out outcome
		out.swap, out.err = n.swap(context.WithoutCancel(ctx), r)
		release() // first: who has the answer may ask for the next
		done <- out
	})
	select {
	case out := <-done:
		return out.swap, out.err
	case <-ctx.Done():
		return nil, message.ErrExpired.With("the swap goes on: the event swap will tell how it ended")
	}
}

func swapRequest(body []byte) (message.SwapRequest, error) {
	var r message.SwapRequest
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&r)
	switch {
	case err != nil:
		return r, message.ErrBody.With(fmt.Sprintf(`the body is not {"channel":"NAME","module":"REFERENCE"}: %v`, err))
	case r.Clear == (r.Module != ""):
		return r, message.ErrBody.With("a module is expected, or clear")
	case r.Digest != "" && !store.IsDigest(r.Digest):
		return r, message.ErrBody.With(fmt.Sprintf("digest is %q, expected sha256: and 64 hexadecimal digits", r.Digest))
	case r.Trial != nil && !(*r.Trial >= 0 && *r.Trial <= longestTrial.Seconds()):
		return r, message.ErrBody.With(fmt.Sprintf("trial is %g, expected seconds from 0 to %.0f", *r.Trial, longestTrial.Seconds()))
	}
	return r, nil
}

// swap does it. The channel is held.
func (n *Node) swap(ctx context.Context, r message.SwapRequest) (message.Swap, error) {
	begin := time.Now()
	m, err := n.members.find(r.Channel)
	if err != nil {
		return message.Swap{}, err
	}
	if m.channel == nil {
		return message.Swap{}, m.missing()
	}
	if r.Clear {
		r.Module = n.configured(m.config)
	}
	next := *m
	if next.module, err = n.loadForSwap(ctx, r, limits(m.config.Limits).Limits); err != nil {
		return message.Swap{}, notLoaded(err)
	}
	problems, err := checkSettings(next.module.Metadata(), m.config)
	if err == nil && len(problems) > 0 {
		err = message.ErrInvalid.With("the driver does not take the channel's settings: " + oneLine(problems))
	}
	if err != nil {
		return message.Swap{}, errors.Join(err, next.module.Release(ctx))
	}
	return n.exchange(ctx, r, m, &next, begin)
}

// exchange swaps a channel to the module of next, which is released unless it runs then; if it does, that of m is.
func (n *Node) exchange(ctx context.Context, r message.SwapRequest, m, next *member, begin time.Time) (message.Swap, error) {
	trial := message.DefaultTrial
	if r.Trial != nil {
		trial = time.Duration(*r.Trial * float64(time.Second))
	}
	report, err := m.channel.Swap(ctx, next.edition(), channel.SwapOptions{Trial: trial, DryRun: r.DryRun})
	switch {
	case errors.Is(err, channel.ErrSwapping):
		return message.Swap{}, errors.Join(message.ErrConflict.With(err.Error()), next.module.Release(ctx))
	case err != nil && report.Result == "":
		return message.Swap{}, errors.Join(err, next.module.Release(ctx))
	}
	out := swapOf(m.name(), r, report, time.Since(begin))
	loser := next.module
	if report.Result == channel.Swapped || report.Result == channel.Adopted {
		loser = m.module
		n.members.replace(next)
	}
	if errors.Is(err, supervise.ErrStuck) {
		n.applying.orphan(loser) // a session of it may still run
	} else {
		err = errors.Join(err, loser.Release(ctx))
	}
	if !r.DryRun {
		n.recordSwap(r, m.config, report, &out)
	}
	n.tellSwap(out)
	if report.Result == channel.Abandoned {
		err = errors.Join(message.ErrConflict.With("the channel was stopped meanwhile"), err)
	}
	return out, err
}

// configured is the reference of the driver that the configuration names: that which its path was pinned to, where it
// was.
func (n *Node) configured(c *config.Channel) string {
	if pin, ok := n.record.Pins()[c.Name]; ok && pin.Driver == c.Driver {
		return pin.Digest
	}
	return c.Driver
}

// loadForSwap loads the module that a request names, by its digest where it has one.
func (n *Node) loadForSwap(ctx context.Context, r message.SwapRequest, limits module.Limits) (*module.Module, error) {
	if r.Digest != "" {
		m, err := n.library.load(ctx, r.Digest, limits)
		if !errors.Is(err, store.ErrNotFound) || !filepath.IsAbs(r.Module) {
			return m, err
		}
	}
	m, err := n.library.load(ctx, r.Module, limits)
	if err == nil && r.Digest != "" && m.Digest() != r.Digest {
		return nil, errors.Join(message.ErrConflict.With(fmt.Sprintf("%s is %s on the node's machine, expected %s", r.Module,
			m.Digest(), r.Digest)), m.Release(ctx))
	}
	return m, err
}

// notLoaded is what a caller is told of a module that cannot be had, or is none.
func notLoaded(err error) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		if errors.Is(f, signature.ErrUntrusted) {
			return message.ErrUntrusted.With(f.Summary)
		}
		return message.ErrRefused.With(fmt.Sprintf("%s: %s", f.Code, f.Summary))
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return message.ErrNoModule.With(err.Error())
	}
	return err
}

func oneLine(problems config.Problems) string {
	problems.Sort()
	return strings.ReplaceAll(problems.Error(), "\n", "; ")
}

// recordSwap keeps a swap for the starts to come, or forgets the one that was taken back.
func (n *Node) recordSwap(r message.SwapRequest, c *config.Channel, report channel.SwapReport, out *message.Swap) {
	var err error
	done := report.Result == channel.Swapped || report.Result == channel.Adopted
	switch {
	case r.Clear && (done || report.Result == channel.Unchanged):
		_, out.Cleared, err = n.record.ClearOverride(c.Name)
	case done:
		err = n.record.SetOverride(c.Name, record.Override{
			Digest: report.To.Digest, Reference: r.Module, By: r.By, At: time.Now(), Driver: c.Driver,
		})
	}
	if err != nil {
		out.Unrecorded = err.Error()
		n.config.Logger.Warn("a swap is not recorded: it will not outlive the node", "channel", c.Name, "error", err)
	}
}

// tellSwap tells subscribers and the log of a swap that was done or tried.
func (n *Node) tellSwap(s message.Swap) {
	n.bridge.Event(s.Channel, "swap", s)
	log := n.config.Logger.With("channel", s.Channel, "result", s.Result, "from", s.From.Digest, "to", s.To.Digest, "by", s.By)
	if s.Failure != nil {
		log.Warn("swap", "code", s.Failure.Code, "reason", s.Failure.Summary)
		return
	}
	log.Info("swap", "gap", time.Duration(s.Gap*float64(time.Second)))
}

func swapOf(name string, r message.SwapRequest, report channel.SwapReport, took time.Duration) message.Swap {
	out := message.Swap{
		Channel: name, Result: string(report.Result), From: swapDriver(report.From), To: swapDriver(report.To),
		Reference: r.Module, By: r.By, Yielded: report.Yielded, Restored: report.Restored,
		Gap: report.Gap.Seconds(), Parked: report.Parked.Seconds(), Duration: took.Seconds(),
	}
	for _, s := range report.Steps {
		out.Steps = append(out.Steps, message.SwapStep{Step: s.Name, Duration: s.Duration.Seconds()})
	}
	if f := report.Failure; f != nil {
		m := natsbridge.FailureOf(failure.Record{
			Phase: f.Phase, Kind: f.Kind, Code: f.Code, Summary: f.Summary, Digest: report.To.Digest, Time: time.Now(),
		})
		out.Failure = &m
	}
	return out
}

func swapDriver(v channel.Version) message.SwapDriver {
	return message.SwapDriver{Driver: v.Driver.Name, Version: v.Driver.Version, Digest: v.Digest}
}

// overrideOf is the swap of a channel that holds; nil for none.
func (n *Node) overrideOf(channel string) *message.Override {
	o, ok := n.record.Override(channel)
	if !ok {
		return nil
	}
	told := overrideMessage(o)
	return &told
}
