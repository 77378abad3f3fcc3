//go:build !linux

package module

// threadTime is not known here.
func threadTime() int64 { return noThread }
