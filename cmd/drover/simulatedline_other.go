//go:build !linux && !darwin

package main

import "io"

// simulatedLine is nil: there are no pseudo-terminals.
var simulatedLine func() (line io.ReadWriteCloser, path string, err error)
