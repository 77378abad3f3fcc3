package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/store"
)

const (
	// file has the record, aside ends the name of a damaged one.
	file, aside = "record.json", ".damaged"
	// bundleEnd ends the names of configurations.
	bundleEnd = ".bundle"
	// version is that of the file's form.
	version = 1
)

// form is the file.
type form struct {
	Version   int                 `json:"version"`
	Applied   *Applied            `json:"applied,omitempty"`
	Pins      map[string]Pin      `json:"pins,omitempty"`
	Overrides map[string]Override `json:"overrides,omitempty"`
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// read reads the file; one that is not there is empty.
func read(path string) (form, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return form{Version: version}, nil
	}
	if err != nil {
		return form{}, err
	}
	f, err := decode(text)
	if err != nil {
		return form{}, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	return f, nil
}

// decode reads what a record's file has.
func decode(text []byte) (form, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f form
	if err := d.Decode(&f); err != nil {
		// Another version may have other fields, which is the better thing to say.
		var only struct{ Version int }
		if json.Unmarshal(text, &only) == nil && only.Version != version {
			return form{}, otherVersion(only.Version)
		}
		return form{}, err
	}
	if f.Version != version {
		return form{}, otherVersion(f.Version)
	}
	if f.Applied != nil && !digestForm.MatchString(f.Applied.Bundle) {
		return form{}, fmt.Errorf("%q is no digest", f.Applied.Bundle)
	}
	if f.Applied != nil {
		for channel, bundle := range f.Applied.Kept {
			if !digestForm.MatchString(bundle) {
				return form{}, fmt.Errorf("the configuration of channel %q: %q is no digest", channel, bundle)
			}
		}
	}
	for channel, p := range f.Pins {
		if !digestForm.MatchString(p.Digest) {
			return form{}, fmt.Errorf("the pin of channel %q: %q is no digest", channel, p.Digest)
		}
	}
	for channel, o := range f.Overrides {
		if !digestForm.MatchString(o.Digest) {
			return form{}, fmt.Errorf("the swap of channel %q: %q is no digest", channel, o.Digest)
		}
	}
	return f, nil
}

func otherVersion(found int) error {
	return fmt.Errorf("its version is %d, expected %d", found, version)
}

// write writes the file. The lock is held.
func (r *Record) write() error {
	text, err := json.MarshalIndent(form{version, r.applied, r.pins, r.overrides}, "", "  ")
	if err == nil {
		err = os.MkdirAll(r.dir, 0o700)
	}
	if err == nil {
		err = store.WriteFile(r.path(file), append(text, '\n'))
	}
	if err != nil {
		return notRecorded(err)
	}
	return nil
}

func notRecorded(err error) error {
	return fmt.Errorf("not recorded, so the next start does not know it: %w", err)
}

// writeBundle writes a configuration, unless it is there. The lock is held.
func (r *Record) writeBundle(text []byte) error {
	path := r.bundlePath(digest(text))
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, text) {
		return nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	return store.WriteFile(path, text)
}

// prune removes the configurations other than some. The lock is held.
func (r *Record) prune(but []string) error {
	all, err := filepath.Glob(r.path("*" + bundleEnd))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range all {
		if !slices.ContainsFunc(but, func(digest string) bool { return path == r.bundlePath(digest) }) {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

func (r *Record) bundlePath(digest string) string {
	return r.path(strings.TrimPrefix(digest, "sha256:") + bundleEnd)
}

func digest(text []byte) string { return store.Digest(text) }
