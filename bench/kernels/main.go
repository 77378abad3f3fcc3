//go:build wasip1

// Kernels is work of the kinds that drivers do, for measuring what metering costs. Each export does it as often as it
// is told and returns something that depends on all of it.
package main

import (
	"encoding/json"

	"github.com/droverhq/drover/guests/modbus/rtu"
)

func main() {}

// tight is the smallest loop with something to do: the worst case of counting work.
//
//go:wasmexport tight
func tight(times uint32) uint32 {
	var x uint32 = 1
	for range times {
		x = x*1664525 + 1013904223
	}
	return x
}

//go:wasmexport crc
func crc(times uint32) uint32 {
	frame := make([]byte, 256)
	var sum uint32
	for i := range times {
		frame[i%256]++
		sum += uint32(rtu.CRC(frame))
	}
	return sum
}

// reading is about what a small driver's settings or a driver's message look like.
type reading struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Value   float64   `json:"value"`
	Quality string    `json:"quality"`
	History []float64 `json:"history"`
	Raw     []uint16  `json:"raw"`
}

//go:wasmexport encode
func encode(times uint32) uint32 {
	r := reading{Name: "pressure", Unit: "bar", Quality: "good", History: []float64{1.5, 2.25, 3}, Raw: []uint16{1, 2, 3}}
	var sum uint32
	for i := range times {
		r.Value = float64(i) / 8
		text, err := json.Marshal(&r)
		if err != nil {
			return 0
		}
		sum += uint32(len(text))
	}
	return sum
}
