package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/inmemory"
)

// modbus is the driver that is measured.
const modbus = "github.com/droverhq/drover/guests/modbus"

// cycleRegisters are read in each poll cycle, in one request; cyclesPerSample is how many a sample has.
const (
	cycleRegisters  = 100
	cyclesPerSample = 2000
)

// pollCycle measures the guest's part of a poll cycle: the driver runs against a device in memory that answers at
// once, on a clock that jumps to the next cycle.
func pollCycle(ctx context.Context, o options) ([]figure.Figure, error) {
	binary, err := build(modbus)
	if err != nil {
		return nil, err
	}
	f := figure.Figure{Suite: "metering", Name: "Modbus driver, poll cycle of 100 registers", Unit: "ns", Aim: "under 1.05x"}
	f, err = plainAndMetered(ctx, o, binary, f, func(ctx context.Context, c *code) (func() (float64, error), error) {
		if err := host.Register(ctx, c.runtime); err != nil {
			return nil, err
		}
		return func() (float64, error) {
			spent, err := runCycles(ctx, c, cyclesPerSample)
			return float64(spent) / cyclesPerSample, err
		}, nil
	})
	return []figure.Figure{f}, err
}

// runCycles runs the driver for that many cycles and returns how long its run took.
func runCycles(ctx context.Context, c *code, cycles int) (time.Duration, error) {
	d := &inmemory.Device{Now: time.Unix(1_800_000_000, 0), Left: cycles}
	abi := host.New(d.Imports(), canon.Limits{})
	ctx = abi.Context(ctx)
	m, err := c.instantiate(ctx, func() time.Time { return d.Now })
	if err != nil {
		return 0, err
	}
	defer m.Close(ctx) //nolint:errcheck // its work is done
	if err := abi.Attach(m); err != nil {
		return 0, err
	}
	session := driver.Session{Attempt: 1, Generation: 1}
	configured, err := abi.Configure(ctx, inmemory.Config(cycleRegisters, time.Second))
	if err := failed(configured, err); err != nil {
		return 0, err
	}
	connected, err := abi.Connect(ctx, session)
	if err := failed(connected, err); err != nil {
		return 0, err
	}
	handle, err := abi.Init(ctx, session)
	if err := failed(handle, err); err != nil {
		return 0, err
	}
	begin := time.Now()
	outcome, err := abi.Run(ctx, session)
	spent := time.Since(begin)
	if err := failed(outcome, err); err != nil {
		return 0, err
	}
	if d.Bad > 0 {
		return 0, fmt.Errorf("%d samples were not good", d.Bad)
	}
	return spent, nil
}

func failed[T any](r component.Result[T, driver.Failure], err error) error {
	if err == nil && r.Failed {
		return errors.New(r.Err.Summary)
	}
	return err
}
