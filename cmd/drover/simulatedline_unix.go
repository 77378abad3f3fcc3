//go:build linux || darwin

package main

import (
	"io"

	"github.com/droverhq/drover/internal/sim/modbus"
)

// simulatedLine opens a pseudo-terminal for a simulated device, and returns the path for who talks to it.
func simulatedLine() (line io.ReadWriteCloser, path string, err error) {
	p, err := modbus.OpenPTY()
	if err != nil {
		return nil, "", err
	}
	return p, p.Path(), nil
}
