// Command guest is a module of Go's own compiler for the tests and benchmarks of metering: it computes what can be
// checked, and shows how a Go program fails.
package main

import (
	"encoding/json"
	"hash/crc32"
	"slices"
	"strings"
)

// A library is called by its exports: main does not run.
func main() {}

type reading struct {
	Device string             `json:"device"`
	Unit   string             `json:"unit,omitempty"`
	Values map[string]float64 `json:"values"`
	Codes  []int              `json:"codes"`
}

// encode returns the checksum of n readings, sorted and in JSON.
//
//go:wasmexport encode
func encode(n int32) int32 {
	var all []reading
	for i := range n {
		all = append(all, reading{
			Device: strings.Repeat("boiler ", int(i%3)+1),
			Unit:   "bar",
			Values: map[string]float64{"pressure": float64(i) / 7, "flow": float64(i*i) * 1e-3},
			Codes:  []int{int(i), int(i) << 8, -int(i)},
		})
	}
	slices.SortFunc(all, func(a, b reading) int { return int(b.Values["flow"] - a.Values["flow"]) })
	text, err := json.Marshal(all)
	if err != nil {
		return -1
	}
	return int32(crc32.ChecksumIEEE(text))
}

var scratch [256]byte

// crc16 is Modbus's checksum over 256 bytes, n times.
//
//go:wasmexport crc16
func crc16(n int32) int32 {
	crc := uint16(0xffff)
	for range n {
		for _, b := range scratch {
			crc ^= uint16(b)
			for range 8 {
				if crc&1 != 0 {
					crc = crc>>1 ^ 0xa001
				} else {
					crc >>= 1
				}
			}
		}
	}
	return int32(crc)
}

// spin counts without end, in the manner of n.
//
//go:wasmexport spin
func spin(n int32) int32 {
	switch n {
	case 0:
		for i := 0; ; i++ {
			scratch[i&255]++
		}
	case 1:
		return deeper(n)
	default:
		for {
			clear(large)
		}
	}
}

var large = make([]byte, 4<<20)

func deeper(n int32) int32 { return deeper(n+1) + 1 }
