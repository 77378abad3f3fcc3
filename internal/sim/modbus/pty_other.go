//go:build !linux && !darwin

package modbus

import (
	"errors"
	"fmt"
)

// PTY is the device's end of a pseudo-terminal; this system has none.
type PTY struct{}

// OpenPTY fails: this system has no pseudo-terminals that we know of.
func OpenPTY() (*PTY, error) {
	return nil, fmt.Errorf("open pseudo-terminal: %w", errors.ErrUnsupported)
}

// Path returns nothing.
func (*PTY) Path() string { return "" }

// Read fails.
func (*PTY) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write fails.
func (*PTY) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Close does nothing.
func (*PTY) Close() error { return nil }
