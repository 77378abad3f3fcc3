package modbus

import (
	"math"
	"time"
)

// boiler is the state of NewBoiler's device.
type boiler struct {
	clock       func() time.Time
	last        time.Time
	temperature float64
	flame       bool
	starts      uint32
}

// NewBoiler returns a warm heating boiler as a device: its burner switches between two temperatures around the setpoint.
// It moves with the clock whenever it is asked. clock is time.Now or a test's.
//
//	coil 0           burner enabled, writable
//	discrete 0       flame
//	input 0          supply temperature, int16, 0.1 degree Celsius
//	input 1          return temperature, int16, 0.1 degree Celsius
//	input 2, 3       pressure, float32, bar
//	input 4, 5       starts of the burner, uint32
//	holding 0        setpoint, uint16, 0.1 degree Celsius, writable
func NewBoiler(clock func() time.Time) *Device {
	b := &boiler{clock: clock, last: clock(), temperature: 58}
	device := NewDevice(b.refresh)
	device.Update(func(m *Memory) {
		m.SetCoils(0, true)
		m.SetHolding(0, 600)
	})
	return device
}

// Constants of the boiler: degrees a second, and around the setpoint.
const (
	boilerHeating    = 0.9
	boilerCooling    = 0.4
	boilerHysteresis = 2.5
	boilerStep       = 50 * time.Millisecond
	boilerMemory     = time.Minute
)

func (b *boiler) refresh(m *Memory) {
	now := b.clock()
	if now.Sub(b.last) > boilerMemory {
		b.last = now.Add(-boilerMemory)
	}
	for ; now.Sub(b.last) >= boilerStep; b.last = b.last.Add(boilerStep) {
		b.advance(float64(m.Holding(0))/10, m.Coil(0))
	}
	m.SetDiscretes(0, b.flame)
	m.SetInput(0, tenths(b.temperature), tenths(b.temperature-11.5))
	m.SetInput(2, Float32(float32(math.Round(1200+b.temperature*10)/1000))...)
	m.SetInput(4, Uint32(b.starts)...)
}

// advance moves the boiler by one step.
func (b *boiler) advance(setpoint float64, enabled bool) {
	switch {
	case !enabled || b.temperature > setpoint+boilerHysteresis:
		b.flame = false
	case !b.flame && b.temperature < setpoint-boilerHysteresis:
		b.flame = true
		b.starts++
	}
	rate := -boilerCooling
	if b.flame {
		rate = boilerHeating
	}
	b.temperature = max(20, b.temperature+rate*boilerStep.Seconds())
}

func tenths(v float64) uint16 { return uint16(int16(math.Round(v * 10))) }

// NewMeter returns an energy meter as a device whose values are functions of the time since it was made. load is its
// mean power in watts. clock is time.Now or a test's.
//
//	input 0, 1       voltage, float32, volt
//	input 2, 3       current, float32, ampere
//	input 4, 5       power, float32, watt
//	input 6 to 9     energy, uint64, watt-second
//	holding 0        address of the meter on the line
func NewMeter(clock func() time.Time, unit uint8, load float64) *Device {
	start := clock()
	device := NewDevice(func(m *Memory) {
		t := clock().Sub(start).Seconds()
		const omega = 2 * math.Pi / 30
		voltage := 230 + 1.5*math.Sin(t/3+float64(unit))
		power := load * (1 + 0.4*math.Sin(omega*t))
		energy := load * (t + 0.4/omega*(1-math.Cos(omega*t)))
		m.SetInput(0, Float32(float32(math.Round(voltage*10)/10))...)
		m.SetInput(2, Float32(float32(math.Round(power/voltage*100)/100))...)
		m.SetInput(4, Float32(float32(math.Round(power)))...)
		m.SetInput(6, Uint64(uint64(energy))...)
	})
	device.Update(func(m *Memory) { m.SetHolding(0, uint16(unit)) })
	return device
}
