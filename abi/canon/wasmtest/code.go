package wasmtest

import (
	"encoding/binary"
	"math"

	"github.com/tetratelabs/wazero/api"
)

// Code joins instructions.
func Code(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// I32 is i32.const.
func I32(v uint32) []byte { return append([]byte{0x41}, signed(int64(int32(v)))...) }

// I64 is i64.const.
func I64(v uint64) []byte { return append([]byte{0x42}, signed(int64(v))...) }

// F64 is f64.const.
func F64(v float64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{0x44}, math.Float64bits(v))
}

// Load loads a value of type t from address.
func Load(t api.ValueType, address uint32) []byte {
	op := map[api.ValueType]byte{api.ValueTypeI32: 0x28, api.ValueTypeI64: 0x29, api.ValueTypeF32: 0x2a, api.ValueTypeF64: 0x2b}
	return Code(I32(address), []byte{op[t], 0, 0})
}

// Local is local.get (0x20), local.set (0x21) or local.tee (0x22) of that local.
func Local(op byte, index uint32) []byte { return append([]byte{op}, leb(uint64(index))...) }

// Call calls the function of that index.
func Call(function int) []byte { return append([]byte{0x10}, leb(uint64(function))...) }

// Loop repeats body without end.
func Loop(body ...[]byte) []byte {
	return Code([]byte{0x03, 0x40}, Code(body...), []byte{0x0c, 0x00, 0x0b})
}

// Drop drops the value on top.
func Drop() []byte { return []byte{0x1a} }

// Unreachable traps.
func Unreachable() []byte { return []byte{0x00} }

// signed is v in signed LEB128.
func signed(v int64) []byte {
	var out []byte
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
