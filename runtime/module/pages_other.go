//go:build !linux

package module

import "errors"

// pages are there on Linux alone.
type pages struct{ size, held uint64 }

func newPages([]byte) (pages, error) {
	return pages{}, errors.New("this system has no images of memory; Linux does")
}

func (*pages) into([]byte) error { return errors.ErrUnsupported }

func (*pages) close() error { return nil }
