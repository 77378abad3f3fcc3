package modbus

import (
	"encoding/binary"
	"math"
	"sync"
)

// Memory is the four tables of a device (Application Protocol 4.3). An address exists once it is set; a request that
// touches one that does not is answered with exception 2. Memory is not safe for concurrent use: Device guards it.
type Memory struct {
	coils     map[uint16]bool
	discretes map[uint16]bool
	holding   map[uint16]uint16
	input     map[uint16]uint16
}

func newMemory() Memory {
	return Memory{
		coils:     map[uint16]bool{},
		discretes: map[uint16]bool{},
		holding:   map[uint16]uint16{},
		input:     map[uint16]uint16{},
	}
}

// SetCoils sets the coils from address on.
func (m *Memory) SetCoils(address uint16, values ...bool) { store(m.coils, address, values) }

// SetDiscretes sets the discrete inputs from address on.
func (m *Memory) SetDiscretes(address uint16, values ...bool) { store(m.discretes, address, values) }

// SetHolding sets the holding registers from address on.
func (m *Memory) SetHolding(address uint16, values ...uint16) { store(m.holding, address, values) }

// SetInput sets the input registers from address on.
func (m *Memory) SetInput(address uint16, values ...uint16) { store(m.input, address, values) }

// Coil returns the coil at address; false where there is none.
func (m *Memory) Coil(address uint16) bool { return m.coils[address] }

// Holding returns the holding register at address; 0 where there is none.
func (m *Memory) Holding(address uint16) uint16 { return m.holding[address] }

// Input returns the input register at address; 0 where there is none.
func (m *Memory) Input(address uint16) uint16 { return m.input[address] }

func store[T any](table map[uint16]T, address uint16, values []T) {
	for i, v := range values {
		table[address+uint16(i)] = v
	}
}

// covers says whether all of count addresses from address on exist.
func covers[T any](table map[uint16]T, address, count uint16) bool {
	if int(address)+int(count) > math.MaxUint16+1 {
		return false
	}
	for i := range count {
		if _, ok := table[address+i]; !ok {
			return false
		}
	}
	return true
}

// Words returns big-endian bytes as registers, the first two bytes in the first register. A last odd byte is the high
// byte of its register.
func Words(b []byte) []uint16 {
	words := make([]uint16, (len(b)+1)/2)
	for i, c := range b {
		words[i/2] |= uint16(c) << (8 * (1 - i%2))
	}
	return words
}

// Float32 returns v as two registers, high word first.
func Float32(v float32) []uint16 {
	return Words(binary.BigEndian.AppendUint32(nil, math.Float32bits(v)))
}

// Uint32 returns v as two registers, high word first.
func Uint32(v uint32) []uint16 { return Words(binary.BigEndian.AppendUint32(nil, v)) }

// Uint64 returns v as four registers, high word first.
func Uint64(v uint64) []uint16 { return Words(binary.BigEndian.AppendUint64(nil, v)) }

// Device is one unit. It is safe for concurrent use.
type Device struct {
	mu      sync.Mutex
	memory  Memory
	refresh func(*Memory)
}

// NewDevice returns a device with empty tables. refresh, which may be nil, runs before each request under the device's
// lock: values move without a goroutine.
func NewDevice(refresh func(*Memory)) *Device {
	return &Device{memory: newMemory(), refresh: refresh}
}

// Update runs f on the device's memory, with no request in between.
func (d *Device) Update(f func(*Memory)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.memory)
}

// serve executes one request PDU and returns the response PDU.
func (d *Device) serve(function uint8, data []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refresh != nil {
		d.refresh(&d.memory)
	}
	return d.memory.serve(function, data)
}
