package script

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// lookEvery is how many calls of a flood there are between two looks for a stop.
const lookEvery = 256

// oneCall does one call of a flood, the nth, and says whether the host refused it.
type oneCall func(ctx *sdk.Context, n int) (refused bool)

// oneOf returns the call of a flood by its name:
//
//	samples         a batch of all points; large: of as many samples as a call may carry
//	log, stdout     a line; long-log: of 64 KiB
//	state           a state of 64 KiB; large-state: one byte more
//	status, gauges  another state, other figures of the first device
//	reconnect       a request for a reconnect
//	streams         opening the connection once more, and keeping it
//	poll            control.wait without time
//	unknown-point, wrong-type, too-large    a batch that the host refuses
func oneOf(what string) (oneCall, error) {
	calls := map[string]oneCall{
		"samples":       func(ctx *sdk.Context, n int) bool { return publish(ctx, everything(ctx, n)) },
		"large":         func(ctx *sdk.Context, n int) bool { return publish(ctx, repeated(ctx, n, sdk.MaxSamples)) },
		"too-large":     func(ctx *sdk.Context, n int) bool { return publish(ctx, repeated(ctx, n, sdk.MaxSamples+1)) },
		"unknown-point": func(ctx *sdk.Context, _ int) bool { return publish(ctx, spoiled("unknown-point", ctx)) },
		"wrong-type":    func(ctx *sdk.Context, _ int) bool { return publish(ctx, spoiled("wrong-type", ctx)) },
		"log":           func(ctx *sdk.Context, n int) bool { ctx.Log().Info("flood", "line", n); return false },
		"long-log": func(ctx *sdk.Context, n int) bool {
			ctx.Log().Info(strings.Repeat("x", 64<<10), "line", n)
			return false
		},
		"stdout":      func(_ *sdk.Context, n int) bool { fmt.Fprintln(os.Stdout, "flood", n); return false },
		"state":       func(ctx *sdk.Context, _ int) bool { return ctx.SaveState(make([]byte, sdk.MaxState)) != nil },
		"large-state": func(ctx *sdk.Context, _ int) bool { return ctx.SaveState(make([]byte, sdk.MaxState+1)) != nil },
		"status": func(ctx *sdk.Context, n int) bool {
			ctx.SetDeviceStatus(0, driver.Status(n%3), fmt.Sprint("flood ", n))
			return false
		},
		"gauges": func(ctx *sdk.Context, n int) bool {
			ctx.SetGauges(0, sdk.Gauge{F0: fmt.Sprint("flood_", n%100), F1: float64(n)})
			return false
		},
		"reconnect": func(ctx *sdk.Context, n int) bool { return !ctx.RequestReconnect(fmt.Sprint("flood ", n)) },
		"streams":   func(ctx *sdk.Context, _ int) bool { _, err := ctx.Open(""); return err != nil },
		"poll":      func(ctx *sdk.Context, _ int) bool { ctx.Wait(0); return false },
	}
	if call, ok := calls[what]; ok {
		return call, nil
	}
	return nil, fmt.Errorf("unknown flood %q", what)
}

// flooding returns the behaviour flood:WHAT, which goes on until the session is to stop.
func flooding(what string) (behave, error) {
	call, err := oneOf(what)
	if err != nil {
		return nil, err
	}
	return func(ctx *sdk.Context, _ *sdk.Stream) error {
		for !ctx.Stopping() {
			flood(ctx, call, lookEvery)
		}
		return sdk.ErrCancelled
	}, nil
}

// flood does count calls and returns how many the host refused.
func flood(ctx *sdk.Context, call oneCall, count int) (refused int) {
	for n := range count {
		if call(ctx, n) {
			refused++
		}
	}
	return refused
}

// publish says whether the host took less than all.
func publish(ctx *sdk.Context, samples []sdk.Sample) bool {
	n, err := ctx.Publish(samples)
	return err != nil || n < len(samples)
}

func everything(ctx *sdk.Context, n int) []sdk.Sample {
	var all []sdk.Sample
	for i := range ctx.Config().Points {
		p := &ctx.Config().Points[i]
		all = append(all, sdk.Good(p.ID, counterValue(p, uint64(n)), time.Time{}))
	}
	return all
}

func repeated(ctx *sdk.Context, n, count int) []sdk.Sample {
	all := everything(ctx, n)
	for len(all) > 0 && len(all) < count {
		all = append(all, all[:min(len(all), count-len(all))]...)
	}
	return all[:min(len(all), count)]
}

func spoiled(how string, ctx *sdk.Context) []sdk.Sample {
	batch := sdk.NewBatch(ctx)
	batch.Add(everything(ctx, 0)...)
	spoil(how, batch)
	return batch.Samples()
}
