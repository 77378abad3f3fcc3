package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
)

func newModuleRemoveCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "rm REF...",
		Short: "Remove modules that no channel needs",
		Long: `Remove modules from the bucket and from the stores of the server's nodes. One that a channel of a node needs stays, and the
exit code is 1: it runs, the configuration names it, or it was pinned or swapped in. A node that does not answer is not asked;
it goes on with what its own store has.`,
		Example: "  drover module rm modbus@1.2.0\n  drover module rm sha256:7fe5c4d2",
		Args:    cobra.MinimumNArgs(1), ValidArgsFunction: g.completeModules,
		RunE: func(cmd *cobra.Command, args []string) error { return runModuleRemove(cmd.Context(), args, g) },
	}
}

func runModuleRemove(ctx context.Context, references []string, g *globals) error {
	l, err := g.connectLibrary(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	all, err := l.all(ctx)
	if err != nil {
		return err
	}
	remove := make([]message.SharedModule, len(references))
	for i, reference := range references {
		if remove[i], err = findModule(all, reference); err != nil {
			return err
		}
		if channels := users(remove[i]); len(channels) > 0 {
			return fmt.Errorf("%s is needed by %s: nothing was removed", moduleName(remove[i]), strings.Join(channels, ", "))
		}
	}
	removed := make([]message.RemovedModule, 0, len(remove))
	for _, m := range remove {
		done, err := l.remove(ctx, m)
		if err != nil {
			return err
		}
		removed = append(removed, done)
		if !g.json {
			fmt.Fprintf(g.out, "%s %s removed from %s\n", printable(moduleName(m)), shortDigest(m.Digest), removedFrom(done))
		}
	}
	if g.json {
		return g.printJSON(removed)
	}
	return nil
}

// remove removes a module from the nodes first: what one of them has begun to use stays in the bucket, too.
func (l *library) remove(ctx context.Context, m message.SharedModule) (message.RemovedModule, error) {
	done := message.RemovedModule{Digest: m.Digest, Name: m.Name, Version: m.Version}
	for _, n := range m.Nodes {
		err := l.client.Ctl(ctx, n.Node, "forget-module", message.ModuleRequest{Digest: m.Digest}, nil)
		if errors.Is(err, message.ErrNoModule) {
			continue
		}
		if err != nil {
			return done, unreachable(fmt.Errorf("remove %s: %w", moduleName(m), err))
		}
		done.Nodes = append(done.Nodes, n.Node)
	}
	if !m.Bucket {
		return done, nil
	}
	err := l.bucket(ctx, false, func(ctx context.Context, b *modules.Bucket) error { return b.Remove(ctx, m.Digest) })
	done.Bucket = err == nil
	if errors.Is(err, store.ErrNotFound) { // somebody else was faster
		err = nil
	}
	return done, err
}

func removedFrom(m message.RemovedModule) string {
	var places []string
	if m.Bucket {
		places = append(places, "the bucket")
	}
	for _, n := range m.Nodes {
		places = append(places, "node "+n)
	}
	if len(places) == 0 {
		return "nowhere: it had gone already"
	}
	return strings.Join(places, ", ")
}

// digits are those of a digest, as lists show them.
var digits = regexp.MustCompile(`^[0-9a-f]{8,64}$`)

// findModule returns the module that a reference names: name@version, or a digest or its beginning.
func findModule(all []message.SharedModule, reference string) (message.SharedModule, error) {
	if digits.MatchString(reference) {
		reference = "sha256:" + reference
	}
	entries := make([]store.Entry, len(all))
	for i, m := range all {
		entries[i] = store.Entry{Digest: m.Digest, Name: m.Name, Version: m.Version}
		if m.ByDigest {
			entries[i].Path = "a file" // it does not claim its name
		}
	}
	e, err := store.Find(entries, reference)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return message.SharedModule{}, coded(exitNotFound, err)
	case err != nil:
		return message.SharedModule{}, coded(exitUsage, err)
	}
	for _, m := range all {
		if m.Digest == e.Digest {
			return m, nil
		}
	}
	return message.SharedModule{}, coded(exitNotFound, err)
}
