package conformance

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// nobodyThere: a device that is switched off is one that comes back.
func (r *runner) nobodyThere(ctx context.Context) (verdict, error) {
	if r.without != "" {
		return skipped("%s", r.without), nil
	}
	begin := time.Now()
	o, err := r.attempt(ctx, r.example, nil, r.Watch)
	if err != nil {
		return verdict{}, err
	}
	v, wrong := o.wrong()
	switch {
	case wrong:
		return v, nil
	case o.gaveUp() && o.failure.Code != failure.IONotFound: // what a serial port that is not there is to every driver
		return failed("it gives up for ever, but a device that is switched off comes back: %s", o.why()), nil
	case o.failure != nil:
		return passed("%s, after %v", o.why(), round(time.Since(begin))), nil
	case o.online:
		return failed("it says that its device is online"), nil
	}
	return passed("it is ready without its devices, and does not say that they are online"), nil
}

// withDevice is for a device that does not do what the driver hopes for.
func (r *runner) withDevice(ctx context.Context, m manner) (outcome, verdict, error) {
	if r.without != "" {
		return outcome{}, skipped("%s", r.without), nil
	}
	if len(r.example.Connections) == 0 {
		return outcome{}, skipped("the example has no connection"), nil
	}
	o, err := r.attempt(ctx, r.example, m, r.Watch)
	if err != nil {
		return o, verdict{}, err
	}
	v, wrong := o.wrong()
	switch {
	case wrong:
	case o.gaveUp():
		v = failed("it gives up for ever: %s", o.why())
	case o.failure != nil:
		v = passed("%s", o.why())
	default:
		v = passed("it is ready, and goes on")
	}
	return o, v, nil
}

// silentDevice: one that takes the connection and never says a word.
func (r *runner) silentDevice(ctx context.Context) (verdict, error) {
	o, v, err := r.withDevice(ctx, silent)
	if v.result == Pass && o.good > 0 {
		return failed("it publishes %d good values of a device that said nothing", o.good), err
	}
	if v.result == Pass && o.online {
		return failed("it says that a device which said nothing is online"), err
	}
	return v, err
}

// rudeDevice: one that takes the connection and hangs up.
func (r *runner) rudeDevice(ctx context.Context) (verdict, error) {
	if r.listens() {
		return skipped(noCaller), nil
	}
	_, v, err := r.withDevice(ctx, rude)
	return v, err
}

// noise: one that sends bytes without meaning. What the driver makes of it is its own affair, as long as it lives.
func (r *runner) noise(ctx context.Context) (verdict, error) {
	if r.listens() {
		return skipped(noCaller), nil
	}
	o, v, err := r.withDevice(ctx, noisy)
	if v.result == Fail && o.crash == nil && o.gaveUp() && !wrongfully(o) {
		return passed("%s", o.why()), err
	}
	return v, err
}

// noCaller is why a driver that waits for calls cannot be called wrongly.
const noCaller = "it listens, and there is no simulated device that calls it"

// listens says whether a connection of the example is one that others make.
func (r *runner) listens() bool {
	return slices.ContainsFunc(r.example.Connections, func(c module.Connection) bool { return c.Listener != nil })
}

// wrongfully says whether an outcome is always wrong.
func wrongfully(o outcome) bool {
	_, wrong := o.wrong()
	return wrong
}

// settle is how long a session that does not get ready is given before it is told to stop.
const settle = 300 * time.Millisecond

// stop: a session that waits for its device ends when it is told to.
func (r *runner) stop(ctx context.Context) (verdict, error) {
	t, p, v, err := r.withSilence(ctx, settle)
	if t == nil {
		return v, err
	}
	defer p.close()
	begin := time.Now()
	if err := t.end(ctx); err != nil {
		return verdict{}, err
	}
	took := time.Since(begin)
	if o := t.story.outcome(); o.crash != nil {
		return failed("it does not obey: %s", o.why()), nil
	}
	return passed("it obeyed within %v", round(took)), nil
}

// withSilence starts the example with a silent device and waits so long for it to be ready. The trial is nil where the
// verdict says why there is none.
func (r *runner) withSilence(ctx context.Context, within time.Duration) (*trial, *peers, verdict, error) {
	if r.without != "" {
		return nil, nil, skipped("%s", r.without), nil
	}
	c := r.example
	connections, p, err := r.connect(c.Connections, silent)
	if err != nil {
		return nil, nil, verdict{}, err
	}
	c.Connections = connections
	t, err := r.start(once(c, r.Phase))
	if err != nil {
		p.close()
		return nil, nil, verdict{}, err
	}
	t.settled(ctx, within, 0)
	if o := t.story.outcome(); o.failure != nil {
		p.close()
		return nil, nil, skipped("its session does not last with a silent device: %s", o.why()), t.end(ctx)
	}
	return t, p, verdict{}, nil
}

// yield: a session gives way to another one, which is ready in its place.
func (r *runner) yield(ctx context.Context) (verdict, error) {
	t, p, v, err := r.withSilence(ctx, 2*r.Phase+patience)
	if t == nil {
		return v, err
	}
	defer p.close()
	v, err = t.renew(ctx)
	if accepted := p.accepted.Load(); v.result == Pass && accepted > 0 {
		if accepted <= int64(len(r.example.Connections)) {
			v.text += ", on the same connection"
		} else {
			v.text += ", with a connection of its own"
		}
	}
	if ended := t.end(ctx); err == nil {
		err = ended
	}
	return v, err
}

// renew swaps the driver for itself. So that this is a swap at all, the new edition may log a line a second more.
func (t *trial) renew(ctx context.Context) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, patience+30*time.Second)
	defer cancel()
	next := t.edition
	next.Limits.Log = cmp.Or(next.Limits.Log, channel.DefaultLog) + 1
	report, err := t.Swap(ctx, next, channel.SwapOptions{})
	if err != nil {
		return verdict{}, err
	}
	t.edition = next
	var yielded time.Duration
	for _, s := range report.Steps {
		if s.Name == "yield" {
			yielded = s.Duration
		}
	}
	o := t.story.outcome()
	switch {
	case o.crash != nil:
		return failed("it crashes: %s", o.why()), nil
	case report.Result == channel.Adopted:
		return skipped("its session ended by itself before it was told to yield"), nil
	case report.Result != channel.Swapped:
		return failed("the instance that took over did not get ready: %v", report.Failure), nil
	case !report.Yielded:
		return failed("it does not yield: the outcome of run is to be yielded"), nil
	case yielded >= yieldWithin:
		return failed("it does not yield within %v", yieldWithin), nil
	}
	return passed("it yielded within %v, and was ready again after %v", round(yielded), round(report.Parked)), nil
}
