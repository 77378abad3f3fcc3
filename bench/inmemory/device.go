// Package inmemory is what a driver has around it where nothing but the driver is to be measured.
package inmemory

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// Config is what a driver is told that reads so many registers of the device in one request each period.
func Config(registers int, every time.Duration) driver.Config {
	c := driver.Config{
		Settings:    `{"mode":"tcp"}`,
		Connections: []driver.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []driver.Device{{ID: 0, Name: "plc", Settings: `{"unit":1}`}},
	}
	for i := range registers {
		c.Points = append(c.Points, driver.Point{
			ID: driver.PointID(i), Name: fmt.Sprintf("p%d", i), Scalar: driver.ScalarTypeUint16, Access: driver.AccessRead,
			Address: fmt.Sprintf(`"holding:%d"`, i), Period: uint64(every),
		})
	}
	return c
}

// Device is a host with one Modbus TCP device, all in memory: it answers at once. Time passes only while the driver waits.
type Device struct {
	// Now is the time.
	Now time.Time
	// Left is how many cycles are to come until the driver is stopped, Bad how many samples of those so far were not good.
	Left, Bad int
	answer    []byte
}

// Imports are those of an instance that has the device.
func (d *Device) Imports() host.Imports {
	return host.Imports{Serial: d, Socket: d, Data: d, Control: d, State: d, Log: d}
}

var (
	_ host.Stream  = (*Device)(nil)
	_ host.Serial  = (*Device)(nil)
	_ host.Socket  = (*Device)(nil)
	_ host.Data    = (*Device)(nil)
	_ host.Control = (*Device)(nil)
	_ host.State   = (*Device)(nil)
	_ host.Log     = (*Device)(nil)
)

// Write takes a request to read holding registers and has the answer ready (MODBUS Messaging on TCP/IP 1.0b, 3.1.3;
// MODBUS Application Protocol 1.1b3, 6.3).
func (d *Device) Write(_ context.Context, request []byte, _ driver.Duration) component.Result[component.Unit, driver.IOError] {
	count := int(binary.BigEndian.Uint16(request[10:]))
	d.answer = append(d.answer[:0], request[:4]...)
	d.answer = binary.BigEndian.AppendUint16(d.answer, uint16(3+2*count))
	d.answer = append(d.answer, request[6], request[7], byte(2*count))
	for i := range count {
		d.answer = binary.BigEndian.AppendUint16(d.answer, uint16(d.Left+i))
	}
	return component.Done[driver.IOError]()
}

func (d *Device) Read(_ context.Context, most uint32, _ driver.Duration) component.Result[[]byte, driver.IOError] {
	n := min(int(most), len(d.answer))
	out := d.answer[:n]
	d.answer = d.answer[n:]
	return component.OK[driver.IOError](out)
}

func (d *Device) ReadFrame(ctx context.Context, most uint32, _, timeout driver.Duration, expect uint32) component.Result[[]byte, driver.IOError] {
	if expect > 0 {
		most = min(most, expect)
	}
	return d.Read(ctx, most, timeout)
}

func (d *Device) Publish(_ context.Context, samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	for i := range samples {
		if samples[i].Quality != driver.QualityGood {
			d.Bad++
		}
	}
	d.Left--
	return component.OK[driver.PublishError](uint32(len(samples)))
}

func (d *Device) Wait(_ context.Context, _ []host.Stream, timeout driver.Duration) driver.Event {
	if d.Left <= 0 {
		return driver.EventStop()
	}
	d.Now = d.Now.Add(time.Duration(timeout))
	return driver.EventTimeout()
}
