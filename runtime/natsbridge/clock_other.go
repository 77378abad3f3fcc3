//go:build !linux

package natsbridge

// kernelUnsynced has no kernel to ask.
func kernelUnsynced() bool { return false }
