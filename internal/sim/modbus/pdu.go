package modbus

import "encoding/binary"

// Function codes (Application Protocol 6).
const (
	fnReadCoils      = 0x01
	fnReadDiscretes  = 0x02
	fnReadHolding    = 0x03
	fnReadInput      = 0x04
	fnWriteCoil      = 0x05
	fnWriteRegister  = 0x06
	fnWriteCoils     = 0x0f
	fnWriteRegisters = 0x10
	fnMaskWrite      = 0x16
)

// Exception codes (Application Protocol 7).
const (
	ExceptionIllegalFunction = 0x01
	ExceptionIllegalAddress  = 0x02
	ExceptionIllegalValue    = 0x03
	ExceptionDeviceFailure   = 0x04
	ExceptionBusy            = 0x06
	ExceptionNoTarget        = 0x0b
)

// Most that one request may ask for (Application Protocol 6.1 to 6.4, 6.11, 6.12).
const (
	maxReadBits       = 2000
	maxReadRegisters  = 125
	maxWriteBits      = 1968
	maxWriteRegisters = 123
)

// exception returns an exception response (Application Protocol 7).
func exception(function, code uint8) []byte { return []byte{function | 0x80, code} }

// serve executes one request: data is the PDU after the function code.
func (m *Memory) serve(function uint8, data []byte) []byte {
	switch function {
	case fnReadCoils:
		return readBits(function, m.coils, data)
	case fnReadDiscretes:
		return readBits(function, m.discretes, data)
	case fnReadHolding:
		return readRegisters(function, m.holding, data)
	case fnReadInput:
		return readRegisters(function, m.input, data)
	case fnWriteCoil:
		return m.writeCoil(data)
	case fnWriteRegister:
		return m.writeRegister(data)
	case fnWriteCoils:
		return m.writeCoils(data)
	case fnWriteRegisters:
		return m.writeRegisters(data)
	case fnMaskWrite:
		return m.maskWrite(data)
	}
	return exception(function, ExceptionIllegalFunction)
}

// readBits is FC 1 and 2 (6.1, 6.2): the first bit is the lowest of the first byte.
func readBits(function uint8, table map[uint16]bool, data []byte) []byte {
	address, count, ok := addressAndCount(data, maxReadBits)
	if !ok || len(data) != 4 {
		return exception(function, ExceptionIllegalValue)
	}
	if !covers(table, address, count) {
		return exception(function, ExceptionIllegalAddress)
	}
	size := (int(count) + 7) / 8
	response := make([]byte, 2+size)
	response[0], response[1] = function, uint8(size)
	for i := range count {
		if table[address+i] {
			response[2+i/8] |= 1 << (i % 8)
		}
	}
	return response
}

// readRegisters is FC 3 and 4 (6.3, 6.4).
func readRegisters(function uint8, table map[uint16]uint16, data []byte) []byte {
	address, count, ok := addressAndCount(data, maxReadRegisters)
	if !ok || len(data) != 4 {
		return exception(function, ExceptionIllegalValue)
	}
	if !covers(table, address, count) {
		return exception(function, ExceptionIllegalAddress)
	}
	response := make([]byte, 2, 2+2*count)
	response[0], response[1] = function, uint8(2*count)
	for i := range count {
		response = binary.BigEndian.AppendUint16(response, table[address+i])
	}
	return response
}

// writeCoil is FC 5 (6.5): 0xff00 is on, 0 is off, the response repeats the request.
func (m *Memory) writeCoil(data []byte) []byte {
	if len(data) != 4 {
		return exception(fnWriteCoil, ExceptionIllegalValue)
	}
	address, value := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	if value != 0 && value != 0xff00 {
		return exception(fnWriteCoil, ExceptionIllegalValue)
	}
	if !covers(m.coils, address, 1) {
		return exception(fnWriteCoil, ExceptionIllegalAddress)
	}
	m.coils[address] = value != 0
	return append([]byte{fnWriteCoil}, data...)
}

// writeRegister is FC 6 (6.6): the response repeats the request.
func (m *Memory) writeRegister(data []byte) []byte {
	if len(data) != 4 {
		return exception(fnWriteRegister, ExceptionIllegalValue)
	}
	address, value := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	if !covers(m.holding, address, 1) {
		return exception(fnWriteRegister, ExceptionIllegalAddress)
	}
	m.holding[address] = value
	return append([]byte{fnWriteRegister}, data...)
}

// writeCoils is FC 15 (6.11).
func (m *Memory) writeCoils(data []byte) []byte {
	address, count, ok := addressAndCount(data, maxWriteBits)
	if !ok || !hasPayload(data, (int(count)+7)/8) {
		return exception(fnWriteCoils, ExceptionIllegalValue)
	}
	if !covers(m.coils, address, count) {
		return exception(fnWriteCoils, ExceptionIllegalAddress)
	}
	for i := range count {
		m.coils[address+i] = data[5+i/8]&(1<<(i%8)) != 0
	}
	return append([]byte{fnWriteCoils}, data[:4]...)
}

// writeRegisters is FC 16 (6.12).
func (m *Memory) writeRegisters(data []byte) []byte {
	address, count, ok := addressAndCount(data, maxWriteRegisters)
	if !ok || !hasPayload(data, 2*int(count)) {
		return exception(fnWriteRegisters, ExceptionIllegalValue)
	}
	if !covers(m.holding, address, count) {
		return exception(fnWriteRegisters, ExceptionIllegalAddress)
	}
	for i := range count {
		m.holding[address+i] = binary.BigEndian.Uint16(data[5+2*i:])
	}
	return append([]byte{fnWriteRegisters}, data[:4]...)
}

// maskWrite is FC 22 (6.16): the response repeats the request.
func (m *Memory) maskWrite(data []byte) []byte {
	if len(data) != 6 {
		return exception(fnMaskWrite, ExceptionIllegalValue)
	}
	address := binary.BigEndian.Uint16(data)
	if !covers(m.holding, address, 1) {
		return exception(fnMaskWrite, ExceptionIllegalAddress)
	}
	and, or := binary.BigEndian.Uint16(data[2:]), binary.BigEndian.Uint16(data[4:])
	m.holding[address] = m.holding[address]&and | or&^and
	return append([]byte{fnMaskWrite}, data...)
}

// addressAndCount decodes the first four bytes of a request for 1 to limit items.
func addressAndCount(data []byte, limit uint16) (address, count uint16, ok bool) {
	if len(data) < 4 {
		return 0, 0, false
	}
	address, count = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	return address, count, count >= 1 && count <= limit
}

// hasPayload says whether a write of several items carries its byte count and that many bytes.
func hasPayload(data []byte, size int) bool {
	return len(data) == 5+size && int(data[4]) == size
}
