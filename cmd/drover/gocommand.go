package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// goCommand runs the go command in a folder. What it prints goes to standard error: it is about the user's own program.
func goCommand(ctx context.Context, g *globals, dir string, environment []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, g.err, g.err
	cmd.Env = append(os.Environ(), environment...)
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no go command in PATH: drivers in Go need the Go tool chain, version 1.26 or later (https://go.dev/dl)")
	}
	if err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args[:min(len(args), 2)], " "), err)
	}
	return nil
}
