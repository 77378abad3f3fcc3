package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover"
)

func newDriverBuildCommand(g *globals) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build a driver in Go, and load it as a node would",
		Long: `Build the driver in DIR, or in the working folder, with the go command, as the kit wants it:

  GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false

Then load it as a node would, with nothing granted, and show what it says of itself. The same sources give the same
digest. A module that a node would refuse ends it with exit code 5.`,
		Example: "  drover driver build\n  drover driver build ./thermo -o /tmp/thermo.wasm --json | jq -r .digest",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDriverBuild(cmd.Context(), append(args, ".")[0], output, g)
		},
		ValidArgsFunction: completeDir,
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write, NAME.wasm in DIR if not given, NAME being the folder's")
	_ = cmd.MarkFlagFilename("output", "wasm") // the flag is there
	return cmd
}

// completeDir completes one argument that is a folder.
func completeDir(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func runDriverBuild(ctx context.Context, dir, output string, g *globals) error {
	if output == "" {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("find the driver: %w", err)
		}
		output = filepath.Join(dir, binaryName(absolute))
	}
	if err := buildDriver(ctx, dir, output, g); err != nil {
		return err
	}
	done := g.progress("compiling " + output)
	about, err := drover.DescribeDriver(ctx, output)
	done()
	if err != nil {
		return loadError(output, err)
	}
	if g.json {
		return g.printJSON(about)
	}
	fmt.Fprintf(g.out, "%s: %s %s, %s, %s\n", output, about.Name, about.Version, bytesText(uint64(about.Size)), about.Digest)
	return nil
}

// binaryName is the file that a driver in an absolute folder is built into.
func binaryName(dir string) string { return filepath.Base(dir) + ".wasm" }

// buildDriver builds the driver in dir into a file.
func buildDriver(ctx context.Context, dir, file string, g *globals) error {
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return usagef("%s: expected the folder of a driver's package main", dir)
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("build the driver: %w", err)
	}
	environment := []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}
	err = goCommand(ctx, g, dir, environment, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", file, ".")
	if err != nil {
		return fmt.Errorf("build the driver in %s: %w", dir, err)
	}
	return nil
}

// loadError gives the refusal of a module its exit code.
func loadError(file string, err error) error {
	err = fmt.Errorf("%s: %w", file, err)
	if drover.Refused(err) {
		return coded(exitRefused, err)
	}
	return err
}
