//go:build !unix

package module

func reserve(size uint64) ([]byte, error) { return make([]byte, size), nil }

func unreserve([]byte) error { return nil }
