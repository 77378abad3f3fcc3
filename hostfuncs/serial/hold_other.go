//go:build !linux && !darwin

package serial

import "strings"

// hold is a port's name: these systems open a port once only.
type hold struct{ key string }

func openHold(path string) (hold, error) { return hold{key: strings.ToUpper(path)}, nil }

func (h *hold) lock() error { return nil }

func (h *hold) close() {}

func (h *hold) wake() {}
