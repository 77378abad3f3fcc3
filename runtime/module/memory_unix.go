//go:build unix

package module

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func reserve(size uint64) ([]byte, error) {
	area, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|mapNoReserve)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes for a guest's memory: %w", size, err)
	}
	return area, nil
}

func unreserve(area []byte) error {
	if area == nil {
		return nil
	}
	return unix.Munmap(area)
}
