//go:build race

package natsbridge

// raceEnabled: sync.Pool forgets on purpose under the race detector.
const raceEnabled = true
