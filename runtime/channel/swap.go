package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// SwapResult is what became of a swap.
type SwapResult string

// The results of a swap.
const (
	// Unchanged: the channel has that edition already. Nothing was touched.
	Unchanged SwapResult = "unchanged"
	// Prepared: a dry run has shown that the edition can be instantiated and takes its configuration.
	Prepared SwapResult = "prepared"
	// Refused: it cannot or does not. The running session was not touched.
	Refused SwapResult = "refused"
	// Adopted: no session ran. The edition is that of the next attempt, which begins at once unless the channel is
	// stopped.
	Adopted SwapResult = "adopted"
	// Swapped: it took over, and stood its trial.
	Swapped SwapResult = "swapped"
	// RolledBack: it did not, and the one before is back.
	RolledBack SwapResult = "rolled back"
	// Abandoned: the channel was stopped before there was a verdict. The one before is kept.
	Abandoned SwapResult = "abandoned"
)

// SwapOptions say how to swap.
type SwapOptions struct {
	// Trial is how long the new session is watched after it is Ready; 0 is not at all.
	Trial time.Duration
	// DryRun prepares the edition and discards it.
	DryRun bool
}

// SwapReport tells how a swap went.
type SwapReport struct {
	Result SwapResult
	// From and To are the drivers, by digest and by what they say of themselves.
	From, To Version
	// Failure is why the edition was refused or rolled back.
	Failure *failure.Failure
	// Yielded says whether the old session yielded, so that the new one could take over its lines. Restored says whether,
	// after a roll-back, the old edition's session was Ready at once.
	Yielded, Restored bool
	// Gap is how long there was no message, from the last of one session to the first of the next; 0 where there was none
	// before. Parked is how long commands waited.
	Gap, Parked time.Duration
	// Steps are those of supervise.Report behind the step prepare.
	Steps []supervise.Step
	// State is the channel's when the swap was over.
	State supervise.Snapshot
}

// Version is a driver's binary.
type Version struct {
	Driver driver.Metadata
	Digest string
}

// ErrSwapping refuses a swap, or a change in place, while another is in progress.
var ErrSwapping = errors.New("a swap of the channel is in progress")

// Swap puts an edition in the place of the one at hand: it makes and configures an instance beside the running session,
// has that yield, and lets the new one take over; runtime/supervise has what follows. In states without a running
// session it is adopted.
//
// It returns when there is a verdict. No session of the edition that lost is left then: its module can be released, and
// its Host, where it is another, is closed. That a swap is refused or rolled back is no error. When ctx is done before,
// the swap goes on, and the error is ctx's; other errors are ErrSwapping, supervise.ErrStopped and supervise.ErrStuck,
// and what is wrong with the edition. After ctx's and ErrStuck a session of either may be left.
func (c *Channel) Swap(ctx context.Context, next Edition, o SwapOptions) (SwapReport, error) {
	if !c.swapping.TryLock() {
		return SwapReport{}, ErrSwapping
	}
	if !c.enter() {
		c.swapping.Unlock()
		return SwapReport{}, fmt.Errorf("swap: %w", supervise.ErrStopped)
	}
	type outcome struct {
		report SwapReport
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer c.swaps.Done()
		report, err := c.swap(ctx, next, o)
		c.swapping.Unlock()
		done <- outcome{report, err}
	}()
	select {
	case out := <-done:
		return out.report, out.err
	case <-ctx.Done():
		return SwapReport{}, fmt.Errorf("swap: wait for the verdict: %w", context.Cause(ctx))
	}
}

// enter says that a swap begins, which Close waits for; false once that was called.
func (c *Channel) enter() bool {
	c.starting.RLock()
	defer c.starting.RUnlock()
	if c.closed.Load() {
		return false
	}
	c.swaps.Add(1)
	return true
}

// swap is Swap, without waiting for less than the verdict. c.swapping is held.
func (c *Channel) swap(ctx context.Context, next Edition, o SwapOptions) (SwapReport, error) {
	begin, old := time.Now(), c.current.Load()
	was := old.edition.Load()
	e, err := c.newEdition(next, was)
	if err != nil {
		return SwapReport{}, errors.Join(err, c.closeHost(next, was.Edition))
	}
	by := newConnector(c, e)
	report := SwapReport{Result: Unchanged, From: versionOf(was), To: versionOf(e)}
	if e.same(was) {
		report.State = c.Snapshot()
		return report, nil
	}
	failed := c.prepare(ctx, by)
	report.Steps = []supervise.Step{{Name: "prepare", Duration: time.Since(begin)}}
	switch {
	case failed != nil:
		report.Result, report.Failure = Refused, failure.From(failure.PhaseConfigure, failed)
	case o.DryRun:
		report.Result = Prepared
	default:
		by.trial = newTrial(was)
		c.handsOver.Store(e.Host == was.Host)
		defer c.handsOver.Store(true)
		err = c.replace(by, old, o.Trial, &report)
	}
	winner, loser := was, e
	if report.Result == Swapped || report.Result == Adopted {
		winner, loser = e, was
	}
	report.State = c.Snapshot()
	return report, errors.Join(err, by.discard(), c.closeHost(loser.Edition, winner.Edition))
}

// prepareWithin is how long an instance may take to be made and configured.
const prepareWithin = 15 * time.Second

// prepare makes and configures an instance, until the channel is closed or ctx is done at most.
func (c *Channel) prepare(ctx context.Context, by *connector) error {
	ctx, cancel := context.WithTimeout(ctx, prepareWithin)
	defer cancel()
	defer context.AfterFunc(c.ending, cancel)()
	return by.prepare(ctx)
}

// replace has the supervisor do it, and fills in the report.
func (c *Channel) replace(by, old *connector, length time.Duration, report *SwapReport) error {
	c.gap.reset()
	r, err := c.supervisor.Replace(context.Background(), by, length) // it always ends
	report.Yielded, report.Restored, report.Parked, report.Failure = r.Yielded, r.Restored, r.Parked, r.Why
	report.Steps = append(report.Steps, r.Steps...)
	switch {
	case err != nil && r.Result != supervise.Abandoned:
		report.Result = Refused
		return err
	case r.Result == supervise.Adopted:
		report.Result = Adopted
		c.serve(by)
		return old.left()
	case r.Result == supervise.Swapped:
		report.Result = Swapped
	case r.Result == supervise.RolledBack:
		report.Result = RolledBack
		c.serve(old)
		if !r.Restored {
			return nil
		}
	default:
		report.Result = Abandoned
		c.serve(old)
		return err
	}
	ctx, cancel := context.WithTimeout(c.ending, firstMessage)
	defer cancel()
	report.Gap = c.gap.length(ctx)
	return nil
}

// firstMessage is how long the report of a swap waits for the first message after it.
const firstMessage = 5 * time.Second

// serve makes the edition of a connector the one that is shown and commanded, and tells of the devices that are there no
// more.
func (c *Channel) serve(by *connector) {
	before := c.current.Swap(by)
	if before == by {
		return
	}
	e := by.edition.Load()
	for _, m := range before.edition.Load().members {
		if _, still := e.member(m.device.name); !still {
			c.config.Sink.Removed(m.device.name)
		}
	}
}

// closeHost closes the share of the outside world of an edition that lost, unless the one that won has the same.
func (c *Channel) closeHost(loser, winner Edition) error {
	if loser.Host == nil || loser.Host == winner.Host {
		return nil
	}
	return loser.Host.Close()
}

func versionOf(e *edition) Version {
	return Version{Driver: e.Module.Metadata(), Digest: e.Module.Digest()}
}
