package codec

import (
	"encoding/binary"
	"fmt"
)

// Order is how the bytes of a value lie in registers. The letters are the bytes of a value of 32 bits, A the highest,
// in the order in which the line carries them. The zero value stands for an order that nobody said.
//
// Of a value of 64 bits the registers come in the same way: ABCDEFGH, GHEFCDAB, BADCFEHG, HGFEDCBA; of one of 16 bits
// only the bytes: AB, AB, BA, BA.
type Order uint8

const (
	// ABCD has the high register and the high byte first, as the specification does.
	ABCD Order = 1 + iota
	// CDAB has the low register first.
	CDAB
	// BADC has the bytes of each register swapped.
	BADC
	// DCBA has both.
	DCBA
)

var orderNames = [...]string{ABCD: "ABCD", CDAB: "CDAB", BADC: "BADC", DCBA: "DCBA"}

// ParseOrder returns the order that String gives that name.
func ParseOrder(name string) (Order, bool) {
	for o := ABCD; o <= DCBA; o++ {
		if orderNames[o] == name {
			return o, true
		}
	}
	return 0, false
}

// String returns the letters, and "" for the zero value.
func (o Order) String() string {
	if int(o) < len(orderNames) {
		return orderNames[o]
	}
	return ""
}

// UnmarshalText implements encoding.TextUnmarshaler, for settings.
func (o *Order) UnmarshalText(text []byte) error {
	order, ok := ParseOrder(string(text))
	if !ok {
		return fmt.Errorf("order %q, expected ABCD, CDAB, BADC or DCBA", text)
	}
	*o = order
	return nil
}

func (o Order) lowRegisterFirst() bool { return o == CDAB || o == DCBA }

func (o Order) lowByteFirst() bool { return o == BADC || o == DCBA }

func (o Order) uint16(b []byte) uint16 {
	if o.lowByteFirst() {
		return binary.LittleEndian.Uint16(b)
	}
	return binary.BigEndian.Uint16(b)
}

func (o Order) uint32(b []byte) uint32 {
	first, second := uint32(o.uint16(b)), uint32(o.uint16(b[2:]))
	if o.lowRegisterFirst() {
		first, second = second, first
	}
	return first<<16 | second
}

func (o Order) uint64(b []byte) uint64 {
	first, second := uint64(o.uint32(b)), uint64(o.uint32(b[4:]))
	if o.lowRegisterFirst() {
		first, second = second, first
	}
	return first<<32 | second
}

func (o Order) putUint16(b []byte, v uint16) {
	if o.lowByteFirst() {
		binary.LittleEndian.PutUint16(b, v)
		return
	}
	binary.BigEndian.PutUint16(b, v)
}

func (o Order) putUint32(b []byte, v uint32) {
	first, second := uint16(v>>16), uint16(v)
	if o.lowRegisterFirst() {
		first, second = second, first
	}
	o.putUint16(b, first)
	o.putUint16(b[2:], second)
}

func (o Order) putUint64(b []byte, v uint64) {
	first, second := uint32(v>>32), uint32(v)
	if o.lowRegisterFirst() {
		first, second = second, first
	}
	o.putUint32(b, first)
	o.putUint32(b[4:], second)
}
