package module

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// The pages that an instance of the Modbus driver may have for itself, in bytes, which polls so many registers.
const (
	budgetConfigured = 168 << 10
	budgetPolling    = 220 << 10
	polled           = 100
	hour             = 3600 // cycles
)

// TestPollingBudget counts the pages of a driver in plain Go that it shares with nobody: when it was configured, when it
// has polled once, and when it has polled for an hour.
func TestPollingBudget(t *testing.T) {
	if !compiles() {
		t.Skip("the interpreter keeps its own stack for each instance")
	}
	binary, err := modbus()
	if err != nil {
		t.Fatal(err)
	}
	m := loadOf(t, binary, false)
	d := new(registers)
	i := m.instantiateWith(t, InstanceConfig{Imports: host.Imports{Serial: d, Socket: d, Data: d, Control: d, State: d, Log: d}})
	d.instance = i
	at := func(what string, budget uint64) {
		t.Helper()
		own := i.memory.own(t)
		if t.Logf("%s, it has %d bytes for itself", what, own); own > budget {
			t.Errorf("at most %d", budget)
		}
	}
	at("instantiated", budgetOwn)
	if err := i.Configure(t.Context(), d.config()); err != nil {
		t.Fatal(err)
	}
	at("configured", budgetConfigured)
	if err := i.Connect(t.Context(), driver.Session{Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Init(t.Context(), driver.Session{Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	d.polled = func() {
		switch d.cycles {
		case 1:
			at("polled once", budgetPolling)
		case hour:
			at("polled for an hour", budgetPolling)
		}
	}
	if _, err := i.Run(t.Context(), driver.Session{Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if d.cycles < hour {
		t.Errorf("%d cycles", d.cycles)
	}
}

// registers is a host with one Modbus TCP device. An instance's time passes while it waits.
type registers struct {
	nothing
	instance *Instance
	answer   []byte
	cycles   int
	polled   func()
}

// config has so many points.
func (d *registers) config() driver.Config {
	c := driver.Config{
		Settings:    "{}",
		Connections: []driver.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []driver.Device{{Name: "plc", Settings: `{"unit":1}`}},
	}
	for n := range polled {
		c.Points = append(c.Points, driver.Point{
			ID: driver.PointID(n), Name: fmt.Sprintf("p%d", n), Scalar: driver.ScalarTypeUint16, Access: driver.AccessRead,
			Address: fmt.Sprintf(`"holding:%d"`, n), Period: uint64(time.Second),
		})
	}
	return c
}

func (d *registers) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	return component.OK[driver.IOError, host.Stream](line{d})
}

func (d *registers) Wait(_ context.Context, _ []host.Stream, timeout driver.Duration) driver.Event {
	if d.cycles > hour {
		return driver.EventStop()
	}
	d.instance.skipped += int64(timeout)
	return driver.EventTimeout()
}

func (d *registers) Publish(_ context.Context, samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	d.cycles++
	d.polled()
	return component.OK[driver.PublishError](uint32(len(samples)))
}

// line is the connection to the device.
type line struct{ *registers }

func (line) Drop(context.Context)         {}
func (line) Resumed(context.Context) bool { return false }

func (line) Ready(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (line) Flush(context.Context) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (line) Drain(context.Context, driver.Duration) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

// Write takes a request to read holding registers and has the answer ready (MODBUS Messaging on TCP/IP 1.0b, 3.1.3;
// MODBUS Application Protocol 1.1b3, 6.3).
func (l line) Write(_ context.Context, request []byte, _ driver.Duration) component.Result[component.Unit, driver.IOError] {
	count := int(binary.BigEndian.Uint16(request[10:]))
	a := append(l.answer[:0], request[:4]...)
	a = binary.BigEndian.AppendUint16(a, uint16(3+2*count))
	a = append(a, request[6], request[7], byte(2*count))
	l.answer = append(a, make([]byte, 2*count)...)
	return component.Done[driver.IOError]()
}

func (l line) Read(context.Context, uint32, driver.Duration) component.Result[[]byte, driver.IOError] {
	return component.OK[driver.IOError](l.answer)
}

func (l line) ReadFrame(
	context.Context, uint32, driver.Duration, driver.Duration, uint32,
) component.Result[[]byte, driver.IOError] {
	return component.Err[[]byte](driver.IOErrorInvalid)
}
