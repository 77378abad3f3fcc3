package modbus_test

import (
	"math"
	"testing"
	"time"

	"github.com/droverhq/drover/internal/sim/modbus"
)

func TestBoilerMovesWithTheClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	boiler, ask := modbus.NewBoiler(func() time.Time { return now }), readInput(t)
	low, high := math.Inf(1), math.Inf(-1)
	for range 300 {
		now = now.Add(time.Second)
		v := float64(int16(ask(boiler, 0))) / 10
		low, high = min(low, v), max(high, v)
	}
	if low < 56 || low > 58 || high < 62 || high > 63.5 {
		t.Errorf("temperature between %v and %v, want it to swing between 57.5 and 62.5", low, high)
	}
	if starts := ask(boiler, 5); starts < 5 || starts > 20 {
		t.Errorf("%d starts of the burner in five minutes", starts)
	}
}

func TestBoilerFollowsItsSetpoint(t *testing.T) {
	now := time.Now()
	boiler, ask := modbus.NewBoiler(func() time.Time { return now }), readInput(t)
	boiler.Update(func(m *modbus.Memory) { m.SetHolding(0, 800) })
	now = now.Add(40 * time.Second)
	if got := ask(boiler, 0); got < 770 {
		t.Errorf("temperature %d tenths, 40 s after the setpoint rose to 800", got)
	}
	boiler.Update(func(m *modbus.Memory) { m.SetCoils(0, false) })
	now = now.Add(50 * time.Second)
	if got := ask(boiler, 0); got > 700 {
		t.Errorf("temperature %d tenths, 50 s after the burner was disabled", got)
	}
}

func TestMeterCountsUp(t *testing.T) {
	now := time.Now()
	meter, ask := modbus.NewMeter(func() time.Time { return now }, 3, 1500), readInput(t)
	var last uint16
	for range 100 {
		now = now.Add(100 * time.Millisecond)
		energy := ask(meter, 9)
		if energy <= last {
			t.Fatalf("energy %d after %d", energy, last)
		}
		last = energy
	}
	if last < 15_000 || last > 21_000 {
		t.Errorf("%d Ws after 10 s at about 1.5 kW", last)
	}
}

// readInput returns a function that reads one input register through a server, as clients do.
func readInput(t *testing.T) func(d *modbus.Device, address uint16) uint16 {
	return func(d *modbus.Device, address uint16) uint16 {
		t.Helper()
		request := []byte{1, 0x04, byte(address >> 8), byte(address), 0, 1}
		response := roundTrip(t, d, request)
		if len(response) != 5 || response[1] != 0x04 {
			t.Fatalf("response % x", response)
		}
		return uint16(response[3])<<8 | uint16(response[4])
	}
}
