//go:build interop

package interop

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

// tables are what a unit holds, by area and first address.
type tables map[string]map[string][]uint16

// orders are the ways in which devices store values. A is the highest byte of a 32-bit value; where an order swaps the
// bytes of a register, it does so in values of one register too.
var orders = []string{"ABCD", "CDAB", "BADC", "DCBA"}

// words returns the big-endian bytes of a value as registers in an order.
func words(order string, value uint64, count int) []uint16 {
	list := make([]uint16, count)
	for i := range list {
		word := uint16(value >> (16 * (count - 1 - i)))
		if order == "BADC" || order == "DCBA" {
			word = word>>8 | word<<8
		}
		position := i
		if order == "CDAB" || order == "DCBA" {
			position = count - 1 - i
		}
		list[position] = word
	}
	return list
}

// every returns a unit that holds one value of each type.
func every(order string) tables {
	negative := int64(-1_234_567_890_123_456_789)
	return tables{
		"holding": {
			"100": words(order, 0xfffe, 1),
			"101": words(order, 65535, 1),
			"110": words(order, uint64(uint32(0x80000001)), 2),
			"112": words(order, 4_000_000_000, 2),
			"114": words(order, uint64(math.Float32bits(21.7)), 2),
			"120": words(order, uint64(negative), 4),
			"124": words(order, math.MaxUint64, 4),
			"128": words(order, math.Float64bits(math.Pi), 4),
			"200": words(order, 0x0005, 1),
		},
		"input": {
			"0":    slices.Concat(words(order, 215, 1), words(order, 216, 1), words(order, 217, 1), words(order, 218, 1)),
			"1000": words(order, 7, 1), "40000": words(order, 40000, 1),
		},
		"coil":     {"0": {1, 0, 1}},
		"discrete": {"10": {0, 1}},
	}
}

// everyPoints reads them, and everyValues is what must arrive.
const everyPoints = `{
          i16: {address: "holding:100", type: int16},
          u16: {address: "holding:101", type: uint16},
          i32: {address: "holding:110", type: int32},
          u32: {address: "holding:112", type: uint32},
          f32: {address: "holding:114", type: float32},
          i64: {address: "holding:120", type: int64},
          u64: {address: "holding:124", type: uint64},
          f64: {address: "holding:128", type: float64},
          bit0: {address: "holding:200.0", type: bool},
          bit1: {address: "holding:200.1", type: bool},
          scaled: {address: "input:0", type: uint16, scale: 0.1, unit: bar},
          list: {address: "input:0", type: uint16, count: 4},
          far: {address: "input:1000", type: uint16},
          farther: {address: "input:40000", type: uint16},
          coil0: {address: "coil:0", type: bool},
          coil1: {address: "coil:1", type: bool},
          discrete: {address: "discrete:11", type: bool}}
`

var everyValues = map[string]string{
	"i16": "-2", "u16": "65535", "i32": "-2147483647", "u32": "4000000000", "f32": "21.7",
	"i64": "-1234567890123456789", "u64": "18446744073709551615", "f64": "3.141592653589793",
	"bit0": "true", "bit1": "false", "scaled": "21.5", "list": "[215,216,217,218]", "far": "7", "farther": "40000",
	"coil0": "true", "coil1": "false", "discrete": "true",
}

// under returns the expected values with their device's name in front.
func under(device string, values map[string]string) map[string]string {
	all := map[string]string{}
	for point, v := range values {
		all[device+"."+point] = v
	}
	return all
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
