package record

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The errors that callers tell apart.
var (
	// ErrDamaged: what lies in the folder is not what was recorded. It was put aside.
	ErrDamaged = errors.New("the record is damaged")
	// ErrNone: nothing was applied yet.
	ErrNone = errors.New("no configuration was applied")
)

// How a configuration came to be applied.
const (
	// HowRun is the start of a node, with the file that it was told.
	HowRun = "run"
	// HowApply is an apply of a caller.
	HowApply = "apply"
	// HowReload is SIGHUP.
	HowReload = "reload"
)

// Applied says which configuration was applied last.
type Applied struct {
	// Bundle is the configuration's digest: "sha256:" and hexadecimal.
	Bundle string `json:"bundle"`
	// File is where it was read, By who applied it (user@host), empty where that is not known. How is one of the
	// constants.
	File string    `json:"file"`
	By   string    `json:"by,omitempty"`
	How  string    `json:"how"`
	At   time.Time `json:"at"`
	// Kept are the channels that an earlier configuration holds for, each with its digest: they were rolled back to it.
	Kept map[string]string `json:"kept,omitempty"`
}

// Pin is the driver that a channel's path stood for when it was applied.
type Pin struct {
	// Driver is the path, Digest that of the module.
	Driver string `json:"driver"`
	Digest string `json:"digest"`
}

// Override is a swap: another driver than the configuration's runs in a channel, until the configuration names another
// one or the swap is taken back.
type Override struct {
	// Digest is the module that runs, Reference what it was called by whoever swapped it.
	Digest    string `json:"digest"`
	Reference string `json:"reference,omitempty"`
	// By is who did it (user@host), empty where that is not known.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
	// Driver is what the configuration named when it was done.
	Driver string `json:"driver"`
}

// Record is what a node keeps in its data directory. Its methods may be called from any goroutine. Those that change something
// change it in memory in any case: their error says that it is not on disk.
type Record struct {
	dir string

	mu        sync.Mutex
	applied   *Applied
	pins      map[string]Pin
	overrides map[string]Override
}

// folder is that of the record in a data directory.
const folder = "applied"

// Open reads the record in a node's data directory, which need not exist. The record is there in any case: with
// ErrDamaged, or where it cannot be read, it is empty.
func Open(data string) (*Record, error) {
	r := &Record{dir: filepath.Join(data, folder), pins: make(map[string]Pin), overrides: make(map[string]Override)}
	kept, err := read(r.path(file))
	if err != nil {
		if errors.Is(err, ErrDamaged) {
			err = errors.Join(err, os.Rename(r.path(file), r.path(file+aside)))
		}
		return r, fmt.Errorf("read what was applied: %w", err)
	}
	r.applied = kept.Applied
	maps.Copy(r.pins, kept.Pins)
	maps.Copy(r.overrides, kept.Overrides)
	return r, nil
}

// Applied returns which configuration was applied last; false where none was.
func (r *Record) Applied() (Applied, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.applied == nil {
		return Applied{}, false
	}
	return *r.applied, true
}

// Pins returns a copy of the pins by channel.
func (r *Record) Pins() map[string]Pin {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.pins)
}

// Overrides returns a copy of the swaps by channel.
func (r *Record) Overrides() map[string]Override {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.overrides)
}

// Override returns the swap of a channel; false where there is none.
func (r *Record) Override(channel string) (Override, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.overrides[channel]
	return o, ok
}

// SetOverride records the swap of a channel, in the place of one before.
func (r *Record) SetOverride(channel string, o Override) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overrides[channel] = o
	return r.write()
}

// ClearOverride forgets the swap of a channel; false where there was none.
func (r *Record) ClearOverride(channel string) (Override, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.overrides[channel]
	if !ok {
		return o, false, nil
	}
	delete(r.overrides, channel)
	return o, true, r.write()
}

// Apply records a configuration, whose text is bundle, with the pins and the swaps that hold with it: all that there are.
// Bundle of a is filled in.
func (r *Record) Apply(bundle []byte, a Applied, pins map[string]Pin, overrides map[string]Override) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.Bundle = digest(bundle)
	r.applied, r.pins, r.overrides = &a, maps.Clone(pins), maps.Clone(overrides)
	if r.pins == nil {
		r.pins = make(map[string]Pin)
	}
	if r.overrides == nil {
		r.overrides = make(map[string]Override)
	}
	// First what the record refers to, then the record, then what it refers to no more.
	if err := r.writeBundle(bundle); err != nil {
		return notRecorded(err)
	}
	if err := r.write(); err != nil {
		return err
	}
	return r.prune(slices.AppendSeq([]string{a.Bundle}, maps.Values(a.Kept)))
}

// Bundle returns the text of a configuration that Applied names, in Bundle or Kept. ErrDamaged: it is not what was
// recorded.
func (r *Record) Bundle(of string) ([]byte, error) {
	if !digestForm.MatchString(of) {
		return nil, fmt.Errorf("read what was applied: %q is no digest", of)
	}
	text, err := os.ReadFile(r.bundlePath(of))
	if err != nil {
		return nil, fmt.Errorf("read what was applied: %w", err)
	}
	if got := digest(text); got != of {
		return nil, fmt.Errorf("read what was applied: %w: the configuration has the digest %s, expected %s", ErrDamaged, got, of)
	}
	return text, nil
}

func (r *Record) path(name string) string { return filepath.Join(r.dir, name) }
