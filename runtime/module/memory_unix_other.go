//go:build unix && !linux

package module

const mapNoReserve = 0
