package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// moduleFile is a driver's file, and what the driver says of itself.
type moduleFile struct {
	binary []byte
	entry  store.Entry
}

// readModule reads a driver's file with the signatures beside it, and asks the driver what it is, with nothing granted.
// What cannot be a driver has the exit code 5.
func readModule(ctx context.Context, file string) (moduleFile, error) {
	binary, err := drover.ReadModule(file)
	if err != nil {
		return moduleFile{}, refusedModule(file, err)
	}
	signatures, err := signature.ReadFile(file)
	if err != nil {
		return moduleFile{}, coded(exitUsage, err)
	}
	about, err := inspectModule(ctx, file, binary)
	if err != nil {
		return moduleFile{}, err
	}
	return moduleFile{binary, store.Entry{
		Digest: about.Digest, Name: about.Name, Version: about.Version, ABI: about.ABI, Size: int64(len(binary)),
		Added: time.Now().UTC(), Signatures: signatures,
	}}, nil
}

// inspectModule looks at a module that is called name. Compiling takes seconds the first time.
func inspectModule(ctx context.Context, name string, binary []byte) (*message.Inspection, error) {
	about, err := drover.Inspect(ctx, binary, compileCache())
	return about, refusedModule(name, err)
}

// compileCache is where the command line keeps code that it compiled; empty is nowhere.
func compileCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "drover", "compiled")
}

// refusedModule is an error about a module's file with its exit code.
func refusedModule(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return coded(exitUsage, err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return coded(exitRefused, fmt.Errorf("%s: %w", name, err))
}

// origin says where a module's file is, for those on other machines.
func origin(file string) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return path, nil
	}
	return host + ":" + path, nil
}

// sign adds a signature with the private key in a file.
func (m *moduleFile) sign(keyFile string) error {
	s, err := signWith(keyFile, m.entry.Digest)
	if err != nil {
		return err
	}
	m.entry = store.Merge(m.entry, store.Entry{Signatures: []signature.Signature{s}})
	return nil
}
