package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/store"
)

func newModuleAddCommand(g *globals) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "add FILE...",
		Short: "Give modules to all nodes",
		Long: `Give modules to the bucket that all nodes of the server read, by the name and version that they say of themselves: with
that, and by their digests, configurations and swaps name them. A name and version belong to one module for as long as it is
there. Signatures in FILE.sig go along. Only admins may do this.

Of the code nothing runs but what says what the module is, on this machine, with nothing granted. What is no driver for this
version of drover is refused.`,
		Example: "  drover module add modbus.wasm\n  drover module add --key release.pem build/*.wasm\n" +
			"  drover module add --server nats://hub:4222 --creds admin.creds modbus.wasm",
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return []cobra.Completion{"wasm"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runModuleAdd(cmd.Context(), args, key, g) },
	}
	cmd.Flags().StringVar(&key, "key", "", "`file` of a private key to sign them with")
	return cmd
}

func runModuleAdd(ctx context.Context, files []string, key string, g *globals) error {
	add := make([]moduleFile, len(files))
	for i, file := range files {
		done := g.progress("compiling " + printable(file))
		var err error
		add[i], err = readModule(ctx, file)
		done()
		if err != nil {
			return err
		}
		if key != "" {
			if err := add[i].sign(key); err != nil {
				return err
			}
		}
	}
	l, err := g.connectLibrary(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	entries := make([]store.Entry, len(add))
	for i, m := range add {
		if entries[i], err = l.put(ctx, m); err != nil {
			return notAdded(err, files[i])
		}
		if !g.json {
			fmt.Fprintf(g.out, "%s %s%s\n", printable(entries[i].Reference()), entries[i].Digest, signedText(entries[i].SignedBy()))
		}
	}
	if g.json {
		return g.printJSON(listed(entries))
	}
	return nil
}

// notAdded says what can be done about it.
func notAdded(err error, file string) error {
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("%s: %w; give it another version, or remove that one first (drover module rm)", file, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

func signedText(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return " signed by " + printable(strings.Join(keys, ", "))
}
