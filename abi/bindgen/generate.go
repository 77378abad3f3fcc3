package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// options says what to read and where to write.
type options struct {
	wit, world         string
	types, host, guest string
}

// target has the names that the generated files use for one another.
type target struct {
	component string // import path of the package with Option, Result and so on
	canon     string // import path of the canonical ABI's run time on the host
	linear    string // import path of the canonical ABI's run time in the guest
	types     string // import path of the types
	typesPkg  string
	hostPkg   string
	guestPkg  string
}

// file is one generated file.
type file struct {
	path string
	make func(*world, target) ([]byte, error)
}

// run generates everything, then writes it: an error leaves the tree as it was.
func (o options) run() error {
	files, err := o.generate()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the text of each file by its path.
func (o options) generate() (map[string][]byte, error) {
	w, err := load(o.wit, o.world)
	if err != nil {
		return nil, err
	}
	t, err := o.target()
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, f := range []file{
		{filepath.Join(o.types, "types.gen.go"), generateTypes},
		{filepath.Join(o.host, "imports.gen.go"), generateInterfaces},
		{filepath.Join(o.host, "bind.gen.go"), generateHost},
		{filepath.Join(o.guest, "bind.gen.go"), generateGuest},
	} {
		if out[f.path], err = f.make(w, t); err != nil {
			return nil, fmt.Errorf("generate %s: %w", f.path, err)
		}
	}
	return out, nil
}

// target finds the import paths by the go.mod above the folders.
func (o options) target() (target, error) {
	if o.types == "" || o.host == "" || o.guest == "" {
		return target{}, errors.New("-types, -host and -guest are all needed")
	}
	module, root, err := findModule(o.types)
	if err != nil {
		return target{}, err
	}
	dir, err := filepath.Abs(o.types)
	if err != nil {
		return target{}, err
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return target{}, err
	}
	return target{
		component: "github.com/droverhq/drover/abi/component",
		canon:     "github.com/droverhq/drover/abi/canon",
		linear:    "github.com/droverhq/drover/abi/canon/linear",
		types:     path.Join(module, filepath.ToSlash(rel)),
		typesPkg:  filepath.Base(dir),
		hostPkg:   filepath.Base(o.host),
		guestPkg:  filepath.Base(o.guest),
	}, nil
}

// findModule returns the path and the folder of the Go module that dir is in. dir need not exist yet.
func findModule(dir string) (module, root string, err error) {
	root, err = filepath.Abs(dir)
	if err != nil {
		return "", "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil {
			for l := range strings.Lines(string(text)) {
				if name, ok := strings.CutPrefix(l, "module "); ok {
					return strings.TrimSpace(name), root, nil
				}
			}
			return "", "", fmt.Errorf("%s/go.mod has no module line", root)
		}
		if filepath.Dir(root) == root {
			return "", "", fmt.Errorf("no go.mod above %s", dir)
		}
		root = filepath.Dir(root)
	}
}

func (w *world) from() string { return w.id + ", world " + w.name }
