package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/bench/figure"
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
	d := &device{now: time.Unix(1_800_000_000, 0), left: cycles}
	abi := host.New(host.Imports{Serial: d, Socket: d, Data: d, Control: d, State: d, Log: d}, canon.Limits{})
	ctx = abi.Context(ctx)
	m, err := c.instantiate(ctx, func() time.Time { return d.now })
	if err != nil {
		return 0, err
	}
	defer m.Close(ctx) //nolint:errcheck // its work is done
	if err := abi.Attach(m); err != nil {
		return 0, err
	}
	session := driver.Session{Attempt: 1, Generation: 1}
	configured, err := abi.Configure(ctx, cycleConfig())
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
	if d.bad > 0 {
		return 0, fmt.Errorf("%d samples were not good", d.bad)
	}
	return spent, nil
}

func failed[T any](r component.Result[T, driver.Failure], err error) error {
	if err == nil && r.Failed {
		return errors.New(r.Err.Summary)
	}
	return err
}

func cycleConfig() driver.Config {
	c := driver.Config{
		Settings:    `{"mode":"tcp"}`,
		Connections: []driver.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []driver.Device{{ID: 0, Name: "plc", Settings: `{"unit":1}`}},
	}
	for i := range cycleRegisters {
		c.Points = append(c.Points, driver.Point{
			ID: driver.PointID(i), Name: fmt.Sprintf("p%d", i), Scalar: driver.ScalarTypeUint16, Access: driver.AccessRead,
			Address: fmt.Sprintf(`"holding:%d"`, i), Period: uint64(time.Second),
		})
	}
	return c
}

// device is a host with one Modbus TCP device, all in memory. Time passes only while the driver waits.
type device struct {
	now    time.Time
	left   int // cycles
	bad    int
	answer []byte
}

var (
	_ host.Stream  = (*device)(nil)
	_ host.Serial  = (*device)(nil)
	_ host.Socket  = (*device)(nil)
	_ host.Data    = (*device)(nil)
	_ host.Control = (*device)(nil)
	_ host.State   = (*device)(nil)
	_ host.Log     = (*device)(nil)
)

// Write takes a request to read holding registers and has the answer ready (MODBUS Messaging on TCP/IP 1.0b, 3.1.3;
// MODBUS Application Protocol 1.1b3, 6.3).
func (d *device) Write(_ context.Context, request []byte, _ driver.Duration) component.Result[component.Unit, driver.IOError] {
	count := int(binary.BigEndian.Uint16(request[10:]))
	d.answer = append(d.answer[:0], request[:4]...)
	d.answer = binary.BigEndian.AppendUint16(d.answer, uint16(3+2*count))
	d.answer = append(d.answer, request[6], request[7], byte(2*count))
	for i := range count {
		d.answer = binary.BigEndian.AppendUint16(d.answer, uint16(d.left+i))
	}
	return component.Done[driver.IOError]()
}

func (d *device) Read(_ context.Context, most uint32, _ driver.Duration) component.Result[[]byte, driver.IOError] {
	n := min(int(most), len(d.answer))
	out := d.answer[:n]
	d.answer = d.answer[n:]
	return component.OK[driver.IOError](out)
}

func (d *device) ReadFrame(ctx context.Context, most uint32, _, timeout driver.Duration, expect uint32) component.Result[[]byte, driver.IOError] {
	if expect > 0 {
		most = min(most, expect)
	}
	return d.Read(ctx, most, timeout)
}

func (d *device) Publish(_ context.Context, samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	for i := range samples {
		if samples[i].Quality != driver.QualityGood {
			d.bad++
		}
	}
	d.left--
	return component.OK[driver.PublishError](uint32(len(samples)))
}

func (d *device) Wait(_ context.Context, _ []host.Stream, timeout driver.Duration) driver.Event {
	if d.left <= 0 {
		return driver.EventStop()
	}
	d.now = d.now.Add(time.Duration(timeout))
	return driver.EventTimeout()
}
